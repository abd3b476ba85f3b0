"""What the pain may be by where it hurts, and the guideline's three criteria."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.vocabulary import Diagnosis, PainLocation
from programs.rules.matching import Complaint, Standing, differential

MET, UNMET, NOT_ASKED = Standing.MET, Standing.UNMET, Standing.NOT_ASKED


def standings(**complaint: object) -> list[Standing]:
    found = differential(Complaint(Diagnosis.PFP, **complaint))  # type: ignore[arg-type]
    return [criterion.standing for criterion in found.criteria]


@pytest.mark.parametrize(
    ("complaint", "expected"),
    [
        ({}, [NOT_ASKED, NOT_ASKED, NOT_ASKED]),
        ({"locations": frozenset({PainLocation.RETROPATELLAR})}, [MET, NOT_ASKED, NOT_ASKED]),
        ({"locations": frozenset({PainLocation.MEDIAL})}, [UNMET, NOT_ASKED, NOT_ASKED]),
        # "Front, diffuse" points to it; the guideline's words are behind or around the kneecap.
        ({"locations": frozenset({PainLocation.ANTERIOR_DIFFUSE})}, [UNMET, NOT_ASKED, NOT_ASKED]),
        ({"provoked_by": ("squat",), "behaviour_asked": True}, [NOT_ASKED, MET, NOT_ASKED]),
        ({"behaviour_asked": True}, [NOT_ASKED, UNMET, NOT_ASKED]),
        ({"other_causes_excluded": True}, [NOT_ASKED, NOT_ASKED, MET]),
        # An open red flag is another cause that is not excluded, whatever was ticked.
        ({"other_causes_excluded": True, "open_red_flags": ("Knee locks",)}, [NOT_ASKED, NOT_ASKED, UNMET]),
    ],
)
def test_each_criterion_is_met_unmet_or_not_asked(complaint: dict, expected: list[Standing]) -> None:
    assert standings(**complaint) == expected


@pytest.mark.parametrize(
    ("place", "name", "evaluate"),
    [
        ("anterior_diffuse", "Patellofemoral pain", False),
        ("retropatellar", "Patellofemoral pain", False),
        ("peripatellar", "Patellofemoral pain", False),
        ("below_patella", "Patellar tendinopathy", False),
        ("lateral", "Iliotibial band syndrome", False),
        ("medial", "MCL or medial meniscus", True),
        ("posterior", "Hamstring tendon, posterior capsule, popliteal", True),
    ],
)
def test_each_location_points_to_what_the_table_says(place: str, name: str, evaluate: bool) -> None:
    found = differential(Complaint(Diagnosis.PFP, locations=frozenset({PainLocation(place)})))

    [likely] = [possibility for possibility in found.possibilities if possibility.is_likely]
    assert (likely.name, likely.evaluate) == (name, evaluate)
    assert found.possibilities[0] == likely


def test_pain_where_the_diagnosis_does_not_explain_it_asks_to_re_screen() -> None:
    found = differential(Complaint(Diagnosis.ITB_SYNDROME, locations=frozenset({PainLocation.MEDIAL})))

    assert found.notes == (
        "Iliotibial band syndrome does not explain the pain here: Inner side. Re-screen",
        "Inner side: MCL or medial meniscus; needs a clinical evaluation",
    )


@pytest.mark.parametrize("place", [None, "below_patella", "retropatellar"])
def test_under_18_osgood_schlatter_and_sinding_larsen_stand_in_it(place: str | None) -> None:
    places = frozenset({PainLocation(place)} if place else ())
    minor = differential(Complaint(Diagnosis.PFP, locations=places, minor=True))
    adult = differential(Complaint(Diagnosis.PFP, locations=places))

    growing = [p for p in minor.possibilities if p.name in ("Osgood-Schlatter", "Sinding-Larsen")]
    assert [p.locations for p in growing] == [(PainLocation.BELOW_PATELLA,)] * 2
    assert [p.is_likely for p in growing] == [place == "below_patella"] * 2
    assert len(minor.possibilities) == len(adult.possibilities) + 2
    if place == "below_patella":
        assert list(minor.possibilities[:2]) == growing
        assert any(
            note.startswith("Just below the kneecap: Osgood-Schlatter; under 18") for note in minor.notes
        )
    assert not {p.name for p in adult.possibilities} & {p.name for p in growing}


def test_what_another_diagnosis_explains_is_the_clinicians_to_say() -> None:
    found = differential(Complaint(Diagnosis.OTHER_KNEE, locations=frozenset({PainLocation.LATERAL})))
    assert found.notes == ()


def test_both_knees_are_a_load_matter() -> None:
    [note] = differential(Complaint(Diagnosis.PFP, both_knees=True)).notes
    assert note.startswith("Both knees: almost always load management")


@given(
    st.frozensets(st.sampled_from(PainLocation)),
    st.lists(st.sampled_from(["squat", "lunge"])).map(tuple),
    st.booleans(),
    st.lists(st.just("Fever"), max_size=1).map(tuple),
)
def test_patellofemoral_pain_needs_all_three_and_no_red_flag(
    places: frozenset[PainLocation], provoked: tuple[str, ...], excluded: bool, flags: tuple[str, ...]
) -> None:
    found = differential(
        Complaint(
            Diagnosis.PFP,
            locations=places,
            provoked_by=provoked,
            other_causes_excluded=excluded,
            open_red_flags=flags,
        )
    )
    where = places & {PainLocation.RETROPATELLAR, PainLocation.PERIPATELLAR}
    assert found.is_pfp == bool(where and provoked and excluded and not flags)
    assert len(found.possibilities) == 5
