"""Which cases a user is shown, in which order: filtered, searched, ranked and counted in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability
from clinic.tenancy import clinics_where, rows_where
from patients.models import Episode
from patients.vocabulary import Diagnosis
from programs.models import Alert
from programs.rules.caseload import RANKED, CaseState, Need
from programs.rules.stall import State
from programs.services.caseload import conditions
from programs.services.caseload.conditions import PROGRAM, alert_of, has

STATES = (*(state.value for state in State), *(state.value for state in CaseState if state != "closed"))
"""All states that a case of the caseload may show: of the closed ones those that still ask are on it."""

WORDS = 8
"""As many words of a search as are looked for."""


class CaseloadError(FieldError):
    """The caseload cannot be filtered like this."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; empty: everything. ``search`` is for names and case numbers."""

    clinician: int | None = None
    diagnosis: str = ""
    stage: int | None = None
    state: str = ""
    need: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many cases: open ones, the user's own of these, by state, and by need where the user reads."""

    open: int
    mine: int
    red_flags: int
    states: Mapping[str, int]
    needs: Mapping[Need, int]


def select(*, user: User, now: datetime, wanted: Wanted | None = None) -> QuerySet[Episode]:
    """The cases of the user's clinics, the most urgent first: open ones, and closed ones that still ask.

    Red flags come first, whoever's case it is, then the user's own cases, then colleagues'; among them by
    ``programs.rules.caseload.order``, and by case number. The order is total. A need, a diagnosis or a stage
    is a finding: asked for, it finds only cases whose findings the user may read.

    Raises:
        CaseloadError: a value that no case can have.
    """
    wanted = wanted or Wanted()
    _check(wanted)
    paused_now = conditions.paused(now)
    needs = conditions.need_conditions(paused_now)
    found = _cases(user).filter(_filters(user, wanted, needs))
    if wanted.state:
        found = found.alias(state_now=conditions.states(paused_now)).filter(state_now=wanted.state)
    readable = Q(clinic__in=clinics_where(user, Capability.READ_CLINICAL))
    return found.order_by(
        _first(has(Alert.Kind.RED_FLAG) & readable),
        _first(Q(clinician=user.pk)),
        conditions.ranks(needs),
        f"{alert_of(Alert.Kind.RED_FLAG)}__level",
        _first(conditions.unseen()),
        conditions.oldest(),
        "case_number",
        "pk",
    )


def tally(*, user: User, now: datetime) -> Tally:
    """All counts of the user's caseload, in one query (and one for the pauses that hold)."""
    paused_now = conditions.paused(now)
    readable = Q(clinic__in=clinics_where(user, Capability.READ_CLINICAL))
    needing = {
        f"need_{need}": Count("pk", filter=readable & holds)
        for need, holds in conditions.need_conditions(paused_now).items()
    }
    is_open = Q(closed_on=None)
    by_state: list[Any] = list(
        _cases(user)
        .order_by()
        .values(state_now=conditions.states(paused_now))
        .annotate(
            every=Count("pk"),
            open=Count("pk", filter=is_open),
            mine=Count("pk", filter=is_open & Q(clinician=user.pk)),
            **needing,
        )
    )
    states = {row["state_now"]: row["every"] for row in by_state}
    needs = {need: sum(row[f"need_{need}"] for row in by_state) for need in RANKED}
    return Tally(
        open=sum(row["open"] for row in by_state),
        mine=sum(row["mine"] for row in by_state),
        red_flags=needs[Need.RED_FLAG],
        states={state: states[state] for state in STATES if state in states},
        needs={need: count for need, count in needs.items() if count},
    )


def _cases(user: User) -> QuerySet[Episode]:
    cases = conditions.joined(rows_where(user, Capability.READ_STATE, Episode.objects.all()))
    return cases.filter(Q(closed_on=None) | has(Alert.Kind.RED_FLAG) | conditions.relapsed())


def _first(holds: Q) -> Case:
    return Case(When(holds, then=Value(0)), default=Value(1), output_field=IntegerField())


def _check(wanted: Wanted) -> None:
    known = {
        "diagnosis": (wanted.diagnosis, [value for value, _ in Diagnosis.choices()]),
        "state": (wanted.state, STATES),
        "need": (wanted.need, list(Need)),
    }
    for field, (value, values) in known.items():
        if value and value not in values:
            raise CaseloadError(field, f"There is no such {field}: {value[:50]!r}.")
    for field, number in (("clinician", wanted.clinician), ("stage", wanted.stage)):
        if number is not None and not 0 <= number < 2**31:
            raise CaseloadError(field, f"There is no such {field}: {number}.")


def _filters(user: User, wanted: Wanted, needs: Mapping[Need, Q]) -> Q:
    parts = [searched(wanted.search)]
    if wanted.clinician is not None:
        parts.append(Q(clinician=wanted.clinician))
    if wanted.diagnosis:
        parts.append(Q(diagnosis=wanted.diagnosis))
    if wanted.stage is not None:
        parts.append(Q(**{f"{PROGRAM}__current_stage": wanted.stage}))
    if wanted.need:
        parts.append(needs[Need(wanted.need)])
    if wanted.need or wanted.diagnosis or wanted.stage is not None:
        parts.append(Q(clinic__in=clinics_where(user, Capability.READ_CLINICAL)))
    return reduce(and_, parts)


def searched(text: str) -> Q:
    """Each word stands somewhere in the name or the case number. PostgreSQL takes no NUL."""
    found = Q()
    for word in text.replace("\0", " ").split()[:WORDS]:
        found &= (
            Q(patient__given_name__icontains=word)
            | Q(patient__family_name__icontains=word)
            | Q(case_number__icontains=word)
        )
    return found
