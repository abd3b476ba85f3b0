"""What ``programs.rules.caseload`` says of one case, as conditions on all; a test holds both together.

The active program and the one waiting alert of each kind are joined to the case: the database reads each of
these small sets once, not once for each case.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from operator import add
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import (
    BooleanField,
    Case,
    Exists,
    F,
    FilteredRelation,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Least

from patients.models import Assessment, Invitation, OutcomeScore
from patients.vocabulary import OutcomeMeasure
from programs.models import Alert, Answer, Hold, Pause, Program
from programs.rules.alerts import HOLDS_BACK
from programs.rules.caseload import RANKED, CaseState, Need
from programs.rules.stall import ReasonCode, State, Trend

PROGRAM = "program_now"
KINDS = tuple(Alert.Kind)
BITS = {need: 1 << place for place, need in enumerate(RANKED)}
"""The lowest bit of a case is its most urgent need."""


def alert_of(kind: str) -> str:
    """The name under which the case's waiting alert of that kind is joined."""
    return f"{kind}_alert"


def joined(cases: QuerySet[Any]) -> QuerySet[Any]:
    """With the active program, and the unresolved alerts that nobody has put aside: one a kind at most."""
    waiting = Q(alerts__state__in=[Alert.State.OPEN, Alert.State.ACKNOWLEDGED])
    alerts = {
        alert_of(kind): FilteredRelation("alerts", condition=waiting & Q(alerts__kind=kind)) for kind in KINDS
    }
    sent = Q(programs__ended_on=None, programs__is_draft=False)
    program = FilteredRelation("programs", condition=sent)
    found: QuerySet[Any] = cases.annotate(**alerts, **{PROGRAM: program})
    return found


def has(kind: str) -> Q:
    return Q(**{f"{alert_of(kind)}__isnull": False})


def relapsed() -> Q:
    """Pain is back after the discharge; put aside, it still stands on the caseload."""
    relapses = Alert.objects.unresolved().filter(kind=Alert.Kind.RELAPSE)
    return Q(pk__in=relapses.order_by().values("episode"))


def held_back() -> Q:
    """Put aside, such an alert still bars progress."""
    found = Alert.objects.unresolved().filter(kind__in=HOLDS_BACK)
    return Q(pk__in=found.order_by().values("episode"))


def held() -> Q:
    holds = Hold.objects.filter(cleared_at=None, program__ended_on=None)
    return Q(pk__in=holds.order_by().values("program__episode"))


def paused(now: datetime) -> Q:
    """By the patient's own date: the few pauses that may hold are looked at one by one."""
    near = [now.astimezone(UTC).date() + timedelta(days=days) for days in (-1, 1)]
    found = Pause.objects.filter(Q(ends_on=None) | Q(ends_on__gt=near[0]), starts_on__lte=near[1])
    cases = found.filter(program__ended_on=None).values_list(
        "program__episode", "program__episode__patient__timezone", "starts_on", "ends_on"
    )
    return Q(pk__in=[case for case, zone, start, back in cases if _covers(start, back, zone, now)])


def _covers(start: date, back: date | None, zone: str, now: datetime) -> bool:
    return Pause(starts_on=start, ends_on=back).covers(now.astimezone(ZoneInfo(zone)).date())


def states(paused_now: Q) -> Case:
    """The state that each case shows: ``programs.rules.caseload.state_of``."""
    flagged, is_open = has(Alert.Kind.RED_FLAG), Q(closed_on=None)
    reviewed = f"{PROGRAM}__review_state"
    standing_in = [State.ON_HOLD, State.PAUSED]
    steps = (
        (~is_open & flagged, CaseState.CLOSED_NOT_CLEARED),
        (~is_open & relapsed(), CaseState.CLOSED_RELAPSED),
        (~is_open, CaseState.CLOSED),
        (flagged | held(), State.ON_HOLD),
        (Q(**{f"{PROGRAM}__isnull": True}), CaseState.NO_PROGRAM),
        (paused_now, State.PAUSED),
        (Q(**{reviewed: "", f"{PROGRAM}__asleep": True}), CaseState.ASLEEP),
        (Q(**{reviewed: ""}), CaseState.NOT_REVIEWED),
        (Q(**{f"{reviewed}__in": standing_in}), CaseState.REVIEW_DUE),
    )
    return Case(*(When(holds, then=Value(state.value)) for holds, state in steps), default=F(reviewed))


def need_conditions(paused_now: Q, now: datetime) -> Mapping[Need, Q]:
    """What each need asks of a case: ``programs.rules.caseload.needs``."""
    return {
        **_of_alerts(),
        **_to_begin(),
        **_of_course(paused_now, now),
        Need.NEW_ANSWERS: answered_anew(),
    }


def _of_alerts() -> dict[Need, Q]:
    stall = alert_of(Alert.Kind.STALL)
    a_stall, stalled = has(Alert.Kind.STALL), Q(**{f"{stall}__level": State.STALLED})
    was_success = Q(**{f"{stall}__reason": ReasonCode.RELAPSED})
    on_track = Q(**{f"{PROGRAM}__review_state": State.ON_TRACK})
    slow = Q(**{f"{PROGRAM}__review_trend": Trend.SLOW})
    failing = a_stall & _not(on_track)
    return {
        Need.RED_FLAG: has(Alert.Kind.RED_FLAG),
        Need.WORSENING: has(Alert.Kind.WORSENING),
        Need.DRIFT: has(Alert.Kind.DRIFT),
        Need.OVERLOAD: has(Alert.Kind.OVERLOAD),
        Need.SILENT: has(Alert.Kind.SILENT),
        Need.STALLED: failing & stalled & _not(slow),
        Need.RELAPSED: has(Alert.Kind.RELAPSE) | failing & was_success,
        Need.STALLING: failing & ~stalled & ~was_success & _not(slow),
        Need.SLOW: failing & ~was_success & slow,
        Need.RECOVERING: a_stall & on_track,
    }


def _not(of_program: Q) -> Q:
    """Of a case without a program nothing holds; SQL would say "unknown"."""
    return Q(**{f"{PROGRAM}__isnull": True}) | ~of_program


def _to_begin() -> dict[Need, Q]:
    """Of open cases without a program, unless a red flag keeps them from one."""
    waits = Q(closed_on=None, **{f"{PROGRAM}__isnull": True}) & ~has(Alert.Kind.RED_FLAG)
    assessed = Exists(Assessment.objects.filter(episode=OuterRef("pk")))
    prepared = Exists(Program.with_drafts.drafts().filter(episode=OuterRef("pk")))
    return {
        Need.ASSESS: waits & ~Q(assessed) & ~Q(prepared),
        Need.BEGIN: waits & (Q(assessed) | Q(prepared)),
    }


def _of_course(paused_now: Q, now: datetime) -> dict[Need, Q]:
    awake = Q(closed_on=None, **{f"{PROGRAM}__asleep": False})
    unhindered = awake & ~has(Alert.Kind.RED_FLAG) & ~held()
    goes_on = unhindered & ~paused_now
    entered = F(f"{PROGRAM}__stage_started_on")
    return {
        Need.ADDRESS: goes_on & Q(patient__user__isnull=False, patient__email_bounced_at__isnull=False),
        Need.INVITE: goes_on & shut_out(now),
        Need.PAUSED_LONG: unhindered & paused_now & Q(**{f"{PROGRAM}__paused_long": True}),
        Need.READY: goes_on & ~held_back() & Q(**{f"{PROGRAM}__gate_open_since__gt": entered}),
        Need.REASSESS: goes_on & (akps_due() | reassess_due()),
    }


def shut_out(now: datetime) -> Q:
    """Without an account, or an invitation that can still reach the patient and open one."""
    invited = Invitation.objects.live(now).filter(patient=OuterRef("patient"))
    bounced = Q(patient__email_bounced_at__isnull=False)
    return Q(patient__user=None) & (bounced | ~Q(Exists(invited)))


def akps_due() -> Q:
    since = f"{PROGRAM}__akps_due_since"
    scores = OutcomeScore.objects.filter(
        episode=OuterRef("pk"), measure=OutcomeMeasure.AKPS.value, taken_on__gte=OuterRef(since)
    )
    return Q(**{f"{since}__isnull": False}) & ~Q(Exists(scores))


def reassess_due() -> Q:
    since = f"{PROGRAM}__reassess_due_since"
    assessed = Assessment.objects.filter(episode=OuterRef("pk"), assessed_on__gte=OuterRef(since))
    return Q(**{f"{since}__isnull": False}) & ~Q(Exists(assessed))


def answered_anew() -> Q:
    """Since its clinician last opened the case, or since the program was made.

    In two halves: behind row-level security a COALESCE would keep the database from using its index.
    """
    never = Q(**{f"{PROGRAM}__looked_at__isnull": True})
    anew = Q(_answer_after(f"{PROGRAM}__looked_at")) | never & Q(_answer_after(f"{PROGRAM}__created_at"))
    return Q(closed_on=None) & anew


def _answer_after(moment: str) -> Exists:
    answers = Answer.objects.current().filter(episode=OuterRef("pk"), received_at__gt=OuterRef(moment))
    return Exists(answers)


def bits(conditions: Mapping[Need, Q]) -> CombinedExpression | Case:
    """One number for all needs of a case: the sum of the ``BITS`` of those that hold."""
    each = (
        Case(When(holds, then=Value(BITS[need])), default=Value(0), output_field=IntegerField())
        for need, holds in conditions.items()
    )
    return reduce(add, each)


def whether(holds: Q) -> Case:
    """Never NULL: what SQL leaves unknown does not hold."""
    if not holds:
        return Case(default=Value(True), output_field=BooleanField())
    return Case(When(holds, then=Value(True)), default=Value(False), output_field=BooleanField())


def unseen() -> Q:
    """An alert that nobody has acknowledged waits."""
    found = Q()
    for kind in KINDS:
        found |= Q(**{f"{alert_of(kind)}__state": Alert.State.OPEN})
    return found


def oldest() -> Coalesce:
    """Since when the oldest waiting alert is open; cases without one come last."""
    return Coalesce(Least(*(F(f"{alert_of(kind)}__opened_on") for kind in KINDS)), Value(date.max))
