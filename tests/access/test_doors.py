"""How staff come in and go out, and what anybody may fetch."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.access import table
from tests.access.asking import Asking, Request, undone
from tests.access.table import Row

ENTRY = dict.fromkeys(("GET", "HEAD", "POST"), (200, 302, 302))
BETWEEN = dict.fromkeys(("GET", "HEAD", "POST"), (302, 302, 302))
OPEN = dict.fromkeys(("GET", "HEAD", "POST"), (200, 200, 200))
DOORS = {
    # by method: whoever is nobody; a patient; whoever is logged in as staff
    "log-in": ENTRY,
    "admin:login": ENTRY,
    "second-factor": BETWEEN,  # whoever has not just given the right password begins there
    "enrol": BETWEEN,
    "password-reset": OPEN,
    "password-reset-new": OPEN,
    "admin:logout": {"GET": (302, 302, 405), "HEAD": (302, 302, 405), "POST": (302, 302, 200)},
    "admin:password_change": dict.fromkeys(("GET", "HEAD", "POST"), (302, 302, 200)),
    "admin:password_change_done": {"GET": (302, 302, 200), "HEAD": (302, 302, 200), "POST": (302, 302, 405)},
    "/admin/(?P<url>.*)$": dict.fromkeys(("GET", "HEAD", "POST"), (302, 302, 404)),
}
NEVER = (405, 405, 405)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")


def test_every_door_is_tried() -> None:
    assert set(DOORS) == set(table.DOORS) | set(table.NOWHERE)


@pytest.mark.parametrize("route", DOORS)
def test_a_door(asking: Asking, route: str) -> None:
    for person in asking.world.people.values():
        for method in METHODS:
            standing = {table.OUTSIDE: 0, table.PATIENT: 1}.get(person.role, 2)
            expected = DOORS[route].get(method, NEVER)[standing]
            if person.ended and method in DOORS[route]:
                expected = 302  # once to the login, to be told so
            asked = Request(person, method, route, Row(route), "own", None, read=method == "GET")
            with undone():
                answer = asking.ask(asked)
                assert answer.status == expected, str(asked)
                assert not asking.changed(), str(asked)
                assert answer.marks <= person.sees, str(asked)


@pytest.mark.django_db
def test_static_files_are_for_all_and_nothing_else_is_a_file() -> None:
    client = Client()
    answer = client.get("/static/programs/admin.css")
    assert answer.status_code == 200
    assert not answer.cookies
    for path in ("/static/", "/static/../config/settings.py", "/static/%2e%2e/manage.py", "/static/nothing"):
        assert client.get(path).status_code == 404, path
