"""Assigning a program: the patient's own copy of a template."""

from datetime import timedelta

import pytest

from clinic.roles import Denied, Role
from programs.models import Program, ProgramDose, Template
from programs.services.assign import AssignError, assign, end_program, prepare_program, send_program, wake
from programs.services.checkins import ask_due, check_in_plan
from programs.services.library import load_starter_library
from programs.services.plan import pause
from programs.services.red_flags import clear, raise_red_flag
from tests.factories import NOW, TODAY, make_case, make_clinic, make_template, make_user

pytestmark = pytest.mark.django_db


def assigned(case, template=None, **kwargs):
    template = template or make_template()
    return assign(episode=case, template=template, by=case.clinician, now=NOW, today=TODAY, **kwargs)


def flag(case):
    return raise_red_flag(
        episode=case, codes=["knee_locks"], source="check-in of 2 Mar", evidence=[{"answer": 1}], now=NOW
    )


def test_the_program_is_a_copy_that_can_change_without_the_template():
    load_starter_library()
    template = Template.objects.get(slug="runners-knee")
    program = assigned(make_case(), template)

    stages = list(program.stages.prefetch_related("doses"))
    assert [stage.name for stage in stages] == [stage.name for stage in template.stages.all()]
    assert [len(stage.doses.all()) for stage in stages] == [
        stage.doses.count() for stage in template.stages.all()
    ]
    dose = ProgramDose.objects.filter(stage__program=program).order_by("pk").first()
    before = template.stages.first().doses.first().sets
    dose.sets = before + 1
    dose.save()
    assert template.stages.first().doses.first().sets == before


def test_the_program_starts_today_in_stage_one_and_is_due_for_check_ins_and_review():
    program = assigned(make_case())
    assert (program.current_stage, program.started_on, program.stage_started_on) == (1, TODAY, TODAY)
    assert program.next_check_in_at is not None
    assert program.next_check_in_at > NOW
    assert program.next_review_on == TODAY
    assert not program.asleep


@pytest.mark.parametrize(
    ("track", "running_stage", "daily"),
    [("stopped", 1, True), ("stopped", 2, True), ("stopped", 3, False), ("still_running", 2, False)],
)
@pytest.mark.parametrize("prepared", [False, True])
def test_who_stopped_running_is_asked_daily_at_once_where_running_is_the_next_stage(
    track, running_stage, daily, prepared
):
    case = make_case(running_track=track)
    template = make_template(stages=3)
    template.stages.filter(number=running_stage).update(is_running=True)
    monday_evening = NOW + timedelta(hours=11)
    if prepared:
        draft = prepare_program(episode=case, template=template, by=case.clinician, today=TODAY)
        program = send_program(program=draft, by=case.clinician, now=monday_evening, today=TODAY)
    else:
        program = assign(episode=case, template=template, by=case.clinician, now=monday_evening, today=TODAY)
    program.refresh_from_db()
    assert check_in_plan(program).daily is daily
    assert (program.next_check_in_at.date() == TODAY + timedelta(days=1)) is daily


def test_a_new_program_replaces_the_active_one_and_ends_its_pause():
    case = make_case()
    first = assigned(case)
    pause(program=first, kind="illness", starts_on=TODAY, by=case.clinician, now=NOW)
    second = assign(
        episode=case,
        template=make_template(),
        by=case.clinician,
        now=NOW + timedelta(days=3),
        today=TODAY + timedelta(days=3),
    )
    first.refresh_from_db()
    assert first.ended_on == TODAY + timedelta(days=3)
    assert first.end_reason == "Replaced"
    assert first.next_check_in_at is None
    assert first.pauses.get().ends_on == TODAY + timedelta(days=3)
    assert list(case.programs.active()) == [second]


@pytest.mark.parametrize("prepared", [False, True])
def test_a_holiday_with_a_last_day_goes_on_under_a_new_program_and_nobody_is_asked_meanwhile(prepared):
    case = make_case(opened_on=TODAY)
    first, day = assigned(case), timedelta(days=1)
    pauses = {"by": case.clinician, "now": NOW, "kind": "holiday"}
    pause(program=first, starts_on=TODAY, ends_on=TODAY + 10 * day, note="Alps", **pauses)
    pause(program=first, starts_on=TODAY + 30 * day, ends_on=TODAY + 40 * day, **pauses)
    later = {"by": case.clinician, "now": NOW + 3 * day, "today": TODAY + 3 * day}
    template = make_template()
    if prepared:
        draft = prepare_program(episode=case, template=template, by=case.clinician, today=TODAY)
        second = send_program(program=draft, **later)
    else:
        second = assign(episode=case, template=template, **later)

    def spans(program):
        rows = program.pauses.order_by("starts_on")
        return [((row.starts_on - TODAY).days, (row.ends_on - TODAY).days, row.note) for row in rows]

    assert spans(first) == [(0, 3, "Alps")]
    assert spans(second) == [(3, 10, "Alps"), (30, 40, "")]
    assert {row.clinic for row in second.pauses.all()} == {case.clinic}
    assert [ask_due(now=NOW + n * day) for n in range(3, 10)] == [0] * 7
    assert any(ask_due(now=NOW + n * day) for n in range(10, 15))


def test_a_new_fair_trial_is_declared_once_per_case():
    case = make_case()
    assigned(case)
    second = assigned(case, fair_trial_reason="Diagnosis revised")
    assert second.fair_trial_on == TODAY
    with pytest.raises(AssignError) as error:
        assigned(case, fair_trial_reason="Again")
    assert error.value.field == "fair_trial_reason"
    assert list(case.programs.active()) == [second]


def test_an_open_red_flag_refuses_a_program_until_it_is_cleared():
    case = make_case()
    alert = flag(case)
    with pytest.raises(AssignError, match="red flag"):
        assigned(case)
    assert not Program.objects.exists()
    clear(alert=alert, by=case.clinician, finding="Meniscus tests negative", now=NOW)
    assert assigned(case).is_active


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("started_on", {"started_on": TODAY + timedelta(days=1)}),
        ("started_on", {"started_on": TODAY - timedelta(days=1)}),
    ],
)
def test_a_start_outside_the_case_is_refused_by_name(field, arguments):
    with pytest.raises(AssignError) as error:
        assigned(make_case(), **arguments)
    assert error.value.field == field
    assert not Program.objects.exists()


def test_a_template_of_another_diagnosis_or_another_clinic_is_refused():
    case = make_case(diagnosis="itb_syndrome")
    with pytest.raises(AssignError, match="not for iliotibial"):
        assigned(case)
    with pytest.raises(AssignError, match="not in your library"):
        assigned(make_case(), make_template(clinic=make_clinic()))
    assert not Program.objects.exists()


@pytest.mark.parametrize("role", [Role.ASSISTANT, None])
def test_who_may_not_do_clinical_work_assigns_nothing(role):
    case = make_case()
    other = make_user(role=role, clinic=case.clinic)
    with pytest.raises(Denied):
        assign(episode=case, template=make_template(), by=other, now=NOW, today=TODAY)
    assert not Program.objects.exists()


def test_the_physio_of_another_clinic_assigns_nothing():
    case = make_case()
    with pytest.raises(Denied):
        assign(
            episode=case, template=make_template(), by=make_user(clinic=make_clinic()), now=NOW, today=TODAY
        )
    assert not Program.objects.exists()


def test_an_imported_program_sleeps_until_a_clinician_wakes_it():
    case = make_case()
    program = assigned(case, asleep=True)
    assert not Program.objects.awake().exists()
    woken = wake(program=program, by=case.clinician, now=NOW, today=TODAY)
    assert list(Program.objects.awake()) == [woken]
    assert woken.next_check_in_at > NOW


def test_a_program_that_ended_keeps_its_record_and_asks_no_more():
    program = assigned(make_case())
    end_program(program=program, reason="Discharged", on=TODAY)
    program.refresh_from_db()
    assert (program.ended_on, program.end_reason, program.next_check_in_at) == (TODAY, "Discharged", None)
    assert program.stages.count() == 2
