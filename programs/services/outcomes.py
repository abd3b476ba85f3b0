"""Outcome measures of a case over time, each change judged against its measurement error."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from clinic.models import User
from clinic.roles import Capability, require
from patients.models import AggravatingActivity, Assessment, Episode, OutcomeScore
from patients.scoring import MeasureCourse, Score, ScoringError, course_of, groc_score, psfs_score, review_due
from patients.scoring.course import SCALES
from patients.vocabulary import OutcomeMeasure

ASKED_AT_REVIEW = (OutcomeMeasure.AKPS, OutcomeMeasure.GROC)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The measures that have a score, and those owed for a review: by measure the week it is owed for."""

    courses: Sequence[MeasureCourse]
    due: Mapping[OutcomeMeasure, int]

    def of(self, measure: str) -> MeasureCourse | None:
        return next((course for course in self.courses if course.measure == measure), None)


def outcomes(*, episode: Episode, today: date, week: int | None) -> Outcomes:
    """Three queries. ``week`` is the case's week on the clock; None where no program runs: nothing is due."""
    scores = _scores(episode)
    courses = [course_of(measure, scores[measure], thresholds=episode.thresholds) for measure in SCALES]
    due = {}
    for measure in ASKED_AT_REVIEW if week is not None else ():
        owed = review_due((score.on for score in scores[measure]), week=week or 0, today=today)
        if owed is not None:
            due[measure] = owed
    return Outcomes([course for course in courses if course], due)


def _scores(episode: Episode) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = defaultdict(list)
    found[OutcomeMeasure.PSFS] = list(_psfs(episode))
    rated = {score.on for score in found[OutcomeMeasure.PSFS]}
    for row in OutcomeScore.objects.filter(episode=episode):
        if row.measure != OutcomeMeasure.PSFS:
            found[row.measure].append(Score(row.taken_on, row.value))
        elif row.taken_on not in rated:
            found[row.measure].append(Score(row.taken_on, row.value, _list(row.items)))
    for assessment in Assessment.objects.filter(episode=episode).only(
        "assessed_on", "worst_pain", "worst_pain_week"
    ):
        if (pain := _pain(assessment)) is not None:
            found["nprs"].append(pain)
    return found


def _pain(assessment: Assessment) -> Score | None:
    """Worst pain as asked at the visit, with its recall window."""
    if assessment.worst_pain is not None:
        return Score(assessment.assessed_on, assessment.worst_pain, "over the last 3 days")
    if assessment.worst_pain_week is not None:
        return Score(assessment.assessed_on, assessment.worst_pain_week, "over the last 7 days")
    return None


def _psfs(episode: Episode) -> Iterable[Score]:
    """From the abilities of the patient's own activities, by name: only the same ones can be compared."""
    rows = AggravatingActivity.objects.filter(assessment__episode=episode).exclude(ability=None)
    days: dict[date, dict[str, object]] = defaultdict(dict)
    for row in rows.select_related("assessment"):
        days[row.assessment.assessed_on][row.activity] = row.ability
    for on, abilities in days.items():
        yield Score(on, psfs_score(abilities), _list(abilities))


def _list(activities: Iterable[str]) -> str:
    return ", ".join(sorted(activity.strip().lower() for activity in activities))


def record_groc(*, episode: Episode, value: int, by: User, today: date) -> OutcomeScore:
    """The patient's global rating of change, -7 to +7, asked at a review; a second one that day replaces it.

    Raises:
        Denied: ``by`` may do no clinical work here.
        ScoringError: ``groc`` is out of its range, or that day's signed assessment holds one, which stands.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    that_day = OutcomeScore.objects.filter(episode=episode, measure=OutcomeMeasure.GROC, taken_on=today)
    if that_day.filter(assessment__signed_at__isnull=False).exists():
        raise ScoringError("groc", "is in the assessment of that day")
    score, _ = OutcomeScore.objects.update_or_create(
        episode=episode,
        measure=OutcomeMeasure.GROC,
        taken_on=today,
        defaults={
            "clinic": episode.clinic,
            "items": {"groc": value},
            "value": Decimal(groc_score({"groc": value})),
        },
    )
    return score
