"""The main job with the real processes: gunicorn, Celery worker and beat, PostgreSQL, Valkey, SMTP.

Invitation e-mail -> token -> assigned program -> request e-mail -> answers -> review -> exactly one digest
with its picture. Once undisturbed, once with the worker killed twice on the way.
"""

import json
import re
import signal
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from clinic.outbox import BACKOFF
from tests.service import Service

PATIENCE = 30
AFTER_A_KILL = BACKOFF[0].total_seconds() + PATIENCE
"""Whatever a killed worker had in hand may be what killed it, and rests for a while (``clinic.attempts``)."""

PATIENT = "robin@example.org"
OWNER = "owner@example.org"

FOR_THE_CLINIC = """
from clinic.models import Clinic
from clinic.row_security import Tenant, enter

enter(Tenant(platform=True))
enter(Tenant(tuple(Clinic.objects.filter(slug="journey").values_list("pk", flat=True))))
"""

SET_UP = """
import json
from datetime import timedelta
from django.utils import timezone
from clinic.models import Clinic, Membership
from patients.models import Assessment
from patients.services import open_episode, register_patient
from programs.models import Template
from programs.services.assign import assign
from programs.services.cases import screen_assessment
from programs.services.invitations import invite
from programs.services.checkins import schedule_next

now = timezone.now()
today = now.date()
start = today - timedelta(days=63)
clinic = Clinic.objects.get(slug="journey")
owner = Membership.objects.get(clinic=clinic).user
patient = register_patient(
    clinic=clinic,
    by=owner,
    given_name="Robin",
    family_name="Runner",
    email="robin@example.org",
    timezone="UTC",
    today=today,
)
case = open_episode(
    patient=patient, by=owner, clinician=owner, diagnosis="pfp", index_side="left", opened_on=start,
    today=today,
)
assessment = Assessment.objects.create(
    clinic=clinic,
    episode=case,
    assessed_by=owner,
    assessed_on=start,
    worst_pain="6.0",
    locations=["retropatellar"],
)
screen_assessment(assessment=assessment, by=owner, now=now)
template = Template.objects.get(slug="runners-knee")
program = assign(episode=case, template=template, by=owner, now=now, today=today, started_on=start)
program.check_in_weekdays = [1, 2, 3, 4, 5, 6, 7]
program.check_in_time = (now + timedelta(seconds=6)).time()
program.save()
schedule_next(program=program, now=now)
invite(patient=patient, by=owner, now=now)
print(json.dumps({"case": case.case_number}))
"""

DIGEST_NOW = """
from django.utils import timezone
from clinic.models import Membership

today = timezone.now()
Membership.objects.update(digest_weekday=today.isoweekday(), digest_time="00:00", next_digest_at=None)
"""

SEEN_BY_NOBODY = """
from patients.models import Episode, Patient
from programs.models import Program

print(Patient.objects.count() + Episode.objects.count() + Program.objects.count())
"""

REVIEWS = """
import json
import time
from programs.models import Alert, CheckInRequest, Review

until = time.monotonic() + {patience}
while not Alert.objects.exists() and time.monotonic() < until:
    time.sleep(0.2)
print(json.dumps(dict(
    states=list(Review.objects.values_list("state", flat=True)),
    alerts=list(Alert.objects.values_list("kind", "level")),
    requests=list(CheckInRequest.objects.values_list("state", flat=True)),
)))
"""


class Client:
    """The patient's phone: a plain HTTP client."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.token = ""

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        request = Request(f"{self.service.url}/api/v1/{path}", method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Token {self.token}")
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(request, data, timeout=30) as response:
                return response.status, json.loads(response.read() or b"null")
        except HTTPError as error:
            return error.code, json.loads(error.read() or b"null")


def shell(service: Service, script: str, preface: str = FOR_THE_CLINIC) -> Any:
    done = service.shell(preface + script)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else None


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def of_kind(service: Service, to: str, words: str) -> list[EmailMessage]:
    return [mail for mail in service.mails(to) if words in str(mail["Subject"])]


def kill_worker(service: Service) -> None:
    """SIGKILL to the worker and its children at once, as a lost machine would."""
    before = workers(service)
    assert before
    for process in before:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    service.wait_for(lambda: workers(service) - before, seconds=30)


def workers(service: Service) -> set[psutil.Process]:
    """Celery's, not PostgreSQL's: the servers are below the service too and call theirs ``io worker``."""
    return set(service.processes("celery --quiet --app config worker"))


@pytest.mark.parametrize("kills", [False, True], ids=["undisturbed", "worker killed twice"])
def test_from_invitation_to_exactly_one_digest(service: Service, kills: bool) -> None:
    patience = AFTER_A_KILL if kills else PATIENCE
    service.start(SWEEP_SECONDS=1, SEND_SECONDS=1, SEND_LEASE_SECONDS=5, LOGIN_URL="")
    created = service.manage("create_clinic", "--slug", "journey", "--name", "Journey", "--owner", OWNER)
    assert created.returncode == 0, created.stderr
    shell(service, SET_UP)
    assert shell(service, SEEN_BY_NOBODY, preface="") == 0

    invitation = service.wait_for(lambda: of_kind(service, PATIENT, "invitation"))[0]
    token = re.search(r"token=([\w-]{20,})", text_of(invitation))
    assert token
    phone = Client(service)
    status, signed_in = phone.call(
        "POST", "auth/invitation", {"token": token.group(1), "device_name": "Journey phone"}
    )
    assert status == 201
    phone.token = signed_in["token"]
    status, program = phone.call("GET", "me/program")
    assert status == 200
    assert program["stage"]["name"] == "Settle"

    if kills:
        kill_worker(service)
    service.wait_for(lambda: of_kind(service, PATIENT, "check-in"), seconds=patience)
    due = service.wait_for(lambda: due_check_ins(phone))
    assert len(due) == 1

    answer(phone, request=due[0]["id"])
    seen = shell(service, REVIEWS.format(patience=patience))
    assert seen["states"] == ["stalled"]
    assert seen["alerts"] == [["stall", "stalled"]]
    assert seen["requests"] == ["answered"]

    if kills:
        kill_worker(service)
    shell(service, DIGEST_NOW)
    digest = service.wait_for(lambda: service.mails(OWNER), seconds=max(60, patience))[0]
    time.sleep(5)  # several more sweeps and sends
    assert len(service.mails(OWNER)) == 1
    assert len(of_kind(service, PATIENT, "check-in")) == 1
    assert len(of_kind(service, PATIENT, "invitation")) == 1
    assert_digest(digest)


def due_check_ins(phone: Client) -> list[dict[str, Any]]:
    status, body = phone.call("GET", "me/check-ins?state=due")
    assert status == 200, body
    found: list[dict[str, Any]] = body["check_ins"]
    return found


def answer(phone: Client, request: int) -> None:
    """Flat pain over the last three weeks, sent late and twice, and the answer to today's question."""
    now = datetime.now(UTC)
    for days in (19, 16, 13, 10, 7, 4, 2):
        at = now - timedelta(days=days)
        body = {"occurred_at": at.isoformat(), "worst_left": "6.0", "usual_left": "4.0"}
        path = f"me/answers/{uuid.uuid4()}"
        assert phone.call("PUT", path, body)[0] == 201
        assert phone.call("PUT", path, body)[0] == 200
    body = {"occurred_at": now.isoformat(), "worst_left": "6.0", "request": request}
    assert phone.call("PUT", f"me/answers/{uuid.uuid4()}", body)[0] == 201


def assert_digest(mail: EmailMessage) -> None:
    """Case, course, reason and one action in both bodies; the picture inside; nobody named."""
    text = text_of(mail)
    html = mail.get_body(("html",))
    assert html is not None
    for body in (text, str(html.get_content())):
        assert "1001" in body
        assert "RR" in body
        assert "Runner" not in body.replace("Runner's knee", "")
        assert "exercises" in body  # ask how often the exercises were done
    assert "Robin" not in str(mail["Subject"])
    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert len(pictures) == 1
    assert pictures[0].get_content().startswith(b"\x89PNG")
    assert f"cid:{str(pictures[0]['Content-ID']).strip('<>')}" in str(html.get_content())
