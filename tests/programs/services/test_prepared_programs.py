"""A program is prepared, adjusted and only then sent: until then nothing of it reaches the patient."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from clinic.errors import FieldError
from clinic.models import OutboxMessage
from clinic.roles import Denied, Role
from patients.models import Episode, FlexibilityTest, MovementTest, Patient
from patients.services import ConsentMissing
from programs.models import CheckInRequest, Exercise, Program, ProgramDose, Review, Template
from programs.services import assign, cases, checkins, diary, digests, facts, record, reviews
from programs.services.adjust import give_reasons
from programs.services.assign import AssignError, discard_draft, draft_of, prepare_program, send_program
from programs.services.coverage import coverage
from programs.services.patient_data import collect
from programs.services.policy_trial import try_policy
from programs.services.red_flags import clear, raise_red_flag
from tests.factories import (
    NOW,
    TODAY,
    add_strength,
    make_assessment,
    make_case,
    make_clinic,
    make_patient,
    make_program,
    make_template,
    make_user,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
LATER = TODAY + 14 * DAY


def prepared(case: Episode | None = None, template: Template | None = None, today: date = TODAY) -> Program:
    case = case or make_case()
    return prepare_program(episode=case, template=template or make_template(), by=case.clinician, today=today)


def sent(program: Program, **fields: Any) -> Program:
    values = {"by": program.episode.clinician, "now": NOW, "today": TODAY} | fields
    return send_program(program=program, **values)


def running(case: Episode) -> Program:
    return assign.assign(episode=case, template=make_template(), by=case.clinician, now=NOW, today=TODAY)


def weak_hip(case: Episode) -> None:
    """Hip abductors of the index side at 70 % of the other."""
    add_strength(case.assessments.first() or make_assessment(case), left=70, right=100)


# --- nothing of a draft reaches the patient


def test_a_draft_is_never_asked_about() -> None:
    prepared()

    assert checkins.ask_due(now=NOW + 30 * DAY) == 0
    assert not CheckInRequest.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_draft_is_never_judged() -> None:
    program = prepared()

    assert reviews.review_due(now=NOW + 30 * DAY) == {"reviewed": 0}
    assert reviews.review_as_of(on=LATER, now=NOW + 30 * DAY, clinic=program.clinic) == []
    assert not Review.objects.exists()


def test_a_draft_is_in_no_digest() -> None:
    prepared()

    digests.send_due(now=NOW + 30 * DAY)

    assert not OutboxMessage.objects.exists()


def test_the_app_shows_no_draft_and_takes_no_session_of_it() -> None:
    program = prepared()
    patient = program.episode.patient
    dose = ProgramDose.objects.filter(stage__program=program).first()

    with pytest.raises(record.NoProgram):
        record.current_program(patient=patient, today=TODAY)
    with pytest.raises(diary.DiaryNotFound):
        diary.record_session(
            patient=patient,
            client_id=uuid4(),
            report=diary.SessionReport(
                occurred_at=NOW,
                pain_during=Decimal(2),
                exercises=(diary.ExerciseDone(dose=dose.pk, sets_done=3),),
            ),
            now=NOW,
        )


def test_beside_a_draft_the_app_goes_on_showing_the_running_program() -> None:
    case = make_case()
    old = running(case)
    prepared(case)

    assert record.current_program(patient=case.patient, today=TODAY).program == old


def test_other_hours_or_another_time_zone_schedule_no_draft() -> None:
    program = prepared()
    patient = program.episode.patient

    patient.timezone = "America/New_York"
    cases.change_contact(patient=patient, changed=["timezone"], by=program.episode.clinician, now=NOW)

    assert Program.with_drafts.get().next_check_in_at is None


def test_a_red_flag_holds_the_running_program_and_no_draft() -> None:
    case = make_case()
    old, draft = running(case), prepared(case)

    raise_red_flag(episode=case, codes=["knee_locks"], source="intake", evidence=[{"answer": 1}], now=NOW)

    assert old.holds.exists()
    assert not draft.holds.exists()


def test_a_draft_counts_neither_for_the_clock_nor_for_a_trial_of_the_policy() -> None:
    case = make_case()
    prepared(case, today=TODAY)
    program = assign.assign(
        episode=case,
        template=make_template(),
        by=case.clinician,
        now=NOW + 14 * DAY,
        today=LATER,
    )

    [loaded] = facts.load([program], {program.pk: LATER})
    tried = try_policy(
        clinic=case.clinic, values={}, by=make_user(clinic=case.clinic, role=Role.OWNER), today=LATER
    )

    assert loaded.facts.started_on == loaded.facts.clock_started_on == LATER
    assert tried.programs == 1


def test_a_report_belongs_to_the_program_that_runs() -> None:
    case = make_case()
    old = running(case)
    prepared(case)

    run = diary.record_run(
        patient=case.patient,
        client_id=uuid4(),
        report=diary.RunReport(occurred_at=NOW, pain_during=Decimal(1), distance_km=Decimal(3)),
        now=NOW,
    )

    assert run.row.program == old


@pytest.mark.parametrize("fields", [{"next_check_in_at": NOW}, {"next_review_on": TODAY}])
def test_the_database_keeps_a_draft_still(fields: dict[str, Any]) -> None:
    prepared()
    with pytest.raises(IntegrityError, match="program_draft_is_still"), transaction.atomic():
        Program.with_drafts.update(**fields)


# --- preparing


def test_the_running_program_goes_on_until_the_new_one_is_sent() -> None:
    case = make_case()
    old = running(case)
    draft = prepared(case)

    assert list(case.programs.active()) == [old]
    assert draft_of(case) == draft

    sent(draft, today=TODAY + 3 * DAY)

    old.refresh_from_db()
    assert (old.ended_on, old.end_reason) == (TODAY + 3 * DAY, "Replaced")
    assert list(case.programs.active()) == [draft]
    assert draft_of(case) is None


def test_only_one_program_is_prepared_at_a_time() -> None:
    draft = prepared()

    with pytest.raises(AssignError, match="send or discard it first") as refused:
        prepared(draft.episode)

    assert refused.value.field == "template"
    assert list(Program.with_drafts.all()) == [draft]


def closed(case: Episode) -> None:
    cases.discharge(episode=case, outcome="improved", note="", by=case.clinician, now=NOW, today=TODAY)


def flagged(case: Episode) -> None:
    raise_red_flag(episode=case, codes=["knee_locks"], source="intake", evidence=[{"answer": 1}], now=NOW)


def flagged_in_another_case(case: Episode) -> None:
    """As after a referral: the case is closed, and the flag, which nobody has cleared, is not."""
    before = make_case(patient=case.patient, clinician=case.clinician, case_number="1000")
    flagged(before)
    closed(before)


def a_child(case: Episode) -> None:
    case.patient.birth_date = date(2012, 5, 1)
    case.patient.guardian_name, case.patient.guardian_consented_on = "Kim Runner", TODAY
    case.patient.save()


def nobody_consented(case: Episode) -> None:
    a_child(case)
    make_assessment(case, hip_examined=True)
    case.patient.guardian_name, case.patient.guardian_consented_on = "", None
    case.patient.save()


def limps(case: Episode) -> None:
    a_child(case)
    make_assessment(case, hip_examined=True, hip_findings=True)


def other_diagnosis(case: Episode) -> None:
    Episode.objects.filter(pk=case.pk).update(diagnosis="itb_syndrome")


REFUSED = [
    (flagged, "template", "A red flag is open:"),
    (flagged_in_another_case, "template", "A red flag is open in case 1000:"),
    (a_child, "template", "examine the hip first"),
    (limps, "template", "no weight-bearing"),
    (other_diagnosis, "template", "is not for iliotibial band syndrome"),
]


@pytest.mark.parametrize(("happened", "field", "why"), [*REFUSED, (closed, "episode", "closed")])
def test_what_can_not_be_assigned_is_not_prepared(
    happened: Callable[[Episode], None], field: str, why: str
) -> None:
    case = make_case()
    happened(case)
    case.refresh_from_db()

    with pytest.raises(AssignError, match=why) as refused:
        prepared(case)

    assert refused.value.field == field
    assert not Program.with_drafts.exists()


CONSENT = (nobody_consented, "guardian_name", "fill in guardian name and guardian consented on")


@pytest.mark.parametrize(("happened", "field", "why"), [*REFUSED, CONSENT])
def test_what_came_up_since_stops_the_sending(
    happened: Callable[[Episode], None], field: str, why: str
) -> None:
    case = make_case()
    old = running(case)
    draft = prepared(case)
    happened(case)

    with pytest.raises(FieldError, match=why) as refused:
        sent(draft)

    assert refused.value.field == field
    old.refresh_from_db()
    assert old.is_active
    assert draft_of(case) == draft


def test_under_18_a_program_is_prepared_but_neither_assigned_nor_woken_without_consent() -> None:
    case = make_case()
    nobody_consented(case)
    asleep = make_program(case, asleep=True)

    with pytest.raises(ConsentMissing):
        assign.wake(program=asleep, by=case.clinician, now=NOW, today=TODAY)
    with pytest.raises(ConsentMissing):
        running(case)

    assert list(Program.objects.filter(asleep=True)) == [asleep]
    assert prepared(case).is_draft


def test_from_18_on_nobody_else_consents() -> None:
    case = make_case()
    nobody_consented(case)
    Patient.objects.filter(pk=case.patient.pk).update(birth_date=TODAY.replace(year=TODAY.year - 18))

    assert running(case).is_active


def test_under_18_an_earlier_examination_of_the_hip_holds() -> None:
    case = make_case()
    a_child(case)
    make_assessment(case, hip_examined=True, assessed_on=TODAY - 7 * DAY)
    make_assessment(case)

    assert sent(prepared(case)).is_active


# --- sending


def test_the_program_starts_on_the_day_it_is_sent() -> None:
    draft = prepared()
    on = TODAY + 5 * DAY

    program = sent(draft, now=NOW + 5 * DAY, today=on)

    assert (program.started_on, program.stage_started_on, program.current_stage) == (on, on, 1)
    assert program.next_review_on == on
    assert program.next_check_in_at is not None
    assert record.current_program(patient=program.episode.patient, today=on).program == program


def test_a_program_is_sent_once() -> None:
    draft = prepared()
    sent(draft)

    for again in (sent, lambda program: discard_draft(program=program, by=program.episode.clinician)):
        with pytest.raises(AssignError, match="already") as refused:
            again(draft)
        assert refused.value.field == "program"
    assert Program.objects.get().is_active


def test_the_clock_goes_on_unless_a_new_fair_trial_is_declared() -> None:
    case = make_case()
    running(case)

    program = sent(prepared(case), today=LATER, fair_trial_reason="Diagnosis revised")

    assert (program.fair_trial_on, program.fair_trial_reason) == (LATER, "Diagnosis revised")


def test_a_deficit_without_exercise_or_reason_is_named() -> None:
    case = make_case()
    weak_hip(case)
    draft = prepared(case)

    with pytest.raises(AssignError, match="no exercise targets it") as refused:
        sent(draft)

    assert refused.value.field == "reason_hip_abductors"
    assert draft_of(case) == draft


def test_a_written_reason_lets_it_go_and_is_kept() -> None:
    case = make_case()
    weak_hip(case)
    draft = prepared(case)
    give_reasons(program=draft, by=case.clinician, reasons={"hip_abductors": "Trained at her club"})

    program = sent(draft)

    [hip] = coverage(program=Program.objects.get(pk=program.pk))
    assert (hip.has_exercise, hip.reason) == (False, "Trained at her club")


def test_an_exercise_for_it_lets_it_go() -> None:
    case = make_case()
    weak_hip(case)
    draft = prepared(case)
    Exercise.objects.filter(pk=ProgramDose.objects.values("exercise")[:1]).update(
        muscle_groups=["hip_abductors"]
    )

    assert sent(draft).is_active


def test_a_stretch_of_that_muscle_is_no_exercise_for_it() -> None:
    case = make_case()
    weak_hip(case)
    draft = prepared(case)
    Exercise.objects.update(kind="stretch", muscle_groups=["hip_abductors"])

    with pytest.raises(AssignError):
        sent(draft)


# --- discarding, and who may


def test_a_discarded_draft_is_gone_and_the_running_program_stays() -> None:
    case = make_case()
    old = running(case)
    draft = prepared(case)

    discard_draft(program=draft, by=case.clinician)

    assert list(Program.with_drafts.all()) == [old]
    assert prepared(case).is_draft


def test_discharge_takes_the_draft_with_it() -> None:
    case = make_case()
    prepared(case)

    closed(case)

    assert not Program.with_drafts.exists()


def test_a_cleared_red_flag_lets_the_draft_go() -> None:
    case = make_case()
    draft = prepared(case)
    flagged(case)
    clear(alert=case.alerts.get(), by=case.clinician, finding="No block", now=NOW)

    assert sent(draft).is_active


@pytest.mark.parametrize("role", [Role.ASSISTANT, None])
def test_only_who_treats_prepares_sends_or_discards(role: Role | None) -> None:
    draft = prepared()
    clinic = draft.clinic if role else make_clinic()
    other = make_user(clinic=clinic, role=role or Role.PHYSIO)

    with pytest.raises(Denied):
        prepare_program(episode=draft.episode, template=make_template(), by=other, today=TODAY)
    with pytest.raises(Denied):
        sent(draft, by=other)
    with pytest.raises(Denied):
        discard_draft(program=draft, by=other)
    assert draft_of(draft.episode) == draft
    assert Program.with_drafts.count() == 1


def test_a_draft_is_in_the_copy_of_a_patients_data() -> None:
    patient = make_patient()
    draft = prepared(make_case(patient=patient))

    assert [row["id"] for row in collect(patient)["programs_program"]] == [draft.pk]


def test_a_deficit_that_was_not_tested_again_needs_an_exercise_or_a_reason_still() -> None:
    case = make_case()
    weak_hip(case)
    later = make_assessment(case, assessed_on=TODAY)
    add_strength(later, left=99, right=100, muscle_group="quadriceps")
    program = prepared(case)

    with pytest.raises(AssignError) as error:
        sent(program)
    assert error.value.field == "reason_hip_abductors"

    add_strength(later, left=99, right=100)
    assert sent(program).is_active


# --- what else was measured


def test_a_poor_step_down_and_a_tight_muscle_ask_for_an_exercise_or_a_reason() -> None:
    case = make_case()
    assessment = make_assessment(case, cadence_spm=158)
    own = {"clinic": case.clinic, "assessment": assessment, "side": "left"}
    MovementTest.objects.create(
        test="lateral_step_down", arm=1, trunk=1, pelvis=1, knee=2, steady_stance=0, **own
    )
    FlexibilityTest.objects.create(structure="hamstrings", tight=True, **own)
    make_assessment(case, assessed_on=TODAY + DAY)  # what was not looked at again still stands
    draft = prepared(case)

    assert [row.group for row in coverage(program=draft)] == [
        "hip_control",
        "hamstring_length",
        "running_form",
    ]
    with pytest.raises(AssignError) as refused:
        sent(draft)
    assert refused.value.field == "reason_hip_control"
    assert "step-down left poor, 5 of 6" in refused.value.message

    dose = ProgramDose.objects.filter(stage__program=draft).first()
    Exercise.objects.filter(pk=dose.exercise_id).update(muscle_groups=["hip_abductors"])
    reasons = {"hamstring_length": "Stretches in yoga.", "running_form": "Once she runs again."}
    assert sent(draft, reasons=reasons).is_active


def test_what_was_measured_in_order_since_asks_for_nothing() -> None:
    case = make_case()
    for number, tight in enumerate((True, False)):
        FlexibilityTest.objects.create(
            clinic=case.clinic,
            assessment=make_assessment(case, assessed_on=TODAY + number * DAY),
            structure="hamstrings",
            side="left",
            tight=tight,
        )

    assert coverage(program=prepared(case)) == ()
