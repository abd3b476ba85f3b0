"""A clinician's week, in a few words: cases, alerts and reviews of one Monday, and the digest of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from clinic.models import Clinic, OutboxMessage, User
from patients.models import Episode
from programs.models import Alert, Program, Review
from programs.services import digests
from programs.services.alerts import add_event
from tests.factories import make_case, make_patient
from tests.programs.services.recorded import flat_case, running_case

MONDAY = date(2026, 3, 2)
SEVEN = datetime(2026, 3, 2, 6, tzinfo=UTC)
"""Monday 07:00 in Amsterdam."""
START = MONDAY - timedelta(days=57)


def case_of(physio: User, clinic: Clinic, number: str = "") -> Program:
    """A case that was flat for 8 weeks; nothing is opened before its review."""
    return flat_case(started_on=START, weeks=8, episode=episode_of(physio, clinic, number))


def alert(program: Program, kind: str = "stall", *, opened: date = MONDAY, **fields: Any) -> Alert:
    opened_at = datetime.combine(opened, time(1), tzinfo=UTC)
    values = {"level": "stalling" if kind == "stall" else "", "summary": f"Why: {kind}", "action": "Do it"}
    made = Alert.objects.create(
        clinic=program.clinic,
        episode=program.episode,
        kind=kind,
        opened_on=opened,
        opened_at=opened_at,
        **{**values, **fields},
    )
    add_event(alert=made, what="opened", at=opened_at)
    return made


def reviewed(program: Program, *, state: str, on: date = MONDAY, **fields: Any) -> Review:
    return Review.objects.create(
        clinic=program.clinic,
        episode=program.episode,
        program=program,
        day=on,
        week=8,
        state=state,
        verdict={},
        thresholds={},
        reviewed_at=SEVEN,
        **fields,
    )


def bare_case(physio: User, clinic: Clinic, number: str = "") -> Program:
    """A case that nothing was recorded for."""
    return running_case(started_on=START, episode=episode_of(physio, clinic, number))


def episode_of(physio: User, clinic: Clinic, number: str) -> Episode:
    patient = make_patient(clinic, given_name="Robin", family_name="Zandstra")
    numbered = {"case_number": number} if number else {}
    return make_case(patient=patient, clinician=physio, opened_on=START, **numbered)


def send(now: datetime = SEVEN, **options: Any) -> dict[str, int]:
    return digests.send_due(now=now, **options)


def mail(week: int = 0) -> OutboxMessage:
    return OutboxMessage.objects.filter(kind="digest").order_by("next_attempt_at")[week]


WRITTEN = {"written": 1, "quiet": 0, "waiting": 0}
QUIET = {"written": 0, "quiet": 1, "waiting": 0}
WAITING = {"written": 0, "quiet": 0, "waiting": 1}
