"""What the match goes by of a case's assessments: the same deficits as the program's coverage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from patients.models import Assessment, Episode
from programs.rules.matching import Standing
from programs.services.assessment_data import as_data
from programs.services.assessment_drafts import findings_of
from programs.services.derived import warnings_of
from programs.services.matching import latest_strength, suggest, suggest_and_explain
from tests.factories import NOW, TODAY, add_strength, make_assessment, make_case, make_template
from tests.programs.services.assessing import record

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def case() -> Episode:
    return make_case(opened_on=TODAY - 60 * DAY)


def weak_hip(case: Episode, days_ago: int) -> Assessment:
    assessment = make_assessment(case, assessed_on=TODAY - days_ago * DAY, overstriding=True)
    add_strength(assessment, left=60, right=100)
    return assessment


def drivers(assessment: Assessment) -> dict[str, tuple[str, ...]]:
    return {found.driver: found.evidence for found in suggest(assessment=assessment).drivers}


def test_a_normal_manual_grade_does_not_take_a_measured_deficit_back(case: Episode) -> None:
    measured, graded, again = weak_hip(case, 20), make_assessment(case), make_assessment(case)
    add_strength(graded, left=5, right=5, method="manual_grade", unit="grade")

    assert [test.figure for test in latest_strength([measured, graded]) if test.deficit] == [
        "LSI 60 % (deficit below 90 %)"
    ]
    assert "hip_weakness" in drivers(graded)

    add_strength(again, left=97, right=100)
    assert not [test for test in latest_strength([measured, graded, again]) if test.deficit]
    assert "hip_weakness" not in drivers(again)


def test_a_deficit_does_not_expire_and_is_named_with_its_day(case: Episode) -> None:
    make_template(quadriceps_only=True)
    weak_hip(case, 29)
    now = make_assessment(case)
    add_strength(now, left=60, right=100, muscle_group="quadriceps")

    match = suggest(assessment=now)

    day = f"{TODAY - 29 * DAY:%-d %b %Y}"
    hip = f"Hip abductors left: LSI 60 % (deficit below 90 %), {day}"
    assert drivers(now)["hip_weakness"] == (hip,)
    assert "running_mechanics" not in drivers(now)
    [ranked] = match.ranking
    assert ranked.warnings == (f"Quadriceps-only work beside a measured hip deficit ({hip})",)


def test_other_causes_are_excluded_by_the_assessment_that_says_so(case: Episode) -> None:
    make_assessment(case, assessed_on=TODAY - 10 * DAY, other_causes_excluded=True)

    excluded = suggest_and_explain(assessment=make_assessment(case))[1].criteria[-1]

    assert (excluded.text, excluded.standing) == ("Other causes excluded", Standing.NOT_ASKED)


@pytest.mark.parametrize(
    "again", [{"peak_knee_flexion_deg": 41}, {"form_breaks_late": True}, {"cadence_spm": 172}]
)
def test_a_run_that_was_looked_at_again_takes_ticks_back(case: Episode, again: dict[str, Any]) -> None:
    weak_hip(case, 10)

    assert "running_mechanics" in drivers(make_assessment(case))
    assert "running_mechanics" not in drivers(make_assessment(case, **again))


@pytest.mark.parametrize("moved", [0, 1])
def test_while_it_is_edited_an_assessment_is_not_its_own_predecessor(case: Episode, moved: int) -> None:
    stored = record(case, overstriding=True, assessed_on=TODAY - DAY)
    typed = {
        **as_data(stored),
        "assessed_on": stored.assessed_on + moved * DAY,
        "overstriding": False,
        "strength_tests": [],
    }

    warnings = warnings_of(findings_of(episode=case, assessment=stored, data=typed, now=NOW))

    assert not [text for text in warnings if "overstriding" in text.lower() or "LSI" in text]

    anew = warnings_of(findings_of(episode=case, assessment=None, data={}, now=NOW))
    assert [text for text in anew if "overstriding" in text.lower()]
    assert [text for text in anew if "LSI 72 %" in text]
