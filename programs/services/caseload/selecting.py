"""Which cases a user is shown, in which order: judged in the database, ranked and counted here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability
from clinic.tenancy import clinics_where, rows_where
from patients.models import Episode
from patients.vocabulary import Diagnosis
from programs.models import Alert
from programs.rules.caseload import RANKED, CaseState, Group, Need, group_of
from programs.rules.stall import State
from programs.services.caseload import conditions
from programs.services.caseload.conditions import BITS, PROGRAM, alert_of, has

STATES = (*(state.value for state in State), *(state.value for state in CaseState if state != "closed"))
"""All states that a case of the caseload may show: of the closed ones those that still ask are on it."""

NOT_TOLD = (len(RANKED), "", True, date.max)
"""The urgency of a case whose findings the user does not read: that of a case which needs nothing."""

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


@dataclass(frozen=True, slots=True)
class Survey:
    """``groups``: the ids of those asked for, the most urgent first, and the group in which each stands;
    ``closed`` of them are closed and still ask; ``tally`` counts the whole caseload.
    """

    groups: Mapping[int, Group]
    closed: int
    tally: Tally

    @property
    def cases(self) -> Sequence[int]:
        return list(self.groups)


def survey(*, user: User, now: datetime, wanted: Wanted | None = None) -> Survey:
    """The user's whole caseload, read once: open cases, and closed ones that still ask.

    Of those asked for, red flags come first, whoever's case it is, tier 1 before tier 2; then the user's
    own cases that need something, then colleagues' that do, then those that need nothing, the user's own
    first; among them by ``programs.rules.caseload.order``, and by case number. The order is total.
    A need, a diagnosis or a stage is a finding: it finds only cases whose findings the user may read, and the
    place of the others tells none of theirs.

    One query (and one for the pauses that hold) of narrow rows: to count and order thousands of them here
    takes a tenth of the time in which the database would judge each case again for every count and page.

    Raises:
        CaseloadError: a value that no case can have.
    """
    wanted = wanted or Wanted()
    _check(wanted)
    readable = frozenset(clinics_where(user, Capability.READ_CLINICAL))
    cases = [_Case._make(row) for row in _rows(user, now, wanted)]
    found = [case for case in cases if case.asked and _is_like(case, wanted, readable)]
    found.sort(key=partial(_place, mine=user.pk, readable=readable))
    groups = {case.pk: _group(case, user.pk, readable) for case in found}
    closed = sum(not case.is_open for case in found)
    return Survey(groups, closed, _tally(cases, user, readable))


def tally(*, user: User, now: datetime) -> Tally:
    """All counts of the user's caseload."""
    return survey(user=user, now=now).tally


def in_state(*, user: User, now: datetime, state: str) -> QuerySet[Episode]:
    """The cases of the caseload that show this state, in no order.

    Raises:
        CaseloadError: there is no such state.
    """
    _check(Wanted(state=state))
    found = _cases(user).alias(state_now=conditions.states(conditions.paused(now)))
    return found.filter(state_now=state)


def cases_of(*, user: User, found: Sequence[int]) -> list[Episode]:
    """These cases of a survey, in its order, with patient and clinician."""
    rows = rows_where(user, Capability.READ_STATE, Episode.objects.filter(pk__in=found))
    cases = {case.pk: case for case in rows.select_related("patient", "clinician")}
    return [cases[pk] for pk in found if pk in cases]


class _Case(NamedTuple):
    """What is to be known of a case to count it and to find its place. ``needs`` has a bit for each need."""

    pk: int
    clinic: int
    clinician: int
    is_open: bool
    state: str
    needs: int
    level: str | None
    unseen: bool
    oldest: date
    number: str
    asked: bool

    @property
    def rank(self) -> int:
        """The place of the most urgent need; behind all of them what needs nothing."""
        return (self.needs & -self.needs).bit_length() - 1 if self.needs else len(RANKED)


def _rows(user: User, now: datetime, wanted: Wanted) -> Iterable[tuple[Any, ...]]:
    paused_now = conditions.paused(now)
    return (
        _cases(user)
        .order_by()
        .values_list(
            "pk",
            "clinic_id",
            "clinician_id",
            conditions.whether(Q(closed_on=None)),
            conditions.states(paused_now),
            conditions.bits(conditions.need_conditions(paused_now, now)),
            f"{alert_of(Alert.Kind.RED_FLAG)}__level",
            conditions.whether(conditions.unseen()),
            conditions.oldest(),
            "case_number",
            conditions.whether(_asked(wanted)),
        )
    )


def _is_like(case: _Case, wanted: Wanted, readable: Container[int]) -> bool:
    if (wanted.need or wanted.diagnosis or wanted.stage is not None) and case.clinic not in readable:
        return False
    if wanted.need and not case.needs & BITS[Need(wanted.need)]:
        return False
    return not wanted.state or case.state == wanted.state


def _place(case: _Case, *, mine: int, readable: Container[int]) -> tuple[Any, ...]:
    group = _group(case, mine, readable)
    if case.clinic not in readable:
        return (group, "", case.clinician != mine, *NOT_TOLD, case.number, case.pk)
    level = case.level or ""
    tier = level if group is Group.RED_FLAGS else ""
    urgency = (case.rank, level, not case.unseen, case.oldest)
    return (group, tier, case.clinician != mine, *urgency, case.number, case.pk)


def _group(case: _Case, mine: int, readable: Container[int]) -> Group:
    """Who reads no findings is not told who needs nothing either."""
    reads = case.clinic in readable
    return group_of(
        red_flag=reads and bool(case.needs & BITS[Need.RED_FLAG]),
        mine=case.clinician == mine,
        asks=not reads or bool(case.needs),
    )


def _tally(cases: Sequence[_Case], user: User, readable: Container[int]) -> Tally:
    states = Counter(case.state for case in cases)
    read = Counter(case.needs for case in cases if case.clinic in readable)
    needs = {need: sum(count for bits, count in read.items() if bits & bit) for need, bit in BITS.items()}
    still_open = [case for case in cases if case.is_open]
    return Tally(
        open=len(still_open),
        mine=sum(case.clinician == user.pk for case in still_open),
        red_flags=needs[Need.RED_FLAG],
        states={state: states[state] for state in STATES if state in states},
        needs={need: count for need, count in needs.items() if count},
    )


def _cases(user: User) -> QuerySet[Episode]:
    cases = conditions.joined(rows_where(user, Capability.READ_STATE, Episode.objects.all()))
    return cases.filter(Q(closed_on=None) | has(Alert.Kind.RED_FLAG) | conditions.relapsed())


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


def _asked(wanted: Wanted) -> Q:
    asked = searched(wanted.search)
    if wanted.clinician is not None:
        asked &= Q(clinician=wanted.clinician)
    if wanted.diagnosis:
        asked &= Q(diagnosis=wanted.diagnosis)
    if wanted.stage is not None:
        asked &= Q(**{f"{PROGRAM}__current_stage": wanted.stage})
    return asked


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
