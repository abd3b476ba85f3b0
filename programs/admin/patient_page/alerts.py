"""An alert with why it was raised and by which thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from programs.admin.wording import Badge, evidence_texts, kind_badge, state_badge, threshold_rows
from programs.models import Alert


@dataclass(frozen=True, slots=True)
class AlertCard:
    """An alert as a page shows it."""

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


def alert_card(alert: Alert, today: date) -> AlertCard:
    return AlertCard(
        alert=alert,
        kind=kind_badge(alert),
        state=state_badge(alert),
        age_days=((alert.resolved_on or today) - alert.opened_on).days,
        evidence=evidence_texts(alert.evidence),
        thresholds=threshold_rows(alert),
    )
