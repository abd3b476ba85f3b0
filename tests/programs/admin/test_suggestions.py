"""From an assessment to a program: what it may be, the drivers, the ranking, or the reasons to refer."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from patients.models import Assessment, Episode
from programs.models import Alert, Template
from programs.services.assign import prepare_program
from programs.services.cases import discharge
from programs.services.library import load_starter_library
from programs.services.red_flags import raise_red_flag
from tests.factories import (
    TODAY,
    add_strength,
    make_assessment,
    make_case,
    make_exercise,
    make_patient,
    make_program,
    make_template,
)
from tests.programs.admin.intake.filling import STRENGTH, add, values

pytestmark = pytest.mark.django_db


@pytest.fixture
def found(staff: Any) -> Assessment:
    """A runner with a weak hip."""
    case = make_case(staff.clinic, clinician=staff.physio, opened_on=timezone.localdate())
    assessment = make_assessment(case, pain_squat=True)
    add_strength(assessment, left=70, right=100)
    return assessment


def shown(staff: Any, assessment: Assessment, **query: Any) -> Any:
    return staff.client(staff.physio).get(reverse("admin:suggestions", args=[assessment.pk]), query)


def test_each_driver_stands_with_value_side_reference_and_source(staff: Any, found: Assessment) -> None:
    load_starter_library()

    answer = shown(staff, found)

    [driver] = answer.context["match"].drivers
    [row] = driver.measurements
    assert (row.what, row.value, row.side) == ("Hip abductors", "LSI 70 %", "left")
    assert (row.reference, row.source) == ("deficit below 90 %", "our default")
    html = answer.content.decode()
    for text in ("LSI 70 %", "deficit below 90 %", "our default", "best fit"):
        assert text in html


def test_the_criteria_are_shown_as_met_or_not_asked(staff: Any, found: Assessment) -> None:
    html = shown(staff, found).content.decode()

    assert "Pain behind or around the kneecap</strong>: met" in html
    assert "prolonged sitting or other loaded flexion</strong>: met" in html
    assert "Other causes excluded</strong>: not asked" in html


def test_where_no_program_is_for_the_diagnosis_the_page_says_what_to_do(
    staff: Any, found: Assessment
) -> None:
    load_starter_library()
    ranked = shown(staff, found).content.decode()
    Episode.objects.update(diagnosis="other")
    html = shown(staff, found).content.decode()
    case = reverse("admin:patients_episode_change", args=[found.episode_id])
    assert "None in your library is for other knee pain" in html
    assert f'href="{case}"' in html
    assert "No program to suggest" not in ranked
    assert f'href="{case}"' not in ranked


def test_two_programs_stand_side_by_side(staff: Any, found: Assessment) -> None:
    load_starter_library()
    slugs = ["runners-knee", "runners-knee-hip-led"]

    answer = shown(staff, found, compare=slugs)
    assert {candidate.slug for candidate, _ in answer.context["compared"]} == set(slugs)
    assert "Side by side" in answer.content.decode()
    assert "Tick two programs" in shown(staff, found, compare=slugs[:1]).content.decode()
    assert not shown(staff, found, compare=["\x00", "nothing"]).context["compared"]


def test_one_click_prepares_a_program(staff: Any, found: Assessment) -> None:
    load_starter_library()
    template = Template.objects.get(slug="runners-knee-hip-led")

    assert f'value="{template.pk}"' in shown(staff, found).content.decode()


def test_while_one_is_prepared_no_other_is_offered(staff: Any, found: Assessment) -> None:
    load_starter_library()
    draft = prepare_program(
        episode=found.episode,
        template=Template.objects.get(slug="runners-knee"),
        by=staff.physio,
        today=timezone.localdate(),
    )

    html = shown(staff, found).content.decode()

    assert reverse("admin:adjust", args=[draft.pk]) in html
    assert "Prepare and adjust" not in html


def test_a_re_assessment_of_the_hip_alone_keeps_what_was_found_before(staff: Any, found: Assessment) -> None:
    load_starter_library()
    found.cadence_spm = 158
    found.save()
    again = make_assessment(
        found.episode,
        kind="reassessment",
        assessed_on=found.assessed_on + timedelta(days=28),
        hip_examined=True,
        worst_pain=None,
        locations=[],
    )

    answer = shown(staff, again)

    html = answer.content.decode()
    day = f"{found.assessed_on:%-d %b %Y}"
    assert {driver.driver for driver in answer.context["match"].drivers} == {
        "hip_weakness",
        "running_mechanics",
    }
    assert {row.on for driver in answer.context["match"].drivers for row in driver.measurements} == {
        found.assessed_on
    }
    assert f"Behind the kneecap, {day}" in html
    assert f"Squat, {day}" in html
    assert "best fit" in html

    again.assessed_on = found.assessed_on + timedelta(days=29)
    again.save()
    assert [driver.driver for driver in shown(staff, again).context["match"].drivers] == ["hip_weakness"]


def test_a_later_assessment_says_nothing_of_an_earlier_one(staff: Any, found: Assessment) -> None:
    make_assessment(found.episode, cadence_spm=150, assessed_on=found.assessed_on + timedelta(days=1))
    make_assessment(found.episode, cadence_spm=151, assessed_on=found.assessed_on)

    assert [driver.driver for driver in shown(staff, found).context["match"].drivers] == ["hip_weakness"]


def test_the_hip_is_recorded_in_a_new_assessment_where_this_one_is_signed(
    staff: Any, found: Assessment
) -> None:
    child(found.episode)
    new = f"{reverse('admin:patients_assessment_add')}?episode={found.episode_id}"
    assert new not in shown(staff, found).content.decode()

    found.signed_at, found.signed_by = timezone.now(), staff.physio
    found.save()

    html = shown(staff, found).content.decode()
    assert f'href="{new}">Record a re-assessment' in html
    assert "Open the assessment" not in html


def red_flag(case: Episode) -> None:
    raise_red_flag(
        episode=case, codes=["knee_locks"], source="intake", evidence=[{"answer": 1}], now=timezone.now()
    )


def red_flag_before(case: Episode) -> None:
    """In a case that was closed since, and that nobody has cleared."""
    before = make_case(case.clinic, patient=case.patient, clinician=case.clinician, case_number="77")
    red_flag(before)
    discharge(
        episode=before,
        outcome="referred",
        note="",
        by=case.clinician,
        now=timezone.now(),
        today=before.opened_on,
    )


def child(case: Episode) -> None:
    case.patient.birth_date = date(timezone.localdate().year - 14, 1, 1)
    case.patient.save()


@pytest.mark.parametrize(
    ("happened", "next_step"),
    [
        (red_flag, "See the patient or refer today"),
        (red_flag_before, "(case 77)"),
        (child, "Examine the hip"),
    ],
)
def test_who_is_to_be_referred_gets_no_suggestion_and_the_next_step(
    staff: Any, found: Assessment, happened: Any, next_step: str
) -> None:
    load_starter_library()
    happened(found.episode)

    answer = shown(staff, found)

    html = answer.content.decode()
    assert "Refer first: no program is suggested" in html
    assert next_step in html
    assert answer.context["ranking"] == []
    for word in ("Prepare and adjust", "Runner&#x27;s knee", "best fit"):
        assert word not in html
    if happened is not child:
        assert reverse("admin:programs_alert_change", args=[Alert.objects.get().pk]) in html


def test_quadriceps_only_work_beside_a_weak_hip_is_warned_about_loudly(staff: Any, found: Assessment) -> None:
    make_exercise()
    make_template(name="Quads", quadriceps_only=True)

    html = shown(staff, found).content.decode()

    assert '<p class="km-loud" role="alert">Quadriceps-only work beside a measured hip deficit' in html


def test_what_to_refer_for_stands_before_the_drivers(staff: Any) -> None:
    patient = make_patient(staff.clinic, birth_date=TODAY.replace(year=TODAY.year - 15))
    case = make_case(staff.clinic, clinician=staff.physio, patient=patient)
    add(staff, case, red_flags=["knee_locks"])

    found = values(staff, case, **STRENGTH, **{"f-itb-left-tight": "yes"}, shoe_km="900").json()

    flag, hip, *drivers = found["warnings"]
    assert flag.startswith("Refer first, no suggestion: Open red flag: ")
    assert "Knee locks" in flag
    assert hip == ("Refer first, no suggestion: Under 18: examine the hip first (internal rotation, gait).")
    assert drivers == [
        "Footwear: shoes 900 km, above 805.",
        "Hip weakness: Hip abductors left: LSI 72 % (deficit below 90 %).",
        "Tightness: ITB left tight.",
    ]


def test_suggestions_rank_with_reasons_and_name_the_flag_instead_while_one_is_open(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    make_program(case)
    from_template = reverse("admin:suggestions", args=[make_assessment(case, cadence_spm=150).pk])
    client = staff.client(staff.physio)

    assert "150 a minute" in client.get(from_template).content.decode()

    add(staff, case, red_flags=["knee_locks"])
    refer = client.get(from_template).content.decode()
    assert "Refer first" in refer
    assert "Knee locks" in refer
