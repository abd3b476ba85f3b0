"""Sweeps go from clinic to clinic, and see one at a time: as the real role, without the tests' own policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from clinic.models import Clinic, Membership, OutboxMessage, SweepRun, Tally
from clinic.roles import Role
from config.celery import app
from patients.models import Erasure
from programs.models import Alert, CheckInRequest, Digest, Program, RelapseWatch, Review
from programs.services import checkins
from programs.services.rounds import RoundError, each_clinic
from tests.factories import TODAY, make_case, make_clinic, make_program, make_user

pytestmark = pytest.mark.django_db(transaction=True)

app.loader.import_default_modules()  # as a worker does when it starts

NO_TIME = timedelta(0)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
COUNTED = {"programs": 1}


@pytest.fixture
def programs() -> list[Program]:
    """Of two clinics and of one that was closed, each with a question that is due."""
    found = [make_program(make_case(make_clinic(is_active=number < 2))) for number in range(3)]
    for program in found:
        checkins.schedule_next(program=program, now=timezone.now() - timedelta(days=8))
    return found


@pytest.fixture
def policies(programs: list[Program]) -> Iterator[None]:
    """From here on the tests' connection is held to the policies."""
    with connection.cursor() as cursor:
        cursor.execute("SET tests.everything = 'off'")
    yield
    connection.close()


def seen(_: Clinic, __: timedelta) -> Mapping[str, int]:
    return {"programs": Program.objects.count()}


def test_each_clinic_is_swept_alone_and_told_which_it_is(programs: list[Program], policies: None) -> None:
    counts: dict[str, int] = {"programs": 0}
    swept: dict[int, int] = {}

    def look(clinic: Clinic, left: timedelta) -> Mapping[str, int]:
        swept[clinic.pk] = Program.objects.filter(clinic=clinic).count()
        return seen(clinic, left)

    each_clinic(look, counts)
    assert counts == {"programs": 3}
    assert swept == {program.clinic_id: 1 for program in programs}


def test_without_a_clinic_a_sweep_finds_nothing(policies: None) -> None:
    assert Program.objects.count() == 0
    assert checkins.ask_due(now=timezone.now()) == 0


@pytest.mark.parametrize("failing", [0, 2])
def test_a_clinic_that_fails_stops_no_other_and_loses_no_count(programs: list[Program], failing: int) -> None:
    swept: list[int] = []
    counts: dict[str, int] = {}

    def sweep(_: Clinic, __: timedelta) -> Mapping[str, int]:
        swept.append(len(swept))
        if swept[-1] == failing:
            raise ValueError("a broken setting")
        return COUNTED

    with pytest.raises(RoundError, match="failed in 1 clinics"):
        each_clinic(sweep, counts)
    assert swept == [0, 1, 2]
    assert counts == {"programs": 2}


def test_a_clinic_that_takes_all_the_time_is_not_always_the_first(programs: list[Program]) -> None:
    first: set[int] = set()

    def sweep(clinic: Clinic, left: timedelta) -> Mapping[str, int]:
        first.add(clinic.pk)
        return {}

    for _ in range(60):
        each_clinic(sweep, {}, limit=NO_TIME)
    assert first == set(Clinic.objects.values_list("pk", flat=True))


def test_each_is_told_its_share_of_the_time(programs: list[Program]) -> None:
    shares: list[float] = []

    def sweep(_: Clinic, left: timedelta) -> Mapping[str, int]:
        shares.append(left.total_seconds())
        return {}

    each_clinic(sweep, {}, limit=timedelta(seconds=90))
    assert [round(share, -1) for share in shares] == [30, 40, 90]


@pytest.fixture
def work(programs: list[Program]) -> list[Program]:
    """In both active clinics something to do for each task."""
    now = timezone.now()
    for program in programs[:2]:
        clinic, case = program.clinic, program.episode
        make_user(role=Role.OWNER, clinic=clinic)
        Membership.objects.filter(clinic=clinic).update(digest_weekday=1, digest_time="00:00")
        request_of(program, due_at=now - 9 * DAY, missed_at=now - DAY)  # no slot that is due, on any weekday
        closed = make_program(
            make_case(clinic, closed_on=now.date(), outcome="recovered"), ended_on=TODAY + 365 * DAY
        )
        RelapseWatch.objects.create(
            clinic=clinic,
            episode=closed.episode,
            starts_on=now.date(),
            ends_on=now.date() + 180 * DAY,
            next_ask_at=now,
            set_by=case.clinician,
        )
        quiet = make_program(make_case(clinic), next_check_in_at=now + DAY)
        request_of(quiet, due_at=now - DAY, remind_at=now, missed_at=now + DAY)
        OutboxMessage.objects.create(
            clinic=clinic,
            kind="check_in",
            dedupe_key=f"old:{clinic.pk}",
            text="Long ago",
            state="sent",
            sent_at=now - 31 * DAY,
            to_email="old@example.org",
            created_at=now - 31 * DAY,
        )
        Erasure.objects.create(clinic=clinic, patient_key=uuid4(), erased_at=now, keep_until=now.date() + DAY)
        about = {"clinic": clinic, "episode": case, "opened_on": now.date(), "opened_at": now - DAY}
        Alert.objects.create(**about, kind="stall", level="stalled", summary="Flat", action="Re-assess")
        Alert.objects.create(
            **about, kind="red_flag", level="tier_2", summary="Knee locks", escalate_at=now - HOUR
        )
    return programs


def request_of(program: Program, *, due_at: datetime, **fields: Any) -> None:
    CheckInRequest.objects.create(
        clinic=program.clinic, program=program, local_date=due_at.date(), due_at=due_at, **fields
    )


ROUND = {
    "mark_missed": "missed",
    "ask_check_ins": "asked",
    "ask_watches": "asked",
    "remind_check_ins": "reminded",
    "review_cases": "reviewed",
    "send_digests": "written",
    "escalate_red_flags": "escalated",
    "send_outbox": "sent",
    "apply_retention": "mails_blanked",
    "keep_ledger": "erasures",
    "forget_sign_ins": "tallies_deleted",
    "seal_audit": "sealed",
}
"""Each task and what it counts."""


def test_every_task_does_its_work_in_each_clinic(
    work: list[Program], policies: None, smtp_sink: Any, settings: Any, tmp_path: Path
) -> None:
    settings.ERASURE_LEDGER = tmp_path / "erasures.jsonl"
    tasks = {name.rpartition(".")[2]: app.tasks[name] for name in settings.BEAT_INTERVALS}
    assert set(tasks) == set(ROUND)
    Tally.objects.create(key="0" * 64, count=1, since=timezone.now() - timedelta(days=2))
    for name, counted in ROUND.items():
        tasks[name].run()
        result = SweepRun.objects.get(name=name).result
        assert result[counted] > 0, name
    with connection.cursor() as cursor:
        cursor.execute("SET tests.everything = 'on'")

    active = {program.clinic_id for program in work[:2]}
    done = {
        "missed": CheckInRequest.objects.filter(state="missed"),
        "asked": CheckInRequest.objects.filter(state="open", program__in=work),
        "reviewed": Review.objects.all(),
        "told": Digest.objects.all(),
        "escalated": Alert.objects.exclude(escalated_at=None),
    }
    done |= {kind: OutboxMessage.objects.filter(kind=kind, state="sent") for kind in MAILED}
    assert {what: set(rows.values_list("clinic", flat=True)) for what, rows in done.items()} == dict.fromkeys(
        done, active
    )


MAILED = ("check_in", "reminder", "digest", "escalation")
