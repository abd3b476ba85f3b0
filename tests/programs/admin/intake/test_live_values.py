"""While somebody types: derived values, flags, what cannot be and what is unusual."""

from __future__ import annotations

from typing import Any

import pytest

from clinic.audit.models import AuditEntry
from patients.models import Assessment, AssessmentDraft
from patients.scoring import AKPS_ITEMS
from programs.services.derived import NO_SOUND_SIDE
from tests.programs.admin.intake.filling import FULL, STRENGTH, values

pytestmark = pytest.mark.django_db


def test_typed_values_are_computed_and_nothing_is_stored_or_noted_as_read(staff: Any, case: Any) -> None:
    best = {f"o-akps-{code}": item.points[0] for code, item in AKPS_ITEMS.items()}
    fields = FULL | best | {"d-left-pelvis": "0", "d-left-knee": "2", "d-left-steady_stance": "0"}
    del fields["o-akps-total"]

    found = values(staff, case, **fields, cadence_spm="150", red_flags=["fever"]).json()

    derived = {row["name"]: (row["text"], row["deficit"]) for row in found["derived"]}
    assert derived["s0-left"] == ("118 N; 0.70 Nm/kg; 18.80 % body weight; LSI 72 %", True)
    assert derived["score.akps"] == ("100 points", None)
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
        (
            {"o-akps-swelling": "4"},
            [f'Knee swells significantly, from the AKPS answer "{AKPS_ITEMS["swelling"].label}" = 4'],
        ),
        ({"o-akps-swelling": "4", "red_flags": ["knee_swells"]}, ["Knee swells significantly"]),
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


def test_with_both_knees_painful_it_is_said_once_that_there_is_no_lsi(staff: Any, case: Any) -> None:
    case.both_knees = True
    case.save()
    fields = {**STRENGTH, "s3-left": "200", "s3-right": "180"}

    derived = values(staff, case, **fields).json()["derived"]

    said = [(row["of"], row["text"]) for row in derived if "no LSI" in row["text"]]
    assert said == [("Limb symmetry (LSI)", NO_SOUND_SIDE)]
    assert "s0-left" in {row["name"] for row in derived}
