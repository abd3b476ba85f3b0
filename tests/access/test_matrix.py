"""Every address, every role, every method; own, foreign and missing objects."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest

from tests.access import table
from tests.access.asking import Answer, Asking, Request, undone
from tests.access.table import Row
from tests.access.world import Bundle, Person

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
FULL = bool(os.environ.get("ACCESS_FULL"))
"""``make access``: everything. Else each role meets each address, and each kind of object, by one method at
least; the owner, in the API the patient, by all of them. Whom the door itself refuses meets one object
of each kind, and so does a method that none has: both are refused before any is looked for."""
SAFE = ("GET", "HEAD")
BUTTON = HTTPStatus.METHOD_NOT_ALLOWED
OF_THE_HOUSE = {
    "clinic",
    "policy",
    "member",
    "own seat",
    "absence",
    "exercise",
    "template",
    "e-mail",
    "given-up e-mail",
}
"""Kinds of objects that are one clinic's, not one patient's."""


def in_admin(asked: Request) -> int:
    row, role = asked.row, asked.person.role
    if asked.person.ended and asked.method in (*SAFE, "POST"):
        return 302
    if asked.method not in (*SAFE, "POST") or (asked.method in SAFE and row.opened == BUTTON):
        return 405
    if role in (table.OUTSIDE, table.PATIENT):
        return 302
    if asked.method == "POST" and row.idle == 405:  # refused before anybody's role is looked at
        return 405
    if role not in row.sees:
        return 403 if role in row.barred and reaches(asked) else row.refused
    return to_who_sees_it(asked)


def to_who_sees_it(asked: Request) -> int:
    row, acts_here = asked.row, asked.person.role in asked.row.does
    if asked.route in table.ACTIONS.values() and not acts_here:  # the list offers it to others only
        return row.idle
    if row.of and not reaches(asked):
        return row.missing
    if asked.method in SAFE:
        return row.opened
    return row.done if acts_here else row.idle


def in_api(asked: Request) -> int:
    row = asked.row
    if asked.person.role != table.PATIENT:
        return 401
    if asked.method in SAFE and row.sees:
        return row.opened
    if asked.method == row.method and row.does:
        return row.done if asked.whose == "own" else row.missing
    return 405


def in_tools(asked: Request) -> int:
    row, role = asked.row, asked.person.role
    if role not in table.TEAM:
        return 401
    looks = asked.method in SAFE and bool(row.sees)
    if not looks and asked.method != (row.method if row.does else ""):
        return 405
    if role not in (row.sees if looks else row.does):
        return 403
    if row.of and not reaches(asked):
        return 404
    return row.opened if looks else row.done


def in_the_open(asked: Request) -> int:
    row = asked.row
    if row.any_method or (asked.method in SAFE and row.sees):
        return row.opened
    if asked.method == row.method and row.does:
        return row.done
    return 405


def reaches(asked: Request) -> bool:
    """Own objects; those that an operator may see at all are those of every clinic."""
    of_platform = asked.person.role in table.OPERATORS and asked.row.of in table.OF_PLATFORM
    return asked.whose == "own" or (of_platform and asked.bundle is not None)


def acts(asked: Request) -> bool:
    """Whether rows may change."""
    row = asked.row
    by = SAFE if row.method == "GET" else (row.method,)
    return asked.method in by and asked.person.role in row.does and not row.silent


@pytest.mark.parametrize("route", table.ADMIN)
def test_admin(asking: Asking, route: str) -> None:
    wrong = list(walk(asking, route, table.ADMIN[route], in_admin))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("route", table.API)
def test_api(asking: Asking, route: str) -> None:
    wrong = list(walk(asking, route, table.API[route], in_api))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("route", table.TOOLS)
def test_tools(asking: Asking, route: str) -> None:
    wrong = list(walk(asking, route, table.TOOLS[route], in_tools))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("route", table.OPEN)
def test_open_to_all(asking: Asking, route: str) -> None:
    wrong = list(walk(asking, route, table.OPEN[route], in_the_open))
    assert not wrong, "\n".join(wrong)


def walk(asking: Asking, route: str, row: Row, expected: Callable[[Request], int]) -> Iterator[str]:
    """What is wrong at this address, in words."""
    people = asking.world.people.values()
    requests = [request for person in people for request in all_requests(person, route, row)]
    answers: dict[Request, Answer] = {}
    yield from deny(asking, [request for request in requests if not acts(request)], answers)
    yield from let_act(asking, [request for request in requests if acts(request)], answers)
    for request, answer in answers.items():
        if answer.status != expected(request):
            yield f"{request}: {answer.status}, expected {expected(request)}"
        if leaked := answer.marks - request.person.sees - also(request):
            yield f"{request}: shows {sorted(leaked)}"
    yield from differences(answers)


def also(asked: Request) -> set[str]:
    """What of the own patient this address alone shows."""
    own = asked.person.own
    return {f"{own.name}{kind}" for kind in asked.row.also} if own and asked.whose == "own" else set()


def deny(asking: Asking, requests: list[Request], answers: dict[Request, Answer]) -> Iterator[str]:
    """No row changes. All are made before the rows are compared; each again, alone, if one changed any."""
    with undone():
        answers |= {request: asking.ask(request) for request in requests}
        unchanged = not asking.changed()
    if not unchanged:
        yield from (f"{request} changed the database" for request in requests if changes(asking, request))


def let_act(asking: Asking, requests: list[Request], answers: dict[Request, Answer]) -> Iterator[str]:
    """On the own object it takes effect: so would the same body have where it was denied."""
    for request in requests:
        with undone():
            answers[request] = asking.ask(request)
            changed = asking.changed()
        if reaches(request) and request.row.done < HTTPStatus.BAD_REQUEST and not changed:
            yield f"{request} changed nothing"
        if not reaches(request) and request.row.missing >= HTTPStatus.BAD_REQUEST and changed:
            yield f"{request} changed the database"


def changes(asking: Asking, request: Request) -> bool:
    with undone():
        asking.ask(request)
        return asking.changed()


def differences(answers: dict[Request, Answer]) -> Iterator[str]:
    """Foreign objects that do not answer as missing ones."""
    missing = {
        (asked.person, asked.method): answer.same
        for asked, answer in answers.items()
        if asked.whose == "missing"
    }
    for asked, answer in answers.items():
        same = missing.get((asked.person, asked.method), answer.same)
        if asked.whose.startswith("foreign") and not reaches(asked) and answer.same != same:
            told = zip(str(answer.same).split(","), str(same).split(","), strict=False)
            yield f"{asked}: unlike a missing one: {next((pair for pair in told if pair[0] != pair[1]), '')}"


def all_requests(person: Person, route: str, row: Row) -> Iterator[Request]:
    met = list(objects(person, row))
    for whose, bundle in met[:1] if at_the_door(person, route) else met:
        for method in methods(person, route, row, whose):
            read = method != "HEAD" and not (method == row.method and row.idle == 200 and whose == "own")
            if FULL or row.any_method or whose == met[0][0] or method in (*SAFE, row.method, "POST"):
                yield Request(person, method, route, row, whose, bundle, read)


def at_the_door(person: Person, route: str) -> bool:
    """Whether nobody of that role has come in there, whatever they asked for."""
    inside = dict.fromkeys(table.ADMIN, table.STAFF) | dict.fromkeys(table.TOOLS, table.TEAM)
    inside |= dict.fromkeys(table.API, table.PATIENTS)
    return not FULL and person.role not in inside.get(route, table.ANYBODY)


ALIKE = ("physio of own cases", "other clinic's owner")
"""Their own objects are to them what they are to any physio, to any owner."""


def methods(person: Person, route: str, row: Row, whose: str) -> tuple[str, ...]:
    if route in table.ACTIONS.values():  # its page is the list's
        return (row.method,)
    if FULL or person.name == thorough(route):
        return METHODS
    if whose == "own" and row.of and person.name in ALIKE and not at_the_door(person, route):
        return ()
    if whose == "own" or not row.of or at_the_door(person, route):
        return ("GET",) if row.method == "GET" or route in SLOW else ("GET", row.method)
    return ("GET",) if row.sees and row.opened != BUTTON else (row.method,)


SLOW = {"schema", "docs"}


def thorough(route: str) -> str:
    """Who tries every method there."""
    return "owner" if route in table.ADMIN | table.TOOLS else "patient" if route in table.API else "anonymous"


def objects(person: Person, row: Row) -> Iterator[tuple[str, Bundle | None]]:
    if person.own or not row.of:
        yield "own", person.own
    if row.of:
        for bundle in () if row.of == "job" else person.foreign:  # a job is no clinic's
            if not (row.of in OF_THE_HOUSE and person.own and bundle.clinic == person.own.clinic):
                yield f"foreign {bundle.name}", bundle
        yield "missing", None
