"""A simulated re-assessment, as a physio would record it, and the scores taken with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from patients.models import AggravatingActivity, Assessment, Episode, OutcomeScore, StrengthTest
from patients.scoring import AKPS_ITEMS, KOOS_PF_ITEMS, LEFS_ITEMS, score
from patients.scoring.questionnaires import AKPS_RED_FLAG_POINTS, Item
from patients.vocabulary import AssessmentKind, MuscleGroup, OutcomeMeasure, StrengthMethod, StrengthUnit
from programs.demo.courses import Course, Reassessed, level_on

ITEMS: Mapping[str, Mapping[str, Item]] = {
    OutcomeMeasure.AKPS: AKPS_ITEMS,
    OutcomeMeasure.KOOS_PF: KOOS_PF_ITEMS,
    OutcomeMeasure.LEFS: LEFS_ITEMS,
}
LEVER_ARM_M = Decimal("0.42")
"""Of the isokinetic machine in the demo's other building."""


def findings(course: Course, episode: Episode, act: Reassessed) -> dict[str, Any]:
    """The data of a re-assessment: pain of that day, and the intake's tests done again."""
    intake = episode.assessments.earliest("assessed_on", "pk")
    worst = Decimal(f"{level_on(course.pain, act.ago):.1f}")
    half = (worst / 2).quantize(Decimal("0.1"))
    return {
        "kind": AssessmentKind.REASSESSMENT.value,
        "hip_examined": True,
        "locations": intake.locations,
        "worst_pain": worst,
        "usual_pain": half,
        "pain_now": max(half - 1, Decimal(0)),
        "worst_pain_week": worst,
        "pain_stairs_down": worst > 2,
        "pain_squat": worst > 3,
        "other_causes_excluded": intake.other_causes_excluded,
        "body_mass_kg": intake.body_mass_kg,
        "strength_tests": [_again(test, act, episode) for test in intake.strength_tests.all()],
        "aggravating_activities": [
            _activity(row, act.ability) for row in intake.aggravating_activities.all()
        ],
        "outcome_scores": [{"measure": measure, "items": answers(measure, n)} for measure, n in act.scores],
    }


def score_intake(course: Course, assessment: Assessment) -> None:
    """What the course says was asked at the intake beside the AKPS."""
    for measure, points in course.intake_scores:
        items = answers(measure, points)
        OutcomeScore.objects.create(
            clinic_id=assessment.clinic_id,
            episode_id=assessment.episode_id,
            assessment=assessment,
            measure=measure,
            taken_on=assessment.assessed_on,
            items=items,
            value=score(measure, items),
        )


def answers(measure: str, points: int) -> dict[str, int]:
    """Answers that come as near to a score as can be from above, without a red flag of the AKPS.

    KOOS-PF in points lost, as its score is a share of them.
    """
    if measure == OutcomeMeasure.GROC:
        return {"groc": points}
    items = ITEMS[measure]
    if measure == OutcomeMeasure.KOOS_PF:
        return {code: points // len(items) + (n < points % len(items)) for n, code in enumerate(items)}
    chosen = {code: item.points[0] for code, item in items.items()}
    for code, worse in _worse_answers(items):
        if sum(chosen.values()) - chosen[code] + worse >= points:
            chosen[code] = worse
    return chosen


def _worse_answers(items: Mapping[str, Item]) -> Sequence[tuple[str, int]]:
    """Every answer but the best, item by item, the small losses first."""
    most = max(len(item.points) for item in items.values())
    return [
        (code, item.points[step])
        for step in range(1, most)
        for code, item in items.items()
        if code not in AKPS_RED_FLAG_POINTS and step < len(item.points)
    ]


def _again(test: StrengthTest, act: Reassessed, episode: Episode) -> dict[str, Any]:
    """The intake's test of one side: the index side has moved, the other is as it was."""
    columns = ("muscle_group", "side", "method", "value", "unit", "lever_arm_m", "position", "fixation")
    row = {column: getattr(test, column) for column in columns}
    percent = dict(act.strength).get(MuscleGroup(test.muscle_group))
    if percent is not None and test.side == episode.index_side:
        other = episode.assessments.earliest("assessed_on", "pk").strength_tests.exclude(side=test.side)
        row["value"] = other.get(muscle_group=test.muscle_group).value * percent / 100
    if act.method is StrengthMethod.ISOKINETIC:
        newton_metre = (row["value"] * LEVER_ARM_M).quantize(Decimal("0.1"))
        row |= {
            "method": act.method.value,
            "value": newton_metre,
            "unit": StrengthUnit.NEWTON_METRE.value,
            "lever_arm_m": None,
        }
    return row


def _activity(row: AggravatingActivity, gain: int) -> dict[str, Any]:
    return {
        "activity": row.activity,
        "pain": max((row.pain or Decimal(0)) - gain, Decimal(0)),
        "ability": min((row.ability or Decimal(0)) + gain, Decimal(10)),
    }
