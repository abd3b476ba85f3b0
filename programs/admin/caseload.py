"""How a set of cases stands now, in the words and colours of the admin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, IntegerField, Min, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse

from clinic.models import User
from patients.models import Episode, Patient
from programs.admin.wording import CASE_BADGES, TRENDS, Badge, kind_badge, reason_label
from programs.models import Alert
from programs.rules.alerts import HELD_BACK, HOLDS_BACK, suggests_progress
from programs.rules.stall import ReasonCode
from programs.services.caseload import rows
from programs.services.caseload.rows import local_today as local_today


class CaseRow(rows.CaseRow):
    """One case in the words and colours of the admin."""

    __slots__ = ()

    @property
    def state(self) -> Badge:
        return CASE_BADGES.get(self.state_code) or Badge(self.state_code.replace("_", " ").capitalize())

    @property
    def trend(self) -> Badge | None:
        if self.verdict is None or self.on_hold or self.pause:
            return None
        return TRENDS.get(self.verdict.trend)

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
        action = self.verdict.action or (self.alert.action if self.alert else "")
        barred = any(alert.kind in HOLDS_BACK for alert in self.alerts)
        up = suggests_progress(kind=Alert.Kind.STALL, reason=self.verdict.reason, action=action)
        return HELD_BACK if up and barred else action


def page_url(episode: Episode) -> str:
    """The patient page, on this case."""
    return f"{reverse('admin:patients_patient_change', args=[episode.patient_id])}?case={episode.pk}"


def red_flags_of(**row: Any) -> Exists:
    """Whether a row has a red flag nobody cleared, a closed case's included: it tops every caseload."""
    return Exists(Alert.objects.unresolved().filter(kind=Alert.Kind.RED_FLAG, **row))


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
    return rows.case_rows(episodes, patients, now, CaseRow)


# Who comes first on the list of patients, in the order of the caseload: the first row that fits counts.
PLACES: Sequence[tuple[int, Mapping[str, str]]] = (
    (1, {"kind": Alert.Kind.RED_FLAG, "level": "tier_1"}),
    (2, {"kind": Alert.Kind.RED_FLAG, "level": "tier_2"}),
    (3, {"kind": Alert.Kind.WORSENING}),
    (4, {"kind": Alert.Kind.STALL, "level": "stalled"}),
    (5, {"kind": Alert.Kind.STALL, "reason": ReasonCode.RELAPSED}),
    (5, {"kind": Alert.Kind.RELAPSE}),
    (6, {"kind": Alert.Kind.DRIFT}),
    (7, {"kind": Alert.Kind.OVERLOAD}),
    (8, {"kind": Alert.Kind.STALL, "level": "stalling"}),
    (9, {"kind": Alert.Kind.SILENT}),
)
LAST_PLACE = 10


def place_of_alert() -> Case:
    return Case(
        *(When(**alike, then=Value(place)) for place, alike in PLACES),
        default=Value(LAST_PLACE),
        output_field=IntegerField(),
    )


def urgency(**row: Any) -> Coalesce:
    """The place of a row's most urgent alert that nobody has put aside, to order a page in the database."""
    waiting = Alert.objects.unresolved().exclude(state=Alert.State.SNOOZED).filter(**row)
    foremost = (
        waiting.order_by()
        .annotate(place=place_of_alert())
        .values(every=Value(1))
        .annotate(first=Min("place"))
    )
    return Coalesce(Subquery(foremost.values("first")), Value(LAST_PLACE))
