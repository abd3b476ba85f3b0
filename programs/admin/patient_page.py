"""All that the patient page shows of one case, gathered in a fixed number of queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Prefetch

from clinic.models import User
from clinic.roles import Capability
from patients.models import Assessment, Episode, Invitation, OutcomeScore, Patient
from patients.vocabulary import Side
from programs.admin import chart
from programs.admin.caseload import CaseRow, case_rows, cases_in_order
from programs.admin.load import LoadCard, load_card
from programs.admin.red_flag import RedFlag, red_flag
from programs.admin.wording import (
    STATES,
    TRENDS,
    Badge,
    evidence_texts,
    kind_badge,
    own_thresholds,
    reason_label,
    state_badge,
    threshold_rows,
)
from programs.models import (
    Alert,
    Answer,
    CheckInRequest,
    ContactLog,
    Hold,
    Pause,
    Program,
    ProgramDose,
    ProgramStage,
    RelapseWatch,
    Review,
    Session,
    StageMove,
    worst_by_date,
)
from programs.rules.red_flags import Symptom
from programs.services.consents import Agreed, agreed

ADHERENCE_WEEKS = 6
LATEST = 12


@dataclass(frozen=True, slots=True)
class AlertCard:
    """An alert with why it was raised and by which thresholds."""

    alert: Alert
    kind: Badge
    state: Badge
    age_days: int
    evidence: list[str]
    thresholds: list[tuple[str, str]]

    @property
    def is_red_flag(self) -> bool:
        return self.alert.kind == Alert.Kind.RED_FLAG

    @property
    def is_open(self) -> bool:
        return self.alert.state == Alert.State.OPEN

    @property
    def is_resolved(self) -> bool:
        return self.alert.state == Alert.State.RESOLVED


@dataclass(frozen=True, slots=True)
class WeekBar:
    """Strength sessions of one week against what was prescribed."""

    label: str
    done: int
    prescribed: int


@dataclass(frozen=True, slots=True)
class AskedRow:
    """One question of the relapse watch, and what came of it."""

    on: date
    text: str


@dataclass(frozen=True, slots=True)
class AnswerRow:
    answer: Answer
    pain: str
    symptoms: list[str]


@dataclass(frozen=True, slots=True)
class ReviewRow:
    review: Review
    state: Badge
    trend: Badge | None
    reason: str


@dataclass(slots=True)
class Clinical:
    """Findings, answers and notes: not for assistants."""

    alerts: list[AlertCard] = field(default_factory=list)
    assessments: list[Assessment] = field(default_factory=list)
    scores: list[OutcomeScore] = field(default_factory=list)
    stages: list[ProgramStage] = field(default_factory=list)
    stage: ProgramStage | None = None
    has_trial: bool = False
    charts: list[chart.Chart] = field(default_factory=list)
    chart_summary: str = ""
    chart_table: list[tuple[date, list[str]]] = field(default_factory=list)
    load: LoadCard | None = None
    watch: RelapseWatch | None = None
    kept_up: Program | None = None
    asked: list[AskedRow] = field(default_factory=list)
    weeks: list[WeekBar] = field(default_factory=list)
    adherence: str = ""
    answers: list[AnswerRow] = field(default_factory=list)
    reviews: list[ReviewRow] = field(default_factory=list)
    own_thresholds: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    other_reasons: list[str] = field(default_factory=list)


@dataclass(slots=True)
class PatientPage:
    """What the template needs. Without a case ``row`` is None; ``clinical`` also for assistants."""

    patient: Patient
    may_contact: bool
    may_treat: bool
    may_erase: bool
    consent: Agreed
    invitation: str
    cases: list[Episode]
    row: CaseRow | None = None
    clinical: Clinical | None = None
    red_flag: RedFlag | None = None
    contacts: Sequence[ContactLog] = ()


def build_page(user: User, patient: Patient, case: str, now: datetime) -> PatientPage:
    """The page as this user may see it; ``case`` names an earlier case by its id."""
    cases = cases_in_order(user, [patient])
    episode = next((e for e in cases if str(e.pk) == case), cases[0] if cases else None)
    page = PatientPage(
        patient=patient,
        may_contact=user.may(Capability.WRITE_CONTACT, patient.clinic_id),
        may_treat=user.may(Capability.WRITE_CLINICAL, patient.clinic_id),
        may_erase=user.may(Capability.ERASE, patient.clinic_id),
        consent=agreed(patient=patient),
        invitation=_invitation(patient, now),
        cases=cases,
    )
    if episode is None:
        return page
    episode.patient = patient
    page.row = case_rows([episode], {patient.pk: patient}, now)[episode.pk]
    page.contacts = ContactLog.objects.filter(episode=episode).select_related("by")[:LATEST]
    if user.may(Capability.READ_CLINICAL, patient.clinic_id):
        page.clinical = _clinical(page.row)
        if page.row.red_flag:
            page.red_flag = red_flag(page.row.red_flag, patient)
    return page


def _invitation(patient: Patient, now: datetime) -> str:
    if patient.user_id:
        return "Has an account"
    last = Invitation.objects.filter(patient=patient).first()
    if last is None:
        return "Not invited yet"
    if last.expires_at <= now:
        return f"Invitation of {last.created_at:%-d %b %Y} ran out"
    return f"Invited on {last.created_at:%-d %b %Y}, not opened yet"


def _clinical(row: CaseRow) -> Clinical:
    episode, program = row.episode, row.program or _last_program(row.episode)
    answers = Answer.objects.current().filter(episode=episode).order_by("-occurred_at", "-pk")[:LATEST]
    found = Clinical(
        alerts=_alerts(episode, row.today),
        assessments=list(Assessment.objects.filter(episode=episode).select_related("assessed_by")),
        scores=list(OutcomeScore.objects.filter(episode=episode)[:LATEST]),
        answers=[_answer_row(answer) for answer in answers],
        reviews=[_review_row(review) for review in _reviews(episode)],
        own_thresholds=own_thresholds(episode),
        has_trial=episode.programs.exclude(fair_trial_on=None).exists(),
    )
    _add_verdict(found, row.review)
    if not episode.is_open:
        _add_watch(found, episode)
    if program is not None:
        _add_program(found, program, row)
        _add_chart(found, program, row)
    return found


def _add_watch(found: Clinical, episode: Episode) -> None:
    found.watch = RelapseWatch.objects.filter(episode=episode).select_related("reopened_as").first()
    found.kept_up = episode.programs.filter(is_maintenance=True).first()
    if found.watch:
        asked = found.watch.requests.prefetch_related("answers").order_by("-local_date")
        found.asked = [AskedRow(request.local_date, _asked_text(request)) for request in asked]


def _asked_text(request: CheckInRequest) -> str:
    answer = next((row for row in request.answers.all()), None)
    if answer is None:
        return "missed" if request.state == CheckInRequest.State.MISSED else "not answered yet"
    active = {True: ", back to what they want to do", False: ", not back to what they want to do", None: ""}
    return f"{_answer_row(answer).pain}{active[answer.back_to_activity]}"


def _last_program(episode: Episode) -> Program | None:
    return Program.objects.treating().filter(episode=episode).first()


def _alerts(episode: Episode, today: date) -> list[AlertCard]:
    """The unresolved ones, then the latest of the others."""
    rows = list(Alert.objects.filter(episode=episode).select_related("acknowledged_by", "resolved_by")[:30])
    rows.sort(key=lambda alert: alert.state == Alert.State.RESOLVED)
    return [alert_card(alert, today) for alert in rows[:LATEST]]


def alert_card(alert: Alert, today: date) -> AlertCard:
    return AlertCard(
        alert=alert,
        kind=kind_badge(alert),
        state=state_badge(alert),
        age_days=((alert.resolved_on or today) - alert.opened_on).days,
        evidence=evidence_texts(alert.evidence),
        thresholds=threshold_rows(alert),
    )


def _reviews(episode: Episode) -> list[Review]:
    return list(Review.objects.filter(episode=episode).defer("thresholds", "verdict")[:LATEST])


def _review_row(review: Review) -> ReviewRow:
    return ReviewRow(
        review=review,
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
    known = {symptom.value: symptom.label for symptom in Symptom}
    symptoms = [known.get(code, code) for code in answer.red_flags]
    return AnswerRow(answer, ", ".join(parts), symptoms)


def _add_verdict(found: Clinical, review: Review | None) -> None:
    if review is None:
        return
    rows = [entry for entry in review.verdict.get("evidence") or [] if entry.get("text")]
    found.why = [entry["text"] for entry in rows]
    found.adherence = next((entry["text"] for entry in rows if entry.get("topic") == "adherence"), "")
    found.other_reasons = [
        reason_label(code, review.trend) for code in (review.verdict.get("reasons") or [])[1:]
    ]


def _add_program(found: Clinical, program: Program, row: CaseRow) -> None:
    doses = Prefetch("doses", ProgramDose.objects.select_related("exercise"))
    found.stages = list(ProgramStage.objects.filter(program=program).prefetch_related(doses))
    found.stage = next((s for s in found.stages if s.number == program.current_stage), None)
    sessions = list(Session.objects.current().filter(episode=row.episode, is_strength=True))
    if row.program is not None:
        row.program.episode = row.episode
        found.load = load_card(row.program, row.today, stands_still=row.stands_still)
    # Of a session in the future, the clock of a phone: the week is negative and no bar's.
    done = Counter((row.today - session.local_date).days // 7 for session in sessions)
    found.weeks = [
        WeekBar(_ago(week), done[week], program.strength_per_week)
        for week in range(ADHERENCE_WEEKS - 1, -1, -1)
        if row.today - timedelta(days=7 * week) >= program.started_on
    ]


def _ago(week: int) -> str:
    return "last 7 days" if week == 0 else f"{7 * week + 7}-{7 * week + 1} days ago"


def _add_chart(found: Clinical, program: Program, row: CaseRow) -> None:
    baseline = row.review.baseline if row.review else None
    limit, words = (
        chart.success_line(baseline, row.episode.thresholds) if baseline is not None else (None, "")
    )
    course = chart.Course(
        started_on=program.started_on,
        today=program.ended_on or row.today,
        knees=_knees(row.episode),
        baseline=baseline,
        success_value=limit,
        success_at=words,
        stages=[
            (move.moved_on, f"Stage {move.to_stage}")
            for move in sorted(StageMove.objects.filter(program=program), key=lambda m: (m.moved_on, m.pk))
        ],
        spans=_spans(program, row),
    )
    found.charts = chart.charts(course)
    found.chart_summary = chart.summary(course)
    found.chart_table = chart.table(course)


def _knees(episode: Episode) -> list[chart.KneeSeries]:
    """The index knee first; the other one where it was ever reported."""
    days = Answer.objects.filter(episode=episode).by_day()
    daily = {side.value: worst_by_date(days, side) for side in Side}
    knees = [
        chart.KneeSeries(side=side, is_index=side == episode.index_side, days=values)
        for side, values in daily.items()
        if values or side == episode.index_side
    ]
    return sorted(knees, key=lambda knee: not knee.is_index)


def _spans(program: Program, row: CaseRow) -> list[chart.Span]:
    zone = ZoneInfo(row.episode.patient.timezone)
    spans = [
        chart.Span("pause", pause.get_kind_display(), pause.starts_on, pause.ends_on)
        for pause in Pause.objects.filter(program=program)
    ]
    for hold in Hold.objects.filter(program=program):
        cleared = hold.cleared_at.astimezone(zone).date() if hold.cleared_at else None
        spans.append(chart.Span("hold", "On hold", hold.since.astimezone(zone).date(), cleared))
    return spans
