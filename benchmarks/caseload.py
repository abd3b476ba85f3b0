"""The first page of a clinic with thousands of patients, against a bare view that answers the same bytes.

    PATIENTS=5000 WEEKS=12 ROUNDS=40 python -m benchmarks.caseload

Builds the clinic in throw-away servers, asks for both pages in turn in one process, through the whole
middleware, and prints the ratio of the medians and how many queries the page takes. The last line is JSON.
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
from django.test.utils import setup_test_environment
from django.urls import include, path, reverse

from benchmarks.clinic import large_clinic
from tests import servers
from tests.staff import signed_in

PATIENTS = int(os.environ.get("PATIENTS", "5000"))
WEEKS = int(os.environ.get("WEEKS", "12"))
ROUNDS = int(os.environ.get("ROUNDS", "40"))
PAGES = {
    "first page": "",
    "a need": "?need=stalled",
    "a search": "?search=Runner4",
    "a later page": "?page=40",
    "a state and a clinician": "?state=on_track&clinician={me}",
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
    queries = Queries()
    with connection.execute_wrapper(queries):
        answers.append(client.get(address).content)
    milliseconds(client, "/bare/")
    rounds = [(milliseconds(client, address), milliseconds(client, "/bare/")) for _ in range(ROUNDS)]
    page, plain = (statistics.median(column) for column in zip(*rounds, strict=True))
    return {
        "ratio": round(page / plain, 1),
        "page_ms": round(page, 1),
        "bare_ms": round(plain, 1),
        "kilobytes": len(answers[-1]) // 1024,
        "queries": len(queries.taken),
        "database_ms": round(sum(taken for taken, _ in queries.taken)),
        "slowest": sorted(queries.taken, reverse=True)[:5],
    }


def main() -> int:
    with servers.running():
        servers.use_own_database(migrations=True)
        setup_test_environment()
        settings.ROOT_URLCONF = __name__ if __name__ != "__main__" else "benchmarks.caseload"
        begun = time.perf_counter()
        physio = large_clinic(patients=PATIENTS, weeks=WEEKS)
        print(f"{PATIENTS} patients with {WEEKS} weeks, built in {time.perf_counter() - begun:.0f} s")
        client = signed_in(physio)
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
