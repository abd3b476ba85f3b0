"""What every address of the service tells browsers, whoever asks and however; no route is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from clinic.models import Clinic
from clinic.roles import Role
from tests.factories import make_clinic, make_user
from tests.routes import every_path
from tests.staff import sign_in

pytestmark = pytest.mark.django_db

EVIL = "https://evil.example"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STRICT = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}
ADMIN = STRICT - {"script-src 'self'", "style-src 'self'"} | {
    "script-src 'self' 'unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",
    "font-src 'self'",
}


@pytest.fixture
def clients() -> Iterator[tuple[Client, Client]]:
    """Nobody, and an owner."""
    owner = Client(raise_request_exception=False)
    user = make_user(clinic=make_clinic(), role=Role.OWNER)
    sign_in(owner, user)
    return Client(raise_request_exception=False), owner


def assert_told(answer: Any, path: str) -> None:
    assert answer.status_code < 500, path
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
    assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}, path
    assert "camera=()" in answer["Permissions-Policy"], path
    assert re.fullmatch(r"[0-9a-f-]{36}", answer["X-Request-ID"]), path
    policy = set(answer["Content-Security-Policy"].split("; "))
    assert policy == (ADMIN if path.startswith("/admin/") else STRICT), path
    if path.startswith(("/admin/", "/api/")):
        assert answer["Cache-Control"] == "no-store", path
    assert not [name for name in answer.headers if name.startswith("Access-Control-")], path
    for cookie in answer.cookies.values():
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/"), path


def test_every_address_sends_every_header_and_lets_no_other_site_in(clients: tuple[Client, Client]) -> None:
    paths = every_path()
    assert len(paths) > 100
    for path in paths:
        for client in clients:
            assert_told(client.get(path, headers={"Origin": EVIL}), path)


def test_no_preflight_is_answered_with_a_permission(clients: tuple[Client, Client]) -> None:
    asked = {
        "Origin": EVIL,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    for path in every_path():
        if not path.startswith("/admin/") or path == "/admin/":
            assert_told(clients[0].options(path, headers=asked), path)


def test_a_method_is_what_the_request_line_says(clients: tuple[Client, Client]) -> None:
    override = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE", "X-HTTP-Method": "DELETE"}
    before = Clinic.objects.count()
    for path in every_path():
        if path.startswith("/api/"):
            usual = clients[0].get(f"{path}?_method=GET").status_code
            assert clients[0].get(f"{path}?_method=DELETE", headers=override).status_code == usual, path
    assert Clinic.objects.count() == before


def test_head_is_get_without_a_body(clients: tuple[Client, Client]) -> None:
    for path in ("/", "/admin/", "/invitation", "/health/live", "/api/v1/schema/", "/api/v1/docs/"):
        found, bare = clients[1].get(path), clients[1].head(path)
        assert (bare.status_code, bare.content) == (found.status_code, b""), path


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "a b", "127.0.0.1:x", "x\\@y"])
def test_another_host_is_refused_and_not_repeated(clients: tuple[Client, Client], host: str) -> None:
    for path in ("/", "/admin/login/", "/api/v1/me", "/check-ins/1"):
        answer = clients[0].get(path, headers={"Host": host})
        assert answer.status_code == 400, path
        assert "evil" not in answer.content.decode() + str(answer.headers), path
    spoofed = {"X-Forwarded-Host": "evil.example"}
    assert "evil" not in str(clients[0].get("/admin/", headers=spoofed).headers)


def test_trace_is_refused_everywhere(clients: tuple[Client, Client]) -> None:
    for path in every_path():
        for client in clients:
            answer = client.generic("TRACE", path, headers={"X-Canary": "canary-kowalska"})
            assert answer.status_code in {400, 401, 403, 404, 405}, path
            assert "canary-kowalska" not in answer.content.decode(), path


def test_without_tls_the_api_refuses_and_pages_lead_to_it(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    plain = Client().get("/api/v1/me", headers={"Authorization": "Token x"})
    assert (plain.status_code, plain["Content-Type"]) == (403, "application/problem+json")
    assert Client().get("/api/v1/me", secure=True).status_code == 401
    assert Client().get("/admin/").url == "https://testserver/admin/"


def test_hsts_is_on_every_answer_over_tls(settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31536000, True
    for path in ("/", "/admin/login/", "/api/v1/me", "/invitation", "/health/live", "/nowhere"):
        told = Client().get(path, secure=True)["Strict-Transport-Security"]
        assert told.startswith("max-age=31536000; includeSubDomains"), path


def test_a_drawing_may_be_shown_by_an_app_of_another_origin_and_no_other_file_may(client: Client) -> None:
    told = {
        path: client.get(f"/static/programs/{path}")["Cross-Origin-Resource-Policy"]
        for path in ("drawings/step-down.svg", "admin.css")
    }
    assert told == {"drawings/step-down.svg": "cross-origin", "admin.css": "same-origin"}
