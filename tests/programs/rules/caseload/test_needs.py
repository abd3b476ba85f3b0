"""What a case needs: each row of the table, and what holds for every case."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.rules import digest
from programs.rules.alerts import HELD_BACK
from programs.rules.caseload import (
    ALERT_NEEDS,
    RANKED,
    Act,
    CaseFacts,
    Need,
    NewAnswers,
    Start,
    WaitingAlert,
    Way,
    needs,
    order,
)
from programs.rules.stall import AlertKind, ReasonCode, State, Trend

DAY = date(2026, 3, 2)
FOUR = Decimal(4)


def alert(kind: str, **fields: object) -> WaitingAlert:
    return WaitingAlert(id=1, kind=AlertKind(kind), opened_on=DAY, **fields)  # type: ignore[arg-type]


def stall(level: str = "stalling", reason: str = "", **fields: object) -> WaitingAlert:
    return alert("stall", level=level, reason=reason, **fields)


def test_a_relapse_that_is_treated_in_a_new_case_is_resolved_and_not_re_opened_again() -> None:
    [again] = needs(CaseFacts(alerts=(alert("relapse", action="Call"),), stands_still=True, followed=True))
    assert (again.act, again.action) == (Act.RESOLVE, "Treated in a new case already: resolve it here")
    flagged = CaseFacts(alerts=(alert("red_flag", action="See"),), stands_still=True, followed=True)
    assert [(found.act, found.action) for found in needs(flagged)] == [(Act.ACKNOWLEDGE, "See")]


def needed(facts: CaseFacts) -> list[tuple[Need, Act]]:
    return [(found.need, found.act) for found in needs(facts)]


@pytest.mark.parametrize(
    ("waiting", "need", "act"),
    [
        (alert("red_flag", level="tier_1"), Need.RED_FLAG, Act.ACKNOWLEDGE),
        (alert("red_flag", level="tier_1", acknowledged=True), Need.RED_FLAG, Act.CLEAR),
        (alert("worsening"), Need.WORSENING, Act.REASSESS),
        (alert("drift"), Need.DRIFT, Act.REASSESS),
        (alert("overload"), Need.OVERLOAD, Act.CHANGE_PROGRAM),
        (alert("relapse"), Need.RELAPSED, Act.REOPEN),
        (alert("silent"), Need.SILENT, Act.CALL),
        (stall("stalling", "not_doing"), Need.STALLING, Act.CHANGE_PROGRAM),
        (stall("stalled", "silent"), Need.STALLED, Act.CALL),
        (stall("stalled", "adherence_unknown"), Need.STALLED, Act.CALL),
        (stall("stalled", "adherent_but_flat"), Need.STALLED, Act.REASSESS),
        (stall("stalled", "under_loaded"), Need.STALLED, Act.MOVE_STAGE),
        (stall("stalled", "deficit_untreated"), Need.STALLED, Act.CHANGE_PROGRAM),
        (stall("stalled", "overloaded"), Need.STALLED, Act.CHANGE_PROGRAM),
        (stall("stalling", "flare"), Need.STALLING, Act.SNOOZE),
        (stall("stalling", "relapsed"), Need.RELAPSED, Act.MOVE_STAGE),
    ],
)
def test_an_alert_stands_behind_one_need_and_suggests_one_act(waiting, need, act) -> None:
    assert needed(CaseFacts(alerts=(waiting,), review_state="stalling")) == [(need, act)]


def test_a_stalled_relapse_is_both_and_stands_where_the_digest_puts_it() -> None:
    facts = CaseFacts(alerts=(stall("stalled", "relapsed"),), review_state="stalled", review_trend="flat")
    assert [found.need for found in needs(facts)] == [Need.STALLED, Need.RELAPSED]


@pytest.mark.parametrize("level", ["stalling", "stalled"])
def test_who_moves_slowly_is_slow_at_either_level_and_goes_on(level) -> None:
    waiting = stall(level, "adherent_but_flat", action="Continue and progress; re-measure in 2 weeks")
    facts = CaseFacts(alerts=(waiting,), review_state="stalled", review_trend="slow")
    assert needed(facts) == [(Need.SLOW, Act.MOVE_STAGE)]


def test_a_stall_that_is_on_track_again_asks_for_nothing_but_patience() -> None:
    facts = CaseFacts(alerts=(stall("stalled", "relapsed"),), review_state="on_track")
    assert needed(facts) == [(Need.RECOVERING, Act.LOOK)]


def test_a_silence_that_is_over_is_to_be_closed() -> None:
    facts = CaseFacts(alerts=(alert("silent"),), answered_since=True)
    assert needed(facts) == [(Need.SILENT, Act.RESOLVE)]


@pytest.mark.parametrize(
    ("waiting", "facts", "act", "action"),
    [
        (alert("silent", action="Call the patient"), {}, Act.CALL, "Call the patient"),
        (
            alert("silent", action="Call the patient"),
            {"email_bounced": True},
            Act.CORRECT_ADDRESS,
            "Correct the address",
        ),
        (alert("silent", action="Correct the address"), {}, Act.CALL, "Call the patient"),
        (
            alert("silent", action="Correct the address"),
            {"email_bounced": True, "answered_since": True},
            Act.RESOLVE,
            "Answered again: resolve it",
        ),
        (
            stall("stalled", "silent", action="Call the patient"),
            {"email_bounced": True},
            Act.CORRECT_ADDRESS,
            "Correct the address",
        ),
    ],
)
def test_what_is_said_and_what_is_offered_about_a_silence_are_one(waiting, facts, act, action) -> None:
    [found] = needs(CaseFacts(alerts=(waiting,), **facts))
    assert (found.act, found.action) == (act, action)


@pytest.mark.parametrize(
    ("start", "need", "act"),
    [
        (Start.NOTHING, Need.ASSESS, Act.ASSESS),
        (Start.ASSESSED, Need.BEGIN, Act.MATCH),
        (Start.PREPARED, Need.BEGIN, Act.SEND),
    ],
)
def test_a_case_without_a_program_asks_for_its_next_step(start, need, act) -> None:
    assert needed(CaseFacts(start=start, stands_still=True)) == [(need, act)]


@pytest.mark.parametrize(
    ("way", "act"),
    [
        (Way.NOT_INVITED, Act.INVITE),
        (Way.RAN_OUT, Act.INVITE),
        (Way.ADDRESS_CHANGED, Act.INVITE),
        (Way.NO_ADDRESS, Act.CORRECT_ADDRESS),
        (Way.BOUNCED, Act.CORRECT_ADDRESS),
    ],
)
def test_who_cannot_see_their_program_is_invited_unless_nothing_is_asked_of_them_now(way, act) -> None:
    assert needed(CaseFacts(way=way)) == [(Need.INVITE, act)]
    assert needed(CaseFacts(way=way, stands_still=True)) == []


def test_who_has_an_account_and_whose_e_mail_bounces_is_asked_by_nobody() -> None:
    assert needed(CaseFacts(way=Way.UNREACHED)) == [(Need.ADDRESS, Act.CORRECT_ADDRESS)]
    assert needed(CaseFacts(way=Way.UNREACHED, stands_still=True)) == []


@pytest.mark.parametrize(
    ("reason", "action", "act"),
    [
        ("under_loaded", "Progress the program", Act.LOOK),
        ("adherent_but_flat", "Continue and progress; re-measure in 2 weeks", Act.LOOK),
        ("adherent_but_flat", "Re-assess hands-on, consider referral or imaging", Act.REASSESS),
        ("relapsed", "Find the load change, one stage back", Act.MOVE_STAGE),
    ],
)
@pytest.mark.parametrize(
    ("state", "trend"),
    [("stalling", "slow"), ("stalling", "flat"), ("on_hold", ""), ("insufficient_data", "")],
)
def test_no_step_up_is_suggested_while_an_alert_holds_it_back(
    reason: str, action: str, act: Act, state: str, trend: str
) -> None:
    stall = WaitingAlert(1, AlertKind.STALL, DAY, "stalling", reason, action=action)
    known = CaseFacts(alerts=(stall,), review_state=state, review_trend=trend, held_back=True)
    [found, *_] = needs(known)
    assert found.act is act
    assert found.action == (HELD_BACK if act is Act.LOOK else action)
    if act is Act.LOOK:
        free = needs(replace(known, held_back=False))[0]
        assert (free.act, free.action) == (Act.MOVE_STAGE, action)


def test_a_pause_that_got_too_long_asks_though_the_case_stands_still() -> None:
    [found] = needs(CaseFacts(stands_still=True, paused_since=DAY))
    assert (found.need, found.act, found.action) == (
        Need.PAUSED_LONG,
        Act.RESUME,
        "Restart or discharge?",
    )
    assert found.why == "Paused since 2 Mar; all its pauses are too long by now to just go on"


OPEN_GATE = CaseFacts(stage=2, stage_started_on=DAY, gate_open_since=DAY + timedelta(days=9))


def test_an_open_gate_says_since_when_and_to_which_stage() -> None:
    [found] = needs(OPEN_GATE)
    assert (found.need, found.act) == (Need.READY, Act.MOVE_STAGE)
    assert (found.why, found.action) == (
        "The gate to stage 3 has been open since 11 Mar",
        "Progress to stage 3",
    )


def test_a_stage_entered_since_the_review_has_not_opened_its_gate() -> None:
    assert needs(replace(OPEN_GATE, stage=3, stage_started_on=OPEN_GATE.gate_open_since)) == ()


def test_an_open_gate_asks_for_nothing_while_an_alert_holds_the_case_back() -> None:
    assert needs(replace(OPEN_GATE, held_back=True)) == ()


def test_what_is_due_is_one_need_with_both_grounds() -> None:
    [both] = needs(CaseFacts(akps_due=DAY, reassess_due=DAY))
    assert (both.need, both.act) == (Need.REASSESS, Act.REASSESS)
    assert both.why == "Long without success, and not re-assessed since; AKPS due"
    assert [found.why for found in needs(CaseFacts(akps_due=DAY))] == ["AKPS due"]


def test_who_stands_still_is_asked_for_nothing_but_what_its_alerts_say() -> None:
    facts = replace(OPEN_GATE, akps_due=DAY, reassess_due=DAY, new_answers=NewAnswers(2), stands_still=True)
    assert [found.need for found in needs(facts)] == [Need.NEW_ANSWERS]
    assert needs(replace(facts, alerts=(alert("silent"),)))[0].need is Need.SILENT


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (NewAnswers(1), "1 new answer on a case not opened yet"),
        (NewAnswers(1, DAY, FOUR, FOUR), "1 new answer since 2 Mar: worst pain 4.0"),
        (
            NewAnswers(3, DAY, FOUR, Decimal("6.5"), 1),
            "3 new answers since 2 Mar: worst pain 4.0 to 6.5, 1 note",
        ),
        (NewAnswers(3, DAY, notes=2), "3 new answers since 2 Mar: 2 notes"),
    ],
)
def test_new_answers_are_told_and_ask_to_be_read_after_all_else(new, words) -> None:
    [found] = needs(CaseFacts(new_answers=new))
    assert (found.need, found.act, found.why) == (Need.NEW_ANSWERS, Act.LOOK, words)
    assert [needed.need for needed in needs(CaseFacts(new_answers=new, akps_due=DAY))] == [
        Need.REASSESS,
        Need.NEW_ANSWERS,
    ]
    assert needs(CaseFacts()) == ()
    assert RANKED[-1] is Need.NEW_ANSWERS


def test_the_digests_order_comes_first_then_whom_to_call_who_cannot_begin_and_what_is_due() -> None:
    assert [need.value for need in RANKED] == [
        *("red_flag", "worsening", "stalled", "relapsed", "drift", "overload", "stalling", "slow"),
        *("silent", "address", "invite", "begin", "assess", "ready", "reassess", "paused_long"),
        "recovering",
        "new_answers",
    ]


WAITING = st.builds(
    WaitingAlert,
    id=st.integers(1, 9),
    kind=st.sampled_from(AlertKind),
    opened_on=st.dates(date(2026, 1, 1), date(2026, 3, 1)),
    level=st.sampled_from(["", "stalling", "stalled", "tier_1", "tier_2"]),
    reason=st.sampled_from(["", *ReasonCode]),
    finding=st.just("Why"),
    action=st.just("Act"),
    acknowledged=st.booleans(),
)
DATES = st.none() | st.dates(date(2026, 1, 1), date(2026, 3, 1))
FACTS = st.builds(
    CaseFacts,
    alerts=st.lists(WAITING, max_size=6, unique_by=lambda found: found.kind).map(tuple),
    review_state=st.sampled_from(["", *State]),
    review_trend=st.sampled_from(["", *Trend]),
    stands_still=st.booleans(),
    stage_started_on=DATES,
    gate_open_since=DATES,
    akps_due=DATES,
    reassess_due=DATES,
    email_bounced=st.booleans(),
    way=st.sampled_from(Way),
    start=st.none() | st.sampled_from(Start),
    paused_since=DATES,
    held_back=st.booleans(),
    new_answers=st.none() | st.builds(NewAnswers, st.integers(1, 5), DATES),
    answered_since=st.booleans(),
)


@given(FACTS)
def test_every_waiting_alert_is_a_need_and_every_need_of_alerts_has_one(facts: CaseFacts) -> None:
    found = needs(facts)
    assert {needed.alert for needed in found if needed.alert} == set(facts.alerts)
    assert all((needed.need in ALERT_NEEDS) == (needed.alert is not None) for needed in found)
    assert len({(needed.need, needed.alert) for needed in found}) == len(found)


@given(FACTS)
def test_the_most_urgent_comes_first_and_says_what_to_do(facts: CaseFacts) -> None:
    found = needs(facts)
    ranks = [RANKED.index(needed.need) for needed in found]
    assert ranks == sorted(ranks)
    assert all(needed.why and needed.action for needed in found)


@given(st.lists(FACTS, max_size=8))
def test_cases_stand_in_one_order_whatever_order_they_came_in(cases: list[CaseFacts]) -> None:
    places = sorted(order(needs(facts)) for facts in cases)
    assert places == sorted(order(needs(facts)) for facts in reversed(cases))
    assert all(first <= second for first, second in pairwise(places))
    nothing = order(())
    assert all(order(needs(facts)) < nothing for facts in cases if needs(facts))


@given(FACTS, FACTS)
def test_two_cases_stand_as_the_digest_ranks_them(one: CaseFacts, other: CaseFacts) -> None:
    """clinical.md 8: red flag, worsening, stalled flat, relapsed, stalling, slow."""

    def in_digest(facts: CaseFacts) -> int | None:
        ranked = [
            digest.urgency(
                digest.OpenAlert(
                    id=a.id,
                    case=1,
                    case_number="",
                    kind=a.kind,
                    state=digest.AlertState.OPEN,
                    opened_on=a.opened_on,
                    news_at=None,  # type: ignore[arg-type]
                    level=a.level,
                    trend=facts.review_trend,
                    reason=a.reason,
                    case_state=facts.review_state,
                )
            )
            for a in facts.alerts
            if a.kind is not AlertKind.SILENT
            and not (a.kind is AlertKind.STALL and facts.review_state == State.ON_TRACK)
        ]
        return min(ranked, default=None)

    first, second = in_digest(one), in_digest(other)
    if first is not None and second is not None and first < second:
        assert order(needs(one)) < order(needs(other))
