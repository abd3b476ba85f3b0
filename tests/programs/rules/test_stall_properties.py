"""What holds for every case: found by Hypothesis over diaries, pauses, scores and sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.thresholds import DEFAULTS
from programs.rules.stall import (
    AkpsScore,
    BaselineSource,
    CaseFacts,
    CheckInRequest,
    IntakePain,
    Knee,
    PainAnswer,
    Pause,
    PauseKind,
    ReasonCode,
    Run,
    State,
    StrengthSession,
    review,
)
from tests.programs.rules.stall_case import DRIFTED, RED, START, answers, case, day

LAST = 110
NON_SUCCESS = {State.ON_HOLD, State.INSUFFICIENT_DATA, State.STALLED, State.STALLING, State.WATCH}

numbers = st.integers(0, LAST)
pain = st.integers(0, 100).map(lambda tenths: Decimal(tenths) / 10)
some_answers = st.lists(st.builds(PainAnswer, numbers.map(day), pain), max_size=60).map(tuple)
steady_answers = st.lists(pain, min_size=28, max_size=28).map(
    lambda scores: tuple(PainAnswer(day(4 * n), score) for n, score in enumerate(scores))
)
answer_rows = some_answers | steady_answers
intakes = st.none() | st.builds(IntakePain, st.integers(-30, 1).map(day), pain)


@st.composite
def pauses(draw: st.DrawFn) -> Pause:
    first, length = draw(numbers), draw(st.sampled_from([0, 1, 5, 8, 20, 40, None]))
    kind = draw(st.sampled_from(PauseKind))
    return Pause(kind, day(first), None if length is None else day(first + length))


@st.composite
def asked(draw: st.DrawFn) -> CheckInRequest:
    due, delay = draw(numbers), draw(st.none() | st.integers(0, 5))
    return CheckInRequest(day(due), day(due + 2), None if delay is None else day(due + delay))


knees = st.builds(Knee, answer_rows, intakes)
since = st.none() | numbers.map(day)


def many[T](rows: st.SearchStrategy[T], size: int) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(rows, max_size=size).map(tuple)


cases = st.builds(
    CaseFacts,
    started_on=st.just(START),
    clock_started_on=st.just(START) | st.integers(0, 60).map(day),
    prescribed_per_week=st.integers(1, 5),
    index=knees,
    other=st.none() | knees,
    requests=many(asked(), 40),
    pauses=many(pauses(), 3),
    red_flags=st.sampled_from([(), (), (), (), (), (RED,)]),
    akps=many(st.builds(AkpsScore, st.integers(-20, LAST).map(day), st.integers(0, 100)), 5),
    first_session_on=since,
    sessions=many(st.builds(StrengthSession, numbers.map(day), st.booleans()), 40),
    runs=many(st.builds(Run, numbers.map(day), st.integers(1, 300).map(lambda n: Decimal(n) / 10)), 20),
    on_ladder=st.booleans(),
    gate_met_since=since,
    ready_since=since,
    last_progressed_on=since,
    untreated_deficits=st.sampled_from([(), ("hip abductors",)]),
    drift=st.sampled_from([None, None, DRIFTED]),
    undeliverable=st.booleans(),
)


@given(cases, numbers, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(facts: CaseFacts, on: int, random: Random) -> None:
    def shuffled[T](rows: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(random.sample(rows, len(rows)))

    other = replace(
        facts,
        index=replace(facts.index, answers=shuffled(facts.index.answers)),
        requests=shuffled(facts.requests),
        pauses=shuffled(facts.pauses),
        akps=shuffled(facts.akps),
        sessions=shuffled(facts.sessions),
        runs=shuffled(facts.runs),
    )

    assert review(other, day(on), DEFAULTS) == review(facts, day(on), DEFAULTS)


@pytest.mark.parametrize("turn", [1, -1])
def test_of_two_holds_at_once_the_longest_standing_is_told_in_whichever_order_they_come(turn: int) -> None:
    holds = (Pause(PauseKind.HOLD, day(3)), Pause(PauseKind.HOLD, day(5)))[::turn]
    verdict = review(case({}, pauses=holds), day(9), DEFAULTS)
    assert verdict.reason is not None
    assert (verdict.reason.code, verdict.reason.evidence) == (ReasonCode.HELD, "On hold since 8 Jan 2026")


@given(st.lists(pain, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_a_days_answers_changes_nothing(scores: list[Decimal], random: Random) -> None:
    """Two days of several answers, in any order, are two days of their worst."""
    rows = [PainAnswer(day(n), score) for n in (50, 55) for score in scores]
    worst = max(scores)

    def now(answered: list[PainAnswer]) -> Decimal | None:
        knee = Knee(tuple(answered), IntakePain(START, Decimal(6)))
        return review(case({}, index=knee, requests=()), day(56), DEFAULTS).now.judged

    assert now(random.sample(rows, len(rows))) == now(rows) == worst


@given(
    baseline=pain,
    now=st.dictionaries(st.integers(43, 56), pain, min_size=2),
    rises=st.lists(st.integers(0, 100), min_size=14, max_size=14),
    akps=st.integers(0, 100),
)
def test_more_pain_now_never_turns_stalled_into_on_track(
    baseline: Decimal, now: Mapping[int, Decimal], rises: list[int], akps: int
) -> None:
    scores = (AkpsScore(START, 60), AkpsScore(day(50), akps))

    def state(values: Mapping[int, Decimal]) -> State:
        knee = Knee(
            tuple(PainAnswer(day(n), value) for n, value in values.items()), IntakePain(START, baseline)
        )
        verdict = review(case({}, index=knee, requests=(), akps=scores), day(56), DEFAULTS)
        assert verdict.baseline is not None
        assert verdict.baseline.value == baseline
        return verdict.state

    more = {n: min(Decimal(10), value + Decimal(rises[n - 43]) / 10) for n, value in now.items()}

    if state(now) is State.STALLED:
        assert state(more) is State.STALLED
    if state(more) is State.ON_TRACK:
        assert state(now) is State.ON_TRACK


@given(cases, numbers, pauses())
def test_adding_paused_days_never_raises_the_week(facts: CaseFacts, on: int, pause: Pause) -> None:
    longer = replace(facts, pauses=(*facts.pauses, pause))

    assert review(longer, day(on), DEFAULTS).week <= review(facts, day(on), DEFAULTS).week


@given(cases, numbers)
def test_no_verdict_without_data(facts: CaseFacts, on: int) -> None:
    silent = replace(facts, index=Knee(), other=None)

    verdict = review(silent, day(on), DEFAULTS)

    assert verdict.state in {State.PAUSED, State.ON_HOLD, State.TOO_EARLY, State.INSUFFICIENT_DATA}
    assert verdict.trend is None


@given(cases, numbers)
def test_every_non_success_carries_exactly_one_action(facts: CaseFacts, on: int) -> None:
    verdict = review(facts, day(on), DEFAULTS)

    codes = [reason.code for reason in verdict.reasons]
    assert len(set(codes)) == len(codes)
    assert all(reason.evidence and reason.action for reason in verdict.reasons)
    if verdict.state in NON_SUCCESS:
        assert verdict.action == verdict.reasons[0].action
    if verdict.state is State.ON_TRACK:
        assert verdict.action is None


@given(cases, numbers)
def test_a_trend_is_told_with_every_judged_non_success_and_never_else(facts: CaseFacts, on: int) -> None:
    verdict = review(facts, day(on), DEFAULTS)

    judged = verdict.state in {State.STALLED, State.STALLING, State.WATCH}
    assert (verdict.trend is not None) is judged


@given(cases, numbers)
def test_what_comes_later_is_not_seen(facts: CaseFacts, on: int) -> None:
    later = PainAnswer(day(on + 1), Decimal(10))
    foreseen = replace(
        facts,
        index=replace(facts.index, answers=(*facts.index.answers, later)),
        akps=(*facts.akps, AkpsScore(day(on + 1), 100)),
        sessions=(*facts.sessions, StrengthSession(day(on + 1), red=True)),
        requests=(*facts.requests, CheckInRequest(day(on + 1), day(on + 3))),
    )

    assert review(foreseen, day(on), DEFAULTS) == review(facts, day(on), DEFAULTS)


@given(st.dictionaries(st.integers(7, 40), pain, min_size=2), st.integers(7, 40))
def test_a_late_baseline_does_not_move_with_later_answers(scores: Mapping[int, Decimal], on: int) -> None:
    facts = case({}, index=Knee(tuple(PainAnswer(day(n), score) for n, score in scores.items())))

    then, later = review(facts, day(on), DEFAULTS), review(facts, day(on + 30), DEFAULTS)

    if then.baseline is not None:
        assert then.baseline.source is BaselineSource.LATE
        assert later.baseline is not None
        assert later.baseline.value == then.baseline.value


@given(st.lists(pain, min_size=2, max_size=14))
def test_now_lies_between_the_lowest_and_the_highest_answer(scores: list[Decimal]) -> None:
    rows = answers({43 + n: str(score) for n, score in enumerate(scores)})

    verdict = review(case({}, index=Knee(rows), requests=()), day(56), DEFAULTS)

    assert verdict.now.judged is not None
    assert min(scores) <= verdict.now.judged <= max(scores)
