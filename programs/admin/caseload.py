"""How a set of cases stands now, in a fixed number of queries: for the list, the page and the dashboard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Exists, IntegerField, Max, Min, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse

from clinic.admin.base import rows_where
from clinic.models import User
from clinic.roles import Capability
from patients.models import Episode, Patient
from programs.admin.wording import (
    ASLEEP,
    CLOSED,
    CLOSED_NOT_CLEARED,
    CLOSED_RELAPSED,
    NO_PROGRAM,
    NOT_REVIEWED,
    ON_HOLD,
    PAUSED,
    REVIEW_DUE,
    STATES,
    TRENDS,
    Badge,
    kind_badge,
    reason_label,
)
from programs.models import Alert, Answer, Hold, Pause, Program, Review
from programs.rules.stall import ReasonCode, State


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case as it stands on ``today``, the patient's local date."""

    episode: Episode
    today: date
    program: Program | None
    review: Review | None
    hold: Hold | None
    pause: Pause | None
    alerts: Sequence[Alert]
    last_answer_on: date | None

    @property
    def red_flag(self) -> Alert | None:
        return next((alert for alert in self.alerts if alert.kind == Alert.Kind.RED_FLAG), None)

    @property
    def relapse(self) -> Alert | None:
        return next((alert for alert in self.alerts if alert.kind == Alert.Kind.RELAPSE), None)

    @property
    def alert(self) -> Alert | None:
        """The most urgent one: it may speak of what the verdict does not, the other knee say."""
        return next((alert for alert in self.alerts if alert.state != Alert.State.SNOOZED), None)

    @property
    def verdict(self) -> Review | None:
        """The last review, while it speaks of the case as it is: not of a hold or a pause that is over."""
        if self.review is None or (self.review.state == State.ON_HOLD and not self.stands_still):
            return None
        return None if self.review.state == State.PAUSED and not self.pause else self.review

    @property
    def stands_still(self) -> bool:
        return bool(self.hold or self.red_flag)

    @property
    def state(self) -> Badge:
        """A hold, a pause and the end of a case show at once; the rest is the last review's verdict."""
        if not self.episode.is_open:
            return CLOSED_NOT_CLEARED if self.red_flag else CLOSED_RELAPSED if self.relapse else CLOSED
        if self.stands_still:
            return ON_HOLD
        if self.program is None:
            return NO_PROGRAM
        if self.pause:
            return PAUSED
        if self.review is None:
            return ASLEEP if self.program.asleep else NOT_REVIEWED
        if self.verdict is None:
            return REVIEW_DUE
        return STATES.get(self.review.state, Badge(self.review.state.replace("_", " ").capitalize()))

    @property
    def trend(self) -> Badge | None:
        if self.verdict is None or self.stands_still or self.pause:
            return None
        return TRENDS.get(self.verdict.trend)

    @property
    def week(self) -> int | None:
        """Unpaused weeks on the clock, as the last review counted them."""
        if self.program is None:
            return None
        return self.review.week if self.review else max((self.today - self.program.started_on).days, 0) // 7

    @property
    def reason(self) -> str:
        if self.red_flag:
            return reason_label("red_flag")
        if self.relapse:
            return self.relapse.summary
        if self.verdict is None:
            return ""
        if self.verdict.reason:
            return reason_label(self.verdict.reason, self.verdict.trend)
        return kind_badge(self.alert).text if self.alert else ""

    @property
    def action(self) -> str:
        if self.red_flag:
            return self.red_flag.action
        if self.relapse:
            return self.relapse.action
        if self.verdict is None:
            return ""
        return self.verdict.action or (self.alert.action if self.alert else "")

    @property
    def alert_badges(self) -> list[Badge]:
        return [kind_badge(alert) for alert in self.alerts]


def page_url(episode: Episode) -> str:
    """The patient page, on this case."""
    return f"{reverse('admin:patients_patient_change', args=[episode.patient_id])}?case={episode.pk}"


def local_today(patient: Patient, now: datetime) -> date:
    return now.astimezone(ZoneInfo(patient.timezone)).date()


def red_flags_of(**row: OuterRef) -> Exists:
    """Whether a row has a red flag nobody cleared, a closed case's included: it tops every caseload."""
    return Exists(Alert.objects.unresolved().filter(kind=Alert.Kind.RED_FLAG, **row))


def caseload(user: User, now: datetime) -> dict[int, CaseRow]:
    """Everything on the user's caseload: open cases, closed ones whose red flag nobody cleared, and
    those whose pain is back.
    """
    cases = rows_where(user, Capability.READ_STATE, Episode.objects.all())
    waiting = Alert.objects.unresolved().filter(kind=Alert.Kind.RELAPSE, episode=OuterRef("pk"))
    shown = cases.filter(Q(closed_on=None) | red_flags_of(episode=OuterRef("pk")) | Exists(waiting))
    episodes = list(shown.select_related("patient", "clinician"))
    return case_rows(episodes, {e.patient_id: e.patient for e in episodes}, now)


def cases_in_order(user: User, patients: Iterable[Patient]) -> list[Episode]:
    """The patients' cases that the user may see: with an open red flag first, then open, then the latest."""
    mine = Episode.objects.scoped(user).filter(patient__in=list(patients))
    cases = mine.select_related("clinic__policy", "clinician").annotate(
        flagged=red_flags_of(episode=OuterRef("pk"))
    )
    return sorted(cases, key=lambda e: (e.flagged, e.is_open, e.opened_on, e.pk), reverse=True)


def current_cases(user: User, patients: Iterable[Patient]) -> dict[Any, Episode]:
    """The case to show of each patient: the first of ``cases_in_order``."""
    cases: dict[Any, Episode] = {}
    for episode in cases_in_order(user, patients):
        cases.setdefault(episode.patient_id, episode)
    return cases


def case_rows(episodes: Sequence[Episode], patients: dict[Any, Patient], now: datetime) -> dict[int, CaseRow]:
    """Seven queries, however many cases."""
    ids = [episode.pk for episode in episodes]
    programs = {p.episode_id: p for p in Program.objects.active().filter(episode__in=ids)}
    active = [program.pk for program in programs.values()]
    reviews = _latest_reviews(active)
    holds = {hold.program_id: hold for hold in Hold.objects.filter(program__in=active, cleared_at=None)}
    pauses = _pauses(active, now)
    alerts = _alerts(ids)
    answered = _last_answers(ids)
    rows = {}
    for episode in episodes:
        patient = patients[episode.patient_id]
        program = programs.get(episode.pk)
        key = program.pk if program else 0
        today = local_today(patient, now)
        rows[episode.pk] = CaseRow(
            episode=episode,
            today=today,
            program=program,
            review=reviews.get(key),
            hold=holds.get(key),
            pause=next((pause for pause in pauses.get(key, []) if pause.covers(today)), None),
            alerts=alerts.get(episode.pk, []),
            last_answer_on=answered.get(episode.pk),
        )
    return rows


def _latest_reviews(programs: list[int]) -> dict[int, Review]:
    latest = (
        Review.objects.filter(program__in=programs)
        .order_by("program_id", "-day", "-pk")
        .distinct("program_id")
        .defer("thresholds")
    )
    return {review.program_id: review for review in latest}


def _pauses(programs: list[int], now: datetime) -> dict[int, list[Pause]]:
    """Pauses that are not long over; the patient's own date decides which one holds."""
    recent = Pause.objects.filter(Q(ends_on=None) | Q(ends_on__gte=now.date()), program__in=programs)
    found: dict[int, list[Pause]] = {}
    for pause in recent:
        found.setdefault(pause.program_id, []).append(pause)
    return found


def _alerts(episodes: list[int]) -> dict[int, list[Alert]]:
    """Unresolved alerts, the most urgent first."""
    found: dict[int, list[Alert]] = {}
    rows = Alert.objects.unresolved().filter(episode__in=episodes).defer("thresholds")
    for alert in sorted(rows, key=alert_rank):
        found.setdefault(alert.episode_id, []).append(alert)
    return found


# Who comes first, for Python and SQL alike. The first row that fits counts: a relapse, which has a level
# too, is told apart before its level is looked at.
PLACES: Sequence[tuple[int, Mapping[str, str]]] = (
    (1, {"kind": Alert.Kind.RED_FLAG, "level": "tier_1"}),
    (2, {"kind": Alert.Kind.RED_FLAG, "level": "tier_2"}),
    (3, {"kind": Alert.Kind.WORSENING}),
    (5, {"kind": Alert.Kind.STALL, "reason": ReasonCode.RELAPSED}),
    (5, {"kind": Alert.Kind.RELAPSE}),
    (4, {"kind": Alert.Kind.STALL, "level": "stalled"}),
    (6, {"kind": Alert.Kind.STALL, "level": "stalling"}),
    (7, {"kind": Alert.Kind.OVERLOAD}),
    (8, {"kind": Alert.Kind.DRIFT}),
    (9, {"kind": Alert.Kind.SILENT}),
)
LAST_PLACE = 10


def alert_rank(alert: Alert) -> tuple[int, int, date]:
    """Who comes first: kind and level, then what nobody has seen yet, then the oldest."""
    fits = (place for place, alike in PLACES if all(getattr(alert, name) == alike[name] for name in alike))
    return next(fits, LAST_PLACE), int(alert.state != Alert.State.OPEN), alert.opened_on


def urgency(**row: OuterRef) -> Coalesce:
    """The place of a row's most urgent alert that nobody has put aside, to order a page in the database."""
    place = Case(
        *(When(**alike, then=Value(place)) for place, alike in PLACES),
        default=Value(LAST_PLACE),
        output_field=IntegerField(),
    )
    waiting = Alert.objects.unresolved().exclude(state=Alert.State.SNOOZED).filter(**row)
    foremost = waiting.order_by().annotate(place=place).values(every=Value(1)).annotate(first=Min("place"))
    return Coalesce(Subquery(foremost.values("first")), Value(LAST_PLACE))


def _last_answers(episodes: list[int]) -> dict[int, date]:
    counted = Answer.objects.current().filter(episode__in=episodes).order_by()
    return dict(counted.values_list("episode").annotate(last=Max("local_date")))
