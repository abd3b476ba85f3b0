"""Who is on the caseload and in which order: the database says what the rule says, to whom it may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from clinic.models import Clinic, Membership, User
from clinic.roles import Role
from patients.models import Episode, Invitation, OutcomeScore, Patient
from programs.models import Alert, ContactLog, Hold, Pause, Program
from programs.rules.caseload import ALERT_NEEDS, Act, Group, Need, order
from programs.services.caseload import CaseloadError, Wanted, cases_of, in_state, lines, survey, tally
from programs.services.cases import reopen
from programs.services.invitations import invite
from tests.factories import (
    NOW,
    TODAY,
    make_assessment,
    make_case,
    make_clinic,
    make_patient,
    make_user,
)
from tests.programs.services.caseload.making import (
    alert,
    answered,
    case_of,
    draft_of,
    program_of,
    score,
    with_account,
)

pytestmark = pytest.mark.django_db

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


@pytest.fixture
def physio() -> User:
    return make_user(clinic=make_clinic())


def found_cases(user: User, **wanted: Any) -> list[Episode]:
    found = survey(user=user, now=NOW, wanted=Wanted(**wanted)).cases
    return cases_of(user=user, found=found)


def numbers(user: User, **wanted: Any) -> list[str]:
    return [case.case_number for case in found_cases(user, **wanted)]


def found_lines(user: User, **wanted: Any):
    return lines(user=user, episodes=found_cases(user, **wanted), now=NOW)


# --- the order


def test_red_flags_come_first_then_what_my_cases_need_then_colleagues_then_who_needs_nothing(
    physio: User,
) -> None:
    colleague = make_user(clinic=physio.active_memberships[0].clinic)
    case_of(colleague, "a-their-fine", program={})
    case_of(colleague, "their-worse", alerts=[{"kind": "worsening"}])
    case_of(physio, "mine-fine", program={})
    case_of(physio, "mine-silent", alerts=[{"kind": "silent"}])
    case_of(colleague, "a-flag-2", alerts=[{"kind": "red_flag", "level": "tier_2"}])
    case_of(physio, "mine-flag-2", alerts=[{"kind": "red_flag", "level": "tier_2"}])
    case_of(colleague, "b-flag-1", alerts=[{"kind": "red_flag", "level": "tier_1"}])
    flags = ["b-flag-1", "mine-flag-2", "a-flag-2"]
    assert numbers(physio) == [*flags, "mine-silent", "their-worse", "mine-fine", "a-their-fine"]
    assert list(survey(user=physio, now=NOW).groups.values()) == [
        *([Group.RED_FLAGS] * 3),
        *(Group.OWN, Group.COLLEAGUES, Group.NOTHING, Group.NOTHING),
    ]


def test_among_equals_the_unseen_come_first_then_the_oldest_then_by_number(physio: User) -> None:
    case_of(physio, "c", alerts=[{"kind": "worsening", "opened_on": TODAY - 2 * DAY}])
    case_of(physio, "b", alerts=[{"kind": "worsening"}])
    case_of(physio, "a", alerts=[{"kind": "worsening"}])
    case_of(
        physio, "d", alerts=[{"kind": "worsening", "state": "acknowledged", "opened_on": TODAY - 9 * DAY}]
    )
    assert numbers(physio) == ["c", "a", "b", "d"]


def test_of_several_needs_the_most_urgent_gives_the_place(physio: User) -> None:
    case_of(physio, "b", alerts=[{"kind": "worsening"}, {"kind": "silent"}])
    case_of(physio, "a", alerts=[{"kind": "stall", "level": "stalled"}])
    case_of(physio, "c", alerts=[{"kind": "overload"}])
    assert numbers(physio) == ["b", "a", "c"]
    first = [line.first.need for line in found_lines(physio) if line.first]
    assert first == [Need.WORSENING, Need.STALLED, Need.OVERLOAD]


def test_an_alert_put_aside_asks_for_nothing_until_it_wakes(physio: User) -> None:
    aside = {"kind": "stall", "state": "snoozed", "snoozed_until": TODAY + DAY}
    case_of(physio, "1", alerts=[aside], program={})
    [line] = found_lines(physio)
    assert (line.needs, numbers(physio, need="stalling")) == ((), [])
    Alert.objects.update(state="open", snoozed_until=None)
    assert numbers(physio, need="stalling") == ["1"]


# --- the same rule in Python and in the database

ALERTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(Alert.Kind.values),
        "level": st.sampled_from(["", "stalling", "stalled"]),
        "reason": st.sampled_from(["", "relapsed", "not_doing"]),
        "state": st.sampled_from(["open", "acknowledged", "snoozed"]),
        "opened_on": st.sampled_from([TODAY, TODAY - DAY]),
    }
)
CASES = st.fixed_dictionaries(
    {
        "alerts": st.lists(ALERTS, max_size=3, unique_by=lambda found: found["kind"]),
        "program": st.fixed_dictionaries(
            {
                "review_state": st.sampled_from(["", "on_track", "stalled", "stalling", "on_hold", "paused"]),
                "review_trend": st.sampled_from(["", "flat", "slow"]),
                "asleep": st.booleans(),
                "stage_started_on": st.sampled_from([TODAY - 9 * DAY, TODAY]),
                "gate_open_since": st.sampled_from([None, TODAY]),
                "akps_due_since": st.sampled_from([None, TODAY - DAY]),
                "reassess_due_since": st.sampled_from([None, TODAY - DAY]),
                "looked_at": st.sampled_from([None, NOW]),
                "paused_long": st.booleans(),
            }
        )
        | st.none(),
        "hold": st.booleans(),
        "pause": st.sampled_from([None, (-3, None), (-3, 0), (0, 2), (1, None)]),
        "scored": st.booleans(),
        "assessed": st.booleans(),
        "answers": st.lists(st.sampled_from([-1, 1]), max_size=2),
        "closed": st.booleans(),
        "zone": st.sampled_from(["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Amsterdam"]),
        "mine": st.booleans(),
        "prepared": st.booleans(),
        "account": st.booleans(),
        "email": st.sampled_from(["", "anna@example.org"]),
        "bounced": st.booleans(),
        "invited": st.sampled_from([None, "live", "ran_out", "revoked"]),
    }
)


def build(physio: User, colleague: User, made: dict[str, Any], number: int) -> None:
    patient = patient_of(physio.active_memberships[0].clinic, made, number)
    case = make_case(
        patient=patient, clinician=physio if made["mine"] else colleague, case_number=f"{number:02}"
    )
    for row in made["alerts"]:
        alert(case, **row)
    if made["program"]:
        give_program(case, made)
    if made["scored"]:
        score(case, TODAY)
    if made["assessed"]:
        make_assessment(case)
    for hours in made["answers"]:
        answered(case, received_at=NOW + timedelta(hours=hours))
    if made["prepared"]:
        draft_of(case)
    if made["closed"]:
        Episode.objects.filter(pk=case.pk).update(closed_on=TODAY, outcome="improved")


def patient_of(clinic: Clinic, made: dict[str, Any], number: int) -> Patient:
    patient = make_patient(
        clinic,
        timezone=made["zone"],
        email=made["email"] and f"{number}{made['email']}",
        email_bounced_at=NOW if made["bounced"] else None,
    )
    if made["account"]:
        with_account(patient)
    if made["invited"]:
        Invitation.objects.create(
            clinic=clinic,
            patient=patient,
            token_hash=uuid4().hex,
            created_at=NOW - 14 * DAY,
            expires_at=NOW + (DAY if made["invited"] == "live" else -DAY),
            revoked_at=NOW if made["invited"] == "revoked" else None,
        )
    return patient


def give_program(case: Episode, made: dict[str, Any]) -> None:
    program = program_of(case, **made["program"])
    if made["hold"]:
        Hold.objects.create(clinic=case.clinic, program=program, since=NOW, red_flags=[], reason="x")
    if made["pause"]:
        first, back = made["pause"]
        Pause.objects.create(
            clinic=case.clinic,
            program=program,
            kind="holiday",
            starts_on=TODAY + first * DAY,
            ends_on=None if back is None else TODAY + back * DAY,
            paused_by=case.clinician,
        )


def asks(closed: Episode) -> bool:
    return closed.alerts.filter(kind__in=["red_flag", "relapse"]).exists()


class TestOneRule(TestCase):
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(CASES, min_size=2, max_size=5))
    def test_the_database_orders_filters_and_counts_as_the_rule_says(self, made) -> None:
        clinic = make_clinic()
        physio, colleague = make_user(clinic=clinic), make_user(clinic=clinic)
        for number, values in enumerate(made):
            build(physio, colleague, values, number)

        found = found_lines(physio)

        cases = [line.row.episode for line in found]
        on_it = {c.pk for c in Episode.objects.all() if c.is_open or asks(c)}
        assert len(cases) == len(on_it)
        assert {case.pk for case in cases} == on_it
        assert [case.pk for case in cases] == [
            line.row.episode.pk
            for line in sorted(
                found,
                key=lambda line: (
                    line.row.red_flag is None,
                    line.row.red_flag.level if line.row.red_flag else "",
                    not line.row.red_flag and not line.needs,
                    line.row.episode.clinician_id != physio.pk,
                    order(line.needs),
                    line.row.episode.case_number,
                ),
            )
        ]
        counts = tally(user=physio, now=NOW)
        for need in Need:
            needing = [line.row.episode.case_number for line in found if need in {n.need for n in line.needs}]
            assert counts.needs.get(need, 0) == len(needing), need
            if needing:
                assert sorted(numbers(physio, need=need)) == sorted(needing), need
        for state in {line.row.state_code for line in found}:
            showing = [line.row.episode.case_number for line in found if line.row.state_code == state]
            assert sorted(numbers(physio, state=state)) == sorted(showing), state
            listed = in_state(user=physio, now=NOW, state=state)
            assert sorted(case.case_number for case in listed) == sorted(showing), state
            assert counts.states[state] == len(showing)
        waiting = {a.episode_id for a in Alert.objects.filter(state__in=["open", "acknowledged"])} & on_it
        assert {
            line.row.episode.pk for line in found if {n.need for n in line.needs} & ALERT_NEEDS
        } == waiting


# --- what keeps a case from its beginning, and a pause that got too long


def first_need(user: User, number: str) -> Any:
    [line] = found_lines(user, search=number)
    return line.first and (line.first.need, line.first.act)


def test_a_new_case_is_assessed_then_matched_then_sent_then_invited(physio: User) -> None:
    clinic = physio.active_memberships[0].clinic
    patient = make_patient(clinic)
    case = case_of(physio, "new", patient=patient)
    assert first_need(physio, "new") == (Need.ASSESS, Act.ASSESS)
    make_assessment(case)
    assert first_need(physio, "new") == (Need.BEGIN, Act.MATCH)
    draft = draft_of(case)
    assert first_need(physio, "new") == (Need.BEGIN, Act.SEND)
    Program.with_drafts.filter(pk=draft.pk).update(is_draft=False)
    assert first_need(physio, "new") == (Need.INVITE, Act.INVITE)
    assert numbers(physio, need="invite") == ["new"]
    invite(patient=patient, by=physio, now=NOW - 14 * DAY)
    assert first_need(physio, "new") == (Need.INVITE, Act.INVITE)
    invite(patient=patient, by=physio, now=NOW)
    assert (first_need(physio, "new"), numbers(physio, need="invite")) == (None, [])


def test_a_re_opened_case_asks_to_begin_again(physio: User) -> None:
    case = case_of(physio, "old", program={})
    Program.objects.update(ended_on=TODAY)
    Episode.objects.filter(pk=case.pk).update(closed_on=TODAY, outcome="improved")
    created = reopen(episode=case, by=physio, now=NOW, today=TODAY)
    assert first_need(physio, created.case_number) == (Need.ASSESS, Act.ASSESS)
    make_assessment(created)
    assert first_need(physio, created.case_number) == (Need.BEGIN, Act.MATCH)


def test_a_pause_that_got_too_long_asks_whether_to_go_on_and_a_red_flag_silences_it(physio: User) -> None:
    case = case_of(physio, "1", program={"review_state": "paused", "paused_long": True})
    assert first_need(physio, "1") is None
    rest = {"clinic": case.clinic, "program": case.programs.get(), "paused_by": physio, "kind": "holiday"}
    Pause.objects.create(**rest, starts_on=TODAY - 30 * DAY, ends_on=None)
    [line] = found_lines(physio)
    assert (line.first.need, line.first.act) == (Need.PAUSED_LONG, Act.RESUME)
    assert "Paused since 31 Jan" in line.first.why
    alert(case, kind="red_flag", level="tier_1")
    assert numbers(physio, need="paused_long") == []


def test_a_red_flag_keeps_a_case_from_its_beginning(physio: User) -> None:
    case_of(physio, "1", alerts=[{"kind": "red_flag", "level": "tier_1"}])
    [line] = found_lines(physio)
    assert [needed.need for needed in line.needs] == [Need.RED_FLAG]
    assert numbers(physio, need="assess") == []


def test_the_last_call_stands_on_the_line_a_note_is_none_and_an_old_one_is_gone(physio: User) -> None:
    case = case_of(physio, "1", program={})
    rows = {"clinic": case.clinic, "episode": case, "by": physio}
    ContactLog.objects.create(**rows, kind="call", at=NOW - 28 * DAY)
    assert [line.contact for line in found_lines(physio)] == [None]
    call = ContactLog.objects.create(**rows, kind="no_answer", at=NOW - 2 * DAY)
    ContactLog.objects.create(**rows, kind="call", at=NOW - 3 * DAY)
    ContactLog.objects.create(**rows, kind="note", at=NOW)
    assert [line.contact for line in found_lines(physio)] == [call]


# --- filters and search


def test_each_filter_finds_what_it_says(physio: User) -> None:
    colleague = make_user(clinic=physio.active_memberships[0].clinic)
    case_of(physio, "1", program={"current_stage": 2, "review_state": "stalled"})
    case_of(physio, "2", diagnosis="itb_syndrome", program={"review_state": "on_track"})
    case_of(colleague, "3")
    assert numbers(physio, clinician=colleague.pk) == ["3"]
    assert numbers(physio, diagnosis="itb_syndrome") == ["2"]
    assert numbers(physio, stage=2) == ["1"]
    assert numbers(physio, state="stalled") == ["1"]
    assert numbers(physio, clinician=physio.pk, state="on_track", stage=1) == ["2"]
    assert numbers(physio, clinician=physio.pk, stage=7) == []


@pytest.mark.parametrize(
    ("words", "finds"),
    [
        ("quentin", True),
        ("QUENTIN o'brien", True),
        ("brien quen", True),
        ("KC-47", True),
        ("quentin smith", False),
        ("%", False),
        ("_", False),
        ("que\0ntin", True),
        ("'; DROP TABLE", False),
        ("  ", True),
        ("\u202e", False),
    ],
)
def test_each_word_of_a_search_is_in_the_name_or_the_number(physio: User, words: str, finds: bool) -> None:
    clinic = physio.active_memberships[0].clinic
    patient = make_patient(clinic, given_name="Quentin", family_name="O'Brien")
    make_case(patient=patient, clinician=physio, case_number="KC-47")
    assert bool(numbers(physio, search=words)) is finds


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("need", "sleep"), ("state", "closed"), ("state", "king"), ("diagnosis", "flu")),
        *(("stage", -1), ("clinician", 2**40)),
    ],
)
def test_a_value_that_no_case_can_have_is_refused_by_name(physio: User, field: str, value: Any) -> None:
    with pytest.raises(CaseloadError) as refused:
        survey(user=physio, now=NOW, wanted=Wanted(**{field: value}))
    assert refused.value.field == field


# --- who is shown what


def test_a_strangers_case_is_never_found_nor_counted(physio: User) -> None:
    stranger = make_user(clinic=make_clinic())
    case_of(stranger, "strange", alerts=[{"kind": "red_flag", "level": "tier_1"}])
    case_of(physio, "own", program={})
    assert numbers(physio) == ["own"]
    assert numbers(physio, search="strange") == numbers(physio, need="red_flag") == []
    assert numbers(physio, clinician=stranger.pk) == []
    counts = tally(user=physio, now=NOW)
    assert (counts.open, counts.red_flags, dict(counts.needs)) == (1, 0, {})


def test_who_sees_only_own_cases_sees_only_own_flags() -> None:
    clinic = make_clinic(own_cases_only=True)
    one, other = make_user(clinic=clinic), make_user(clinic=clinic)
    owner = make_user(clinic=clinic, role=Role.OWNER)
    case_of(other, "other", alerts=[{"kind": "red_flag", "level": "tier_1"}])
    case_of(one, "one", program={})
    assert (numbers(one), numbers(owner)) == (["one"], ["other", "one"])
    assert len(survey(user=one, now=NOW).cases) == 1
    counts = tally(user=one, now=NOW)
    assert (counts.open, counts.red_flags, dict(counts.needs)) == (1, 0, {})


def test_who_reads_no_findings_gets_none_and_finds_nothing_by_them(physio: User) -> None:
    clinic = physio.active_memberships[0].clinic
    assistant = make_user(clinic=clinic, role=Role.ASSISTANT)
    case_of(physio, "1", alerts=[{"kind": "stall", "level": "stalled"}], program={"review_state": "stalled"})
    [line] = found_lines(assistant)
    assert (line.reads, line.needs, line.trend, line.sessions_done) == (False, (), None, None)
    assert line.row.state_code == "stalled"
    for by in ({"need": "stalled"}, {"diagnosis": "pfp"}, {"stage": 1}):
        assert numbers(assistant, **by) == []
        assert numbers(physio, **by) == ["1"]
    assert dict(tally(user=assistant, now=NOW).needs) == {}


def test_the_order_tells_who_reads_no_findings_nothing_of_them(physio: User) -> None:
    assistant = make_user(clinic=physio.active_memberships[0].clinic, role=Role.ASSISTANT)
    alerts = ([], [{"kind": "stall", "level": "stalled"}], [{"kind": "worsening"}], [{"kind": "red_flag"}])
    for number, waiting in enumerate(alerts):
        case_of(physio, f"K{number}", alerts=waiting)
    assert numbers(physio) == ["K3", "K2", "K1", "K0"]
    assert numbers(assistant) == ["K0", "K1", "K2", "K3"]


def test_one_who_treats_here_and_assists_there_reads_findings_here_only(physio: User) -> None:
    there = make_clinic()
    Membership.objects.create(clinic=there, user=physio, role=Role.ASSISTANT, arrived_at=NOW)
    user = User.objects.get(pk=physio.pk)
    case_of(physio, "here", alerts=[{"kind": "worsening"}])
    case_of(make_user(clinic=there), "there", alerts=[{"kind": "worsening"}])
    assert {line.row.episode.case_number: bool(line.needs) for line in found_lines(user)} == {
        "here": True,
        "there": False,
    }
    assert numbers(user, need="worsening") == ["here"]


def test_a_draft_is_no_program(physio: User) -> None:
    case = case_of(physio, "1", program={"current_stage": 1})
    draft_of(case, current_stage=3)
    assert (numbers(physio), numbers(physio, stage=3)) == (["1"], [])
    assert tally(user=physio, now=NOW).open == 1


@pytest.mark.parametrize("cases", [1, 3])
def test_a_page_of_lines_takes_the_same_queries_for_one_case_and_three(physio: User, cases: int) -> None:
    for number in range(cases):
        case = case_of(physio, str(number), alerts=[{"kind": "silent"}], program={"review_state": "stalled"})
        answered(case)
        score(case, TODAY)
    physio.clinics_by_reach(), physio.clinic_ids
    with CaptureQueriesContext(connection) as queries:
        assert len(found_lines(physio)) == cases
    assert len(queries) == 16
    with CaptureQueriesContext(connection) as queries:
        tally(user=physio, now=NOW)
    assert len(queries) == 2


def test_the_trend_is_of_the_index_knee_in_the_last_weeks_of_the_program(physio: User) -> None:
    long, short = TODAY - 20 * WEEK, TODAY - DAY
    case, new = (case_of(physio, n, program={"started_on": on}) for n, on in (("1", long), ("2", short)))
    for on in (TODAY - 13 * WEEK, TODAY - 12 * WEEK, TODAY):
        answered(case, on=on, worst="5", worst_right="9")
    for on in (TODAY - 2 * DAY, TODAY - DAY):
        answered(new, on=on, worst="5")
    trends = {line.row.episode.case_number: line.trend for line in found_lines(physio)}
    assert trends == {"1": {TODAY - 12 * WEEK: 5, TODAY: 5}, "2": {TODAY - DAY: 5}}


def test_a_score_settles_what_was_due_at_once(physio: User) -> None:
    case = case_of(physio, "1", program={"akps_due_since": TODAY - DAY})
    assert numbers(physio, need="reassess") == ["1"]
    OutcomeScore.objects.create(
        clinic=case.clinic, episode=case, measure="akps", taken_on=TODAY, value=80, items={}
    )
    assert numbers(physio, need="reassess") == []
    [line] = found_lines(physio)
    assert line.needs == ()


@pytest.mark.parametrize("state", ["open", "acknowledged", "snoozed"])
def test_who_is_worse_is_not_ready_to_progress_put_aside_or_not(physio: User, state: str) -> None:
    ready = {"gate_open_since": TODAY, "stage_started_on": TODAY - 9 * DAY, "review_state": "on_track"}
    case = case_of(physio, "1", program=ready)
    assert numbers(physio, need="ready") == ["1"]
    alert(case, kind="worsening", state=state)
    assert numbers(physio, need="ready") == []
    [line] = found_lines(physio)
    assert Need.READY not in [needed.need for needed in line.needs]
