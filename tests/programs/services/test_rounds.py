"""Sweeps go from clinic to clinic, and see one at a time: as the real role, without the tests' own policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from clinic.models import Clinic, OutboxMessage, SweepRun
from programs import tasks
from programs.models import CheckInRequest, Program, Review
from programs.services import checkins
from programs.services.rounds import RoundError, each_clinic
from tests.factories import make_case, make_clinic, make_program

pytestmark = pytest.mark.django_db(transaction=True)

NO_TIME = timedelta(0)
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


def seen(_: timedelta) -> Mapping[str, int]:
    return {"programs": Program.objects.count()}


def test_each_active_clinic_is_swept_alone(policies: None) -> None:
    per_clinic: list[Mapping[str, int]] = []

    def look(left: timedelta) -> Mapping[str, int]:
        per_clinic.append(seen(left))
        return per_clinic[-1]

    assert each_clinic(look) == {"programs": 2}
    assert per_clinic == [COUNTED, COUNTED]


def test_without_a_clinic_a_sweep_finds_nothing(policies: None) -> None:
    assert Program.objects.count() == 0
    assert checkins.ask_due(now=timezone.now()) == 0


@pytest.mark.parametrize("failing", [0, 1])
def test_a_clinic_that_fails_does_not_stop_the_others(programs: list[Program], failing: int) -> None:
    swept: list[int] = []

    def sweep(_: timedelta) -> Mapping[str, int]:
        swept.append(len(swept))
        if swept[-1] == failing:
            raise ValueError("a broken setting")
        return COUNTED

    with pytest.raises(RoundError, match="failed in 1 clinics"):
        each_clinic(sweep)
    assert swept == [0, 1]


def test_what_a_clinics_turn_does_not_come_to_stays_due(programs: list[Program]) -> None:
    assert each_clinic(lambda left: {"programs": 1}, limit=NO_TIME) == COUNTED


def test_what_was_counted_is_told_where_there_is_no_clinic() -> None:
    assert not Clinic.objects.exists()
    assert each_clinic(seen, "programs") == {"programs": 0}


def test_the_tasks_do_their_work_in_every_clinic(policies: None, programs: list[Program]) -> None:
    tasks.ask_check_ins()
    tasks.review_cases()
    results = {run.name: run.result for run in SweepRun.objects.all()}
    with connection.cursor() as cursor:
        cursor.execute("SET tests.everything = 'on'")

    assert results == {"ask_check_ins": {"asked": 2}, "review_cases": results["review_cases"]}
    assert results["review_cases"]["reviewed"] == 2
    asked = CheckInRequest.objects.filter(state="open").values_list("program", flat=True)
    assert set(asked) == set(Review.objects.values_list("program", flat=True))
    assert set(asked) == {program.pk for program in programs[:2]}
    assert OutboxMessage.objects.filter(kind="check_in").count() == 2


def test_the_carrier_sends_what_every_clinic_wrote(
    policies: None, programs: list[Program], smtp_sink: Any
) -> None:
    tasks.ask_check_ins()
    tasks.send_outbox()

    assert len(smtp_sink.messages) == 2
    assert SweepRun.objects.get(name="send_outbox").result["sent"] == 2
