"""What a clinician's digest of the week holds: rows to the digest rule, its selection to words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q

from clinic.models import Membership, User
from clinic.roles import Role
from programs.emails import links
from programs.emails.digest import Call, Content, Detail, Line
from programs.emails.picture import Trend
from programs.models import Alert, AlertEvent, Answer, DayPain, Digest, Review
from programs.rules.digest import AlertState, Entry, OpenAlert, Selection, Told, Urgency, select, urgency
from programs.rules.schedule import local_date
from programs.rules.stall import AlertKind, State
from programs.rules.stall.signals import OTHER_KNEE, OTHER_KNEE_WORDS
from programs.services import facts
from programs.services.facts.rows import other_side

What = AlertEvent.What
NEWS = (What.OPENED, What.RAISED, What.REOPENED, What.NEW_EVIDENCE, What.WOKE)

LABELS = {
    Urgency.RED_FLAG: "Red flag",
    Urgency.WORSENING: "Worsening",
    Urgency.RELAPSED: "Relapsed",
    Urgency.DRIFT: "Pain has moved",
    Urgency.OVERLOAD: "Overload",
    Urgency.STALLING: "Stalling",
    Urgency.SLOW: "Slow",
}
TIERS = {"tier_1": "tier 1", "tier_2": "tier 2"}


@dataclass(frozen=True, slots=True)
class Collected:
    """The rule's selection, and the same in words."""

    selection: Selection
    content: Content

    def as_json(self) -> dict[str, Any]:
        """Ids of the cases named, by section, and of the alerts: what the next digest goes by."""
        named = (*self.selection.new, *self.selection.unchanged)
        return {
            "new": [entry.case for entry in self.selection.new],
            "unchanged": [entry.case for entry in self.selection.unchanged],
            "call": [alert.case for alert in self.selection.calls],
            "more": self.selection.more,
            "on_track": self.content.on_track,
            "alerts": [alert.id for entry in named for alert in entry.alerts],
            "called_alerts": [alert.id for alert in self.selection.calls],
        }


def collect(*, member: Membership, reader: User, now: datetime) -> Collected:
    """The state of a clinician's cases in this clinic at ``now``, for the clinician or who stands in.

    A constant number of queries.
    """
    today = local_date(now, member.clinic.timezone)
    t = member.clinic.thresholds()
    alerts = _alerts(member, now, today, silent_since=today - timedelta(days=t.silent_days))
    reviews = _latest_reviews(member, now, today)
    open_alerts = [_as_open(alert, reviews.get(alert.episode_id)) for alert in alerts.values()]
    selection = select(open_alerts, _told(member, reader), t)
    words = _Words(member, today, alerts, reviews, full_names=t.digest_full_names)
    pain = facts.daily_pain([entry.case for entry in selection.new])
    content = Content(
        clinician=member.user.get_full_name(),
        stands_in=reader != member.user,
        today=today,
        new=tuple(
            words.detail(number, entry, pain[entry.case])
            for number, entry in enumerate(selection.new, start=1)
        ),
        unchanged=tuple(words.line(entry) for entry in selection.unchanged),
        more=selection.more,
        calls=tuple(words.call(alert) for alert in selection.calls),
        acknowledged=selection.acknowledged,
        snoozed=selection.snoozed,
        red_flags_not_cleared=selection.red_flags_not_cleared,
        on_track=sum(
            review.state == State.ON_TRACK and review.program.is_active and not review.program.asleep
            for review in reviews.values()
        ),
        caseload_link=links.caseload_page(),
    )
    return Collected(selection, content)


def _cases_of(member: Membership) -> Q:
    """The cases a member is told of: their own and, so that none is in nobody's digest, for an owner also
    those of whoever does not treat here any more."""
    own = Q(clinic=member.clinic_id, episode__clinician=member.user_id)
    if member.role != Role.OWNER:
        return own
    treating = Membership.objects.clinicians().filter(clinic=member.clinic_id)
    return own | Q(clinic=member.clinic_id) & ~Q(episode__clinician__in=treating.values("user"))


def _alerts(member: Membership, now: datetime, today: date, *, silent_since: date) -> dict[int, Alert]:
    """The unresolved alerts of the member's cases, by id, with the time of their latest news.

    Opened by now, though where the patient lives it may be tomorrow; or on a day until today, though the
    review of that day was made up for later. ``answered_since`` tells of an answer since the alert was
    opened and after ``silent_since``.
    """
    answers = Answer.objects.current().filter(
        episode=OuterRef("episode"), local_date__gte=OuterRef("opened_on"), local_date__gt=silent_since
    )
    alerts = (
        Alert.objects.unresolved()
        .with_bars()
        .filter(_cases_of(member), Q(opened_at__lte=now) | Q(opened_on__lte=today))
        .select_related("episode__patient", "episode__clinician")
        .annotate(
            news_at=Max("events__at", filter=Q(events__what__in=NEWS)),
            answered_since=Exists(answers),
        )
        .order_by("pk")
    )
    return {alert.pk: alert for alert in alerts}


def _latest_reviews(member: Membership, now: datetime, today: date) -> dict[int, Review]:
    """The latest review of each of the member's cases: made by now, or of a day until today."""
    reviews = (
        Review.objects.filter(_cases_of(member), Q(reviewed_at__lte=now) | Q(day__lte=today))
        .order_by("episode_id", "-day", "-pk")
        .distinct("episode_id")
        .select_related("program")
    )
    return {review.episode_id: review for review in reviews}


def _told(member: Membership, reader: User) -> Told:
    """What the reader was told before: who stood in knows it, and who comes back does not. A silent patient
    is called so many times whoever was asked to.
    """
    earlier = Digest.objects.filter(clinic=member.clinic_id, clinician=member.user_id).order_by("created_at")
    named_at: dict[int, datetime] = {}
    calls: Counter[int] = Counter()
    for content, created_at, sent_to in earlier.values_list("content", "created_at", "sent_to"):
        if (sent_to or member.user_id) == reader.pk:
            named_at |= dict.fromkeys(content.get("alerts", ()), created_at)
        calls.update(content.get("called_alerts", ()))
    return Told(named_at, calls)


def _as_open(alert: Alert, review: Review | None) -> OpenAlert:
    return OpenAlert(
        id=alert.pk,
        case=alert.episode_id,
        case_number=alert.episode.case_number,
        kind=AlertKind(alert.kind),
        state=AlertState(alert.state),
        opened_on=alert.opened_on,
        news_at=getattr(alert, "news_at", None) or alert.opened_at,
        level=alert.level,
        trend=review.trend if review else "",
        reason=review.reason if review else "",
        case_state=review.state if review else "",
        answered_since=getattr(alert, "answered_since", False),
    )


@dataclass(frozen=True, slots=True)
class _Words:
    """Turns the selection into lines."""

    member: Membership
    today: date
    alerts: dict[int, Alert]
    reviews: dict[int, Review]
    full_names: bool

    def detail(self, number: int, entry: Entry, pain: list[DayPain]) -> Detail:
        alert, review = self.alerts[entry.first.id], self.reviews.get(entry.case)
        if alert.kind == Alert.Kind.RELAPSE:  # the last review is of the time before the discharge
            review = None
        index = not _is_of_other_knee(alert)
        return Detail(
            who=self._who(alert),
            away=self._away(alert),
            case_number=alert.episode.case_number,
            label=_label(entry.first, alert),
            is_urgent=entry.urgency <= Urgency.WORSENING,
            week=review.week if review else None,
            baseline=review.baseline if review and index else None,
            now=review.now if review and index else None,
            trend=_trend(review) if index else "",
            adherence=_adherence(review),
            reason=_reason(alert, review),
            action=alert.action_now.rstrip("."),
            also=tuple(_label(other, self.alerts[other.id]) for other in entry.alerts[1:]),
            age=_age(alert.opened_on, self.today),
            link=links.case_page(alert.episode),
            picture_id=f"trend-{number}",
            picture=_picture(alert, review, pain, self.today),
        )

    def line(self, entry: Entry) -> Line:
        alert = self.alerts[entry.first.id]
        return Line(
            who=self._who(alert),
            away=self._away(alert),
            case_number=alert.episode.case_number,
            label=_label(entry.first, alert),
            age=_age(alert.opened_on, self.today),
            action=alert.action_now.rstrip("."),
            link=links.case_page(alert.episode),
        )

    def call(self, silent: OpenAlert) -> Call:
        alert = self.alerts[silent.id]
        return Call(
            who=self._who(alert),
            away=self._away(alert),
            case_number=alert.episode.case_number,
            why=alert.summary,
            action=alert.action.rstrip("."),
            link=links.case_page(alert.episode),
        )

    def _who(self, alert: Alert) -> str:
        patient = alert.episode.patient
        return patient.full_name if self.full_names else patient.initials

    def _away(self, alert: Alert) -> str:
        """Whose case it is, if it is not the reader's own."""
        clinician = alert.episode.clinician
        return "" if clinician.pk == self.member.user_id else clinician.get_full_name()


def _knee(alert: Alert) -> str:
    """ "right knee": the one that is not the case's index knee."""
    return f"{other_side(alert.episode.index_side)} knee"


def _is_of_other_knee(alert: Alert) -> bool:
    """A worsening of that one alone: the review's figures, which are the index knee's, say nothing of it."""
    keys = {key for entry in alert.evidence for key in entry.get("keys", ())}
    return alert.kind == Alert.Kind.WORSENING and keys == {OTHER_KNEE}


def _label(alert: OpenAlert, row: Alert) -> str:
    rank = urgency(alert)
    if _is_of_other_knee(row):
        return f"{LABELS[rank]}, {_knee(row)}"
    if alert.kind is AlertKind.RELAPSE:
        return "Relapsed after discharge"
    if rank is Urgency.STALLED_FLAT:
        return f"Stalled, {alert.trend}" if alert.trend else "Stalled"
    tier = TIERS.get(alert.level) if rank is Urgency.RED_FLAG else None
    return f"{LABELS[rank]}, {tier}" if tier else LABELS[rank]


def _age(opened_on: date, today: date) -> str:
    days = (today - opened_on).days
    if days < 1:
        return "opened today"
    return f"open {days} day{'' if days == 1 else 's'}"


def _rows(review: Review | None) -> dict[str, str]:
    """Evidence of the review, by topic."""
    evidence = (review.verdict.get("evidence") or []) if review else []
    return {row["topic"]: row["text"] for row in evidence}


def _adherence(review: Review | None) -> str:
    rows = _rows(review)
    return rows.get("adherence") or rows.get("adherence_unknown") or ""


def _trend(review: Review | None) -> str:
    return review.trend if review else ""


def _reason(alert: Alert, review: Review | None) -> str:
    """Why, in a sentence: of a stall the reason that sets the action, of any other alert what raised it."""
    if alert.kind == Alert.Kind.STALL and review and review.reason in _rows(review):
        return _rows(review)[review.reason]
    summary = alert.summary.rstrip(".")
    return summary.replace(OTHER_KNEE_WORDS, f"{_knee(alert).capitalize()}:")


def _picture(alert: Alert, review: Review | None, pain: list[DayPain], today: date) -> Trend | None:
    """The worst pain by day, since the program started, of the knee that the alert is about: the index one
    unless it is of the other alone; none without two days to join.
    """
    if review is None:
        return None
    index, started_on = not _is_of_other_knee(alert), review.program.started_on
    side = alert.episode.index_side if index else other_side(alert.episode.index_side)
    days: dict[date, Decimal] = {}
    for day in pain:
        worst = day.worst(side)
        if worst is not None and started_on <= day.on <= today:
            days[day.on] = worst
    medians = (review.baseline, review.now) if index else (None, None)
    return Trend(days, started_on, today, *medians) if len(days) > 1 else None
