"""Red flags: tiers, the exact words, what raises again, under 18s, and drift."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.scoring.questionnaires import AKPS_RED_FLAG_POINTS
from patients.vocabulary import Diagnosis, PainLocation, Side
from programs.rules.red_flags import (
    AKPS_SYMPTOMS,
    CATALOGUE,
    NOTE_HINT,
    Symptom,
    Tier,
    akps_symptoms,
    asked_symptoms,
    drift,
    explains,
    new_or_worse,
    screen,
    screen_minor,
    unexplained,
    words,
)

TIER_1 = {
    "calf_pain_swelling",
    "chest_pain_breathlessness",
    "hot_knee_or_fever",
    "injury_swelling_or_unable_to_walk",
    "cannot_straighten_or_lift",
    "deformity",
    "cold_numb_foot_or_weakness",
    "saddle_numbness_bladder_bowel",
    "hip_under_18",
}
TIER_2 = {
    "knee_locks",
    "knee_gives_way",
    "knee_swells",
    "sharp_point_pain_changes",
    "pop_never_the_same",
    "night_or_rest_pain",
    "weight_loss_or_cancer",
    "groin_or_hip_pain",
    "focal_bone_pain",
    "several_joints_or_morning_stiffness",
}


# --- the catalogue


def test_codes_and_tiers_are_stable() -> None:
    """Rows in the database hold these codes: a change needs a migration."""
    assert {symptom.value for symptom in Symptom if symptom.tier is Tier.ONE} == TIER_1
    assert {symptom.value for symptom in Symptom if symptom.tier is Tier.TWO} == TIER_2


@pytest.mark.parametrize("symptom", Symptom)
def test_every_symptom_has_a_label_for_clinicians_and_a_question_for_patients(symptom: Symptom) -> None:
    assert symptom.label == CATALOGUE[symptom].clinician != symptom.value
    assert symptom.question == CATALOGUE[symptom].patient != symptom.label or symptom is Symptom.DEFORMITY


def test_the_patient_is_asked_all_but_what_takes_a_hip_examination_most_urgent_first() -> None:
    asked = asked_symptoms()

    assert set(Symptom) - set(asked) == {Symptom.HIP_UNDER_18}
    assert [symptom.tier for symptom in asked] == sorted(symptom.tier for symptom in asked)


def test_a_codes_choices_name_it_as_a_clinician_would() -> None:
    assert ("knee_locks", "Knee locks") in Symptom.choices()


# --- screening


@pytest.mark.parametrize(
    ("codes", "tier"),
    [
        ([], None),
        (["knee_locks"], Tier.TWO),
        (["calf_pain_swelling"], Tier.ONE),
        (["knee_locks", "calf_pain_swelling"], Tier.ONE),  # the more urgent one decides
        (["night_or_rest_pain", "focal_bone_pain"], Tier.TWO),
    ],
)
def test_the_most_urgent_symptom_decides_the_tier(codes: list[str], tier: Tier | None) -> None:
    assert screen(codes) is tier


def test_an_unknown_code_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="itchy_nose"):
        screen(["knee_locks", "itchy_nose"])


@given(st.sets(st.sampled_from(Symptom)), st.sampled_from(Symptom))
def test_one_more_symptom_never_makes_it_less_urgent(symptoms: set[Symptom], extra: Symptom) -> None:
    urgency = {Tier.ONE: 2, Tier.TWO: 1, None: 0}

    assert urgency[screen(symptoms | {extra})] >= urgency[screen(symptoms)]
    assert urgency[screen({extra})] > 0


# --- the words


def test_the_words_of_tier_1() -> None:
    assert words(Tier.ONE, emergency="112", phone="020 123") == (
        "Stop exercising. These symptoms can need urgent care. Call 112 now for chest pain, breathlessness, "
        "or a cold, numb or deformed leg. Otherwise go to urgent care today; do not wait for us. This "
        "service is not watched around the clock."
    )


def test_the_words_of_tier_2() -> None:
    assert words(Tier.TWO, emergency="112", phone="020 123") == (
        "Pause exercises and running until your physio clears you. Call 020 123 to be seen. We have messaged "
        "the clinic; nobody has read it yet. If it gets worse, or the knee becomes hot or you feel feverish, "
        "get urgent care today."
    )


def test_braces_in_a_phone_number_stay_as_they_are() -> None:
    assert "Call {emergency} to be seen." in words(Tier.TWO, emergency="112", phone="{emergency}")


def test_the_hint_beside_free_text() -> None:
    assert NOTE_HINT == "Not read straight away. Tick any of the symptoms above."


# --- raised again


@pytest.mark.parametrize(
    ("cleared", "reported", "worse", "raised"),
    [
        ([], ["knee_locks"], [], ["knee_locks"]),
        (["knee_locks"], ["knee_locks"], [], []),  # cleared, unchanged
        (["knee_locks"], ["knee_locks", "knee_swells"], [], ["knee_swells"]),  # new
        (["knee_locks"], ["knee_locks"], ["knee_locks"], ["knee_locks"]),  # worse
        (["knee_locks"], ["deformity", "knee_locks"], [], ["deformity"]),  # new, and of the other tier
        (["knee_locks"], [], ["knee_locks"], ["knee_locks"]),  # worse says that it is there
        (["knee_locks"], [], [], []),
    ],
)
def test_a_cleared_flag_raises_again_only_if_new_or_worse(
    cleared: list[str], reported: list[str], worse: list[str], raised: list[str]
) -> None:
    assert new_or_worse(cleared, reported, worse) == tuple(raised)


def test_new_or_worse_refuses_an_unknown_code() -> None:
    with pytest.raises(ValueError, match="itchy_nose"):
        new_or_worse([], ["itchy_nose"])


@pytest.mark.parametrize(
    ("items", "raised"),
    [
        ([], ()),
        (["swelling"], (Symptom.SWELLING,)),
        (["swelling", "patellar_movement"], (Symptom.SWELLING, Symptom.GIVING_WAY)),
    ],
)
def test_akps_items_raise_flags_of_tier_2(items: list[str], raised: tuple[Symptom, ...]) -> None:
    assert akps_symptoms(items) == raised
    assert screen(raised) is (Tier.TWO if raised else None)


def test_every_akps_item_that_scoring_names_has_its_flag() -> None:
    assert set(AKPS_SYMPTOMS) == set(AKPS_RED_FLAG_POINTS)


# --- under 18


@pytest.mark.parametrize("age", [12, 17])
def test_under_18_the_hip_is_examined_before_any_match(age: int) -> None:
    verdict = screen_minor(age, hip_examined=False, hip_findings=False)

    assert (verdict.may_match, verdict.flag) == (False, None)
    assert verdict.reasons == ("under 18: examine the hip (internal rotation, gait) before any match",)


@pytest.mark.parametrize("hip_examined", [False, True])
def test_under_18_a_finding_at_the_hip_is_an_urgent_flag(hip_examined: bool) -> None:
    verdict = screen_minor(13, hip_examined=hip_examined, hip_findings=True)

    assert (verdict.may_match, verdict.flag) == (False, Symptom.HIP_UNDER_18)
    assert "no weight-bearing, same-day hip imaging" in verdict.reasons[0]
    assert screen(["hip_under_18"]) is Tier.ONE


def test_under_18_with_a_sound_hip_may_be_matched_with_the_differential_named() -> None:
    verdict = screen_minor(15, hip_examined=True, hip_findings=False)

    assert (verdict.may_match, verdict.flag) == (True, None)
    assert "Osgood-Schlatter and Sinding-Larsen" in verdict.reasons[0]
    assert "guardian" in verdict.reasons[0]


def test_at_18_the_rule_ends() -> None:
    verdict = screen_minor(18, hip_examined=False, hip_findings=True)

    assert (verdict.may_match, verdict.flag, verdict.reasons) == (True, None, ())


# --- where it hurts


@pytest.mark.parametrize(
    ("diagnosis", "explained"),
    [
        ("pfp", {"anterior_diffuse", "retropatellar", "peripatellar"}),
        ("patellar_tendinopathy", {"below_patella"}),
        ("itb_syndrome", {"lateral"}),
        ("other", {location.value for location in PainLocation}),  # the clinician's own: never drift
    ],
)
def test_which_locations_a_diagnosis_explains(diagnosis: str, explained: set[str]) -> None:
    assert {location.value for location in PainLocation if explains(diagnosis, [location])} == explained


def test_every_diagnosis_explains_an_answer_without_a_location() -> None:
    assert all(explains(diagnosis, []) for diagnosis in Diagnosis)


def test_one_location_elsewhere_is_enough_to_be_unexplained() -> None:
    elsewhere = unexplained("pfp", ["medial", "retropatellar", "lateral"])

    assert elsewhere == (PainLocation.LATERAL, PainLocation.MEDIAL)
    assert not explains("pfp", ["retropatellar", "medial"])


@pytest.mark.parametrize(("diagnosis", "location"), [("flat_feet", "lateral"), ("pfp", "elbow")])
def test_an_unknown_diagnosis_or_location_is_refused(diagnosis: str, location: str) -> None:
    with pytest.raises(ValueError, match=r"flat_feet|elbow"):
        explains(diagnosis, [location])


def test_pain_elsewhere_drifts_and_says_what_it_points_to() -> None:
    verdict = drift("pfp", ["medial"], known_sides=["left"], sides=["left"])

    assert (verdict.re_screen, verdict.load_review) == (True, False)
    assert verdict.reasons == (
        "Inner side: not explained by patellofemoral pain; "
        "points to MCL or medial meniscus: needs clinical evaluation",
    )


def test_new_pain_in_the_other_knee_asks_for_a_load_review_only() -> None:
    verdict = drift("pfp", ["retropatellar"], known_sides=["left"], sides=["left", "right"])

    assert (verdict.re_screen, verdict.load_review) == (False, True)
    assert verdict.new_sides == (Side.RIGHT,)
    assert verdict.reasons == ("new pain in the right knee: review the load, not the diagnosis",)


def test_pain_where_it_was_is_no_drift() -> None:
    verdict = drift("itb_syndrome", ["lateral"], known_sides=["left", "right"], sides=["right"])

    assert (verdict.re_screen, verdict.load_review, verdict.reasons) == (False, False, ())
