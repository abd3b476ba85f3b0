"""The first page of a clinic with thousands of patients, against a bare view that answers the same bytes.

    PATIENTS=5000 WEEKS=12 ROUNDS=40 python -m benchmarks.caseload

Builds the clinic in throw-away servers, asks for the page, the bare view and an admin form with nothing on it
in turn in one process, through the whole middleware and held to row-level security, and prints the ratios of
the medians and how many queries the page takes. The last line is JSON. See docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path, reverse

from benchmarks.clinic import as_in_production, large_clinic
from tests import servers
from tests.staff import signed_in

PATIENTS = int(os.environ.get("PATIENTS", "5000"))
WEEKS = int(os.environ.get("WEEKS", "12"))
ROUNDS = int(os.environ.get("ROUNDS", "40"))
PAGES = {
    "first page": "",
    "by need": "?need=stalled",
    "by clinician and stage": "?clinician={me}&stage=2",
    "by diagnosis and stage": "?diagnosis=pfp&stage=2",
    "a name that is rare": "?search=Robin24+Runner4777",
    "letters in every name": "?search=n+r+u",
    "a name that nobody has": "?search=Nobody",
    "a page far behind": "?page=150",
}

answers: list[bytes] = []


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse(answers[-1])


urlpatterns = [path("bare/", bare), path("", include("config.urls"))]
handler404 = "config.errors.not_found"


class Queries:
    """Each statement with its milliseconds."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, str]] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.taken.append((1000 * (time.perf_counter() - begun), sql))


def milliseconds(client: Client, address: str) -> float:
    begun = time.perf_counter()
    response = client.get(address)
    taken = time.perf_counter() - begun
    assert response.status_code == 200, (address, response.status_code)
    return 1000 * taken


def measure(client: Client, address: str) -> dict[str, Any]:
    milliseconds(client, address)
    queries = Queries()
    with connection.execute_wrapper(queries):
        answers.append(client.get(address).content)
    addresses = (address, "/bare/", reverse("admin:password_change"))
    rounds = [[milliseconds(client, asked) for asked in addresses] for _ in range(ROUNDS)]
    page, plain, form = (statistics.median(column) for column in zip(*rounds, strict=True))
    return {
        "to_bare_view": round(page / plain),
        "to_empty_admin_page": round(page / form, 1),
        "page_ms": round(page),
        "bare_ms": round(plain, 1),
        "empty_admin_page_ms": round(form),
        "kilobytes": len(answers[-1]) // 1024,
        "queries": len(queries.taken),
        "database_ms": round(sum(taken for taken, _ in queries.taken)),
        "slowest": sorted(queries.taken, reverse=True)[:5],
    }


def main() -> int:
    with servers.running():
        servers.use_own_database(migrations=True)
        settings.ROOT_URLCONF = "benchmarks.caseload"
        settings.ALLOWED_HOSTS = ["testserver"]  # the test environment would copy each template's context
        begun = time.perf_counter()
        physio = large_clinic(patients=PATIENTS, weeks=WEEKS)
        print(f"{PATIENTS} patients with {WEEKS} weeks, built in {time.perf_counter() - begun:.0f} s")
        client = signed_in(physio)
        connection.close()
        as_in_production()
        found = {}
        for name, query in PAGES.items():
            found[name] = measure(client, reverse("admin:index") + query.format(me=physio.pk))
            slowest = found[name].pop("slowest")
            print(f"{name}: {found[name]}")
            for taken, text in slowest:
                print(f"    {taken:.1f} ms  {text[:110]}")
        connection.close()
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    from benchmarks import caseload

    sys.exit(caseload.main())
