"""What is over stays as it was: no service changes a closed case or an ended program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clinic.errors import FieldError
from patients.models import Episode
from programs.models import Alert, Hold, Pause, Program, ProgramStage, StageMove
from programs.services.assign import assign, wake
from programs.services.cases import discharge, set_case_policy
from programs.services.plan import declare_fair_trial, move_stage, pause, resume
from tests.factories import NOW, TODAY, make_case, make_program, make_template

pytestmark = pytest.mark.django_db

BY_CASE: dict[str, Callable[..., object]] = {
    "assign": lambda case, by: assign(episode=case, template=make_template(), by=by, now=NOW, today=TODAY),
    "thresholds": lambda case, by: set_case_policy(episode=case, by=by, values={"stalled_week": 10}, now=NOW),
    "discharge": lambda case, by: discharge(
        episode=case, outcome="worse", note="Again.", by=by, now=NOW, today=TODAY
    ),
}
BY_PROGRAM: dict[str, Callable[..., object]] = {
    "wake": lambda program, by: wake(program=program, by=by, now=NOW, today=TODAY),
    "move": lambda program, by: move_stage(
        program=program, to_stage=2, by=by, now=NOW, today=TODAY, override_reason="Ready."
    ),
    "pause": lambda program, by: pause(program=program, kind="holiday", starts_on=TODAY, by=by, now=NOW),
    "resume": lambda program, by: resume(program=program, on=TODAY, by=by, now=NOW),
    "fair trial": lambda program, by: declare_fair_trial(
        program=program, on=TODAY, reason="New.", by=by, now=NOW
    ),
}


def stored() -> list[Any]:
    models = (Episode, Program, ProgramStage, Pause, Hold, StageMove, Alert)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.mark.parametrize("name", BY_CASE)
def test_a_closed_case_is_not_changed(name: str) -> None:
    case = make_case(closed_on=TODAY, outcome="recovered")
    before = stored()

    with pytest.raises(FieldError, match="closed"):
        BY_CASE[name](case, case.clinician)

    assert stored() == before


@pytest.mark.parametrize("name", BY_PROGRAM)
@pytest.mark.parametrize("asleep", [True, False])
def test_an_ended_program_is_not_changed(name: str, asleep: bool) -> None:
    program = make_program(ended_on=TODAY, end_reason="Discharged", asleep=asleep)
    before = stored()

    with pytest.raises(FieldError, match="ended"):
        BY_PROGRAM[name](program, program.assigned_by)

    assert stored() == before


@pytest.mark.parametrize("name", BY_CASE)
def test_what_was_read_before_the_discharge_does_not_open_the_case_again(name: str) -> None:
    """The page was loaded while the case was open."""
    seen = make_case()
    Episode.objects.filter(pk=seen.pk).update(closed_on=TODAY, outcome="recovered")
    before = stored()

    with pytest.raises(FieldError, match="closed"):
        BY_CASE[name](seen, seen.clinician)

    assert stored() == before
