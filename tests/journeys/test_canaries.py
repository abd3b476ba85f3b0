"""Names, notes, tokens and codes with a mark of their own: in no log, in no broker, in no error body.

The real processes run, and fail on purpose: the database refuses an answer with a note, and the e-mail of a
sweep to the marked address.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from clinic import embedded
from tests.service import Service

MARKS = ("Kanarek", "Zmyslona", "zmyslona@example.org", "gryzonie", "tajnytoken")
"""Given name, family name, address, what notes hold, a token in a wrong place."""

SET_UP = """
from datetime import timedelta
from django.utils import timezone
from clinic import outbox
from clinic.models import Clinic, Membership
from clinic.row_security import Tenant, enter
from patients.services import open_episode, register_patient
from programs.models import Template
from programs.services.assign import assign
from programs.services.invitations import invite
from programs.services.checkins import schedule_next

now = timezone.now()
enter(Tenant(platform=True))
clinic = Clinic.objects.get(slug="canary")
enter(Tenant((clinic.pk,)))
owner = Membership.objects.get(clinic=clinic).user
patient = register_patient(clinic=clinic, by=owner, given_name="Kanarek", family_name="Zmyslona",
    email="zmyslona@example.org", timezone="UTC", today=now.date())
case = open_episode(patient=patient, by=owner, clinician=owner, diagnosis="pfp", index_side="left",
    opened_on=now.date() - timedelta(days=9), today=now.date())
program = assign(episode=case, template=Template.objects.get(slug="runners-knee"), by=owner, now=now,
    today=now.date(), started_on=now.date() - timedelta(days=9))
program.check_in_weekdays = [1, 2, 3, 4, 5, 6, 7]
program.check_in_time = (now + timedelta(seconds=2)).time()
program.save()
schedule_next(program=program, now=now)
outbox.put(clinic=clinic, kind="check_in", dedupe_key="split",
    to_email="zmyslona@example.org\\r\\nBcc: x@example.org", subject="gryzonie", text="gryzonie", now=now)
invite(patient=patient, by=owner, now=now)
"""

REFUSE = """
from django.db import connection

with connection.cursor() as cursor:
    rules = {
        "programs_answer": "note_sealed = ''",
        "clinic_outboxmessage": "kind <> 'check_in' OR dedupe_key = 'split'",
    }
    for table, rule in rules.items():
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT no_marks CHECK ({rule}) NOT VALID")
"""


def call(service: Service, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, str]:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Token {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{service.url}{path}", data, headers=headers, method=method)
    try:
        with urlopen(request, timeout=30) as response:
            return response.status, response.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def failing_calls(token: str) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The status to expect, and the call."""
    answer = "/api/v1/me/answers/01a203ed-a9c6-71f1-a182-6eeb41424016"
    note = {"occurred_at": "2026-01-01T08:00:00Z", "note": "gryzonie", "worst_left": 3}
    yield 500, ("PUT", answer, note | {"occurred_at": now()}, token)
    yield 400, ("PUT", answer, note, token)  # before the case opened
    yield (
        400,
        ("PUT", answer, note | {"red_flags": ["gryzonie"], "corrects": "gryzonie", "request": "x"}, token),
    )
    yield 401, ("GET", "/api/v1/me", None, "tajnytoken")
    yield 404, ("GET", "/invitation/tajnytoken", None)
    yield 404, ("GET", "/api/v1/tajnytoken", None)
    yield 400, ("GET", "/api/v1/me/check-ins?state=gryzonie", None, token)
    yield 400, ("POST", "/api/v1/auth/invitation", {"token": "tajnytoken", "device_name": "Kanarek"})
    yield 400, ("POST", "/api/v1/auth/token", {"email": MARKS[2], "code": "000000", "device_name": "Kanarek"})


def now() -> str:
    return datetime.now(UTC).isoformat()


def broker(folder: Path) -> str:
    """All that Valkey was ever told, with the bodies of Celery's messages readable."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    told = b"".join(file.read_bytes() for file in files).decode(errors="replace")
    bodies = re.findall(r'"body": "([A-Za-z0-9+/=]+)"', told)
    assert bodies
    return told + "".join(base64.b64decode(body).decode() for body in bodies)


def test_marked_data_is_in_no_log_no_broker_and_no_error_body(service: Service) -> None:
    service.start(SWEEP_SECONDS=1, SEND_SECONDS=1)
    created = service.manage("create_clinic", "--slug", "canary", "--name", "C", "--owner", "o@example.org")
    assert created.returncode == 0, created.stderr
    refused = service.shell(REFUSE, role="owner")
    assert refused.returncode == 0, refused.stderr
    done = service.shell(SET_UP)
    assert done.returncode == 0, done.stderr

    (mail,) = service.wait_for(lambda: service.mails(MARKS[2]), seconds=60)
    found = re.search(r"token=([\w-]{20,})", mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert found
    status, body = call(service, "POST", "/api/v1/auth/invitation", {"token": found[1], "device_name": "x"})
    assert status == 201
    token = json.loads(body)["token"]
    bodies = ""
    for expected, arguments in failing_calls(token):
        status, said = call(service, *arguments)
        assert status == expected, (arguments, said)
        bodies += said
    # The sweep's row was refused, the split header too.
    service.wait_for(lambda: "(no_marks) at" in service.log.read_text(), seconds=60)
    service.wait_for(lambda: "attempt 1 failed" in service.log.read_text(), seconds=60)

    layout, lines = embedded.locate(service.data_dir), service.log.read_text().splitlines()
    places = {
        "log": "\n".join(line for line in lines if not line.startswith("mail ")),  # the post office's own
        "servers' logs": "".join(file.read_text(errors="replace") for file in layout.data.rglob("*.log")),
        "broker": broker(layout.home / "valkey"),
        "error bodies": bodies,
    }
    for name, text in places.items():
        assert text, name
        assert [mark for mark in (*MARKS, found[1], token) if mark in text] == [], name
    assert '"status": 500' in places["log"]
    assert "no_marks" in places["servers' logs"]
