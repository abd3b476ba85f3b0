"""The history of a row, and who has seen a record: read from the audit trail."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from clinic.audit.models import AuditEntry
from clinic.row_security import Origin, Tenant, acting_for
from patients.models import Assessment, Episode, OutcomeScore, Patient
from programs.models import Hold, ProgramDose
from tests.factories import NOW, make_assessment, make_case, make_exercise, make_program, make_template
from tests.programs.admin.conftest import Staff
from tests.whole_case import whole_case


@pytest.fixture
def case(staff: Staff) -> Episode:
    return make_case(staff.clinic, clinician=staff.physio)


def history(staff: Staff, row: Any, user: Any = None, **query: Any) -> Any:
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_history", args=[row.pk])
    return staff.client(user or staff.owner).get(address, query)


def cells(response: Any) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    """What the page shows: who, what, and each field's label, old and new value."""
    return [
        (
            step.by.name,
            f"{step.action}: {step.what}",
            [(change.label, change.old, change.new) for change in step.changes],
        )
        for step in response.context["page"].object_list
    ]


def test_who_changed_what_in_the_words_of_the_form(staff: Staff, case: Episode) -> None:
    assessment = make_assessment(case)
    by = Origin(f"user:{staff.physio.pk}")
    with acting_for(Tenant((staff.clinic.pk,)), by):
        Assessment.objects.filter(pk=assessment.pk).update(
            worst_pain=Decimal("7.5"), pain_squat=True, locations=["lateral"], kind="reassessment"
        )
    response = history(staff, assessment)
    who, what, changes = cells(response)[0]
    assert (who, what) == (staff.physio.name, "Changed: Assessment")
    assert set(changes) == {
        ("Worst pain, last 3 days", "6.0", "7.5"),
        ("Pain squat", "no", "yes"),
        ("Where the index knee hurts", "Behind the kneecap", "Outer side"),
        ("Kind", "Intake", "Re-assessment"),
    }
    assert "Physio" in response.content.decode()


def test_what_was_measured_and_taken_out_below_it_is_told_too(staff: Staff, case: Episode) -> None:
    assessment, other = make_assessment(case), make_assessment(case)
    for owner in (assessment, other):
        owner.foot_postures.create(clinic=staff.clinic, side="left", fpi6=3)
    assessment.foot_postures.all().delete()
    told = [what for _, what, _ in cells(history(staff, assessment))]
    assert told[0] == "Deleted: Foot posture"
    assert ("FPI-6", "3", "empty") in cells(history(staff, assessment))[0][2]
    assert [what for _, what, _ in cells(history(staff, other))] == [
        "Added: Foot posture",
        "Added: Assessment",
    ]


def test_a_program_tells_of_its_exercises(staff: Staff, case: Episode) -> None:
    program = make_program(case, stages=1)
    ProgramDose.objects.filter(stage__program=program).update(sets=5)
    assert cells(history(staff, program))[0][1:] == ("Changed: Program dose", [("Sets", "3", "5")])


def test_a_change_of_a_program_says_of_which_exercise_and_stage(staff: Staff, case: Episode) -> None:
    program = make_program(case, stages=2)
    dose = ProgramDose.objects.get(stage__program=program, stage__number=2)
    before, after = dose.exercise, make_exercise()
    ProgramDose.objects.filter(pk=dose.pk).update(exercise=after)
    program.stages.filter(number=1).update(min_days=9)

    page = history(staff, program)

    assert cells(page)[1][2] == [("Exercise", before.name, after.name)]
    told = [step.of for step in page.context["page"].object_list]
    assert told[:2] == ["Stage 1", f"{after.name}, Stage 2"]
    assert after.name in page.content.decode()
    assert f"#{after.pk}" not in page.content.decode()


def test_what_was_added_reads_as_on_the_pages_and_names_no_row_above_it(staff: Staff, case: Episode) -> None:
    Hold.objects.create(
        clinic=staff.clinic,
        program=make_program(case, stages=1),
        since=NOW,
        red_flags=["calf_pain_swelling"],
        reason="Calf pain",
    )
    told = cells(history(staff, case.patient))[0][1:]
    since = timezone.localtime(NOW, ZoneInfo(staff.clinic.timezone))
    assert told == (
        "Added: Hold",
        [
            ("Reason", "empty", "Calf pain"),
            ("Red flags", "empty", "Calf pain swelling"),
            ("Since", "empty", f"{since:%-d %b %Y %H:%M}"),
        ],
    )


def test_what_the_service_asks_and_mails_hides_nothing_that_people_did(staff: Staff, case: Episode) -> None:
    whole = whole_case(staff.clinic)
    told = {what for _, what, _ in cells(history(staff, whole.patient))}
    assert "Added: Answer" in told
    assert not told & {"Added: E-mail", "Added: Check-in request", "Added: Check in request"}


def test_people_are_named_and_contact_data_is_not(staff: Staff, case: Episode) -> None:
    Episode.objects.filter(pk=case.pk).update(clinician=staff.owner)
    assert cells(history(staff, case))[0][2] == [("Clinician", staff.physio.name, staff.owner.name)]
    Patient.objects.filter(pk=case.patient_id).update(family_name="Newname")
    page = history(staff, case.patient).content.decode()
    assert 'Family name: <span class="kc-subtle">changed, the values are not kept</span>' in page


def test_the_history_of_a_patient_is_that_of_the_whole_record(staff: Staff, case: Episode) -> None:
    make_assessment(case)
    make_case(staff.clinic, clinician=staff.physio)
    told = [what for _, what, _ in cells(history(staff, case.patient))]
    assert told == ["Added: Assessment", "Added: Case", "Added: Patient"]


@pytest.mark.parametrize("entries", [1, 3])
def test_the_history_takes_as_many_queries_for_one_entry_as_for_three(
    staff: Staff, case: Episode, entries: int, django_assert_num_queries: Any
) -> None:
    for number in range(entries):
        with acting_for(Tenant((staff.clinic.pk,)), Origin(f"user:{staff.physio.pk}")):
            Episode.objects.filter(pk=case.pk).update(
                clinician=[staff.owner, staff.physio][number % 2], onset_on=f"2026-01-0{number + 1}"
            )
    client = staff.client(staff.owner)
    with django_assert_num_queries(12):
        client.get(reverse("admin:patients_episode_history", args=[case.pk]))


def test_pages(staff: Staff, case: Episode, monkeypatch: Any) -> None:
    monkeypatch.setattr("clinic.admin.history.PER_PAGE", 2)
    make_assessment(case)
    first, second = history(staff, case.patient), history(staff, case.patient, page="2")
    assert (len(cells(first)), len(cells(second))) == (2, 1)
    assert "page 1 of 2" in first.content.decode()
    assert len(cells(history(staff, case.patient, page="x"))) == 2


@pytest.mark.parametrize("page", ["history", "readers"])
def test_an_assistant_and_a_stranger_see_neither_history_nor_readers(
    staff: Staff, stranger: Staff, case: Episode, page: str
) -> None:
    address = reverse(f"admin:patients_patient_{page}", args=[case.patient_id])
    assert staff.client(staff.physio).get(address).status_code == 200
    assert staff.client(staff.assistant).get(address).status_code == 403
    assert stranger.client(stranger.owner).get(address).status_code == 404
    mine = staff.client(staff.assistant).get(reverse("admin:patients_patient_change", args=[case.patient_id]))
    assert "Who has seen this record" not in mine.content.decode()


def test_who_has_seen_the_record(staff: Staff, case: Episode) -> None:
    staff.client(staff.physio).get(reverse("admin:patients_patient_change", args=[case.patient_id]))
    staff.client(staff.assistant).get(reverse("admin:patients_patient_changelist"))
    page = staff.client(staff.owner).get(reverse("admin:patients_patient_readers", args=[case.patient_id]))
    shown = [(access.by.name, access.by.role, access.kind.label) for access in page.context["accesses"]]
    assert shown == [
        (staff.assistant.name, "Assistant", "A list"),
        (staff.physio.name, "Physio", "The record"),
    ]


def test_only_those_on_the_page_of_a_list_were_shown(staff: Staff, case: Episode) -> None:
    other = make_case(staff.clinic, clinician=staff.physio)
    found = {"q": case.case_number}
    staff.client(staff.owner).get(reverse("admin:patients_patient_changelist"), found)
    assert AuditEntry.objects.readings().get().patients == [case.patient_id]
    staff.client(staff.owner).get(reverse("admin:index"))
    shown = AuditEntry.objects.readings().latest("id").patients
    assert set(shown) == {case.patient_id, other.patient_id}


def test_the_admin_writes_no_log_of_its_own_with_names(staff: Staff, case: Episode) -> None:
    address = reverse("admin:patients_patient_contact", args=[case.patient_id])
    client = staff.client(staff.owner)
    form = client.get(address).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields} | {"given_name": "Newname"}
    assert client.post(address, data).status_code == 302
    entry = AuditEntry.objects.changes().filter(table_name="patients_patient").latest("id")
    assert (entry.who, entry.route) == (f"user:{staff.owner.pk}", "admin:patients_patient_contact")
    assert entry.changes == {"given_name": None}
    assert not LogEntry.objects.exists()


def test_nothing_technical_is_told(staff: Staff) -> None:
    whole = whole_case(staff.clinic)
    Patient.objects.filter(pk=whole.patient_id).update(created_at=NOW)
    Episode.objects.filter(pk=whole.pk).update(created_at=NOW)
    page = history(staff, whole.patient)
    labels = {label for _, _, changes in cells(page) for label, _, _ in changes}
    assert not labels & {
        "Text hash",
        "Token hash",
        "Token key",
        "Digest",
        "Code hash",
        "Verdict",
        "Patient key",
    }
    told = [(what, changes) for _, what, changes in cells(page)]
    assert "Added: Consent" in {what for what, _ in told}
    assert not [what for what, changes in told if what.startswith("Changed") and not changes]


def test_what_is_kept_out_is_told_by_what_was_done(staff: Staff, case: Episode) -> None:
    page = history(staff, case.patient).content.decode()
    assert 'Given name: <span class="kc-subtle">filled in, the value is not kept</span>' in page
    assert "changed, the values are not kept" not in page


def test_a_command_is_the_service(staff: Staff, case: Episode) -> None:
    with acting_for(Tenant((staff.clinic.pk,)), Origin("command:up")):
        Episode.objects.filter(pk=case.pk).update(onset_on="2026-01-01")
    assert cells(history(staff, case))[0][0] == "The service"


@pytest.mark.parametrize("make", [make_template, make_exercise])
def test_the_history_of_the_starter_library_is_shown_though_nobody_may_change_it(
    staff: Staff, make: Any
) -> None:
    row = make()
    page = staff.client(staff.physio).get(
        reverse(f"admin:programs_{row._meta.model_name}_history", args=[row.pk])
    )
    assert page.status_code == 200
    assert row.name in page.content.decode()


def test_the_answers_of_a_questionnaire_are_told_in_words(staff: Staff, case: Episode) -> None:
    answers = {"akps": {"thigh_atrophy": 0, "limp": 5}, "lefs": {"lefs1": 2, "lefs20": 3}}
    for measure, items in answers.items():
        OutcomeScore.objects.create(
            clinic=staff.clinic, episode=case, measure=measure, taken_on=NOW, value=Decimal(60), items=items
        )
    page = staff.client(staff.physio).get(reverse("admin:patients_patient_history", args=[case.patient_id]))
    assert "Limp: 5, Thigh atrophy: 0" in page.content.decode()
    assert "Question 1: 2, Question 20: 3" in page.content.decode()
