"""The 24-hour pain rule: hand-worked sessions, and what must hold for all of them."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.thresholds import DEFAULTS, with_overrides
from programs.rules.pain import (
    Activity,
    Light,
    PainVerdict,
    Proposal,
    SessionFacts,
    greens_in_a_row,
    light,
    overload,
    propose,
    ready_since,
)

DAY = date(2026, 3, 2)
G, A, R, I = Light.GREEN, Light.AMBER, Light.RED, Light.INCOMPLETE  # noqa: E741
STRENGTH, RUN = Activity.STRENGTH, Activity.RUN


def session(
    before: str | None = "1",
    during: str = "2",
    after: str | None = "1",
    activity: Activity = STRENGTH,
    *,
    on: date = DAY,
    limping: bool = False,
    rising: bool = False,
) -> SessionFacts:
    return SessionFacts(
        on=on,
        during=Decimal(during),
        before=None if before is None else Decimal(before),
        next_morning=None if after is None else Decimal(after),
        activity=activity,
        limping=limping,
        rising=rising,
    )


def verdicts(letters: str, *, gap_days: int = 2) -> list[PainVerdict]:
    """One session per letter: Green, Amber, Red, Incomplete, or X (incomplete, but it hurt too much)."""
    facts = {
        "G": session(), "A": session(during="4"), "R": session(during="6"),
        "I": session(after=None), "X": session(during="6", after=None),
    }  # fmt: skip
    return [
        light(dataclasses.replace(facts[letter], on=DAY + timedelta(days=number * gap_days)), DEFAULTS)
        for number, letter in enumerate(letters)
    ]


@pytest.mark.parametrize(
    ("before", "during", "after", "activity", "expected"),
    [
        ("1", "2", "1", STRENGTH, G),
        ("0", "0", "0", STRENGTH, G),
        ("0", "3", "0", STRENGTH, G),  # 3 is still green
        ("0", "3.0", "1", STRENGTH, G),  # the next morning may be 1 higher
        ("0", "3.1", "0", STRENGTH, A),  # over 3
        ("2", "5", "3", STRENGTH, A),  # up to 5, settled with the allowance
        ("0", "5.1", "0", STRENGTH, R),  # over 5
        ("0", "10", "0", STRENGTH, R),
        ("1", "2", "2.1", STRENGTH, R),  # little pain, but not settled
        ("2", "4", "3.1", STRENGTH, R),  # amber needs settling too
        ("4", "2", "0", STRENGTH, G),  # the day got better
        ("6", "3", "6", STRENGTH, G),  # a bad morning before: settled is what counts
        ("1", "2", None, STRENGTH, I),
        ("1", "9", None, STRENGTH, I),  # neither green nor red without the next morning
        (None, "2", "1", STRENGTH, I),  # settled to what?
        ("0", "3", "0", RUN, G),
        ("0", "3.1", "0", RUN, R),  # a run has no amber
        ("0", "5", "0", RUN, R),
        ("0", "1", "1.1", RUN, R),
        ("0", "4", None, RUN, I),
    ],
)
def test_the_light_of_a_session(
    before: str | None, during: str, after: str | None, activity: Activity, expected: Light
) -> None:
    assert light(session(before, during, after, activity), DEFAULTS).light is expected


@pytest.mark.parametrize("activity", Activity)
def test_limping_or_rising_pain_is_red_however_low(activity: Activity) -> None:
    limping = light(session("0", "1", "0", activity, limping=True), DEFAULTS)
    rising = light(session("0", "1", "0", activity, rising=True), DEFAULTS)

    assert (limping.light, limping.reasons) == (R, ("limping",))
    assert (rising.light, rising.reasons) == (R, ("pain rose during the session",))


def test_a_green_says_why_in_figures() -> None:
    assert light(session("1", "2.5", "2"), DEFAULTS).reasons == (
        "pain during 2.5, at most 3",
        "settled: next morning 2 after 1 before, +1 allowed",
    )


def test_an_amber_says_why_in_figures() -> None:
    assert light(session("1", "4", "1"), DEFAULTS).reasons == ("pain during 4, over 3 up to 5",)


def test_a_red_names_every_cause() -> None:
    assert light(session("1", "6", "3.5", limping=True), DEFAULTS).reasons == (
        "pain during 6, over 5",
        "not settled: next morning 3.5 after 1 before, +1 allowed",
        "limping",
    )


def test_a_red_run_is_measured_against_the_limit_for_runs() -> None:
    assert light(session("1", "4", "1", RUN), DEFAULTS).reasons == ("pain during the run 4, over 3",)


def test_an_incomplete_session_says_what_is_known_already() -> None:
    verdict = light(session("1", "6", None), DEFAULTS)

    assert verdict.reasons == ("no next-morning answer", "pain during 6, over 5")
    assert verdict.at_best is R


def test_an_incomplete_run_is_measured_against_the_limit_for_runs() -> None:
    verdict = light(session("1", "4", None, RUN), DEFAULTS)

    assert verdict.reasons == ("no next-morning answer", "pain during the run 4, over 3")


def test_the_limits_come_from_the_thresholds_and_stay_with_the_verdict() -> None:
    strict = with_overrides({"green_max": "2", "amber_max": "3", "settle_allowance": "0"})

    assert light(session("1", "2.5", "1"), strict).light is A
    assert light(session("1", "3.5", "1"), strict).light is R
    assert light(session("1", "1", "1.5"), strict).light is R
    assert light(session(), strict).thresholds is strict


@pytest.mark.parametrize(
    ("row", "greens", "ready"),
    [
        ("", 0, False),
        ("GG", 2, False),
        ("GGG", 3, True),
        ("RGGG", 3, True),
        ("GGAG", 1, False),
        ("GGGR", 0, False),
        ("GGGI", 3, True),  # last night's session waits for its morning
        ("GIGG", 3, True),
        ("GXGG", 2, False),  # not answering must not hide a session that hurt
        ("GGGX", 0, False),
        ("III", 0, False),
    ],
)
def test_greens_in_a_row(row: str, greens: int, ready: bool) -> None:
    assert len(greens_in_a_row(verdicts(row))) == greens
    assert (ready_since(verdicts(row), DEFAULTS) is not None) is ready


@pytest.mark.parametrize(
    ("row", "since"),
    [
        ("GG", None),
        ("RGGG", date(2026, 3, 8)),
        ("GIGGGG", date(2026, 3, 8)),  # since the third green, not the last
        ("GGGR", None),
    ],
)
def test_ready_since_the_session_that_completed_the_row(row: str, since: date | None) -> None:
    assert ready_since(verdicts(row), DEFAULTS) == since


@pytest.mark.parametrize(
    ("row", "expected", "reason"),
    [
        ("", Proposal.HOLD, "no complete session yet"),
        ("I", Proposal.HOLD, "no complete session yet"),
        ("GG", Proposal.HOLD, "2 green in a row, 3 needed"),
        ("GGG", Proposal.PROGRESS, "3 green in a row, 3 needed"),
        ("GGGA", Proposal.HOLD, "the session of 8 Mar 2026 was amber: pain during 4, over 3 up to 5"),
        ("GGGR", Proposal.EASE, "the session of 8 Mar 2026 was red: pain during 6, over 5"),
        ("RI", Proposal.EASE, "the session of 2 Mar 2026 was red: pain during 6, over 5"),
        ("RG", Proposal.HOLD, "1 green in a row, 3 needed"),
    ],
)
def test_what_a_row_of_sessions_proposes(row: str, expected: Proposal, reason: str) -> None:
    verdict = propose(verdicts(row), DEFAULTS)

    assert (verdict.proposal, verdict.reasons) == (expected, (reason,))


@pytest.mark.parametrize(
    ("red_days_ago", "expected"),
    [
        ([], False),
        ([0], False),
        ([0, 13], True),  # both within 14 days, today included
        ([0, 14], False),
        ([3, 3], True),  # two sessions of one day
        ([13, 14, 15], False),
        ([-1, 0], False),  # a date still to come is no evidence
    ],
)
def test_two_reds_in_14_days_are_overload(red_days_ago: list[int], expected: bool) -> None:
    reds = [light(session(during="6", on=DAY - timedelta(days=ago)), DEFAULTS) for ago in red_days_ago]

    assert overload(reds, DAY, DEFAULTS).overloaded is expected


def test_overload_names_its_reds() -> None:
    row = verdicts("RGRA")
    verdict = overload(row, DAY + timedelta(days=6), DEFAULTS)

    assert verdict.reds == (date(2026, 3, 2), date(2026, 3, 6))
    assert verdict.reasons == ("2 red sessions in 14 days: 2026-03-02, 2026-03-06",)


PAIN = st.integers(0, 100).map(lambda tenths: Decimal(tenths) / 10)
SESSIONS = st.builds(
    SessionFacts,
    on=st.dates(DAY, DAY + timedelta(days=30)),
    during=PAIN,
    before=st.none() | PAIN,
    next_morning=st.none() | PAIN,
    activity=st.sampled_from(Activity),
    limping=st.booleans(),
    rising=st.booleans(),
)
BADNESS = {G: 0, A: 1, R: 2}


@given(SESSIONS, PAIN)
def test_more_pain_during_never_makes_it_greener(facts: SessionFacts, more: Decimal) -> None:
    worse = light(dataclasses.replace(facts, during=facts.during + more), DEFAULTS)
    verdict = light(facts, DEFAULTS)

    assert BADNESS[worse.at_best] >= BADNESS[verdict.at_best]
    assert (worse.light is I) == (verdict.light is I)


@given(SESSIONS.filter(lambda facts: facts.next_morning is not None), PAIN)
def test_more_pain_the_next_morning_never_makes_it_greener(facts: SessionFacts, more: Decimal) -> None:
    assert facts.next_morning is not None
    worse = light(dataclasses.replace(facts, next_morning=facts.next_morning + more), DEFAULTS)

    assert BADNESS[worse.at_best] >= BADNESS[light(facts, DEFAULTS).at_best]


@given(SESSIONS)
def test_limping_or_rising_never_makes_it_greener(facts: SessionFacts) -> None:
    for worse in (dataclasses.replace(facts, limping=True), dataclasses.replace(facts, rising=True)):
        assert light(worse, DEFAULTS).light in (R, I)
        assert light(worse, DEFAULTS).at_best is R


@given(SESSIONS)
def test_a_run_is_never_amber_and_never_greener_than_strength_work(facts: SessionFacts) -> None:
    run = light(dataclasses.replace(facts, activity=RUN), DEFAULTS)
    strength = light(dataclasses.replace(facts, activity=STRENGTH), DEFAULTS)

    assert run.at_best is not A
    assert BADNESS[run.at_best] >= BADNESS[strength.at_best]


@given(SESSIONS)
def test_every_light_has_reasons_and_only_missing_answers_make_it_incomplete(facts: SessionFacts) -> None:
    verdict = light(facts, DEFAULTS)

    assert verdict.reasons
    assert (verdict.light is I) == (facts.next_morning is None or facts.before is None)


@given(st.lists(SESSIONS, unique_by=lambda facts: facts.on), st.randoms(use_true_random=False))
def test_the_order_sessions_arrive_in_changes_nothing(facts: list[SessionFacts], random: Random) -> None:
    row = [light(one, DEFAULTS) for one in facts]
    shuffled = sorted(row, key=lambda _: random.random())

    assert propose(shuffled, DEFAULTS) == propose(row, DEFAULTS)
    assert overload(shuffled, DAY, DEFAULTS) == overload(row, DAY, DEFAULTS)
