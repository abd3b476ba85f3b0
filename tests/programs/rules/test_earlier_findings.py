"""A re-test is no whole intake: what it did not look at counts as the latest assessment before found it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from clinic.thresholds import DEFAULTS
from patients.vocabulary import (
    LoadChange,
    MuscleGroup,
    PainLocation,
    Side,
    StrengthMethod,
    TightStructure,
)
from programs.rules.matching import FlexibilityFact, SidedValue, StrengthFact, filled, find_drivers
from tests.programs.rules.test_matching import LEFT, RIGHT, adequate, deficit, facts, tight

OLDER, OLD = date(2026, 2, 9), date(2026, 2, 16)
RETRO = frozenset({PainLocation.RETROPATELLAR})


@pytest.mark.parametrize(
    "found",
    [
        {"hip_examined": True, "hip_findings": True},
        {"locations": RETRO},
        {"provoked_by": ("squat",), "behaviour_asked": True, "in_flare": True},
        {"patella": ("patella alta",)},
        {"cadence_spm": 158},
        {"overstriding": True},
        {"weekly_km_now": Decimal(0)},
        {"weekly_km_before": Decimal(45)},
        {"load_changes": (LoadChange.HILLS,)},
        {"shoe_km": 900},
        {"shoe_age_months": 12},
        {"shoe_wrong_fit": True},
    ],
    ids=lambda found: next(iter(found)),
)
def test_what_was_not_looked_at_again_is_as_it_was_found_last_with_its_day(found: dict[str, Any]) -> None:
    known = filled(facts(), [(OLD, facts()), (OLDER, facts(**found))])

    assert {name: getattr(known, name) for name in found} == found
    assert {known.dated[name] for name in found} == {OLDER}
    assert filled(facts(**found), [(OLD, facts(cadence_spm=190))]).dated.keys().isdisjoint(found)


def test_what_is_looked_at_together_comes_from_one_assessment() -> None:
    known = filled(
        facts(hip_examined=True, pelvic_drop=True),
        [(OLD, facts(hip_examined=True, hip_findings=True, overstriding=True))],
    )

    assert not known.hip_findings
    assert not known.overstriding
    assert known.dated == {}


@pytest.mark.parametrize(
    ("found", "again"),
    [
        ({"overstriding": True}, {"cadence_spm": 172}),
        ({"overstriding": True}, {"running_examined": True}),
        ({"patella": ("patella alta",)}, {"fpi6": (SidedValue(LEFT, Decimal(2)),)}),
        ({"shoe_wrong_fit": True}, {"shoe_km": 40}),
        ({"shoe_wrong_fit": True}, {"shoe_age_months": 0}),
        ({"load_changes": (LoadChange.HILLS,)}, {"weekly_km_before": Decimal(30)}),
        ({"provoked_by": ("squat",), "behaviour_asked": True, "in_flare": True}, {"behaviour_asked": True}),
        ({"in_flare": True}, {"other_causes_excluded": True}),
    ],
)
def test_a_tick_is_withdrawn_where_its_part_of_the_form_was_filled_in_again(
    found: dict[str, Any], again: dict[str, Any]
) -> None:
    now = facts(**again)

    known = filled(now, [(OLD, facts(**found))])

    assert {name: getattr(known, name) for name in found} == {name: getattr(now, name) for name in found}
    assert known.dated.keys().isdisjoint(found)


def test_that_other_causes_were_excluded_holds_for_its_own_assessment_only() -> None:
    known = filled(facts(), [(OLD, facts(other_causes_excluded=True))])

    assert not known.other_causes_excluded
    assert "other_causes_excluded" not in known.dated


HAND, DEVICE, MACHINE = StrengthMethod.MANUAL, StrengthMethod.HANDHELD, StrengthMethod.ISOKINETIC


@pytest.mark.parametrize(
    ("before", "now", "holds"),
    [
        (DEVICE, HAND, True),
        (MACHINE, HAND, True),
        (DEVICE, MACHINE, True),
        (MACHINE, DEVICE, True),
        (DEVICE, DEVICE, False),
        (HAND, HAND, False),
        (HAND, DEVICE, False),
        (HAND, MACHINE, False),
    ],
)
def test_a_deficit_holds_until_it_is_tested_again_the_same_way_or_more_finely(
    before: StrengthMethod, now: StrengthMethod, holds: bool
) -> None:
    weak = StrengthFact(MuscleGroup.HIP_ABDUCTORS, LEFT, True, "found weak", before)
    normal = StrengthFact(MuscleGroup.HIP_ABDUCTORS, LEFT, False, "found normal", now)

    known = filled(facts(strength=(normal,)), [(OLD, facts(strength=(weak,)))])

    assert any(test.deficit for test in known.strength) is holds


@pytest.mark.parametrize(("now", "holds"), [("side-lying", False), ("standing", True), ("", True)])
def test_a_deficit_holds_until_it_is_tested_again_in_the_same_position(now: str, holds: bool) -> None:
    weak = StrengthFact(MuscleGroup.HIP_ABDUCTORS, LEFT, True, "LSI 60 %", DEVICE, "side-lying")
    normal = StrengthFact(MuscleGroup.HIP_ABDUCTORS, LEFT, False, "LSI 98 %", DEVICE, now)

    known = filled(facts(strength=(normal,)), [(OLD, facts(strength=(weak,)))])

    assert any(test.deficit for test in known.strength) is holds


def test_what_had_changed_before_the_onset_is_not_taken_back_by_todays_distance() -> None:
    before = facts(load_changes=(LoadChange.DISTANCE,), weekly_km_before=Decimal(40))

    known = filled(facts(weekly_km_now=Decimal(20)), [(OLD, before)])
    assert (known.load_changes, known.dated["load_changes"]) == ((LoadChange.DISTANCE,), OLD)

    asked_again = filled(facts(weekly_km_before=Decimal(40)), [(OLD, before)])
    assert asked_again.load_changes == ()


def test_strength_alone_holds_for_longer_than_the_other_findings() -> None:
    before = facts(strength=(deficit("hip_abductors"),), flexibility=(tight("calf"),), cadence_spm=158)

    known = filled(facts(), [(OLDER, before)], oldest=OLD)
    assert ([test.on for test in known.strength], known.flexibility, known.dated) == ([OLDER], (), {})

    assert filled(facts(), [(OLD, before)], oldest=OLD).dated["cadence_spm"] == OLD


def test_each_side_of_a_test_is_as_it_was_measured_last() -> None:
    now = facts(strength=(adequate("quadriceps"),))
    before = facts(
        strength=(deficit("quadriceps"), deficit("hip_abductors", RIGHT), deficit("hip_abductors")),
        flexibility=(tight("calf"), FlexibilityFact(TightStructure.CALF, RIGHT, False)),
        step_down=(SidedValue(LEFT, Decimal(5)),),
    )
    oldest = facts(
        strength=(deficit("hip_abductors", figure="LSI 60 %"),), fpi6=(SidedValue(LEFT, Decimal(8)),)
    )

    known = filled(now, [(OLD, before), (OLDER, oldest)])

    assert [(t.muscle_group, t.side, t.deficit, t.on) for t in known.strength] == [
        ("quadriceps", "left", False, None),
        ("hip_abductors", "right", True, OLD),
        ("hip_abductors", "left", True, OLD),
    ]
    assert {row.on for row in (*known.flexibility, *known.step_down)} == {OLD}
    assert [foot.on for foot in known.fpi6] == [OLDER]


def test_a_driver_from_an_earlier_assessment_names_its_day() -> None:
    before = facts(
        strength=(deficit("hip_abductors"),),
        step_down=(SidedValue(Side.LEFT, Decimal(5)),),
        flexibility=(tight("calf"),),
        fpi6=(SidedValue(LEFT, Decimal(8)),),
        patella=("patella alta",),
        cadence_spm=158,
        crossover=True,
        weekly_km_before=Decimal(20),
        weekly_km_now=Decimal(45),
        load_changes=(LoadChange.HILLS, LoadChange.SHOES),
        shoe_km=900,
        shoe_age_months=12,
        shoe_wrong_fit=True,
    )

    drivers = find_drivers(filled(facts(), [(OLD, before)]), DEFAULTS)

    texts = [text for found in drivers for text in found.evidence]
    assert len(texts) == 13
    assert all(text.endswith(", 16 Feb 2026") for text in texts), texts
    assert {row.on for found in drivers for row in found.measurements} == {OLD}
    assert all("2026" not in text for found in find_drivers(before, DEFAULTS) for text in found.evidence)
