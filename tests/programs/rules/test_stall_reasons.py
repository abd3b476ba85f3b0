"""Why a case stalls: each reason at its boundary, their order, and the action each one sets."""

from __future__ import annotations

from typing import Any

import pytest

from programs.rules.stall import Knee, ReasonCode, State
from tests.programs.rules.stall_case import (
    DRIFTED,
    RED,
    SESSION_DAYS,
    akps,
    answers,
    case,
    codes,
    day,
    diary,
    flat,
    hold,
    holiday,
    judge,
    requests,
    runs,
    sessions,
    then,
)


def all_but_the_first_two() -> dict[str, Any]:
    """What brings every reason of the table from not_doing on, in a case that is flat at 6 from day 7.

    Days 44-49 were at 2.0 (success, so a relapse), days 51-56 at 9.0 (a flare, and pain that is judged).
    """
    pain = diary((0, 6, "6.0"), (7, 49, "2.0"), (50, 56, "9.0"))
    return {
        "index": Knee(answers(pain)),
        "requests": requests(pain),
        "sessions": sessions([30, 50, 55], red=[50, 55]),
        "gate_met_since": day(40),
        "untreated_deficits": ("hip abductors",),
    }


def test_reasons_stand_in_the_order_of_the_table_and_the_first_sets_the_action() -> None:
    facts = case({}, drift=DRIFTED, **all_but_the_first_two())

    verdict = judge(facts)

    assert [reason.code.value for reason in verdict.reasons] == [
        "drifted",
        "not_doing",
        "relapsed",
        "overloaded",
        "flare",
        "under_loaded",
        "deficit_untreated",
    ]
    assert verdict.state is State.STALLED
    assert verdict.action == "Re-screen"
    assert codes(case({}, first_session_on=None, **all_but_the_first_two()))[0] == "adherence_unknown"


def test_too_few_answers_come_before_what_the_diary_would_say() -> None:
    changes = all_but_the_first_two()
    silent = {**changes, "index": Knee(answers(flat(last=6))), "requests": requests(flat(last=6))}

    assert codes(case({}, **silent)) == [
        "silent",
        "not_doing",
        "overloaded",
        "under_loaded",
        "deficit_untreated",
    ]


@pytest.mark.parametrize(
    ("changes", "first", "action"),
    [
        ({"red_flags": (RED,)}, "red_flag", "See the patient; the program is on hold"),
        ({"pauses": (hold(50, None),)}, "held", "Decide whether the program resumes"),
        ({"drift": DRIFTED}, "drifted", "Re-screen"),
        ({"first_session_on": None}, "adherence_unknown", "Ask how often the exercises were done"),
        ({"sessions": ()}, "not_doing", "Simplify the program, ask what gets in the way"),
        ({"sessions": sessions(SESSION_DAYS, red=[50, 54])}, "overloaded", "Cut the load one step"),
        ({"ready_since": day(42)}, "under_loaded", "Progress the program"),
        ({"untreated_deficits": ("quadriceps",)}, "deficit_untreated", "Change the program"),
        ({}, "adherent_but_flat", "Re-assess hands-on, consider referral or imaging"),
    ],
)
def test_one_action_for_each_reason(changes: dict[str, Any], first: str, action: str) -> None:
    verdict = judge(case(flat(), **changes))

    assert verdict.reason is not None
    assert verdict.reason.code.value == first
    assert verdict.action == action


def test_silent_says_call_and_a_bounced_address_says_correct_it() -> None:
    silent = judge(case(flat(last=44)))
    bounced = judge(case(flat(last=44), undeliverable=True))

    assert silent.action == "Call the patient"
    assert bounced.action == "Correct the address"
    assert codes(case(flat(last=44), undeliverable=True)) == ["silent"]
    assert bounced.reason is not None
    assert "bounces" in bounced.reason.evidence


def test_a_bounced_address_is_no_reason_while_answers_come() -> None:
    assert codes(case(flat(), undeliverable=True)) == ["adherent_but_flat"]


def test_slow_without_another_reason_says_continue_and_remeasure() -> None:
    verdict = judge(case(then("6.0", "5.0")))

    assert verdict.reason is not None
    assert verdict.reason.code is ReasonCode.ADHERENT_BUT_FLAT
    assert verdict.action == "Continue and progress; re-measure in 2 weeks"


def test_slow_with_another_reason_takes_that_reasons_action() -> None:
    assert (
        judge(case(then("6.0", "5.0"), sessions=())).action
        == "Simplify the program, ask what gets in the way"
    )


# --- not_doing: the last 28 unpaused days are days 29-56; the floor of 2 a week is 8 sessions


@pytest.mark.parametrize(
    ("done", "prescribed", "first"),
    [
        (8, 3, "adherent_but_flat"),
        (7, 3, "not_doing"),
        (9, 5, "not_doing"),  # half of 20 is 10
        (10, 5, "adherent_but_flat"),
        (8, 4, "adherent_but_flat"),
    ],
)
def test_adherence_against_the_floor_and_half_of_what_was_prescribed(
    done: int, prescribed: int, first: str
) -> None:
    facts = case(flat(), sessions=sessions(range(29, 29 + done)), prescribed_per_week=prescribed)

    assert codes(facts) == [first]


def test_adherence_counts_the_review_day_and_not_the_29th_before() -> None:
    seven = list(range(30, 37))

    assert codes(case(flat(), sessions=sessions([*seven, 56]))) == ["adherent_but_flat"]
    assert codes(case(flat(), sessions=sessions([*seven, 28]))) == ["not_doing"]


def test_a_pause_does_not_count_against_adherence() -> None:
    """Days 43-49 off: on day 63 the 28 unpaused days are 29-42 and 50-63, with 8 sessions."""
    week_off = case(flat(), pauses=(holiday(43, 50),), sessions=sessions([29, 31, 33, 35, 50, 52, 54, 56]))

    assert codes(week_off, 63) == ["adherent_but_flat"]
    assert codes(case(flat(), sessions=week_off.sessions), 63) == ["not_doing"]


# --- relapsed


def test_relapsed_if_an_earlier_window_met_success() -> None:
    """Days 21-40 at 3.0; the last window with that median ends on day 47 (34-47: 35, 37, 39 at 3.0; 42, 44,
    46 at 6.0: 4.5, no success); 46 still has 35, 37, 39 against 42, 44, 46; day 45: five, median 3.0."""
    pain = diary((0, 20, "6.0"), (21, 40, "3.0"), (41, 70, "6.0"))

    verdict = judge(case(pain), 63)

    assert codes(case(pain), 63) == ["relapsed"]
    assert verdict.reason is not None
    assert verdict.reason.evidence == "Worst pain was 3.0 in the 14 days to 19 Feb 2026, 6.0 now"
    assert verdict.action == "Find the load change, one stage back"


def test_an_earlier_success_by_too_few_answers_is_no_relapse() -> None:
    pain = flat(last=20) | {30: "1.0"} | diary((35, 60, "6.0"))

    assert codes(case(pain)) == ["adherent_but_flat"]


def test_a_good_start_after_a_long_pause_is_no_14_day_window() -> None:
    """Back on day 51: 3.0 twice, then 6.0 again; over the 14 days 51-64 the median is 6.0."""
    pain = diary((0, 40, "6.0"), (51, 54, "3.0"), (55, 70, "6.0"))

    assert codes(case(pain, pauses=(holiday(41, 51),)), 70) == ["adherent_but_flat"]


def test_an_akps_score_that_became_too_old_is_no_relapse() -> None:
    assert codes(case(flat(), akps=akps({0: 60, 30: 80}))) == ["adherent_but_flat"]


# --- overloaded


@pytest.mark.parametrize(
    ("reds", "found"), [([43, 56], True), ([42, 56], False), ([56], False), ([50, 57], False)]
)
def test_two_reds_in_14_days_the_review_day_included(reds: list[int], found: bool) -> None:
    facts = case(flat(), sessions=sessions(sorted({*SESSION_DAYS, *reds}), red=reds))

    assert ("overloaded" in codes(facts)) is found


def test_a_red_session_and_a_red_run_are_two_reds() -> None:
    facts = case(flat(), sessions=sessions(SESSION_DAYS, red=[50]), runs=runs({52: "3"}, red=[52]))

    assert codes(facts) == ["overloaded"]


# The last 7 days are 50-56; the weeks before 43-49, 36-42 and 29-35.


@pytest.mark.parametrize(
    ("km", "found"),
    [
        ({30: "10", 37: "10", 44: "10", 51: "13.0"}, False),
        ({30: "10", 37: "10", 44: "10", 51: "13.1"}, True),
        ({29: "10", 42: "10", 43: "10", 50: "7", 56: "7"}, True),
        ({28: "10", 42: "10", 43: "10", 50: "7", 56: "7"}, False),
        ({30: "10", 37: "10", 44: "9.9", 51: "20"}, False),
        ({37: "15", 44: "15", 51: "20"}, False),
        ({30: "9", 37: "10", 44: "11", 51: "14"}, True),
        ({30: "10", 37: "10", 44: "10", 51: "7", 57: "9"}, False),
    ],
)
def test_distance_above_1_3_of_three_weeks_that_each_had_runs_and_10_km_a_week(
    km: dict[int, str], found: bool
) -> None:
    assert ("overloaded" in codes(case(flat(), runs=runs(km)))) is found


def test_distance_is_no_matter_on_the_ladder() -> None:
    facts = case(flat(), runs=runs({30: "10", 37: "10", 44: "10", 51: "20"}), on_ladder=True)

    assert codes(facts) == ["adherent_but_flat"]


# --- flare: days 50-56 against 43-49


@pytest.mark.parametrize(("later", "found"), [("8.0", True), ("7.9", False)])
def test_flare_is_a_week_two_above_the_week_before(later: str, found: bool) -> None:
    facts = case(diary((0, 49, "6.0"), (50, 56, later)))

    assert ("flare" in codes(facts)) is found


def test_flare_says_when_to_review() -> None:
    verdict = judge(case(diary((0, 49, "6.0"), (50, 56, "8.5"))))

    assert verdict.reason is not None
    assert verdict.reason.evidence == "Worst pain 8.5 in the last 7 days, 6.0 in the 7 before"
    assert verdict.action == "Check load, review in 7 days"


def test_flare_does_not_look_across_a_long_pause() -> None:
    """Back on day 51 after 10 days: 6.0 before it, 8.0 since."""
    pain = diary((0, 40, "6.0"), (51, 70, "8.0"))

    assert "flare" not in codes(case(pain, pauses=(holiday(41, 51),)), 57)


# --- under_loaded


@pytest.mark.parametrize("field", ["gate_met_since", "ready_since"])
@pytest.mark.parametrize(
    ("since", "progressed", "found"),
    [
        (42, None, True),
        (43, None, False),
        (42, 41, True),
        (42, 42, False),
        (42, 50, False),
        (60, None, False),
    ],
)
def test_under_loaded_if_ready_for_14_days_and_not_progressed(
    field: str, since: int, progressed: int | None, found: bool
) -> None:
    moved = None if progressed is None else day(progressed)
    changes: dict[str, Any] = {field: day(since), "last_progressed_on": moved}
    facts = case(flat(), **changes)

    assert ("under_loaded" in codes(facts)) is found


def test_paused_days_are_no_days_of_waiting() -> None:
    assert codes(case(flat(), ready_since=day(42), pauses=(holiday(44, 46),)), 58) == ["under_loaded"]
    assert codes(case(flat(), ready_since=day(42), pauses=(holiday(44, 46),)), 57) == ["adherent_but_flat"]
