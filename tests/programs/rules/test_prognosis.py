"""Base rates and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from clinic.thresholds import DEFAULTS
from patients.vocabulary import Diagnosis
from programs.rules.prognosis import Prognosis, prognosis


def about(**changes: object) -> Prognosis:
    known = {
        "diagnosis": Diagnosis.PFP,
        "success": False,
        "per_week": Decimal("1.9"),
        "reds": 0,
        "thresholds": DEFAULTS,
    }
    found = prognosis(**({"thresholds": DEFAULTS} | known | changes))  # type: ignore[arg-type]
    assert found is not None
    return found


def test_collins_base_rate_is_for_patellofemoral_pain_only() -> None:
    assert ("55 of 100", "Collins 2013") in [(r.words[:9], r.source) for r in about().base_rates]
    for diagnosis in (Diagnosis.ITB_SYNDROME, Diagnosis.PATELLAR_TENDINOPATHY):
        assert "Collins 2013" not in [rate.source for rate in about(diagnosis=diagnosis).base_rates]
        assert "half" not in about(diagnosis=diagnosis).to_say


def test_of_a_diagnosis_the_sources_do_not_know_nothing_is_said() -> None:
    unknown = prognosis(
        diagnosis=Diagnosis.OTHER_KNEE, success=False, per_week=None, reds=0, thresholds=DEFAULTS
    )
    assert unknown is None


@pytest.mark.parametrize(("per_week", "met"), [(Decimal("1.9"), False), (Decimal(2), True), (None, None)])
def test_the_strength_work_is_held_against_the_floor(per_week: Decimal | None, met: bool | None) -> None:
    assert about(per_week=per_week).factors[0].met is met


def test_the_floor_and_the_pain_limit_are_the_cases_own() -> None:
    strict = replace(DEFAULTS, strength_floor_per_week=3, green_max=Decimal(2))
    found = about(thresholds=strict, per_week=Decimal(2))

    assert found.factors[0].met is False
    assert "at least 3 times a week" in found.to_say
    assert "pain of 2 or less" in found.to_say


@pytest.mark.parametrize(("reds", "met"), [(0, True), (1, False)])
def test_red_sessions_count_against(reds: int, met: bool) -> None:
    assert about(reds=reds).factors[1].met is met


def test_who_does_well_is_told_so_and_nothing_of_the_half_that_does_not() -> None:
    assert "doing well" in about(success=True).to_say
    assert "half" not in about(success=True).to_say


def test_nothing_said_to_the_patient_alarms() -> None:
    for found in (about(), about(success=True), about(diagnosis=Diagnosis.ITB_SYNDROME)):
        for word in ("unfavourable", "fail", "chronic", "damage", "55"):
            assert word not in found.to_say
