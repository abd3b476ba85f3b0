"""Which alerts a review opens, keeps, raises, re-opens and resolves."""

from __future__ import annotations

from typing import Any

import pytest

from programs.rules.alerts import AlertFacts, Decision, PastReview, Step, decide
from programs.rules.stall import AlertKind, CaseFacts, Knee, State, Verdict
from tests.programs.rules.stall_case import (
    DRIFTED,
    RED,
    SESSION_DAYS,
    akps,
    answers,
    case,
    day,
    diary,
    flat,
    holiday,
    judge,
    sessions,
    then,
)

STALLING, STALLED = judge(case(flat()), 42), judge(case(flat()), 56)
ON_TRACK = judge(case(then("6.0", "3.0")), 56)
FAIR_TRIAL = frozenset({"adherent_but_flat"})


def stall(**changes: Any) -> AlertFacts:
    fields: dict[str, Any] = {"id": 7, "kind": AlertKind.STALL, "keys": FAIR_TRIAL, "level": State.STALLED}
    return AlertFacts(**(fields | changes))


def past(*reviews: tuple[int, State]) -> list[PastReview]:
    return [PastReview(day(n), state) for n, state in reviews]


def only(decisions: tuple[Decision, ...]) -> Decision:
    (decision,) = decisions
    return decision


# --- open


@pytest.mark.parametrize(("verdict", "level"), [(STALLING, State.STALLING), (STALLED, State.STALLED)])
def test_a_stall_opens_an_alert_of_its_level(verdict: Verdict, level: State) -> None:
    decision = only(decide(verdict, []))

    assert (decision.step, decision.kind, decision.alert_id) == (Step.OPEN, AlertKind.STALL, None)
    assert decision.level is level
    assert decision.keys == FAIR_TRIAL
    assert decision.signal is not None
    assert decision.signal.action == "Re-assess hands-on, consider referral or imaging"


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param((case(flat()), 35), id="watch"),
        pytest.param((case(flat()), 27), id="too early"),
        pytest.param((case(then("6.0", "1.0")), 56), id="on track"),
        pytest.param((case(flat(), pauses=(holiday(50, None),)), 56), id="paused"),
        pytest.param((case(flat(last=39), pauses=(holiday(40, 50),)), 60), id="resuming"),
    ],
)
def test_no_alert_where_there_is_nothing_to_tell(facts: tuple[CaseFacts, int]) -> None:
    assert decide(judge(*facts), []) == ()


def test_too_few_answers_open_no_stall_and_silence_opens_its_own_alert() -> None:
    decision = only(decide(judge(case(flat(last=39))), []))

    assert (decision.step, decision.kind, decision.level) == (Step.OPEN, AlertKind.SILENT, None)


def test_several_grounds_open_one_alert_each_the_most_urgent_first() -> None:
    facts = case(
        diary((0, 6, "5.0"), (7, 56, "8.0")),
        red_flags=(RED,),
        drift=DRIFTED,
        sessions=sessions(SESSION_DAYS, red=[50, 52]),
    )

    opened = decide(judge(facts), [])

    assert [decision.kind.value for decision in opened] == ["red_flag", "worsening", "overload", "drift"]
    assert {decision.step for decision in opened} == {Step.OPEN}


def test_worsening_opens_in_week_two_before_any_verdict() -> None:
    decision = only(decide(judge(case(diary((0, 6, "5.0"), (7, 20, "8.0"))), 20), []))

    assert decision.kind is AlertKind.WORSENING


# --- keep and raise


def test_a_stall_that_goes_on_keeps_its_alert() -> None:
    decision = only(decide(STALLED, [stall()]))

    assert (decision.step, decision.alert_id, decision.level) == (Step.KEEP, 7, State.STALLED)


def test_the_level_follows_a_threshold_that_was_changed_and_nothing_else() -> None:
    changed = stall(stalled_week=6)
    assert STALLING.thresholds.stalled_week == 8

    decision = only(decide(STALLING, [changed]))
    assert (decision.step, decision.alert_id, decision.level) == (Step.KEEP, 7, State.STALLING)

    for same in (stall(stalled_week=8), stall()):
        assert only(decide(STALLING, [same])).level is State.STALLED
    for nothing_to_tell in (ON_TRACK, judge(case(flat()), 35)):
        assert only(decide(nothing_to_tell, [changed])).level is State.STALLED


def test_stalling_that_becomes_stalled_raises_the_same_alert() -> None:
    decision = only(decide(STALLED, [stall(level=State.STALLING)]))

    assert (decision.step, decision.alert_id, decision.level) == (Step.RAISE, 7, State.STALLED)


def test_the_level_never_falls() -> None:
    decision = only(decide(STALLING, [stall()]))

    assert (decision.step, decision.level) == (Step.KEEP, State.STALLED)


def test_a_kept_alert_gathers_the_grounds_it_has_carried() -> None:
    decision = only(decide(STALLED, [stall(keys=frozenset({"not_doing"}))]))

    assert decision.step is Step.KEEP
    assert decision.keys == {"not_doing", "adherent_but_flat"}


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(case(flat(last=20), requests=()), id="silence"),
        pytest.param(case(flat(), pauses=(holiday(50, None),)), id="a holiday"),
        pytest.param(case(flat(), clock_started_on=day(50)), id="a new fair trial"),
        pytest.param(case(flat(), clock_started_on=day(28)), id="watch in a new fair trial"),
    ],
)
def test_nothing_but_success_closes_a_stall(facts: CaseFacts) -> None:
    successes = past((40, State.ON_TRACK), (48, State.ON_TRACK))

    decision = only(decide(judge(facts), [stall()], successes))

    assert (decision.step, decision.alert_id, decision.level) == (Step.KEEP, 7, State.STALLED)
    assert decision.signal is None


@pytest.mark.parametrize("kind", [kind for kind in AlertKind if kind is not AlertKind.STALL])
def test_other_alerts_stay_until_a_clinician_resolves_them(kind: AlertKind) -> None:
    alert = AlertFacts(id=3, kind=kind, keys=frozenset({"x"}))

    decision = only(decide(ON_TRACK, [alert], past((40, State.ON_TRACK), (48, State.ON_TRACK))))

    assert (decision.step, decision.alert_id, decision.keys) == (Step.KEEP, 3, frozenset({"x"}))
    assert decision.signal is None


def test_silence_that_goes_on_keeps_its_alert_and_its_ground() -> None:
    alert = AlertFacts(id=3, kind=AlertKind.SILENT, keys=frozenset({"silent"}))

    decision = only(decide(judge(case(flat(last=39))), [alert]))

    assert (decision.step, decision.alert_id) == (Step.KEEP, 3)
    assert decision.signal is not None


def test_one_alert_per_kind_an_old_resolved_one_does_not_matter_beside_it() -> None:
    old = stall(id=1, resolved_on=day(50), resolved_by_rule=True)

    assert only(decide(STALLED, [old, stall()])).alert_id == 7


# --- resolve


@pytest.mark.parametrize(
    ("reviews", "step"),
    [
        pytest.param([(49, State.ON_TRACK)], Step.RESOLVE, id="7 days apart"),
        pytest.param([(50, State.ON_TRACK)], Step.KEEP, id="6 days apart"),
        pytest.param([], Step.KEEP, id="first success"),
        pytest.param([(56, State.ON_TRACK)], Step.KEEP, id="the same review again"),
        pytest.param([(n, State.ON_TRACK) for n in range(49, 56)], Step.RESOLVE, id="each day of a week"),
        pytest.param(
            [(42, State.ON_TRACK), (50, State.STALLED), (52, State.ON_TRACK)],
            Step.KEEP,
            id="failed in between",
        ),
        pytest.param(
            [(42, State.STALLED), (49, State.ON_TRACK), (52, State.INSUFFICIENT_DATA)],
            Step.RESOLVE,
            id="silent in between",
        ),
        pytest.param([(45, State.STALLING), (49, State.WATCH)], Step.KEEP, id="watch is no success"),
        pytest.param(
            [(60, State.STALLED), (49, State.ON_TRACK)], Step.RESOLVE, id="a later review is not seen"
        ),
    ],
)
def test_a_stall_resolves_after_success_at_two_reviews_a_week_apart(
    reviews: list[tuple[int, State]], step: Step
) -> None:
    decision = only(decide(ON_TRACK, [stall()], past(*reviews)))

    assert (decision.step, decision.alert_id) == (step, 7)


def test_success_by_akps_alone_resolves_too() -> None:
    verdict = judge(case(flat(last=6), akps=akps({0: 60, 50: 80}), requests=()))

    assert only(decide(verdict, [stall()], past((49, State.ON_TRACK)))).step is Step.RESOLVE


# --- re-open


@pytest.mark.parametrize(("resolved", "step"), [(42, Step.REOPEN), (41, Step.OPEN), (56, Step.REOPEN)])
def test_failing_again_within_14_days_reopens_the_same_alert(resolved: int, step: Step) -> None:
    decision = only(decide(STALLED, [stall(resolved_on=day(resolved), resolved_by_rule=True)]))

    assert decision.step is step
    assert decision.alert_id == (7 if step is Step.REOPEN else None)
    assert decision.level is State.STALLED


def test_the_latest_of_several_resolved_alerts_is_the_one() -> None:
    older = stall(id=1, resolved_on=day(44), resolved_by_rule=True)
    newer = stall(id=2, resolved_on=day(50), resolved_by_rule=True)

    assert only(decide(STALLED, [newer, older])).alert_id == 2
    assert only(decide(STALLED, [older, newer])).alert_id == 2


# --- after a clinician


@pytest.mark.parametrize(("resolved", "opens"), [(43, False), (42, True), (56, False)])
def test_after_a_clinician_the_same_kind_opens_again_only_after_14_days(resolved: int, opens: bool) -> None:
    decisions = decide(STALLED, [stall(resolved_on=day(resolved))])

    assert [decision.step for decision in decisions] == ([Step.OPEN] if opens else [])


def test_or_for_a_new_reason() -> None:
    decision = only(decide(STALLED, [stall(resolved_on=day(55), keys=frozenset({"not_doing"}))]))

    assert (decision.step, decision.alert_id) == (Step.OPEN, None)


def test_a_higher_level_is_no_new_reason() -> None:
    assert decide(STALLED, [stall(resolved_on=day(50), level=State.STALLING)]) == ()


def test_another_kind_is_not_kept_quiet() -> None:
    dealt_with = AlertFacts(id=3, kind=AlertKind.WORSENING, keys=frozenset({"index"}), resolved_on=day(55))

    assert only(decide(STALLED, [dealt_with])).kind is AlertKind.STALL


def test_worsening_of_the_other_knee_is_a_new_reason() -> None:
    dealt_with = AlertFacts(id=3, kind=AlertKind.WORSENING, keys=frozenset({"index"}), resolved_on=day(55))
    worse = then("5.0", "3.0")
    facts = case(worse, other=Knee(answers(then("2.0", "5.0"))))

    decision = only(decide(judge(facts), [dealt_with]))

    assert (decision.step, decision.keys) == (Step.OPEN, frozenset({"other"}))


def test_drift_to_another_place_is_a_new_reason() -> None:
    facts = case(then("6.0", "1.0"), drift=DRIFTED)
    same = AlertFacts(id=3, kind=AlertKind.DRIFT, keys=frozenset({"outer"}), resolved_on=day(55))
    elsewhere = AlertFacts(id=3, kind=AlertKind.DRIFT, keys=frozenset({"inner"}), resolved_on=day(55))

    assert decide(judge(facts), [same]) == ()
    assert only(decide(judge(facts), [elsewhere])).step is Step.OPEN


def test_a_red_flag_that_is_open_is_never_kept_quiet() -> None:
    cleared = AlertFacts(id=3, kind=AlertKind.RED_FLAG, keys=frozenset({RED.code}), resolved_on=day(55))

    decision = only(decide(judge(case(flat(), red_flags=(RED,))), [cleared]))

    assert (decision.step, decision.alert_id) == (Step.OPEN, None)
