"""Hostile strings in every place that people write to: the API, names, the clinic. They come out as text in
the admin, in e-mails and in CSV, by the judgement of a real browser and of the standard mail parser.

``HOSTILE_STRINGS`` says how many (``make hostile``: 10,000).
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from datetime import timedelta
from itertools import batched
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from clinic import csv_cells, outbox
from clinic.models import OutboxMessage
from clinic.roles import Role
from patients.models import Patient
from programs.services.invitations import invite
from tests import hostile
from tests.api import Device
from tests.conftest import Sink
from tests.factories import make_case, make_clinic, make_patient, make_program, make_user
from tests.staff import sign_in

pytestmark = pytest.mark.django_db

NUMBER = int(os.environ.get("HOSTILE_STRINGS", "78"))
NOTES, IN_NOTE = 12, 3
A_PERSON = NOTES * IN_NOTE + 3
HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Auto-Submitted"}
HEADERS |= {"Content-Transfer-Encoding"}

FIND = r"""(html) => {
  const found = []
  const look = (text) => {
    const page = new DOMParser().parseFromString(text, "text/html")
    for (const node of page.querySelectorAll("*")) {
      const some = (wrong) => [...node.attributes].some((a) => wrong(a.name, a.value))
      const ours = /^\/(static|admin)\//.test(node.getAttribute("src")) || node.type === "application/json"
      if (/evil/.test(node.localName) || node.localName === "base" || node.localName === "script" && !ours
        || some((name, value) => /evil/.test(name) || /^on/.test(name))
        || some((name, value) => /^(x-|:|@)/.test(name) && /evil/.test(value))
        || some((name, value) => /^(href|src|action)$/.test(name) && /javascript:|evil/i.test(value)))
        found.push(node.outerHTML.slice(0, 200))
      if (node.srcdoc) look(node.srcdoc)
    }
    return page.body.textContent
  }
  return [found, look(html)]
}"""


def people() -> Iterator[list[str]]:
    """The strings of one person after the other."""
    for batch in batched(hostile.strings(NUMBER), A_PERSON, strict=False):
        yield [*batch, *("x" for _ in range(A_PERSON - len(batch)))]


def report(patient: Patient, texts: list[str]) -> None:
    """A diary by the API, whose first answer ticks a red flag: the note stands in the banner as well."""
    device, now = Device(patient), timezone.now()
    for number, lines in enumerate(batched(texts, IN_NOTE, strict=False)):
        body = {"occurred_at": (now - timedelta(days=number)).isoformat(), "worst_left": 3}
        note = {"note": "\n".join(lines), "red_flags": [] if number else ["knee_locks"]}
        answer = device.put(f"me/answers/{uuid4()}", body | note)
        assert answer.status_code == 201, answer.content


def squeezed(text: str) -> str:
    return "".join(text.split())


def assert_text_only(page: Page, html: str, where: str) -> str:
    found, text = page.evaluate(FIND, html)
    assert found == [], where
    assert hostile.COMPUTED not in text, where
    return squeezed(text)


def test_hostile_strings_come_out_as_text(page: Page, smtp_sink: Sink) -> None:
    day = timezone.now().date()
    for texts in people():
        given, family, name, *notes = texts
        clinic = make_clinic(name=f"{name} Clinic")
        owner = make_user(clinic=clinic, role=Role.OWNER, name=f"{family} Physio")
        patient = make_patient(clinic, given_name=f"{given} R", family_name=f"{family} R")
        case = make_case(patient=patient, clinician=owner, opened_on=day - timedelta(days=30))
        make_program(case, started_on=day - timedelta(days=20))
        invite(patient=patient, by=owner, now=timezone.now())
        report(patient, notes)
        assert_admin_shows_text(page, owner, patient, notes)
        assert_mails_hold_text(page, smtp_sink, patient)
        assert_cells_are_text(texts)


def assert_admin_shows_text(page: Page, owner: Any, patient: Patient, notes: list[str]) -> None:
    client = Client()
    sign_in(client, owner)
    own = reverse("admin:patients_patient_change", args=[patient.pk])
    for path in (own, reverse("admin:patients_patient_changelist"), reverse("admin:index")):
        text = assert_text_only(page, client.get(path).content.decode(), path)
        if path == own:
            missing = [
                note for note in notes if squeezed(note.replace("\x1b", "")) not in text.replace("\x1b", "")
            ]
            assert missing == []
    for message in OutboxMessage.objects.filter(clinic=patient.clinic):
        path = reverse("admin:clinic_outboxmessage_change", args=[message.pk])
        assert_text_only(page, client.get(path).content.decode(), path)


def assert_mails_hold_text(page: Page, sink: Sink, patient: Patient) -> None:
    outbox.send_due(now=timezone.now())
    assert not OutboxMessage.objects.exclude(state=OutboxMessage.State.SENT).exists()
    assert {message["To"] for message in sink.messages} >= {patient.email}
    for message in sink.messages:
        assert set(message.keys()) <= HEADERS
        assert len(message.keys()) == len(set(message.keys()))
        (sender,), (to,) = message["From"].addresses, message["To"].addresses
        assert (sender.addr_spec, "evil" in to.addr_spec) == ("clinic@localhost", False)
        html = message.get_body(("html",))
        assert html is not None
        assert_text_only(page, html.get_content(), str(message["Subject"]))
    sink.messages.clear()


def assert_cells_are_text(texts: list[str]) -> None:
    stream = io.StringIO(newline="")
    csv_cells.write(stream, [texts])
    stream.seek(0)
    (row,) = csv.reader(stream)
    assert [cell.removeprefix("'") for cell in row] == [text.removeprefix("'") for text in texts]
    starts = ("=", "+", "-", "@")
    assert not [
        cell
        for cell in row
        if cell.strip("\ufeff\u200b\u202e \t\r\n\x0b\x1c\x85\u2028\u00a0").startswith(starts)
    ]


def test_a_row_with_a_split_header_dies_visibly_and_holds_up_nothing(smtp_sink: Sink) -> None:
    now, clinic = timezone.now(), make_clinic()
    fields = {"clinic": clinic, "kind": "check_in", "text": "x", "next_attempt_at": now}
    for number, header in enumerate(
        ({"to_email": "a@example.org\r\nBcc: evil@evil.example"}, {"subject": "a\nX-Evil: 1"})
    ):
        values = {"to_email": "b@example.org", "subject": "s", "dedupe_key": f"bad{number}", **header}
        OutboxMessage.objects.create(**fields, **values)
    OutboxMessage.objects.create(**fields, to_email="good@example.org", subject="s", dedupe_key="good")

    for _ in range(outbox.MAX_ATTEMPTS + 1):
        outbox.send_due(now=now)
        now += timedelta(days=1)

    states = dict(OutboxMessage.objects.values_list("dedupe_key", "state"))
    assert states == {"bad0": "dead", "bad1": "dead", "good": "sent"}
    assert [message["To"] for message in smtp_sink.messages] == ["good@example.org"]


def test_whatever_a_clinic_is_called_its_mail_has_one_sender_and_arrives(smtp_sink: Sink) -> None:
    names = ["Praxis Müller, Köln", "=?utf-8?q?=0AX-Evil:1?=", 'é "a" <x@evil.example>', "Knee; & (Sons): é"]
    for name in names:
        clinic, now = make_clinic(name=name), timezone.now()
        fields = {"to_email": "a@example.org", "subject": f"From {name}", "text": "x", "kind": "check_in"}
        outbox.put(clinic=clinic, dedupe_key=name, now=now, **fields)
    outbox.send_due(now=timezone.now())

    assert len(smtp_sink.messages) == len(names)
    for message in smtp_sink.messages:
        assert [sender.addr_spec for sender in message["From"].addresses] == ["clinic@localhost"]
        assert "\n" not in message["Subject"]
    assert smtp_sink.messages[0]["From"].addresses[0].display_name == "Praxis Müller Köln"
