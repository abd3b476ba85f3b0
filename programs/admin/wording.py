"""Labels and colours of what the rules conclude: nothing raw reaches a screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clinic.admin.policy import as_text
from clinic.thresholds import FIELDS
from patients.models import Episode
from programs.models import Alert
from programs.rules.caseload import Group, Need, Needed
from programs.rules.pain import Proposal
from programs.rules.stall import State
from programs.rules.stall.labels import STATES as STATE_WORDS
from programs.rules.stall.labels import TRENDS as TREND_WORDS
from programs.rules.stall.labels import reason_label as reason_label


@dataclass(frozen=True, slots=True)
class Badge:
    """A short word in a colour of the admin's labels."""

    text: str
    variant: str = "default"


NO_PROGRAM = Badge("No program")
CLOSED = Badge("Closed")
CLOSED_RELAPSED = Badge("Closed, pain is back", "warning")
CLOSED_NOT_CLEARED = Badge("Closed, not cleared", "danger")
ASLEEP = Badge("Asleep")
NOT_REVIEWED = Badge("Not reviewed yet")
REVIEW_DUE = Badge("Review due", "info")
ON_HOLD = Badge(STATE_WORDS[State.ON_HOLD], "danger")
PAUSED = Badge(STATE_WORDS[State.PAUSED])

STATES: Mapping[str, Badge] = {
    State.PAUSED: PAUSED,
    State.ON_HOLD: ON_HOLD,
    State.TOO_EARLY: Badge(STATE_WORDS[State.TOO_EARLY]),
    State.INSUFFICIENT_DATA: Badge(STATE_WORDS[State.INSUFFICIENT_DATA], "warning"),
    State.ON_TRACK: Badge(STATE_WORDS[State.ON_TRACK], "success"),
    State.STALLED: Badge(STATE_WORDS[State.STALLED], "danger"),
    State.STALLING: Badge(STATE_WORDS[State.STALLING], "warning"),
    State.WATCH: Badge(STATE_WORDS[State.WATCH], "info"),
}

# Every badge that an open case, or a closed one that was never cleared, may wear: by its name in addresses.
CASE_STATES: Mapping[str, Badge] = {
    **STATES,
    "review_due": REVIEW_DUE,
    "not_reviewed": NOT_REVIEWED,
    "asleep": ASLEEP,
    "no_program": NO_PROGRAM,
    "closed_relapsed": CLOSED_RELAPSED,
    "closed_not_cleared": CLOSED_NOT_CLEARED,
}
CASE_BADGES: Mapping[str, Badge] = {**CASE_STATES, "closed": CLOSED}
STATE_CODES: Mapping[Badge, str] = {badge: str(code) for code, badge in CASE_STATES.items()}

NEEDS: Mapping[Need, Badge] = {
    Need.RED_FLAG: Badge("Red flag", "danger"),
    Need.WORSENING: Badge("Worsening", "danger"),
    Need.STALLED: Badge("Stalled", "danger"),
    Need.RELAPSED: Badge("Relapsed", "warning"),
    Need.DRIFT: Badge("Pain elsewhere", "warning"),
    Need.OVERLOAD: Badge("Overloaded", "warning"),
    Need.STALLING: Badge("Stalling", "warning"),
    Need.SLOW: Badge("Slow", "info"),
    Need.SILENT: Badge("Silent", "info"),
    Need.ADDRESS: Badge("E-mail bounces", "warning"),
    Need.INVITE: Badge("Not invited", "warning"),
    Need.BEGIN: Badge("To begin", "warning"),
    Need.ASSESS: Badge("To assess", "warning"),
    Need.READY: Badge("Ready to progress", "success"),
    Need.REASSESS: Badge("Re-assessment due", "info"),
    Need.PAUSED_LONG: Badge("Paused for long", "warning"),
    Need.RECOVERING: Badge("On track again", "success"),
    Need.NEW_ANSWERS: Badge("New answers"),
}

GROUPS: Mapping[Group, str] = {
    Group.RED_FLAGS: "Red flags",
    Group.OWN: "Your cases",
    Group.COLLEAGUES: "Colleagues' cases",
    Group.NOTHING: "Nothing to do",
}

TRENDS: Mapping[str, Badge] = {
    "worse": Badge(TREND_WORDS["worse"], "danger"),
    "slow": Badge(TREND_WORDS["slow"], "info"),
    "flat": Badge(TREND_WORDS["flat"], "warning"),
}

PROPOSALS: Mapping[str, Badge] = {
    Proposal.PROGRESS: Badge("Progress one step", "success"),
    Proposal.HOLD: Badge("Hold the dose", "info"),
    Proposal.EASE: Badge("Ease one step", "warning"),
}

ALERT_KINDS: Mapping[str, str] = {
    Alert.Kind.RED_FLAG: "danger",
    Alert.Kind.WORSENING: "danger",
    Alert.Kind.STALL: "warning",
    Alert.Kind.RELAPSE: "warning",
    Alert.Kind.OVERLOAD: "warning",
    Alert.Kind.DRIFT: "warning",
    Alert.Kind.SILENT: "info",
}

ALERT_STATES: Mapping[str, str] = {
    Alert.State.OPEN: "danger",
    Alert.State.ACKNOWLEDGED: "info",
    Alert.State.SNOOZED: "default",
    Alert.State.RESOLVED: "success",
}

TIERS: Mapping[str, str] = {"tier_1": "tier 1", "tier_2": "tier 2"}

LEVELS: Mapping[str, str] = {
    "tier_1": "Tier 1: the patient acts now",
    "tier_2": "Tier 2: the same working day",
    "stalling": "Stalling",
    "stalled": "Stalled",
}

# Which groups of thresholds speak about which alert.
_THRESHOLD_GROUPS: Mapping[str, tuple[str, ...]] = {
    Alert.Kind.RED_FLAG: ("Red flags",),
    Alert.Kind.WORSENING: ("Alerts", "Baseline", "Pain now"),
    Alert.Kind.STALL: ("Stall", "Success", "Baseline", "Pain now", "Reasons"),
    Alert.Kind.SILENT: ("Alerts", "Check-ins"),
    Alert.Kind.OVERLOAD: ("Reasons", "24-hour pain rule"),
    Alert.Kind.DRIFT: ("Alerts",),
    Alert.Kind.RELAPSE: ("After discharge",),
}


def need_badge(needed: Needed) -> Badge:
    """What the case needs; of a red flag with its tier."""
    badge, alert = NEEDS[needed.need], needed.alert
    tier = TIERS.get(alert.level) if alert and needed.need is Need.RED_FLAG else None
    return Badge(f"{badge.text}, {tier}", badge.variant) if tier else badge


def kind_badge(alert: Alert) -> Badge:
    return Badge(alert.get_kind_display(), ALERT_KINDS[alert.kind])


def state_badge(alert: Alert) -> Badge:
    return Badge(alert.get_state_display(), ALERT_STATES[alert.state])


def threshold_rows(alert: Alert) -> list[tuple[str, str]]:
    """The thresholds an alert was made with, as far as they speak about it: label and value with unit."""
    groups = _THRESHOLD_GROUPS.get(alert.kind, ())
    rows = []
    for key, field in FIELDS.items():
        about = field.metadata
        if about["group"] in groups and key in alert.thresholds:
            value = alert.thresholds[key]
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            rows.append((f"{about['label']}", f"{text} {about['unit']}".strip()))
    return rows


def own_thresholds(episode: Episode) -> list[str]:
    """Where a case's thresholds differ from its clinic's: both values, in words."""
    ours, clinics = episode.thresholds, episode.clinic.thresholds()
    return [
        f"{field.metadata['label']}: {as_text(getattr(ours, key))} {field.metadata['unit']}".strip()
        + f" (clinic {as_text(getattr(clinics, key))})"
        for key, field in FIELDS.items()
        if getattr(ours, key) != getattr(clinics, key)
    ]


def evidence_texts(evidence: list[dict[str, object]]) -> list[str]:
    """What an alert or a verdict rests on, as sentences; a red flag's with where it was reported."""
    texts = []
    for entry in evidence:
        text = str(entry.get("text", ""))
        source = entry.get("source")
        if text:
            texts.append(f"{text}: {source}" if source else text)
    return texts
