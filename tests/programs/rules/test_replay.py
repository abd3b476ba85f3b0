"""What a row of reviews opens, each kind at the first day of its grounds."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from programs.rules.replay import Opened, replay
from programs.rules.stall import AlertKind, Verdict
from tests.programs.rules.stall_case import case, day, flat, judge, then


def opened(verdicts: list[Verdict]) -> list[tuple[AlertKind, date]]:
    return [(alert.kind, alert.on) for alert in replay(verdicts)]


def weekly(facts: object, until: int) -> list[Verdict]:
    return [judge(facts, number) for number in range(7, until + 1, 7)]


def test_a_flat_case_opens_one_stall_however_long_it_goes_on() -> None:
    facts = case(flat())
    verdicts = weekly(facts, 84)
    (alert,) = replay(verdicts)
    assert alert == Opened(AlertKind.STALL, day(42), verdicts[5].reasons[0].evidence, stalled_on=day(56))


def test_who_does_well_opens_none() -> None:
    assert opened(weekly(case(then("6.0", "1.0")), 56)) == []


def test_silence_opens_its_own_kind() -> None:
    assert AlertKind.SILENT in dict(opened(weekly(case(flat(last=20)), 56)))


def test_a_stall_that_succeeded_and_fails_again_soon_is_the_same() -> None:
    stalled, well = judge(case(flat()), 56), judge(case(then("6.0", "1.0")), 63)
    later = judge(case(then("6.0", "1.0")), 77)
    again = judge(case(flat()), 84)
    assert opened([stalled, well, later, again]) == [(AlertKind.STALL, day(56))]


@given(st.lists(st.integers(1, 12), unique=True).map(sorted))
def test_each_kind_opens_on_a_day_of_a_review_with_its_ground(weeks: list[int]) -> None:
    verdicts = [judge(case(flat()), 7 * week) for week in weeks]
    days = {verdict.on for verdict in verdicts}
    assert {on for _, on in opened(verdicts)} <= days
    assert bool(opened(verdicts)) == any(week >= 6 for week in weeks)
