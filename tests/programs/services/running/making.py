"""What the tests of running share: a runner, their runs, and the acts of a clinician."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from programs.models import LoadDecision, Program, Run
from programs.services import diary, running
from tests.factories import NOW, TODAY, make_case, make_program
from tests.programs.services.recorded import answer

DAY = timedelta(days=1)
START = TODAY - 42 * DAY
FREE = dict.fromkeys(range(1, 8), 0)
"""Seven days without pain, by days ago."""


def runner(track: str, **fields: Any) -> Program:
    """A program of six weeks for someone on that track."""
    case = make_case(opened_on=START, running_track=track)
    return make_program(case, started_on=START, stage_started_on=START, **fields)


def stopped(**fields: Any) -> Program:
    return runner("stopped", **fields)


def on_step(step: int, *, since: int) -> Program:
    """On the ladder since so many days, put there by the service."""
    program = stopped(ladder_step=step - 1)
    on = TODAY - since * DAY
    LoadDecision.objects.filter(program=program).delete()
    running.set_ladder_step(
        program=program, to_step=step, by=program.episode.clinician, now=NOW, today=on, reason="Set up"
    )
    program.refresh_from_db()
    return program


def days(program: Program, scores: Mapping[int, Any]) -> None:
    for ago, worst in scores.items():
        answer(program, 42 - ago, worst)


def ran(program: Program, ago: int, *, pain: str = "1", terrain: tuple[str, ...] = (), km: str = "3") -> Run:
    """A run of so many days ago, told with its next morning, or in the evening if it is of today."""
    at = NOW - ago * DAY
    report = diary.RunReport(
        occurred_at=at,
        pain_before=Decimal(1),
        pain_during=Decimal(pain),
        pain_next_morning=Decimal(1) if ago else None,
        distance_km=Decimal(km),
        terrain=terrain,
    )
    patient = program.episode.patient
    return diary.record_run(patient=patient, client_id=uuid4(), report=report, now=NOW).row


def step_to(program: Program, step: int | None, reason: str = "", today: date = TODAY) -> LoadDecision:
    return running.set_ladder_step(
        program=program, to_step=step, by=program.episode.clinician, now=NOW, today=today, reason=reason
    )


def switch(program: Program, track: str, reason: str = "Limps") -> LoadDecision:
    by = program.episode.clinician
    return running.set_track(program=program, track=track, reason=reason, by=by, now=NOW, today=TODAY)


def unlock(program: Program, terrain: str, reason: str = "", today: date = TODAY) -> LoadDecision:
    by = program.episode.clinician
    return running.open_terrain(program=program, terrain=terrain, by=by, now=NOW, today=today, reason=reason)


def stands(program: Program) -> tuple[Any, ...]:
    """What the patient may do, and how often that was decided."""
    stored = Program.objects.select_related("episode").get(pk=program.pk)
    decided = LoadDecision.objects.filter(program=program).count()
    return (stored.episode.running_track, stored.ladder_step, stored.open_terrain, decided)


def state(program: Program) -> running.Running:
    stored = Program.objects.select_related("episode__clinic__policy", "episode__patient").get(pk=program.pk)
    found = running.state_of(program=stored, today=TODAY)
    assert found is not None
    return found


def open_ground(program: Program) -> list[str]:
    return [lock.terrain.value for lock in state(program).locks if lock.open]
