"""What a clinician reads: the summary, the evidence, the JSON line; and the thresholds kept with them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.thresholds import DEFAULTS, with_overrides
from programs.rules.stall import Knee, PainAnswer, State, review, to_json
from programs.rules.stall.success import pain_success, trend_of
from programs.rules.stall.wording import pains
from tests.programs.rules.stall_case import (
    akps,
    answers,
    case,
    day,
    diary,
    flat,
    holiday,
    intake,
    judge,
    sessions,
    then,
)


def test_summary_says_state_numbers_why_and_what_to_do() -> None:
    assert judge(case(then("6.0", "5.5"), sessions=sessions([30]))).summary == (
        "Week 8, stalled, flat. Worst pain 6.0 in the first week, 5.5 now (last 14 days, 6 days answered). "
        "1 strength session in the last 28 days, 3 a week prescribed, at least 2 a week needed. "
        "Simplify the program, ask what gets in the way."
    )


def test_summary_of_success_by_akps_alone_says_that_pain_was_not_reported() -> None:
    verdict = judge(case(flat(last=6), akps=akps({0: 60, 50: 80})))

    assert verdict.pain_not_reported
    assert verdict.summary == "Week 8, on track. Pain not reported."
    assert "AKPS 80 on 24 Feb 2026, 60 at the start (+20)" in [row.text for row in verdict.evidence]


def test_success_by_akps_with_pain_reported_is_not_marked() -> None:
    assert not judge(case(flat(), akps=akps({0: 60, 50: 80}))).pain_not_reported


def test_summary_asks_restart_or_discharge_without_a_full_stop() -> None:
    verdict = judge(case(flat(), pauses=(holiday(10, None),)), 38)

    assert verdict.summary.endswith("29 days paused so far. Restart or discharge?")


def test_json_of_a_stalled_case() -> None:
    data = to_json(judge(case(then("6.0", "5.5"), first_session_on=None)))

    assert data == {
        "week": 8,
        "state": "stalled",
        "trend": "flat",
        "reason": "adherence_unknown",
        "reasons": ["adherence_unknown"],
        "baseline": 6.0,
        "now": 5.5,
        "evidence": [
            {"topic": "baseline", "text": "Worst pain 6.0 in the first week"},
            {"topic": "now", "text": "Worst pain 5.5 (last 14 days, 6 days answered)"},
            {"topic": "check_ins", "text": "6 of 6 due check-ins answered"},
            {"topic": "adherence_unknown", "text": "No session was ever logged"},
        ],
        "action": "Ask how often the exercises were done",
    }


def test_json_is_null_where_there_is_nothing_to_say() -> None:
    assert to_json(judge(case({}, requests=()), 3)) == {
        "week": 0,
        "state": "too_early",
        "trend": None,
        "reason": None,
        "reasons": None,
        "baseline": None,
        "now": None,
        "evidence": None,
        "action": None,
    }


def test_a_program_that_starts_tomorrow_is_too_early() -> None:
    verdict = judge(case(flat()), -1)

    assert (verdict.state, verdict.day, verdict.week) == (State.TOO_EARLY, 0, 0)


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (1, 3, ["Asked over 1 day at the start, over 3 days now"]),
        (3, 1, ["Asked over 3 days at the start, over 1 day now"]),
        (3, 3, []),
        (None, 3, []),
    ],
)
def test_scores_asked_over_other_days_than_at_the_start_say_so(
    before: int | None, now: int, said: list[str]
) -> None:
    worst = case(flat()).index.answers
    asked = tuple(PainAnswer(a.on, a.worst, recall_days=before if a.on < day(7) else now) for a in worst)
    verdict = judge(case(flat(), index=Knee(asked)))
    assert [row.text for row in verdict.evidence if row.topic == "recall"] == said
    assert verdict.state is judge(case(flat())).state


def test_usual_pain_is_evidence_only() -> None:
    worst = answers(flat())
    usual = tuple(PainAnswer(a.on, a.worst, usual=a.worst / 2) for a in worst)

    verdict = judge(case(flat(), index=Knee(usual)))

    assert verdict.state is judge(case(flat())).state
    assert "Usual pain 3.0 (last 14 days, 6 days answered)" in [row.text for row in verdict.evidence]


def test_pain_has_one_decimal_and_intake_shows_the_days_it_was_asked_over() -> None:
    """Two answers of 5.1 and 5.2 are 5.15 now: from 6.0 that is no drop of 0.9."""
    pain = {51: "5.1", 56: "5.2"}

    verdict = judge(case(pain, first_intake=intake("6.0", -2), requests=()))

    assert verdict.summary.startswith(
        "Week 8, stalled, flat. Worst pain 6.0 at intake (3 Jan 2026, over 3 days), "
        "5.2 now (last 14 days, 2 days answered)."
    )
    assert "Worst pain 5.2 (last 14 days, 2 days answered)" in [row.text for row in verdict.evidence]


@pytest.mark.parametrize(
    ("before", "now", "shown"),
    [
        ("6.0", "5.5", ("6.0", "5.5")),
        ("6.95", "5.75", ("6.9", "5.7")),
        ("6.05", "4.05", ("6.0", "4.0")),  # a drop of 2, and reads so
        ("5.95", "4.0", ("5.9", "4.0")),  # no drop of 2
        ("6.0", "4.05", ("6.0", "4.1")),  # cut it would be a drop of 2
        ("3.5", "1.95", ("3.5", "1.95")),  # below 2, and raised no more
        ("4.0", "5.95", ("4.0", "5.9")),  # no rise of 2
        ("4.05", "6.0", ("4.1", "6.0")),  # cut it would be one
        ("2.95", "4.0", ("2.95", "4.0")),  # below 3
    ],
)
def test_pains_read_as_they_are_judged(before: str, now: str, shown: tuple[str, str]) -> None:
    assert pains(Decimal(before), Decimal(now)) == shown


TWENTIETHS = st.integers(0, 200).map(lambda n: Decimal(n) / 20)


@given(TWENTIETHS, TWENTIETHS)
def test_no_verdict_reads_otherwise_in_what_is_shown(before: Decimal, now: Decimal) -> None:
    then, today = map(Decimal, pains(before, now))
    t = DEFAULTS
    assert pain_success(then, today, t) == pain_success(before, now, t)
    assert trend_of(then, today, t) == trend_of(before, now, t)
    assert (today - then >= t.worsening_rise) == (now - before >= t.worsening_rise)


def test_a_late_baseline_is_named_as_such() -> None:
    verdict = judge(case({14: "7.0", 16: "6.0"} | diary((18, 56, "6.0"))))

    assert verdict.evidence[0].text == "Worst pain 6.5 in a late first week (15 Jan 2026 to 21 Jan 2026)"


def test_thresholds_of_the_clinic_are_obeyed_and_kept_with_the_verdict() -> None:
    strict = with_overrides({"watch_week": 2, "stalling_week": 3, "stalled_week": 4})

    verdict = review(case(flat()), day(28), strict)

    assert verdict.state is State.STALLED
    assert verdict.thresholds is strict
