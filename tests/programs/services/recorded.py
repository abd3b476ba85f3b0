"""What a patient recorded, in a few words: days are numbers from the start of the program."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from patients.models import Episode, Patient
from programs.models import Answer, CheckInRequest, Program, Session
from tests.factories import make_assessment, make_case, make_program

CHECK_IN_TIME = time(17)


def day(program: Program, number: int) -> date:
    return program.started_on + timedelta(days=number)


def instant(program: Program, number: int, at: time = CHECK_IN_TIME) -> datetime:
    return datetime.combine(day(program, number), at, tzinfo=UTC)


def answer(program: Program, number: int, worst: Any = None, **fields: Any) -> Answer:
    """One answer for the left knee, the index knee of the factories."""
    episode = program.episode
    return Answer.objects.create(
        clinic=program.clinic,
        patient=episode.patient,
        episode=episode,
        program=program,
        client_id=uuid.uuid4(),
        body_hash="x",
        occurred_at=instant(program, number),
        local_date=day(program, number),
        **{"worst_left": worst, **fields},
    )


def requests(program: Program, answered: Iterable[int], missed: Iterable[int] = ()) -> None:
    states = dict.fromkeys(missed, CheckInRequest.State.MISSED)
    states |= dict.fromkeys(answered, CheckInRequest.State.ANSWERED)
    CheckInRequest.objects.bulk_create(
        CheckInRequest(
            clinic=program.clinic,
            program=program,
            local_date=day(program, number),
            due_at=instant(program, number),
            missed_at=instant(program, number + 2),
            state=state,
            answered_at=instant(program, number) if state == CheckInRequest.State.ANSWERED else None,
        )
        for number, state in states.items()
    )


def diary(program: Program, scores: Mapping[int, Any], missed: Iterable[int] = ()) -> None:
    """Requests on those days, answered with that worst pain, and others that were missed."""
    requests(program, scores, missed)
    for number, worst in scores.items():
        answer(program, number, worst)


def session(program: Program, number: int, **fields: Any) -> Session:
    """A green strength session unless told otherwise."""
    values = {"pain_before": 2, "pain_during": 2, "pain_next_morning": 2, **fields}
    return Session.objects.create(
        clinic=program.clinic,
        patient=program.episode.patient,
        episode=program.episode,
        program=program,
        client_id=uuid.uuid4(),
        body_hash="x",
        occurred_at=instant(program, number, time(9)),
        local_date=day(program, number),
        **values,
    )


def running_case(*, started_on: date, episode: Episode | None = None, **fields: Any) -> Program:
    """A case assessed on the day its program started, with worst pain 6."""
    episode = episode or make_case(opened_on=started_on)
    make_assessment(episode, assessed_on=started_on)
    return make_program(
        episode, started_on=started_on, stage_started_on=started_on, next_review_on=started_on, **fields
    )


def break_case(program: Program, *, zone: str = "Nowhere/At_all") -> None:
    """It can't be handled until it has another ``zone``: that of its patient can't be read."""
    Patient.objects.filter(pk=program.episode.patient_id).update(timezone=zone)


def flat_case(*, started_on: date, weeks: int, pain: Any = 6, **fields: Any) -> Program:
    """Asked once a week for so many weeks, always answered with the same pain; no session logged."""
    program = running_case(started_on=started_on, **fields)
    diary(program, {7 * week: pain for week in range(1, weeks + 1)})
    return program
