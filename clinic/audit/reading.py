"""The trail in people's words: who did it, and who has read a record."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from clinic.audit.models import AuditEntry
from clinic.models import BreakGlass, Membership
from clinic.roles import Role
from clinic.row_security import Tenant, acting_for

READERS_SHOWN = 50

OPERATOR = "Operator of the service"

BY_BREAK_GLASS = re.compile(r"Break-glass ([0-9]{1,18}): ")
"""How the reason begins of whatever an operator reads: ``config.middleware`` says so."""

NOT_A_READER = "anonymous"
"""Who signs in as the patient has shown the code or invitation that was mailed to them."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who stands behind an entry's ``who``; ``role`` is theirs in the clinic today, ``OPERATOR`` who
    read by break-glass, or empty.
    """

    name: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """One showing of a patient's data."""

    id: int
    at: datetime
    by: Person
    kind: AuditEntry.Kind
    why: str = ""
    """For the clinic's owner alone: it may name others."""


def readers(*, patient: Any, before: int | None = None, most: int | None = READERS_SHOWN) -> list[Access]:
    """Who else has read the patient's record, the latest first; ``before`` goes on below that entry, and
    without ``most`` it is everyone.
    """
    entries = AuditEntry.objects.readings().of_patient(patient).order_by("-id")
    entries = entries.exclude(who__in=[f"patient:{patient.pk}", NOT_A_READER])
    if before is not None:
        entries = entries.filter(id__lt=before)
    found = list(entries[:most])
    by = people(found)
    return [Access(entry.pk, entry.at, by[entry.pk], entry.kind, entry.why) for entry in found]


def people(entries: Iterable[AuditEntry]) -> dict[int, Person]:
    """The people behind the entries of one clinic, by the entry: who read as an operator stays one in it,
    whatever they are today.
    """
    entries = list(entries)
    clinics = {entry.clinic_id for entry in entries}
    users = [int(key) for kind, _, key in {entry.who.partition(":") for entry in entries} if kind == "user"]
    members = Membership.objects.filter(user__in=users, clinic__in=clinics).select_related("user")
    staff = {f"user:{m.user_id}": Person(m.user.get_full_name(), Role(m.role).label) for m in members}
    strangers = [user for user in users if f"user:{user}" not in staff]
    openings = {entry.pk: int(begun[1]) for entry in entries if (begun := BY_BREAK_GLASS.match(entry.why))}
    operators, opened = _operators(strangers, clinics, set(openings.values()))
    known = operators | staff  # as what they are today, else as what they were
    found = {}
    for entry in entries:
        by_glass = opened.get((openings.get(entry.pk), entry.who))
        found[entry.pk] = by_glass or known.get(entry.who) or _person(entry.who)
    return found


def _operators(
    users: list[int], clinics: set[int | None], openings: set[int]
) -> tuple[dict[str, Person], dict[tuple[int | None, str], Person]]:
    """Who read by break-glass: those of these users, and by the opening and who. A patient's login sees no
    such row, for its reason may name others: they learn the operator's name and no more.
    """
    if not (users or openings):
        return {}, {}
    with acting_for(Tenant(platform=True)):
        rows = BreakGlass.objects.filter(Q(operator__in=users) | Q(pk__in=openings), clinic__in=clinics)
        found = {
            (row.pk, f"user:{row.operator_id}"): Person(row.operator.get_full_name(), OPERATOR)
            for row in rows.select_related("operator")
        }
    return {who: person for (_, who), person in found.items()}, found


def _person(who: str) -> Person:
    kind, _, name = who.partition(":")
    words = {
        "user": f"Someone who is no member of staff (user {name})",
        "patient": "The patient",
        "task": "The service",
        "command": "The service",
        "role": f"The database (role {name})",
    }
    return Person(words.get(kind, "Someone who signed in"))
