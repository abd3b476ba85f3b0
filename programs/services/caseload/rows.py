"""How a set of cases stands now, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max, OuterRef, Q, Subquery

from patients.models import Episode, Patient
from programs.models import Alert, Answer, Hold, Pause, Program, Review
from programs.rules.caseload import CaseFacts, Place, Standing, WaitingAlert, needs, order, state_of
from programs.rules.stall import AlertKind, State


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
    def state_code(self) -> str:
        """A state of a review, or a ``CaseState`` that stands in for it."""
        return state_of(
            Standing(
                is_open=self.episode.is_open,
                red_flag=self.red_flag is not None,
                relapse=self.relapse is not None,
                has_program=self.program is not None,
                held=self.hold is not None,
                paused=self.pause is not None,
                asleep=self.program is not None and self.program.asleep,
                review_state=self.review.state if self.review else "",
            )
        )

    @property
    def verdict(self) -> Review | None:
        """The last review, while it speaks of the case as it is: not of a hold or a pause that is over."""
        if self.review is None or (self.review.state == State.ON_HOLD and not self.on_hold):
            return None
        return None if self.review.state == State.PAUSED and not self.pause else self.review

    @property
    def on_hold(self) -> bool:
        """A red flag is open, or its hold is not lifted yet."""
        return bool(self.hold or self.red_flag)

    @property
    def goes_on(self) -> bool:
        """Whether a program is under way: neither held, paused, asleep nor over."""
        under_way = self.episode.is_open and self.program is not None and not self.program.asleep
        return under_way and not self.on_hold and self.pause is None

    @property
    def week(self) -> int | None:
        """Unpaused weeks on the clock, as the last review counted them."""
        if self.program is None:
            return None
        return self.review.week if self.review else max((self.today - self.program.started_on).days, 0) // 7


def local_today(patient: Patient, now: datetime) -> date:
    return now.astimezone(ZoneInfo(patient.timezone)).date()


def case_rows[Row: CaseRow](
    episodes: Sequence[Episode], patients: Mapping[Any, Patient], now: datetime, kind: type[Row]
) -> dict[int, Row]:
    """Eight queries, however many cases; the alerts of each come the most urgent first."""
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
        program = programs.get(episode.pk)
        key = program.pk if program else 0
        today = local_today(patients[episode.patient_id], now)
        rows[episode.pk] = kind(
            episode=episode,
            today=today,
            program=program,
            review=reviews.get(key),
            hold=holds.get(key),
            pause=next((pause for pause in pauses.get(key, []) if pause.covers(today)), None),
            alerts=_by_urgency(alerts.get(episode.pk, []), program),
            last_answer_on=answered.get(episode.pk),
        )
    return rows


def _latest_reviews(programs: list[int]) -> dict[int, Review]:
    """Each program has hundreds: only the last is read, by its key (joined, all reviews would be)."""
    last = Review.objects.filter(program=OuterRef("pk")).order_by("-day", "-pk").values("pk")[:1]
    latest = Program.objects.filter(pk__in=programs).order_by().values_list(Subquery(last), flat=True)
    reviews = Review.objects.filter(pk__in=[pk for pk in latest if pk]).order_by()
    return {review.program_id: review for review in reviews.defer("thresholds")}


def _pauses(programs: list[int], now: datetime) -> dict[int, list[Pause]]:
    """Pauses that are not long over; the patient's own date decides which one holds."""
    recent = Pause.objects.filter(Q(ends_on=None) | Q(ends_on__gte=now.date()), program__in=programs)
    found: dict[int, list[Pause]] = {}
    for pause in recent:
        found.setdefault(pause.program_id, []).append(pause)
    return found


def _alerts(episodes: list[int]) -> dict[int, list[Alert]]:
    found: dict[int, list[Alert]] = {}
    rows = Alert.objects.unresolved().filter(episode__in=episodes).defer("thresholds")
    for alert in rows.order_by("opened_on", "pk"):
        found.setdefault(alert.episode_id, []).append(alert)
    return found


def _by_urgency(alerts: list[Alert], program: Program | None) -> list[Alert]:
    state, trend = (program.review_state, program.review_trend) if program else ("", "")

    def place(alert: Alert) -> Place:
        facts = CaseFacts(alerts=(waiting(alert),), review_state=state, review_trend=trend)
        return order(needs(facts))

    return sorted(alerts, key=place)


def waiting(alert: Alert) -> WaitingAlert:
    """An unresolved alert as the rule takes it."""
    return WaitingAlert(
        id=alert.pk,
        kind=AlertKind(alert.kind),
        opened_on=alert.opened_on,
        level=alert.level,
        reason=alert.reason,
        finding=alert.finding,
        action=alert.action.rstrip("."),
        acknowledged=alert.state != Alert.State.OPEN,
    )


def _last_answers(episodes: list[int]) -> dict[int, date]:
    counted = Answer.objects.current().filter(episode__in=episodes).order_by()
    return dict(counted.values_list("episode").annotate(last=Max("local_date")))
