"""What is typed on the intake page is stored as it was measured, or refused in words."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from clinic.audit.models import AuditEntry
from patients.models import Assessment, AssessmentDraft, OutcomeScore, StrengthTest
from patients.scoring import AKPS_ITEMS
from programs.models import Alert, Hold
from tests.factories import TODAY, make_assessment, make_case, make_patient, make_program, make_user
from tests.programs.admin.intake.filling import (
    ADD,
    FULL,
    STRENGTH,
    add,
    change_url,
    keep,
    opened,
    values,
)

pytestmark = pytest.mark.django_db


def test_all_measurements_are_stored_with_clinic_and_author_set_by_code(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.owner)

    answer = add(staff, case, **FULL)

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
    assert {(t.clinic, t.position, t.lever_arm_m) for t in StrengthTest.objects.all()} == {
        (staff.clinic, "side-lying", Decimal("0.38"))
    }
    assert {row.measure: row.value for row in OutcomeScore.objects.filter(episode=case)} == {
        "akps": 70,
        "psfs": 4,
    }


def test_opened_and_saved_again_nothing_changes(staff: Any, case: Any) -> None:
    add(staff, case, **FULL, **{f"o-lefs-lefs{n}": "3" for n in range(1, 21)}, pain_now="0")
    assessment = Assessment.objects.get()
    for position in ("prone", "seated"):
        StrengthTest.objects.create(
            clinic=case.clinic,
            assessment=assessment,
            muscle_group="hip_abductors",
            side="left",
            method="manual_grade",
            value=4,
            unit="grade",
            position=position,
        )
    assessment.foot_postures.create(clinic=case.clinic, side="left", fpi6=2)
    rows = ("strength_tests", "q_angles", "foot_postures", "movement_tests", "outcome_scores")
    before = [list(getattr(assessment, name).order_by("pk").values()) for name in rows]
    client, since = staff.client(staff.physio), AuditEntry.objects.latest("pk").pk

    answer = client.post(change_url(assessment), opened(client, change_url(assessment)))

    assert answer.status_code == 302, answer.context["form"].said
    assert [list(getattr(assessment, name).order_by("pk").values()) for name in rows] == before
    changes = AuditEntry.objects.changes().filter(pk__gt=since, table_name__startswith="patients_")
    assert [(e.table_name, list(e.changes)) for e in changes] == [("patients_assessment", ["version"])]
    assert Assessment.objects.get().pain_now == 0


def test_how_tests_were_taken_last_time_is_preset(staff: Any, case: Any) -> None:
    add(staff, case, **FULL)

    held = opened(staff.client(staff.physio), f"{reverse(ADD)}?episode={case.pk}")

    assert (held["s-position"], held["s-lever"], held["s0-left"]) == ("side-lying", "0.38", "")
    assert (held["kind"], held["a0-activity"], held["worst_pain"]) == (["reassessment"], "Stairs down", "")


def test_a_number_may_have_a_comma(staff: Any, case: Any) -> None:
    add(staff, case, worst_pain="6,5")
    assert Assessment.objects.get().worst_pain == Decimal("6.5")


def test_a_manual_test_is_a_grade_whatever_unit_is_set(staff: Any, case: Any) -> None:
    add(staff, case, **STRENGTH | {"s-method": "manual_grade", "s0-left": "4", "s0-right": "5"})
    assert set(StrengthTest.objects.values_list("unit", flat=True)) == {"grade"}


def test_a_ticked_red_flag_raises_the_alert_and_holds_the_program(staff: Any, case: Any) -> None:
    make_program(case)

    add(staff, case, red_flags=["knee_locks"])

    alert = Alert.objects.get(kind="red_flag")
    assert "Knee locks" in alert.summary
    assert Hold.objects.get().red_flags == ["knee_locks"]


def test_all_mistakes_are_named_at_once(staff: Any, case: Any) -> None:
    html = add(staff, case, worst_pain="11", cadence_spm="many").content.decode()
    assert "Enter a number." in html
    assert "Pain must be between 0 and 10 NPRS, got 11." in html
    assert not Assessment.objects.exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"worst_pain": "11"}, "Pain must be between 0 and 10 NPRS, got 11."),
        ({"worst_pain": "much"}, "Enter a number."),
        ({"red_flags": ["made_up"]}, "is not one of the available choices"),
        ({"assessed_on": "yesterday"}, "Enter a valid date."),
        ({"assessed_on": "2999-01-01"}, "Choose a day up to today"),
        ({"q0-left": "99"}, "Q-angle must be between -10 and 45 degrees, got 99."),
        (STRENGTH | {"s0-unit": "grade"}, "A manual test is given as a grade"),
        (STRENGTH | {"s8-group": "hip_abductors", "s8-left": "90"}, "already there"),
        ({"s8-left": "90", "s-method": "isokinetic", "s-unit": "Nm"}, "This field cannot be blank."),
        ({"o-akps-total": "101"}, "AKPS must be between 0 and 100 points, got 101."),
        ({"o-akps-limp": "5"}, "AKPS (Kujala): not answered yet"),
        ({"a0-pain": "5"}, "This field cannot be blank."),
    ],
)
def test_a_value_that_cannot_be_is_named_and_nothing_is_stored(
    staff: Any, case: Any, fields: dict[str, Any], message: str
) -> None:
    answer = add(staff, case, **fields)

    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert 'value="6.5"' in answer.content.decode() or "worst_pain" in fields
    assert not Assessment.objects.exists()


def test_an_unusual_value_is_stored_once_it_is_kept(staff: Any, case: Any) -> None:
    asked = add(staff, case, cadence_spm="120").content.decode()
    assert "Cadence 120 is unusual" in asked
    assert not Assessment.objects.exists()

    [key] = re.findall(r'name="confirmed" value="([^"]+)"', asked)
    add(staff, case, cadence_spm="121", confirmed=[key])
    assert not Assessment.objects.exists()
    add(staff, case, cadence_spm="120", confirmed=[key])
    assert Assessment.objects.get().cadence_spm == 120


def test_a_questionnaire_is_scored_from_its_items_and_its_red_flag_raised(staff: Any, case: Any) -> None:
    best = {f"o-akps-{code}": str(item.points[0]) for code, item in AKPS_ITEMS.items()}
    add(staff, case, **{**best, "o-akps-swelling": str(AKPS_ITEMS["swelling"].points[-1])})
    assert OutcomeScore.objects.get().value == 90
    assert Alert.objects.filter(episode=case, kind="red_flag").exists()


def test_an_item_left_open_is_named_and_nothing_is_stored(staff: Any, case: Any) -> None:
    best = {f"o-akps-{code}": str(item.points[0]) for code, item in AKPS_ITEMS.items()}
    page = add(staff, case, **{**best, "o-akps-stairs": ""})
    assert AKPS_ITEMS["stairs"].label in page.content.decode()
    assert page.status_code == 200
    assert not Assessment.objects.exists()


def test_a_second_score_of_the_same_measure_and_day_is_refused_in_words(staff: Any, case: Any) -> None:
    first = make_assessment(case)
    OutcomeScore.objects.create(
        clinic=staff.clinic, episode=case, assessment=first, measure="akps", taken_on=TODAY, value=Decimal(70)
    )

    answer = add(staff, case, **{"o-akps-total": "80"})

    assert answer.status_code == 200
    assert "already has a score on that day" in answer.content.decode()
    assert Assessment.objects.count() == 1


def test_derived_values_stand_beside_what_was_measured(staff: Any, case: Any) -> None:
    add(staff, case, **FULL)
    html = staff.client(staff.physio).get(change_url(Assessment.objects.get())).content.decode()

    cell = html.split('data-derived="s0-left">')[1].split("</output>")[0]
    assert cell == "118 N; 0.70 Nm/kg; 18.80 % body weight; LSI 72 %"
    assert "Deficit" in html


def test_whose_assessment_it_is_is_found_by_name_or_case_number(staff: Any) -> None:
    for n in range(21):
        patient = make_patient(staff.clinic, given_name="Robin", family_name=f"Runner{n:02}")
        make_case(staff.clinic, clinician=staff.physio, patient=patient, case_number=f"K{n:03}")
    client = staff.client(staff.physio)

    def shown(**asked: str) -> list[str]:
        answer = client.get(reverse(ADD), asked)
        return [case.case_number for case in answer.context["cases"]]

    assert shown() == [f"K{n:03}" for n in range(20)]
    assert "There are more" in client.get(reverse(ADD)).content.decode()
    assert shown(search="runner20") == shown(search="k020") == ["K020"]
    assert shown(search="nobody\0") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"s99999999999-left": "1", "a39-activity": "x", "q39-left": "3"},
        {"worst_pain": "9" * 400, "version": "9" * 40, "assessed_on": "0000-00-00"},
        {"notes": "a\x00b", "o-groc-groc": "9" * 30, "d-left-arm": "nan", "s0-left": "Infinity"},
        {"base": json.dumps([1]), "kind": "x", "confirmed": ["x"], "p-left": "1e9"},
    ],
)
def test_input_that_no_form_sends_is_answered_in_words(staff: Any, case: Any, fields: dict[str, Any]) -> None:
    assert add(staff, case, **fields).status_code in (200, 302)
    assert values(staff, case, **fields).status_code == 200
    assert keep(staff, case, **fields).status_code == 204
    assert make_user(clinic=staff.clinic).pk


@pytest.mark.parametrize("tests", [1, 3])
def test_the_number_of_queries_does_not_grow_with_the_measurements(
    staff: Any, case: Any, tests: int, django_assert_num_queries: Any
) -> None:
    add(staff, case, **FULL, **{f"s{n}-left": "100" for n in range(1, tests)})
    client, url = staff.client(staff.physio), change_url(Assessment.objects.get())
    client.get(url)
    with django_assert_num_queries(19):
        client.get(url)


def filled(staff: Any, case: Any, **fields: Any) -> tuple[Any, dict[str, Any]]:
    """A client, and the page of a new assessment as it sends it; each opening of the page is another one."""
    client = staff.client(staff.physio)
    held = opened(client, f"{reverse(ADD)}?episode={case.pk}")
    return client, held | {"worst_pain": "6.5", "locations": ["retropatellar"]} | fields


def test_a_first_save_sent_again_because_its_answer_was_lost_leads_to_the_one_that_it_made(
    staff: Any, case: Any
) -> None:
    client, sent = filled(staff, case)
    first = client.post(reverse(ADD), sent)
    keep(staff, case, key=sent["key"])

    again = client.post(reverse(ADD), sent)

    assert (again.status_code, again.url) == (302, first.url)
    assert Assessment.objects.count() == 1
    assert not AssessmentDraft.objects.exists()


def test_a_page_opened_anew_makes_another_assessment(staff: Any, case: Any) -> None:
    for _ in range(2):
        client, sent = filled(staff, case)
        client.post(reverse(ADD), sent)
    assert Assessment.objects.count() == 2


def test_sent_again_with_other_values_both_are_shown_and_none_is_overwritten(staff: Any, case: Any) -> None:
    client, sent = filled(staff, case)
    client.post(reverse(ADD), sent)

    page = client.post(reverse(ADD), sent | {"worst_pain": "8"})

    assert "Changed meanwhile" in page.content.decode()
    assert Assessment.objects.get().worst_pain == Decimal("6.5")
    assert AssessmentDraft.objects.get().assessment == Assessment.objects.get()


def test_sent_again_with_other_values_when_it_is_signed_the_page_says_so(staff: Any, case: Any) -> None:
    client, sent = filled(staff, case, _sign="1")
    client.post(reverse(ADD), sent)

    answer = client.post(reverse(ADD), sent | {"worst_pain": "8"}, follow=True)

    assert "Your draft was not saved" in answer.content.decode()
    assert Assessment.objects.get().worst_pain == Decimal("6.5")


def test_a_red_flag_ticked_before_it_is_sent_again_is_raised_on_what_it_made(staff: Any, case: Any) -> None:
    client, sent = filled(staff, case)
    client.post(reverse(ADD), sent)

    for _ in range(2):
        client.post(reverse(ADD), sent | {"red_flags": ["knee_locks"], "_flag": "1"})

    assert Assessment.objects.get().red_flags == ["knee_locks"]
    assert Alert.objects.get().kind == "red_flag"


@pytest.mark.parametrize("key", ["", "x" * 100, "a\x00b", "ключ"])
def test_a_key_of_no_page_of_ours_is_as_none(staff: Any, case: Any, key: str) -> None:
    for _ in range(2):
        assert add(staff, case, key=key).status_code == 302
    assert Assessment.objects.count() == 2
