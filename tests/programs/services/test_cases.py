"""Screening an assessment, discharging, logging a call."""

from datetime import date, timedelta
from functools import partial
from uuid import uuid4

import pytest

from clinic.models import OutboxMessage
from clinic.roles import Denied, Role
from clinic.thresholds import PolicyError
from patients.models import DeviceToken, Episode, Invitation, OutcomeScore, Patient
from patients.scoring import AKPS_ITEMS
from patients.services import CaseError
from programs.models import Alert, Answer, ContactLog
from programs.rules.red_flags import Symptom
from programs.services.cases import (
    change_contact,
    discharge,
    log_contact,
    reassign,
    reopen,
    screen_assessment,
    set_case_policy,
)
from programs.services.checkins import schedule_next
from programs.services.invitations import invite
from programs.services.red_flags import clear, raise_red_flag
from programs.services.reviews import review_due
from tests.factories import (
    NOW,
    TODAY,
    make_assessment,
    make_case,
    make_clinic,
    make_patient,
    make_program,
    make_user,
)
from tests.programs.services.recorded import answer, flat_case, instant, requests

pytestmark = pytest.mark.django_db

AKPS = {
    "limp": 5,
    "support": 5,
    "walking": 5,
    "stairs": 8,
    "squat": 4,
    "run": 8,
    "jump": 7,
    "sitting": 8,
    "pain": 8,
    "swelling": 10,
    "patellar_movement": 10,
    "thigh_atrophy": 5,
    "flexion_deficiency": 5,
}


def akps_of(assessment, items=None):
    """An AKPS of that day, good but for those items."""
    OutcomeScore.objects.create(
        clinic=assessment.clinic,
        episode=assessment.episode,
        assessment=assessment,
        measure="akps",
        taken_on=assessment.assessed_on,
        value=70,
        items={**AKPS, **(items or {})},
    )


def screened(assessment):
    return screen_assessment(assessment=assessment, by=assessment.episode.clinician, now=NOW)


def test_a_ticked_symptom_raises_the_flag():
    alert = screened(make_assessment(make_case(), red_flags=["calf_pain_swelling"]))
    assert (alert.kind, alert.level) == ("red_flag", "tier_1")


@pytest.mark.parametrize(
    ("item", "code"), [("swelling", "knee_swells"), ("patellar_movement", "knee_gives_way")]
)
def test_a_poor_akps_item_raises_the_flag(item, code):
    case = make_case()
    assessment = make_assessment(case)
    akps_of(assessment, {item: 4})
    alert = screened(assessment)
    [entry] = alert.evidence
    label = AKPS_ITEMS[item].label
    assert entry["code"] == code
    assert entry["source"] == f'{assessment}, from the AKPS answer "{label}" = 4'
    assert alert.summary == f"{Symptom(code).label} ({entry['source']})"


def test_what_is_ticked_and_what_an_answer_raises_each_name_their_source():
    case = make_case()
    assessment = make_assessment(case, red_flags=["knee_locks", "knee_swells"])
    akps_of(assessment, {"swelling": 4, "patellar_movement": 4})
    sources = {entry["code"]: entry["source"] for entry in screened(assessment).evidence}
    answered = sources.pop("knee_gives_way")
    assert "from the AKPS answer" in answered
    assert sources == {"knee_locks": str(assessment), "knee_swells": str(assessment)}


def test_a_good_akps_and_no_symptom_raise_nothing():
    case = make_case()
    assessment = make_assessment(case)
    akps_of(assessment)
    assert screened(assessment) is None
    assert not Alert.objects.exists()


@pytest.mark.parametrize(("born", "raised"), [(date(2010, 1, 1), True), (date(1990, 1, 1), False)])
def test_a_hip_finding_raises_the_flag_under_eighteen_only(born, raised):
    case = make_case(patient=make_patient(birth_date=born))
    assessment = make_assessment(case, hip_examined=True, hip_findings=True)
    assert (screened(assessment) is not None) == raised


def test_discharge_ends_the_program_and_its_alerts_but_never_a_red_flag():
    case = make_case()
    program = make_program(case)
    stall = Alert.objects.create(
        clinic=case.clinic, episode=case, kind="stall", summary="Flat", opened_on=TODAY, opened_at=NOW
    )
    flag = raise_red_flag(episode=case, codes=["knee_locks"], source="x", evidence=[], now=NOW)
    closed = discharge(
        episode=case, outcome="referred", note="To orthopaedics", by=case.clinician, now=NOW, today=TODAY
    )
    for row in (program, stall, flag):
        row.refresh_from_db()
    assert (closed.closed_on, closed.outcome) == (TODAY, "referred")
    assert (program.ended_on, program.end_reason) == (TODAY, "Discharged")
    assert (stall.state, stall.resolution) == ("resolved", "discharged")
    assert flag.state == "open"


def test_a_discharge_without_a_known_outcome_changes_nothing():
    case = make_case()
    program = make_program(case)
    with pytest.raises(CaseError) as error:
        discharge(episode=case, outcome="bored", note="", by=case.clinician, now=NOW, today=TODAY)
    case.refresh_from_db()
    program.refresh_from_db()
    assert error.value.field == "outcome"
    assert case.is_open
    assert program.is_active


@pytest.mark.parametrize(
    ("outcome", "pain", "note", "refused"),
    [
        ("recovered", "3.5", " ", True),
        ("recovered", "3.5", "Back to 10 km; sore after a fall", False),
        ("recovered", "3", "", False),
        ("recovered", None, "", False),
        ("improved", "6", "", False),
        ("recovered", "other knee", "", True),
    ],
)
def test_nobody_in_pain_is_discharged_as_recovered_without_a_word_about_it(outcome, pain, note, refused):
    program = flat_case(started_on=TODAY - timedelta(days=7), weeks=0)
    case = program.episode
    if pain == "other knee":
        answer(program, 5, worst="1", worst_right="3.5")
    elif pain is not None:
        answer(program, 5, worst=pain)
    call = partial(discharge, episode=case, outcome=outcome, by=case.clinician, now=NOW, today=TODAY)
    if refused:
        with pytest.raises(CaseError) as error:
            call(note=note)
        assert error.value.field == "note"
        assert "Worst pain was lately 3.5, over 3" in str(error.value)
    else:
        call(note=note)
    case.refresh_from_db()
    program.refresh_from_db()
    assert case.is_open == program.is_active == refused


def test_an_assistant_may_log_a_call_but_not_discharge():
    case = make_case()
    assistant = make_user(role=Role.ASSISTANT, clinic=case.clinic)
    log_contact(episode=case, kind="call", note="Will answer tonight", by=assistant, now=NOW)
    with pytest.raises(Denied):
        discharge(episode=case, outcome="recovered", note="", by=assistant, now=NOW, today=TODAY)
    case.refresh_from_db()
    assert case.is_open
    assert ContactLog.objects.get().by == assistant


def test_saving_an_old_assessment_again_raises_nothing_that_was_cleared():
    case = make_case()
    assessment = make_assessment(case, red_flags=["knee_swells"])
    clear(alert=screened(assessment), by=case.clinician, finding="Dry knee", now=NOW)
    Answer.objects.create(
        clinic=case.clinic,
        patient=case.patient,
        episode=case,
        client_id=uuid4(),
        occurred_at=NOW + timedelta(days=1),
        local_date=TODAY + timedelta(days=1),
        worst_left=3,
    )
    assert screen_assessment(assessment=assessment, by=case.clinician, now=NOW + timedelta(days=2)) is None
    assert not Alert.objects.unresolved().exists()


@pytest.mark.parametrize(("days", "raised"), [(1, True), (0, False), (-3, False)])
def test_what_a_clinician_finds_after_the_day_of_the_clearing_is_new(days: int, raised: bool):
    case = make_case()
    first = make_assessment(case, red_flags=["knee_locks"], assessed_on=TODAY - timedelta(days=7))
    clear(alert=screened(first), by=case.clinician, finding="Clicking only", now=NOW)
    found = make_assessment(case, red_flags=["knee_locks"], assessed_on=TODAY + timedelta(days=days))
    screen_assessment(assessment=found, by=case.clinician, now=NOW + timedelta(days=2))
    assert Alert.objects.unresolved().exists() is raised


def test_a_cleared_swelling_that_is_worse_in_the_next_akps_raises_again():
    case = make_case()

    def reassessed(day, swelling):
        assessment = make_assessment(case, assessed_on=TODAY + timedelta(days=day))
        akps_of(assessment, {"swelling": swelling})
        return screened(assessment)

    clear(alert=reassessed(0, 4), by=case.clinician, finding="Known effusion", now=NOW)
    assert reassessed(14, 4) is None
    assert reassessed(28, 0).kind == "red_flag"


def test_a_changed_e_mail_ends_what_went_to_the_old_one():
    case = make_case()
    patient = case.patient
    invite(patient=patient, by=case.clinician, now=NOW)
    patient.user = make_user(role=None, email=patient.email)
    patient.email_bounced_at = NOW
    patient.save()
    DeviceToken.objects.create(user=patient.user, clinic=case.clinic, patient=patient)

    patient.email = "right@example.org"
    change_contact(patient=patient, changed=["email"], by=case.clinician, now=NOW)
    patient.refresh_from_db()
    assert (patient.email, patient.user, patient.email_bounced_at) == ("right@example.org", None, None)
    assert Invitation.objects.get().revoked_at == NOW
    assert not DeviceToken.objects.exists()


def test_a_changed_phone_number_logs_nobody_out():
    case = make_case()
    patient = case.patient
    user = make_user(role=None, email=patient.email)
    patient.user = user
    patient.save()
    DeviceToken.objects.create(user=user, clinic=case.clinic, patient=patient)
    patient.phone = "+31 6 1234"
    change_contact(patient=patient, changed=["phone"], by=case.clinician, now=NOW)
    patient.refresh_from_db()
    assert (patient.phone, patient.user) == ("+31 6 1234", user)
    assert DeviceToken.objects.count() == 1


def test_a_changed_zone_moves_the_next_check_in():
    program = make_program()
    schedule_next(program=program, now=NOW)
    before, patient = program.next_check_in_at, program.episode.patient
    patient.timezone = "America/New_York"
    change_contact(patient=patient, changed=["timezone"], by=program.episode.clinician, now=NOW)
    program.refresh_from_db()
    assert program.next_check_in_at - before == timedelta(hours=6)


def test_a_handed_over_red_flag_tells_the_new_clinician_at_once():
    case = make_case()
    colleague = make_user("colleague@example.org", clinic=case.clinic)
    raise_red_flag(episode=case, codes=["knee_locks"], source="x", evidence=[], now=NOW)
    reassign(episode=case, clinician=colleague, by=case.clinician, now=NOW)
    case.refresh_from_db()
    assert case.clinician == colleague
    assert OutboxMessage.objects.filter(kind="red_flag", to_email="colleague@example.org").count() == 1


def test_a_case_may_have_thresholds_of_its_own_and_keeps_only_what_differs():
    case = make_case(make_clinic(overrides={"watch_week": 3}))
    set_case_policy(episode=case, by=case.clinician, values={"watch_week": 3, "stalled_week": 10}, now=NOW)
    case.refresh_from_db()
    assert case.policy_overrides == {"stalled_week": 10}
    assert (case.thresholds.watch_week, case.thresholds.stalled_week) == (3, 10)
    with pytest.raises(PolicyError) as error:
        set_case_policy(episode=case, by=case.clinician, values={"stalled_week": 99}, now=NOW)
    case.refresh_from_db()
    assert (error.value.key, case.policy_overrides) == ("stalled_week", {"stalled_week": 10})


def test_a_case_whose_red_flag_nobody_cleared_is_not_reopened():
    case = make_case(opened_on=TODAY - timedelta(days=60))
    by = case.clinician
    flag = raise_red_flag(episode=case, codes=["knee_locks"], source="x", evidence=[], now=NOW)
    closed = discharge(episode=case, outcome="referred", note="", by=by, now=NOW, today=TODAY)
    with pytest.raises(CaseError, match="clear it with a finding first"):
        reopen(episode=closed, by=by, now=NOW, today=TODAY)
    assert Episode.objects.count() == 1
    clear(alert=flag, by=by, finding="Stable", now=NOW)
    assert reopen(episode=closed, by=by, now=NOW, today=TODAY).is_open


def test_a_case_without_a_watch_is_reopened_once():
    case = make_case(opened_on=TODAY - timedelta(days=60))
    by = case.clinician
    closed = discharge(episode=case, outcome="recovered", note="", by=by, now=NOW, today=TODAY)
    created = reopen(episode=closed, by=by, now=NOW, today=TODAY)
    with pytest.raises(CaseError, match="Re-opened already"):
        reopen(episode=closed, by=by, now=NOW, today=TODAY + timedelta(days=1))
    assert [row.pk for row in Episode.objects.filter(closed_on=None)] == [created.pk]


@pytest.mark.parametrize(
    "other",
    [{"index_side": "left"}, {"diagnosis": "patellar_tendinopathy"}, {"opened_on": -1}, {"closed": True}],
)
def test_another_problem_or_one_that_is_over_keeps_no_case_from_being_reopened(other):
    case = make_case(opened_on=TODAY - timedelta(days=60), index_side="right")
    by = case.clinician
    closed = discharge(episode=case, outcome="recovered", note="", by=by, now=NOW, today=TODAY)
    second = make_case(
        case.clinic,
        patient=case.patient,
        clinician=by,
        index_side=other.get("index_side", "right"),
        diagnosis=other.get("diagnosis", case.diagnosis),
        opened_on=TODAY + timedelta(days=other.get("opened_on", 0)),
    )
    if "closed" in other:
        discharge(episode=second, outcome="recovered", note="", by=by, now=NOW, today=TODAY)
    assert reopen(episode=closed, by=by, now=NOW, today=TODAY).is_open


def test_a_corrected_address_is_judged_with_the_next_sweep():
    program = flat_case(started_on=TODAY, weeks=1)
    case, patient = program.episode, program.episode.patient
    requests(program, [], missed=range(8, 29, 2))
    Patient.objects.filter(pk=patient.pk).update(email="old@example.org", email_bounced_at=NOW)
    now = instant(program, 30)
    review_due(now=now)
    assert case.alerts.get(kind="silent").action == "Correct the address"

    patient.refresh_from_db()
    patient.email = "new@example.org"
    change_contact(patient=patient, changed=["email"], by=case.clinician, now=now)
    review_due(now=now)

    alert = case.alerts.get(kind="silent")
    assert "bounces" not in alert.summary
    assert alert.action == "Call the patient"
