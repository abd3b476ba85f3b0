"""Assessments in the admin: measurements in one form, derived values, and the red-flag screen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from patients.models import Assessment, OutcomeScore, StrengthTest
from programs.models import Alert, Hold
from tests.factories import TODAY, make_assessment, make_case, make_program

pytestmark = pytest.mark.django_db

INLINES = (
    "aggravating_activities",
    "strength_tests",
    "q_angles",
    "flexibility_tests",
    "foot_postures",
    "movement_tests",
    "outcome_scores",
)


def form(episode: Any, rows: dict[str, list[dict[str, Any]]] | None = None, **fields: Any) -> dict[str, Any]:
    """What the browser posts."""
    data: dict[str, Any] = {
        "episode": episode.pk,
        "kind": "intake",
        "assessed_on": "2026-03-02",
        "worst_pain": "6.5",
        "locations": ["retropatellar"],
        **fields,
    }
    for prefix in INLINES:
        entered = (rows or {}).get(prefix, [])
        data |= {f"{prefix}-TOTAL_FORMS": len(entered), f"{prefix}-INITIAL_FORMS": 0}
        for n, row in enumerate(entered):
            data |= {f"{prefix}-{n}-{name}": value for name, value in row.items()}
    return data


def strength(side: str, value: str, **changes: str) -> dict[str, str]:
    return {
        "muscle_group": "hip_abductors",
        "side": side,
        "method": "handheld_dynamometer",
        "value": value,
        "unit": "N",
        "lever_arm_m": "0.38",
        "position": "side-lying",
        **changes,
    }


ADD = "admin:patients_assessment_add"


def add(staff: Any, episode: Any, **kwargs: Any) -> Any:
    return staff.client(staff.physio).post(reverse(ADD), form(episode, **kwargs))


def test_all_measurements_are_stored_with_clinic_and_author_set_by_code(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.owner)
    rows = {
        "strength_tests": [strength("left", "118"), strength("right", "162")],
        "q_angles": [{"side": "left", "degrees": "17", "position": "supine", "quadriceps": "relaxed"}],
        "aggravating_activities": [{"activity": "Stairs down", "pain": "6", "ability": "4"}],
        "flexibility_tests": [{"structure": "itb", "side": "left", "tight": "on"}],
        "foot_postures": [{"side": "left", "fpi6": "7"}],
        "movement_tests": [{"test": "lateral_step_down", "side": "left", "arm": "1", "trunk": "1"}],
        "outcome_scores": [{"measure": "akps", "taken_on": "2026-03-02", "value": "70"}],
    }

    answer = add(staff, case, rows=rows, risk_factors=["earlier_clot"], load_changes=["hills"])

    assessment = Assessment.objects.get()
    assert answer.url == reverse("admin:suggestions", args=[assessment.pk])
    assert (assessment.clinic, assessment.assessed_by) == (staff.clinic, staff.physio)
    assert (assessment.locations, assessment.risk_factors) == (["retropatellar"], ["earlier_clot"])
    measured = [
        assessment.strength_tests,
        assessment.q_angles,
        assessment.aggravating_activities,
        assessment.flexibility_tests,
        assessment.foot_postures,
        assessment.movement_tests,
    ]
    assert [rows.count() for rows in measured] == [2, 1, 1, 1, 1, 1]
    assert {test.clinic for test in StrengthTest.objects.all()} == {staff.clinic}
    assert OutcomeScore.objects.get().episode == case


def test_a_ticked_red_flag_raises_the_alert_and_holds_the_program(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    make_program(case)

    add(staff, case, red_flags=["knee_locks"])

    alert = Alert.objects.get(kind="red_flag")
    assert "Knee locks" in alert.summary
    assert Hold.objects.get().red_flags == ["knee_locks"]


@pytest.mark.parametrize(
    ("rows", "fields", "message"),
    [
        ({}, {"worst_pain": "11"}, "At most 10."),
        ({}, {"red_flags": ["made_up"]}, "is not one of the available choices"),
        ({}, {"assessed_on": "yesterday"}, "Enter a valid date."),
        (
            {"q_angles": [{"side": "left", "degrees": "99", "position": "supine", "quadriceps": "relaxed"}]},
            {},
            "At most 45.",
        ),
        ({"strength_tests": [strength("left", "4", unit="grade")]}, {}, "A manual test is given as a grade"),
        ({"strength_tests": [strength("left", "100"), strength("left", "90")]}, {}, "duplicate"),
        (
            {"outcome_scores": [{"measure": "akps", "taken_on": "2026-03-02", "value": "101"}]},
            {},
            "outside its measure&#x27;s range",
        ),
    ],
)
def test_a_value_that_cannot_be_is_named_and_nothing_is_stored(
    staff: Any, rows: dict[str, Any], fields: dict[str, Any], message: str
) -> None:
    answer = add(staff, make_case(staff.clinic, clinician=staff.physio), rows=rows, **fields)

    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert not Assessment.objects.exists()


def test_a_second_score_of_the_same_measure_and_day_is_refused_in_words(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    first = make_assessment(case)
    OutcomeScore.objects.create(
        clinic=staff.clinic, episode=case, assessment=first, measure="akps", taken_on=TODAY, value=Decimal(70)
    )

    answer = add(
        staff, case, rows={"outcome_scores": [{"measure": "akps", "taken_on": "2026-03-02", "value": "80"}]}
    )

    assert answer.status_code == 200
    assert "already has a score on that day" in answer.content.decode()
    assert Assessment.objects.count() == 1


def test_derived_values_stand_beside_what_was_measured(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    assessment = make_assessment(case, body_mass_kg=Decimal("64"))
    for side, value in (("left", "118"), ("right", "162")):
        StrengthTest.objects.create(
            clinic=staff.clinic,
            assessment=assessment,
            muscle_group="hip_abductors",
            side=side,
            method="handheld_dynamometer",
            value=Decimal(value),
            unit="N",
            lever_arm_m=Decimal("0.38"),
        )

    url = reverse("admin:patients_assessment_change", args=[assessment.pk])
    html = staff.client(staff.physio).get(url).content.decode()

    assert "LSI 72 %" in html
    assert "0.70 Nm/kg" in html
    assert "18.80 % body weight" in html
    assert "Deficit" in html


def test_a_foreign_case_can_not_be_assessed(staff: Any, stranger: Any) -> None:
    answer = add(staff, make_case(stranger.clinic))

    assert answer.status_code == 200
    assert not Assessment.objects.exists()


def test_a_foreign_assessment_answers_like_one_that_does_not_exist(staff: Any, stranger: Any) -> None:
    foreign = make_assessment(make_case(stranger.clinic))
    client = staff.client(staff.owner)
    urls = [reverse("admin:patients_assessment_change", args=[pk]) for pk in (foreign.pk, foreign.pk + 1000)]

    assert [client.get(url).status_code for url in urls] == [404, 404]
    assert client.get(reverse("admin:suggestions", args=[foreign.pk])).status_code == 404


@pytest.mark.parametrize("name", ["patients_assessment_changelist", "patients_assessment_add"])
def test_an_assistant_gets_no_assessment(staff: Any, name: str) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    client = staff.client(staff.assistant)

    assert client.get(reverse(f"admin:{name}")).status_code == 403
    assert client.post(reverse(ADD), form(case)).status_code == 403
    assert not Assessment.objects.exists()


def test_suggestions_rank_with_reasons_and_name_the_flag_instead_while_one_is_open(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    make_program(case)
    from_template = reverse("admin:suggestions", args=[make_assessment(case, cadence_spm=150).pk])
    client = staff.client(staff.physio)

    assert "cadence 150 at easy pace" in client.get(from_template).content.decode()

    add(staff, case, red_flags=["knee_locks"])
    refer = client.get(from_template).content.decode()
    assert "Refer first" in refer
    assert "Knee locks" in refer
