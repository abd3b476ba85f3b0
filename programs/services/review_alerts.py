"""What a review does to the alerts of its cases, as the alert rule decides; each step is an event.

A red flag is never touched here: it is raised when it is reported and cleared with a finding.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from clinic.data_keys import prepare
from clinic.thresholds import as_json
from programs.models import Alert, AlertEvent, Review
from programs.rules.alerts import AlertFacts, Decision, PastReview, Step, decide
from programs.rules.stall import AlertKind, State, Verdict
from programs.services.facts import Case

What = AlertEvent.What

CHANGED_BY_REVIEW = (
    *("level", "reason", "summary", "action", "evidence", "thresholds", "state", "snoozed_until"),
    *("acknowledged_at", "acknowledged_by"),
    *("resolved_at", "resolved_on", "resolved_by", "resolution"),
)


@dataclass
class _Changes:
    """What to write, collected over many cases."""

    now: datetime
    opened: list[Alert] = field(default_factory=list)
    changed: dict[int, Alert] = field(default_factory=dict)
    outcomes: list[Alert] = field(default_factory=list)
    events: list[tuple[Alert, str, str]] = field(default_factory=list)

    def note(self, alert: Alert, what: str, note: str = "") -> None:
        self.events.append((alert, what, note))


def apply(reviewed: Sequence[tuple[Case, Verdict]], *, now: datetime) -> Counter[str]:
    """Open, keep, raise, re-open and resolve the alerts of these cases; wake what was snoozed until today.

    A constant number of queries, and one for each that resolves or opens again. Returns how many of each
    event there were.
    """
    cases = [case.program.episode_id for case, _ in reviewed]
    alerts = _alerts_of(cases)
    past = _past_reviews(alerts)
    changes = _Changes(now)
    for case, verdict in reviewed:
        own = alerts[case.program.episode_id]
        _wake_snoozed(own.values(), verdict.on, changes)
        stored = [_as_facts(alert) for alert in own.values()]
        for decision in decide(verdict, stored, past[case.program.episode_id]):
            _carry_out(decision, case, verdict, own, changes)
    _write(changes)
    return Counter(what for _, what, _ in changes.events)


def _alerts_of(cases: Sequence[int]) -> dict[int, dict[int, Alert]]:
    """All alerts of each case but red flags, locked, by id."""
    found: dict[int, dict[int, Alert]] = defaultdict(dict)
    alerts = Alert.objects.select_related("episode").filter(episode__in=cases)
    alerts = alerts.exclude(kind=Alert.Kind.RED_FLAG).order_by("pk")
    for alert in alerts.select_for_update(of=("self",), no_key=True):
        found[alert.episode_id][alert.pk] = alert
    return found


def _past_reviews(alerts: dict[int, dict[int, Alert]]) -> dict[int, list[PastReview]]:
    """The reviews of each case since its unresolved stall alert was opened."""
    stalls = [
        alert
        for own in alerts.values()
        for alert in own.values()
        if alert.kind == Alert.Kind.STALL and alert.state != Alert.State.RESOLVED
    ]
    since = min((alert.opened_on for alert in stalls), default=date.max)
    rows = Review.objects.filter(episode__in=[alert.episode_id for alert in stalls], day__gte=since)
    found: dict[int, list[PastReview]] = defaultdict(list)
    for case, day, state in rows.values_list("episode_id", "day", "state"):
        found[case].append(PastReview(day, State(state)))
    return found


def _as_facts(alert: Alert) -> AlertFacts:
    return AlertFacts(
        id=alert.pk,
        kind=AlertKind(alert.kind),
        keys=frozenset(key for entry in alert.evidence for key in entry.get("keys", ())),
        level=State(alert.level) if alert.kind == Alert.Kind.STALL and alert.level else None,
        resolved_on=alert.resolved_on,
        resolved_by_rule=alert.resolution == Alert.Resolution.RECOVERED,
        stalled_week=alert.thresholds.get("stalled_week"),
    )


def _wake_snoozed(alerts: Iterable[Alert], today: date, changes: _Changes) -> None:
    for alert in alerts:
        until = alert.snoozed_until
        if alert.state == Alert.State.SNOOZED and until is not None and until <= today:
            alert.state, alert.snoozed_until = Alert.State.OPEN, None
            changes.changed[alert.pk] = alert
            changes.note(alert, What.WOKE)


def _carry_out(
    decision: Decision, case: Case, verdict: Verdict, own: dict[int, Alert], changes: _Changes
) -> None:
    if decision.kind is AlertKind.RED_FLAG:
        return
    if decision.step is Step.OPEN:
        _open(decision, case, verdict, changes)
        return
    alert = own[int(str(decision.alert_id))]
    if decision.step is Step.RESOLVE:
        _resolve(alert, verdict, changes)
        return
    before = _content(alert)
    known = _as_facts(alert).keys
    _describe(alert, decision, verdict)
    if decision.step is Step.REOPEN:
        _reopen(alert, changes)
    elif decision.step is Step.RAISE:
        _raise(alert, changes)
    elif decision.keys - known:
        changes.note(alert, What.NEW_EVIDENCE, alert.summary)
    if _content(alert) != before:
        changes.changed[alert.pk] = alert


def _open(decision: Decision, case: Case, verdict: Verdict, changes: _Changes) -> None:
    program = case.program
    alert = Alert(
        clinic_id=program.clinic_id,
        episode=program.episode,
        kind=decision.kind.value,
        opened_on=verdict.on,
        opened_at=changes.now,
    )
    _describe(alert, decision, verdict)
    changes.opened.append(alert)
    changes.note(alert, What.OPENED, alert.summary)


def _describe(alert: Alert, decision: Decision, verdict: Verdict) -> None:
    """Today's ground for it, in words; without one today the alert keeps the words it has."""
    alert.level = decision.level.value if decision.level else ""
    signal = decision.signal
    if signal is None:
        return
    is_stall = decision.kind is AlertKind.STALL
    alert.reason = sorted(signal.keys)[0]
    alert.summary = (verdict.summary if is_stall else signal.evidence)[:500]
    alert.action = signal.action
    alert.thresholds = as_json(verdict.thresholds)
    new = signal.keys - _as_facts(alert).keys
    if new:
        entry = {"keys": sorted(new), "text": signal.evidence, "day": verdict.on.isoformat()}
        alert.evidence = [*alert.evidence, entry]


def _resolve(alert: Alert, verdict: Verdict, changes: _Changes) -> None:
    days = verdict.thresholds.stall_resolve_gap_days
    alert.state, alert.resolution = Alert.State.RESOLVED, Alert.Resolution.RECOVERED
    alert.outcome = f"Success at two reviews {days} or more days apart. {verdict.summary}"[:500]
    alert.resolved_at, alert.resolved_on, alert.snoozed_until = changes.now, verdict.on, None
    changes.changed[alert.pk] = alert
    changes.outcomes.append(alert)
    changes.note(alert, What.RESOLVED, alert.outcome)


def _reopen(alert: Alert, changes: _Changes) -> None:
    """The same alert again, its age kept."""
    alert.state, alert.resolution, alert.outcome = Alert.State.OPEN, "", ""
    alert.resolved_at, alert.resolved_on, alert.resolved_by = None, None, None
    alert.acknowledged_at, alert.acknowledged_by = None, None
    changes.outcomes.append(alert)
    changes.note(alert, What.REOPENED, alert.summary)


def _raise(alert: Alert, changes: _Changes) -> None:
    """Who acknowledged a stalling program has not seen the stalled one; who snoozed it said until when."""
    if alert.state == Alert.State.ACKNOWLEDGED:
        alert.state, alert.acknowledged_at, alert.acknowledged_by = Alert.State.OPEN, None, None
    changes.note(alert, What.RAISED, alert.summary)


def _content(alert: Alert) -> dict[str, Any]:
    return {name: getattr(alert, name) for name in CHANGED_BY_REVIEW if name != "acknowledged_by"}


def _write(changes: _Changes) -> None:
    prepare({alert.episode.patient_id: alert.clinic_id for alert, _, note in changes.events if note})
    Alert.objects.bulk_create(changes.opened)
    Alert.objects.bulk_update(changes.changed.values(), CHANGED_BY_REVIEW)
    for alert in changes.outcomes:
        alert.save(update_fields=["outcome"])
    AlertEvent.objects.bulk_create(
        AlertEvent(
            clinic_id=alert.clinic_id,
            alert=alert,
            what=what,
            at=changes.now,
            note=note[:500],
            evidence=alert.evidence,
        )
        for alert, what, note in changes.events
    )
