"""The weekly distance of who keeps running."""

from __future__ import annotations

from decimal import Decimal

import pytest

from programs.services.plan import pause
from tests.factories import NOW, TODAY, make_assessment
from tests.programs.services.caseload.making import alert
from tests.programs.services.running.making import DAY, START, ran, runner, state, switch

pytestmark = pytest.mark.django_db


def test_the_weekly_limit_starts_forty_per_cent_under_the_noted_distance_and_grows_while_green() -> None:
    program = runner("still_running")
    make_assessment(program.episode, assessed_on=START, weekly_km_now=20, weekly_km_before=30)
    for ago in (40, 33, 26, 19):
        ran(program, ago, km="5")
    weeks = state(program).weeks
    limits = [str(week.limit_km) for week in weeks]
    assert limits == ["12.0", "12.0", "13.2", "14.5", "15.9", "15.9", "15.9"]
    assert weeks[0].run_km == 5


@pytest.mark.parametrize(
    ("noted", "limit"),
    [
        ({-60: 10, 0: 30}, "18.0"),
        ({-60: 10, -1: 20, 3: 30}, "12.0"),
        ({3: 20, 10: 30}, "12.0"),
        ({-60: 10, 0: None}, "6.0"),
        ({0: None}, "24.0"),
    ],
    ids=["on the day", "before it", "the first one after", "none that day", "only before the pain"],
)
def test_the_weekly_limit_starts_from_the_last_distance_noted_when_the_plan_began(
    noted: dict[int, int | None], limit: str
) -> None:
    program = runner("still_running")
    for day, km in noted.items():
        on = START + day * DAY
        make_assessment(program.episode, assessed_on=on, weekly_km_now=km, weekly_km_before=40)
    assert str(state(program).weeks[0].limit_km) == limit


def test_a_paused_week_holds_the_limit_and_another_track_starts_the_plan_anew() -> None:
    program = runner("still_running")
    make_assessment(program.episode, assessed_on=START, weekly_km_now=20)
    for ago in (26, 19, 12):
        ran(program, ago, km="5")
    pause(
        program=program,
        kind="illness",
        starts_on=TODAY - 13 * DAY,
        ends_on=TODAY - 11 * DAY,
        by=program.episode.clinician,
        now=NOW,
    )
    assert [str(week.limit_km) for week in state(program).weeks][4:] == ["14.5", "14.5", "14.5"]
    switch(program, "stopped")
    switch(program, "still_running")
    assert [str(week.limit_km) for week in state(program).weeks] == ["12.0"]


def test_without_a_noted_distance_there_is_no_weekly_limit() -> None:
    assert state(runner("still_running")).weeks == ()


def test_the_volume_plan_does_not_grow_while_worsening_is_not_resolved() -> None:
    program = runner("still_running")
    make_assessment(program.episode, assessed_on=START, weekly_km_now=Decimal(20))
    for ago in range(40, 0, -3):
        ran(program, ago)
    grown = state(program).week
    assert grown.pace == "grew"
    barring = alert(program.episode, kind="worsening", opened_on=TODAY)
    held = state(program).week
    assert (held.pace, held.reason) == ("held", "not resolved yet: worsening")
    assert held.limit_km == state(program).weeks[-2].limit_km < grown.limit_km
    type(barring).objects.update(state="resolved", resolution="clinician", resolved_on=TODAY, resolved_at=NOW)
    assert state(program).week == grown
