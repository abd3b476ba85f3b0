"""Findings, answers and notes of a case: not for assistants."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from django.db.models import Prefetch

from patients.models import Assessment
from patients.scoring import SideBySide
from programs.admin.caseload import CaseRow
from programs.admin.load import LoadCard, load_card
from programs.admin.patient_page.alerts import AlertCard, alert_card
from programs.admin.patient_page.watch import AfterDischarge, after_discharge
from programs.admin.wording import (
    STATES,
    TRENDS,
    Badge,
    own_thresholds,
    reason_label,
)
from programs.models import Answer, ProgramDose, ProgramStage, Review
from programs.rules import timeline
from programs.rules.adherence import Adherence
from programs.rules.outcome_chart import draw_outcome
from programs.rules.prognosis import Prognosis
from programs.rules.red_flags import Symptom
from programs.rules.schedule import recall_words
from programs.rules.stall import State
from programs.services import timeline as history_of
from programs.services.outcomes import Outcomes, outcomes
from programs.services.outlook import outlook
from programs.services.retests import compare_assessments
from programs.services.timeline import History

LATEST = 12
SHOWN = 4
"""Of the latest answers and reviews; the others are folded."""

REVIEWS = 60


@dataclass(frozen=True, slots=True)
class AnswerRow:
    answer: Answer
    pain: str
    symptoms: list[str]

    @property
    def tells_more(self) -> bool:
        """Than a number: it is not folded away."""
        return bool(self.symptoms or self.answer.limping or self.answer.note)


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """Reviews in a row that said the same: ``review`` the latest, ``since`` the day of the first."""

    review: Review
    since: date
    state: Badge
    trend: Badge | None
    reason: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The timeline, for a desktop and for a phone: text keeps its size on both."""

    wide: timeline.Scene
    narrow: timeline.Scene
    course: timeline.Course
    summary: str
    columns: list[str]
    table: list[timeline.TableRow]


@dataclass(slots=True)
class Clinical:
    """What the template needs of a case's record."""

    assessments: SideBySide
    outcomes: Outcomes
    outcome_charts: list[tuple[object, timeline.Scene]] = field(default_factory=list)
    latest_assessment: Assessment | None = None
    open_alerts: list[AlertCard] = field(default_factory=list)
    past_alerts: list[AlertCard] = field(default_factory=list)
    stages: list[ProgramStage] = field(default_factory=list)
    stage: ProgramStage | None = None
    has_trial: bool = False
    chart: Chart | None = None
    load: LoadCard | None = None
    after: AfterDischarge | None = None
    adherence: Adherence | None = None
    prognosis: Prognosis | None = None
    answers: list[AnswerRow] = field(default_factory=list)
    reviews: list[ReviewRow] = field(default_factory=list)
    own_thresholds: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    other_reasons: list[str] = field(default_factory=list)

    @property
    def answers_shown(self) -> list[AnswerRow]:
        return [row for n, row in enumerate(self.answers) if n < SHOWN or row.tells_more]

    @property
    def answers_folded(self) -> list[AnswerRow]:
        return [row for row in self.answers[SHOWN:] if not row.tells_more]

    @property
    def reviews_shown(self) -> list[ReviewRow]:
        return self.reviews[:SHOWN]

    @property
    def reviews_folded(self) -> list[ReviewRow]:
        return self.reviews[SHOWN:]

    @property
    def stages_now(self) -> list[ProgramStage]:
        return [self.stage] if self.stage else []

    @property
    def other_stages(self) -> list[ProgramStage]:
        return [stage for stage in self.stages if stage is not self.stage]


def clinical(row: CaseRow) -> Clinical:
    """The record of the case, in a fixed number of queries."""
    episode = row.episode
    history = history_of.read(episode=episode)
    answers = Answer.objects.current().filter(episode=episode).order_by("-occurred_at", "-pk")[:LATEST]
    week = row.week if row.program and row.episode.is_open else None
    found = Clinical(
        assessments=compare_assessments(episode=episode),
        outcomes=outcomes(episode=episode, today=row.today, week=week),
        answers=[_answer_row(answer) for answer in answers],
        reviews=_review_rows(row),
        own_thresholds=own_thresholds(episode),
        has_trial=any(program.fair_trial_on for program in history.programs),
        adherence=history_of.adherence(history, today=row.today),
    )
    found.outcome_charts = [(course, draw_outcome(course)) for course in found.outcomes.courses]
    if found.assessments.visits:
        found.latest_assessment = Assessment(pk=found.assessments.visits[-1].key)
    _add_alerts(found, history, row)
    _add_verdict(found, row.review)
    _add_program(found, history, row)
    _add_chart(found, history, row)
    if not episode.is_open:
        found.after = after_discharge(episode)
    return found


def _add_alerts(found: Clinical, history: History, row: CaseRow) -> None:
    cards = [alert_card(alert, row.today) for alert in history.alerts]
    found.open_alerts = [card for card in cards if not card.is_resolved]
    found.past_alerts = [card for card in cards if card.is_resolved]


def _reviews(row: CaseRow) -> list[Review]:
    return list(Review.objects.filter(episode=row.episode).defer("thresholds", "verdict")[:REVIEWS])


def _review_rows(row: CaseRow) -> list[ReviewRow]:
    said = groupby(_reviews(row), lambda review: (review.state, review.trend, review.reason))
    return [_review_row(list(alike)) for _, alike in said][:LATEST]


def _review_row(alike: list[Review]) -> ReviewRow:
    review = alike[0]
    return ReviewRow(
        review=review,
        since=alike[-1].day,
        state=STATES.get(review.state, Badge(review.state)),
        trend=TRENDS.get(review.trend),
        reason=reason_label(review.reason, review.trend) if review.reason else "",
    )


def _answer_row(answer: Answer) -> AnswerRow:
    parts = [
        f"{side} {value:f}"
        for side, value in (("left", answer.worst_left), ("right", answer.worst_right))
        if value is not None
    ]
    told = f"{', '.join(parts)} (last {recall_words(answer.recall_days)})" if parts else "no number given"
    known = {symptom.value: symptom.label for symptom in Symptom}
    symptoms = [known.get(code, code) for code in answer.red_flags]
    return AnswerRow(answer, told, symptoms)


def _add_verdict(found: Clinical, review: Review | None) -> None:
    if review is None:
        return
    found.why = [entry["text"] for entry in review.verdict.get("evidence") or [] if entry.get("text")]
    found.other_reasons = [
        reason_label(code, review.trend) for code in (review.verdict.get("reasons") or [])[1:]
    ]


def _add_program(found: Clinical, history: History, row: CaseRow) -> None:
    if not history.programs:
        return
    program = row.program or history.programs[-1]
    doses = Prefetch("doses", ProgramDose.objects.select_related("exercise"))
    found.stages = list(ProgramStage.objects.filter(program=program).prefetch_related(doses))
    found.stage = next((s for s in found.stages if s.number == program.current_stage), None)
    if row.program:
        row.program.episode = row.episode
        found.load = load_card(row.program, row.today, on_hold=row.on_hold)
    succeeds = bool(row.verdict and row.verdict.state == State.ON_TRACK)
    found.prognosis = outlook(episode=row.episode, history=history, today=row.today, succeeds=succeeds)


def _add_chart(found: Clinical, history: History, row: CaseRow) -> None:
    baseline = row.review.baseline if row.review else None
    course = history_of.course(history, today=row.today, baseline=baseline)
    if course is None:
        return
    found.chart = Chart(
        wide=timeline.draw(course, timeline.WIDE),
        narrow=timeline.draw(course, timeline.NARROW),
        course=course,
        summary=timeline.summary(course),
        columns=timeline.columns(course),
        table=timeline.table(course),
    )
