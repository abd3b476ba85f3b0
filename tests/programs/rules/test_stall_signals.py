"""What may open an alert, whatever the state: worsening, silence, red flags, drift, overload."""

from __future__ import annotations

import pytest

from programs.rules.stall import AlertKind, CaseFacts, Knee, PainAnswer, Signal, State
from tests.programs.rules.stall_case import (
    DRIFTED,
    RED,
    answers,
    case,
    day,
    flat,
    holiday,
    intake,
    judge,
    requests,
    sessions,
    then,
)


def signal(facts: CaseFacts, kind: AlertKind, on: int = 56) -> Signal | None:
    return next((found for found in judge(facts, on).signals if found.kind is kind), None)


@pytest.mark.parametrize(
    ("on", "later", "found"), [(14, "8.0", True), (13, "8.0", False), (14, "7.9", False)]
)
def test_worsening_from_day_14_if_now_is_two_above_baseline(on: int, later: str, found: bool) -> None:
    """The Now window of day 14 is days 1-14: 2 and 4 at the baseline, 6 to 14 later."""
    pain = {0: "6.0", 2: "6.0", 4: "6.0"} | dict.fromkeys(range(6, 15), later)

    assert (signal(case(pain), AlertKind.WORSENING, on) is not None) is found


def test_worsening_of_the_other_knee_is_found_and_shown_and_does_not_change_the_state() -> None:
    facts = case(then("6.0", "1.0"), other=Knee(answers(then("2.0", "4.0"))))

    verdict = judge(facts)
    found = signal(facts, AlertKind.WORSENING)

    assert verdict.state is State.ON_TRACK
    assert found is not None
    assert found.keys == {"other"}
    assert (
        found.evidence
        == "Other knee: Worst pain 2.0 in the first week, 4.0 now (last 14 days, 6 days answered)"
    )
    assert found.evidence in [row.text for row in verdict.evidence]


def test_the_other_knee_up_by_less_than_two_is_charted_only() -> None:
    facts = case(flat(), other=Knee(answers(then("2.0", "3.9"))))

    assert signal(facts, AlertKind.WORSENING) is None
    assert [row.topic for row in judge(facts).evidence if "Other knee" in row.text] == ["other_knee"]


def test_silent_after_ten_days_and_two_missed_check_ins() -> None:
    """Last answer on day 39; day 49 is the tenth day after it, and 42, 44 and 46 were missed by then."""
    facts = case(flat(last=39))

    found = signal(facts, AlertKind.SILENT, 49)

    assert found is not None
    assert found.evidence == "No answer since 13 Feb 2026: 10 days, 3 check-ins missed"
    assert found.action == "Call the patient"
    assert signal(facts, AlertKind.SILENT, 48) is None


@pytest.mark.parametrize(("last_asked", "found"), [(42, False), (44, True)])
def test_silent_takes_two_missed_check_ins(last_asked: int, found: bool) -> None:
    pain = flat(last=39)
    asked = tuple(request for request in requests(pain) if request.due_on <= day(last_asked))

    assert (signal(case(pain, requests=asked), AlertKind.SILENT, 60) is not None) is found


def test_silent_from_the_start_too_early_for_a_verdict() -> None:
    facts = case({}, first_intake=intake("6.0"))

    found = signal(facts, AlertKind.SILENT, 9)

    assert judge(facts, 9).state is State.TOO_EARLY
    assert found is not None
    assert found.evidence == "No answer since the start: 10 days, 4 check-ins missed"
    assert signal(facts, AlertKind.SILENT, 8) is None


def test_an_unprompted_answer_about_the_other_knee_ends_silence() -> None:
    other = Knee((PainAnswer(day(50), answers({0: "3.0"})[0].worst),))

    assert signal(case(flat(last=39), other=other), AlertKind.SILENT, 58) is None


def test_paused_days_are_no_days_of_silence_and_resuming_raises_none() -> None:
    """Last answer on 39, off 40-49: day 59 is the tenth unpaused day, yet within 14 days of resuming."""
    facts = case(flat(last=39), pauses=(holiday(40, 50),))

    assert signal(facts, AlertKind.SILENT, 55) is None
    assert signal(facts, AlertKind.SILENT, 63) is None
    assert signal(facts, AlertKind.SILENT, 64) is not None


def test_a_bounced_address_is_its_own_ground_for_silence() -> None:
    found = signal(case(flat(last=39), undeliverable=True), AlertKind.SILENT, 49)

    assert found is not None
    assert found.keys == {"undeliverable"}
    assert found.action == "Correct the address"


def test_signals_of_red_flag_drift_and_overload_stand_in_any_state() -> None:
    facts = case(
        flat(),
        red_flags=(RED,),
        drift=DRIFTED,
        sessions=sessions([30, 31], red=[30, 31]),
        pauses=(holiday(31, None),),
    )

    found = judge(facts, 32)

    assert found.state is State.PAUSED
    assert [(s.kind.value, sorted(s.keys)) for s in found.signals] == [
        ("red_flag", ["locking"]),
        ("overload", ["reds"]),
        ("drift", ["outer"]),
    ]
