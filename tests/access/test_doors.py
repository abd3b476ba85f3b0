"""How staff come in and go out, and what anybody may fetch."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.access import table
from tests.access.asking import Asking, Request, undone
from tests.access.table import Row

DOORS = {
    # by method: whoever is outside, patients included; and whoever is logged in as staff
    "admin:login": {"GET": (200, 302), "HEAD": (200, 200), "POST": (200, 200)},
    "admin:logout": {"GET": (302, 405), "HEAD": (302, 405), "POST": (302, 200)},
    "admin:password_change": {"GET": (302, 200), "HEAD": (302, 200), "POST": (302, 200)},
    "admin:password_change_done": {"GET": (302, 200), "HEAD": (302, 200), "POST": (302, 405)},
    "/admin/(?P<url>.*)$": {"GET": (302, 404), "HEAD": (302, 404), "POST": (302, 404)},
}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")


def test_every_door_is_tried() -> None:
    assert set(DOORS) == set(table.DOORS) | set(table.NOWHERE)


@pytest.mark.parametrize("route", DOORS)
def test_a_door(asking: Asking, route: str) -> None:
    for person in asking.world.people.values():
        for method in METHODS:
            inside = person.role not in (table.OUTSIDE, table.PATIENT)
            expected = DOORS[route].get(method, (405, 405))[inside]
            asked = Request(person, method, route, Row(route), "own", None, read=method == "GET")
            session = person.client.cookies.copy()
            with undone():
                answer = asking.ask(asked)
                assert answer.status == expected, str(asked)
                assert not asking.changed(), str(asked)
                assert answer.marks <= person.sees, str(asked)
            person.client.cookies = session  # its row is back, too


def test_static_files_are_for_all_and_nothing_else_is_a_file() -> None:
    client = Client()
    answer = client.get("/static/programs/admin.css")
    assert answer.status_code == 200
    assert not answer.cookies
    for path in ("/static/", "/static/../config/settings.py", "/static/%2e%2e/manage.py", "/static/nothing"):
        assert client.get(path).status_code == 404, path
