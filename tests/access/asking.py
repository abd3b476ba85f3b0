"""One request of one person: what was answered and let out; and what a set of them changed, undone again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.core.cache import cache
from django.db import transaction
from django.template.base import Template
from django.urls import reverse

from clinic.models import Tally
from tests.access import bodies
from tests.access.table import ACTIONS, ADMIN, TOOLS, Row
from tests.access.world import Bundle, Database, Person, World, marks

QUERIES = {
    "admin:autocomplete": "?app_label=patients&model_name=episode&field_name=patient&term=qq",
    "/admin/search/": "?s=qq",
}
ARGUMENTS = {"admin:app_list": ["patients"], "admin:view_on_site": ["1", "1"]}
OF_A_PROGRAM = {"api-program-dose", "api-program-replace", "api-program-plan-stage"} | {
    "api-program-pause-edit",
    "api-program-pause-cancel",
}
"""Addresses with a second object, inside the first: number 1."""

CHANGES_EACH_TIME = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": "\w+"'
    r'|"received_at":"[^"]+"|"id":\d+|"request_id":"[^"]+"'
)
HEADERS_THAT_CHANGE = {"Date", "Expires", "X-Request-ID"}
FORM = "application/x-www-form-urlencoded"
LIMITED = ("auth-", "me-export")
"""Addresses with a rate limit, which the many requests of a test would meet."""


@dataclass(frozen=True, slots=True)
class Request:
    """``whose`` is the object: "own", "foreign b1", "missing"; ``bundle`` the one it is of, if any."""

    person: Person
    method: str
    route: str
    row: Row
    whose: str
    bundle: Bundle | None
    read: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.route} as {self.person.name}, {self.whose}"


@dataclass(frozen=True, slots=True)
class Answer:
    """``same`` is all of it that may not tell a foreign object from one that is not there."""

    status: int
    same: tuple[int, str]
    marks: set[str]


class Asking:
    """Sends requests in the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.database = Database()
        self.before = self.database.hash()
        self._forms: dict[tuple[str, str], dict[str, Any]] = {}
        self._bodies: dict[tuple[str, str], tuple[bytes, str]] = {}

    def ask(self, request: Request) -> Answer:
        person, bundle = request.person, request.bundle
        target = self.target(person, request.row.of, bundle)
        body = self._body(request, bundle or person.own or self.world.bundles["a1"])
        if request.route.startswith(LIMITED):
            cache.clear()
            Tally.objects.all().delete()
        url = address(request.route, target)
        session = person.client.cookies.copy()
        with rendering(request.read):
            headers = {**person.headers, **({"If-Match": "*"} if request.route in TOOLS else {})}
            response = person.client.generic(request.method, url, *body, headers=headers)
        person.come_back(session)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        text = content.decode(errors="replace")
        return Answer(
            response.status_code,
            _same(response, text, (url, quote(url), quote(url, safe=""), str(target))),
            marks(text),
        )

    def changed(self) -> bool:
        """Whether any row of any table is other than at the start."""
        return self.database.hash() != self.before

    def target(self, person: Person, kind: str, bundle: Bundle | None) -> Any:
        """The id of the bundle's object of that kind; without a bundle, one of no object."""
        if not kind:
            return ""
        if kind in ("own membership", "own seat"):
            kind = "member"
            if bundle is not None and bundle is person.own and person.membership:
                return person.membership
        if kind == "token" and person.token and bundle and bundle is person.own:
            return person.token
        if kind == "factor" and person.factor and bundle and bundle is person.own:
            return person.factor
        return bundle.ids[kind] if bundle else self.world.missing[kind]

    def _body(self, request: Request, bundle: Bundle) -> tuple[bytes, str]:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return b"", "text/plain"
        if request.route in ACTIONS.values():
            ticked = self.target(request.person, request.row.of, request.bundle)
            fields = {"action": request.route.partition(" ")[2], "index": "0", "_selected_action": ticked}
            return urlencode(fields).encode(), FORM
        if request.route not in ADMIN:
            bundle = request.person.own or bundle
        key = (request.route, bundle.name)
        if key not in self._bodies:
            self._bodies[key] = self._written(*key)
        return self._bodies[key]

    def _written(self, route: str, name: str) -> tuple[bytes, str]:
        bundle = self.world.bundles[name]
        if route not in ADMIN:
            return json.dumps(bodies.json_body(route, bundle)).encode(), "application/json"
        fields = bodies.TICKED | {"_selected_action": str(bundle.ids["patient"])}
        if route in bodies.FILLED_IN:
            fields = self._held(route, bundle) | bodies.filled_in(route, bundle)
        return urlencode(fields, doseq=True).encode(), FORM

    def _held(self, route: str, bundle: Bundle) -> dict[str, Any]:
        """What the form holds as its clinic's owner opens it; of most, one clinic's will do for all."""
        if route not in bodies.NAME_THEIR_ROWS:
            bundle = self.world.bundles["a1"]
        if (route, bundle.name) not in self._forms:
            keeper = self.world.keepers[bundle.clinic.pk]
            url = address(route, self.target(keeper, ADMIN[route].of, bundle))
            page = keeper.client.get(url).content.decode()
            self._forms[route, bundle.name] = bodies.FieldsOf(page).held
        return self._forms[route, bundle.name]


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def rendering(wanted: bool) -> Iterator[None]:
    """Without the test client's copies of each template's context; of what nobody reads, nothing at all."""
    with pytest.MonkeyPatch.context() as patch:
        render = (lambda self, context: self.nodelist.render(context)) if wanted else (lambda *_: "")
        patch.setattr(Template, "_render", render)
        yield


def address(route: str, target: Any) -> str:
    """``admin:do invite`` acts on the target; ``... ?clinic`` names it in the query; a path is itself."""
    name, _, detail = route.partition(" ")
    if name.startswith("/"):
        return name.replace("(?P<url>.*)$", "nothing-here/") + QUERIES.get(name, "")
    if route in ACTIONS.values():
        return reverse(name)
    if detail.startswith("?"):
        return f"{reverse(name)}{detail}={target}"
    if name == "admin:clinic_membership_me":
        return f"{reverse(name)}?member={target}"
    if name in OF_A_PROGRAM:
        return reverse(name, args=[target, 1])
    arguments = ARGUMENTS.get(name) or [part for part in (detail, target) if part]
    return reverse(name, args=arguments) + QUERIES.get(name, "")


def _same(response: Any, text: str, asked_for: tuple[str, ...]) -> tuple[int, str]:
    kept = sorted((k, v) for k, v in response.headers.items() if k not in HEADERS_THAT_CHANGE)
    told = "\n".join((repr(kept), repr(sorted(response.cookies)), CHANGES_EACH_TIME.sub("", text)))
    for name in asked_for:
        told = told.replace(name, "<it>") if len(name) > 8 else told
    return response.status_code, told
