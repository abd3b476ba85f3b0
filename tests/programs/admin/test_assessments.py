"""The intake page: measurements in one form, live values, drafts, conflicts, signature, red flags."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from clinic.audit.models import AuditEntry
from patients.models import Addendum, Assessment, AssessmentDraft, OutcomeScore, StrengthTest
from patients.scoring import AKPS_ITEMS
from programs.admin.caseload import page_url
from programs.models import Alert, Hold
from programs.services.assessments import change_assessment, sign_assessment
from tests.access.bodies import FieldsOf
from tests.factories import NOW, TODAY, make_assessment, make_case, make_patient, make_program, make_user

pytestmark = pytest.mark.django_db

ADD = "admin:patients_assessment_add"
STRENGTH = {
    "s-method": "handheld_dynamometer",
    "s-unit": "N",
    "s-position": "side-lying",
    "s-lever": "0.38",
    "s0-left": "118",
    "s0-right": "162",
}
"""Line 0 are the hip abductors."""

FULL: dict[str, Any] = {
    **STRENGTH,
    "q0-position": "supine",
    "q0-quadriceps": "relaxed",
    "q0-left": "17",
    "a0-activity": "Stairs down",
    "a0-pain": "6",
    "a0-ability": "4",
    "f-itb-left-tight": "yes",
    "p-left": "7",
    "d-left-arm": "1",
    "d-left-trunk": "1",
    "o-akps-total": "70",
    "body_mass_kg": "64",
    "risk_factors": ["earlier_clot"],
    "load_changes": ["hills"],
}


def form(episode: Any, **fields: Any) -> dict[str, Any]:
    """What the browser posts."""
    return {
        "episode": episode.pk,
        "kind": "intake",
        "assessed_on": "2026-03-02",
        "worst_pain": "6.5",
        "locations": ["retropatellar"],
        **fields,
    }


def add(staff: Any, episode: Any, **fields: Any) -> Any:
    return staff.client(staff.physio).post(reverse(ADD), form(episode, **fields))


def change_url(assessment: Any) -> str:
    return reverse("admin:patients_assessment_change", args=[assessment.pk])


def opened(client: Any, url: str) -> dict[str, Any]:
    """The fields of the page as a browser would send them back."""
    return FieldsOf(client.get(url).content.decode()).held


@pytest.fixture
def case(staff: Any) -> Any:
    return make_case(staff.clinic, clinician=staff.physio)


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


# --- live values


def values(staff: Any, case: Any, **fields: Any) -> Any:
    url = reverse("admin:patients_assessment_values", args=[case.pk])
    return staff.client(staff.physio).post(url, form(case, **fields))


def test_typed_values_are_computed_and_nothing_is_stored_or_noted_as_read(staff: Any, case: Any) -> None:
    best = {f"o-akps-{code}": item.points[0] for code, item in AKPS_ITEMS.items()}
    fields = FULL | best | {"d-left-pelvis": "0", "d-left-knee": "2", "d-left-steady_stance": "0"}
    del fields["o-akps-total"]

    found = values(staff, case, **fields, cadence_spm="150", red_flags=["fever"]).json()

    derived = {row["name"]: (row["text"], row["deficit"]) for row in found["derived"]}
    assert derived["s0-left"] == ("118 N; 0.70 Nm/kg; 18.80 % body weight; LSI 72 %", True)
    assert derived["score.akps"] == ("100 points, from its items", None)
    assert derived["psfs"] == ("4.0 of 10, mean of 1", None)
    assert derived["step_down.left"] == ("4 of 6, poor", None)
    assert found["warnings"] == [
        "Hip weakness: Hip abductors left: LSI 72 % (deficit below 90 %); step-down left poor, 4 of 6.",
        "Running mechanics: cadence 150 at easy pace, below 165.",
        "Training load: more hills before onset.",
        "Foot pronation: FPI-6 left +7.",
        "Tightness: ITB left tight.",
    ]
    assert list(found["errors"]) == ["red_flags"]
    assert (Assessment.objects.count(), AssessmentDraft.objects.count()) == (0, 0)
    assert not AuditEntry.objects.readings().exists()


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        ({}, []),
        ({"red_flags": ["knee_locks"]}, ["Knee locks"]),
        ({"o-akps-swelling": "4"}, ["Knee swells significantly"]),
    ],
)
def test_flags_that_saving_would_raise_are_named(
    staff: Any, case: Any, fields: dict[str, Any], flags: list[str]
) -> None:
    assert values(staff, case, **fields).json()["flags"] == flags


def test_impossible_and_unusual_values_are_named_while_typing(staff: Any, case: Any) -> None:
    found = values(staff, case, worst_pain="12", cadence_spm="120", sleep_hours="x").json()
    assert set(found["errors"]) == {"worst_pain", "sleep_hours"}
    assert [q["key"] for q in found["questions"]["cadence_spm"]] == ["cadence_spm=120"]


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


# --- drafts


def keep(staff: Any, case: Any, by: Any = None, **fields: Any) -> Any:
    url = reverse("admin:patients_assessment_draft", args=[case.pk])
    return staff.client(by or staff.physio).post(url, form(case, **fields))


def test_what_is_typed_is_back_and_counts_for_nothing(staff: Any, case: Any) -> None:
    assert keep(staff, case, worst_pain="8,5", notes="Half a sen").status_code == 204

    client = staff.client(staff.physio)
    page = client.get(f"{reverse(ADD)}?episode={case.pk}").content.decode()
    held = FieldsOf(page).held
    assert (held["worst_pain"], held["notes"], held["locations"]) == ("8,5", "Half a sen", ["retropatellar"])
    assert "It is a draft: nothing of it is saved yet." in page
    assert not Assessment.objects.exists()

    assert client.post(reverse(ADD), held).status_code == 302
    assert not AssessmentDraft.objects.exists()
    assert Assessment.objects.get().worst_pain == Decimal("8.5")


def test_a_draft_is_discarded_on_request(staff: Any, case: Any) -> None:
    keep(staff, case)
    add(staff, case, _discard="1")
    assert (Assessment.objects.count(), AssessmentDraft.objects.count()) == (0, 0)


def test_a_flag_in_a_draft_is_told_and_raised_at_once_whatever_else_is_wrong(staff: Any, case: Any) -> None:
    make_program(case)
    keep(staff, case, red_flags=["knee_locks"], worst_pain="12")
    page = staff.client(staff.physio).get(f"{reverse(ADD)}?episode={case.pk}").content.decode()
    assert "Red flag ticked: not raised until saved" in page
    assert not Alert.objects.exists()

    answer = add(staff, case, red_flags=["knee_locks"], worst_pain="12", _flag="1")

    assessment = Assessment.objects.get()
    assert answer.url == change_url(assessment)
    assert Hold.objects.get().red_flags == ["knee_locks"]
    client = staff.client(staff.physio)
    held = opened(client, change_url(assessment))
    assert (held["worst_pain"], held["version"]) == ("12", "1")
    assert AssessmentDraft.objects.get().red_flags == []

    client.post(change_url(assessment), held | {"worst_pain": "7"})
    assert Assessment.objects.get().worst_pain == 7
    assert Alert.objects.count() == 1


def test_a_colleague_is_told_who_else_is_writing(staff: Any, case: Any) -> None:
    keep(staff, case, by=staff.owner, red_flags=["knee_locks"])
    page = staff.client(staff.physio).get(f"{reverse(ADD)}?episode={case.pk}").content.decode()
    assert f"{staff.owner} is writing" in page
    assert "A red flag is ticked in it, and not raised." in page


def test_everybody_who_opens_the_patient_or_today_is_told_of_a_flag_in_a_draft(
    staff: Any, stranger: Any, case: Any
) -> None:
    keep(staff, case, by=staff.owner)
    pages = [reverse("admin:patients_patient_change", args=[case.patient_id]), reverse("admin:index")]
    said = "Red flag in an unsaved draft: not raised"
    client = staff.client(staff.physio)
    assert not any(said in client.get(page).content.decode() for page in pages)
    keep(staff, case, by=staff.owner, red_flags=["knee_locks"])
    assert all(said in client.get(page).content.decode() for page in pages)
    assert said not in staff.client(staff.assistant).get(reverse("admin:index")).content.decode()
    assert said not in stranger.client(stranger.owner).get(reverse("admin:index")).content.decode()


# --- two clinicians


def test_the_second_saver_sees_field_by_field_what_the_first_changed(staff: Any, case: Any) -> None:
    add(staff, case, **FULL)
    assessment = Assessment.objects.get()
    mine = staff.client(staff.physio)
    held = opened(mine, change_url(assessment))
    colleague = staff.client(staff.owner)
    theirs = {"worst_pain": "3", "notes": "Colleague's.", "body_mass_kg": "65"}
    colleague.post(change_url(assessment), opened(colleague, change_url(assessment)) | theirs)

    sent = held | {"worst_pain": "8", "q0-left": "18"}
    page = mine.post(change_url(assessment), sent)

    html = page.content.decode()
    assert page.status_code == 200
    rows = {row.name: (row.theirs, row.mine, row.is_conflict) for row in page.context["rows"]}
    assert rows == {
        "worst_pain": ("3", "8", True),
        "notes": ("Colleague's.", "empty", False),
        "body_mass_kg": ("65", "64", False),
    }
    assert str(staff.owner) in html
    assert stored(assessment) == (3, "Colleague's.", 65, 17)
    assert AssessmentDraft.objects.count() == 1

    merge = FieldsOf(html).held
    unanswered = mine.post(change_url(assessment), merge | {"_merge": "1"})
    assert "Choose for each of the marked fields." in unanswered.content.decode()
    assert stored(assessment) == (3, "Colleague's.", 65, 17)

    mine.post(change_url(assessment), merge | {"_merge": "1", "pick-worst_pain": "mine"})
    assert stored(assessment) == (8, "Colleague's.", 65, 18)
    assert not AssessmentDraft.objects.exists()


def stored(assessment: Any) -> tuple[Any, ...]:
    row = Assessment.objects.get(pk=assessment.pk)
    return (row.worst_pain, row.notes, row.body_mass_kg, row.q_angles.get().degrees)


def test_a_draft_of_an_older_version_overwrites_nothing_either(staff: Any, case: Any) -> None:
    add(staff, case, **FULL)
    assessment = Assessment.objects.get()
    client = staff.client(staff.physio)
    held = opened(client, change_url(assessment)) | {"worst_pain": "8"}
    client.post(reverse("admin:patients_assessment_draft", args=[case.pk]), held)
    theirs = {"worst_pain": Decimal(3)}
    change_assessment(assessment=assessment, data=theirs, version=1, by=staff.owner, now=NOW)

    page = client.get(change_url(assessment)).content.decode()
    assert "after you began to type" in page
    again = client.post(change_url(assessment), FieldsOf(page).held)
    assert "Nothing is overwritten" in again.content.decode()
    assert Assessment.objects.get().worst_pain == 3


def test_without_what_the_page_showed_every_difference_is_asked_about(staff: Any, case: Any) -> None:
    add(staff, case, **FULL)
    assessment = Assessment.objects.get()
    client = staff.client(staff.physio)
    held = opened(client, change_url(assessment)) | {"base": "{[", "worst_pain": "8"}
    change_assessment(assessment=assessment, data={"notes": "New."}, version=1, by=staff.owner, now=NOW)
    page = client.post(change_url(assessment), held)
    assert "worst_pain" in {row.name for row in page.context["conflicts"]}
    assert Assessment.objects.get().worst_pain == Decimal("6.5")


# --- signing


def test_saved_and_signed_it_is_shown_locked(staff: Any, case: Any) -> None:
    add(staff, case, **FULL, _sign="1")
    assessment = Assessment.objects.get()
    assert assessment.signed_by == staff.physio

    client = staff.client(staff.physio)
    page = client.get(change_url(assessment)).content.decode()
    assert f"Signed by {staff.physio}" in page
    assert '<fieldset class="in-all" disabled>' in page
    assert 'name="_save"' not in page

    client.post(change_url(assessment), form(case, worst_pain="1", version="2"))
    assert Assessment.objects.get().worst_pain == Decimal("6.5")
    left = client.get(change_url(assessment)).content.decode()
    assert "Your draft was not saved" in left


def test_an_addendum_stands_with_it_and_raises_its_flag(staff: Any, case: Any) -> None:
    add(staff, case, **FULL, _sign="1")
    assessment = Assessment.objects.get()
    client = staff.client(staff.physio)
    url = reverse("admin:do", args=["addendum", assessment.pk])

    answer = client.post(url, {"text": "It was the right knee.", "red_flags": ["knee_locks"]})

    assert answer.url == change_url(assessment)
    assert "It was the right knee." in client.get(change_url(assessment)).content.decode()
    assert "Knee locks" in Alert.objects.get().summary


def test_an_addendum_to_what_is_not_signed_is_refused(staff: Any, case: Any) -> None:
    assessment = make_assessment(case)
    url = reverse("admin:do", args=["addendum", assessment.pk])
    answer = staff.client(staff.physio).post(url, {"text": "Text"})
    assert "not signed yet: change it instead" in answer.content.decode()
    assert not Addendum.objects.exists()


def test_a_signed_one_takes_no_questionnaire(staff: Any, case: Any) -> None:
    assessment = make_assessment(case)
    sign_assessment(assessment=assessment, version=1, by=staff.physio, now=NOW)
    url = reverse("admin:do", args=["score", assessment.pk])
    points = {code: item.points[0] for code, item in AKPS_ITEMS.items()}
    answer = staff.client(staff.physio).post(url, points)
    assert "a correction is an addendum" in answer.content.decode()
    assert not OutcomeScore.objects.exists()


def test_lists_say_what_is_not_signed_yet(staff: Any, case: Any) -> None:
    make_assessment(case)
    signed = make_assessment(make_case(staff.clinic))
    sign_assessment(assessment=signed, version=1, by=staff.owner, now=NOW)
    client, url = staff.client(staff.physio), reverse("admin:patients_assessment_changelist")
    assert client.get(url).content.decode().count("Not signed yet") >= 1
    assert client.get(url, {"signed": "no"}).context["cl"].result_count == 1
    assert client.get(url, {"signed": "yes"}).context["cl"].result_count == 1
    assert client.get(url, {"signed": "x"}).context["cl"].result_count == 2


def test_the_patients_page_says_which_assessment_is_not_signed_yet(staff: Any, case: Any) -> None:
    signed = make_assessment(case)
    sign_assessment(assessment=signed, version=1, by=staff.owner, now=NOW)
    client = staff.client(staff.physio)
    assert "Not signed yet" not in client.get(page_url(case)).content.decode()

    make_assessment(case)
    assert client.get(page_url(case)).content.decode().count("Not signed yet") == 1


# --- who may


def test_a_foreign_case_can_not_be_assessed(staff: Any, stranger: Any) -> None:
    answer = add(staff, make_case(stranger.clinic))

    assert answer.status_code == 200
    assert not Assessment.objects.exists()


def test_a_draft_names_no_assessment_of_another_case(staff: Any, stranger: Any, case: Any) -> None:
    for other in (make_case(staff.clinic), make_case(stranger.clinic)):
        for name in ("draft", "values"):
            url = reverse(f"admin:patients_assessment_{name}", args=[case.pk])
            sent = form(case, assessment=make_assessment(other).pk)
            assert staff.client(staff.physio).post(url, sent).status_code == 404
    assert not AssessmentDraft.objects.exists()


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
    assert keep(staff, case, by=staff.assistant).status_code == 403
    assert (Assessment.objects.count(), AssessmentDraft.objects.count()) == (0, 0)


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
    with django_assert_num_queries(18):
        client.get(url)


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
