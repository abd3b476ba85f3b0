"""Hills, downhills and speed: which locks are open, and a run against one."""

from __future__ import annotations

import pytest

from programs.services import running
from programs.services.plan import PlanError
from programs.services.red_flags import raise_red_flag
from tests.factories import NOW, TODAY
from tests.programs.services.caseload.making import alert
from tests.programs.services.running.making import (
    DAY,
    open_ground,
    ran,
    runner,
    stands,
    state,
    stopped,
    unlock,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("step", "found"),
    [
        (None, []),
        (1, ["flat"]),
        (8, ["flat"]),
        (9, ["flat", "hills"]),
        (10, ["flat", "hills", "downhills"]),
        (11, ["flat", "hills", "downhills", "speed"]),
    ],
)
def test_on_the_ladder_the_step_alone_opens_the_locks(step: int | None, found: list[str]) -> None:
    program = stopped(ladder_step=step)
    assert open_ground(program) == found
    assert state(program).may_open is None
    with pytest.raises(PlanError, match="no lock to open"):
        unlock(program, "hills", reason="Lives on a hill")
    assert stands(program) == ("stopped", step, "", 0)


@pytest.mark.parametrize(
    ("track", "step", "terrain", "against"),
    [
        ("stopped", None, (), ["not_opened"]),
        ("stopped", 8, (), []),
        ("stopped", 8, ("hills",), ["hills"]),
        ("stopped", 9, ("hills",), []),
        ("stopped", 9, ("downhills", "speed"), ["downhills", "speed"]),
        ("stopped", 11, ("hills", "downhills", "speed"), []),
        ("still_running", None, ("hills",), []),
        ("still_running", None, ("downhills",), ["downhills"]),
        ("not_a_runner", None, ("speed",), []),
    ],
)
def test_a_run_against_a_lock_is_kept_and_told_as_a_fact(
    track: str, step: int | None, terrain: tuple[str, ...], against: list[str]
) -> None:
    program = runner(track, ladder_step=step)
    assert ran(program, 1, terrain=terrain).against == against
    found = running.state_of(program=program, today=TODAY)
    assert [run.against for run in found.runs_against] == ([against] if against else []) if found else True


def test_the_fourth_run_in_seven_days_and_one_on_the_day_after_go_against_the_ladder() -> None:
    program = stopped(ladder_step=2)
    assert [ran(program, ago).against for ago in (9, 7, 5, 3)] == [[], [], [], ["too_many"]]
    assert ran(stopped(ladder_step=2), 1).against == []
    assert ran(program, 2).against == ["day_after_day", "too_many"]


def test_a_run_while_the_program_is_on_hold_goes_against_that() -> None:
    program = runner("still_running")
    raise_red_flag(episode=program.episode, codes=["knee_locks"], source="x", evidence=[], now=NOW - DAY)
    assert ran(program, 0).against == ["on_hold"]


def test_locks_of_who_keeps_running_open_in_order_one_a_week() -> None:
    program = runner("still_running")
    assert open_ground(program) == ["flat", "hills"]
    with pytest.raises(PlanError, match="in order: downhills"):
        unlock(program, "speed", reason="Track session")
    assert unlock(program, "downhills", today=TODAY - 6 * DAY).after == "downhills"
    with pytest.raises(PlanError, match="At most one lock in 7 days: from 3 Mar 2026 on"):
        unlock(program, "speed", reason="Track session")
    assert stands(program) == ("still_running", None, "downhills", 1)
    unlock(program, "speed", today=TODAY + DAY)
    assert open_ground(program) == ["flat", "hills", "downhills", "speed"]
    with pytest.raises(PlanError, match="no lock to open"):
        unlock(program, "speed", today=TODAY + 9 * DAY)


def test_after_a_red_run_a_lock_opens_only_with_a_reason() -> None:
    program = runner("still_running")
    ran(program, 6, pain="4")
    with pytest.raises(PlanError, match="a red run on 24 Feb 2026"):
        unlock(program, "downhills")
    assert stands(program) == ("still_running", None, "", 0)
    assert unlock(program, "downhills", reason="It was the shoe").against == ["a red run on 24 Feb 2026"]


def test_a_red_run_of_a_week_ago_holds_no_lock() -> None:
    program = runner("still_running")
    ran(program, 7, pain="4")
    assert unlock(program, "downhills").against == []


def test_a_lock_opens_with_a_reason_alone_while_worsening_is_not_resolved() -> None:
    program = runner("still_running")
    alert(program.episode, kind="worsening")
    before = stands(program)
    with pytest.raises(PlanError, match="not resolved yet: worsening"):
        unlock(program, "downhills")
    assert stands(program) == before
    assert unlock(program, "downhills", reason="One bad day").against == ["not resolved yet: worsening"]
