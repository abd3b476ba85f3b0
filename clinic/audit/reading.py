"""The trail in people's words: who did it, and who has read a record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clinic.audit.models import AuditEntry
from clinic.models import BreakGlass, Membership
from clinic.roles import Role
from clinic.row_security import Tenant, acting_for

READERS_SHOWN = 50

OPERATOR = "Operator of the service"

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


def readers(*, patient: Any, before: int | None = None, most: int = READERS_SHOWN) -> list[Access]:
    """Who else has read the patient's record, the latest first; ``before`` goes on below that entry."""
    entries = AuditEntry.objects.readings().of_patient(patient).order_by("-id")
    entries = entries.exclude(who__in=[f"patient:{patient.pk}", NOT_A_READER])
    if before is not None:
        entries = entries.filter(id__lt=before)
    found = list(entries[:most])
    by = people(found)
    return [Access(entry.pk, entry.at, by[entry.who], entry.kind) for entry in found]


def people(entries: Iterable[AuditEntry]) -> dict[str, Person]:
    """The people behind the entries of one clinic, in one query."""
    entries = list(entries)
    names = {entry.who for entry in entries}
    clinics = {entry.clinic_id for entry in entries}
    users = [int(who.partition(":")[2]) for who in names if who.startswith("user:")]
    members = Membership.objects.filter(user__in=users, clinic__in=clinics).select_related("user")
    staff = {f"user:{m.user_id}": Person(m.user.get_full_name(), Role(m.role).label) for m in members}
    strangers = [user for user in users if f"user:{user}" not in staff]
    known = staff | _operators(strangers, clinics)
    return {who: known.get(who) or _person(who) for who in names}


def _operators(users: list[int], clinics: set[int]) -> dict[str, Person]:
    """Who read by break-glass. A patient's login sees no such row, for its reason may name others: they learn
    the operator's name and no more.
    """
    if not users:
        return {}
    with acting_for(Tenant(platform=True)):
        opened = BreakGlass.objects.filter(operator__in=users, clinic__in=clinics).select_related("operator")
        return {f"user:{row.operator_id}": Person(row.operator.get_full_name(), OPERATOR) for row in opened}


def _person(who: str) -> Person:
    kind, _, name = who.partition(":")
    words = {
        "user": f"Someone who is no member of staff (user {name})",
        "patient": "The patient",
        "task": "The service",
        "command": f"The service (command {name})",
        "role": f"The database (role {name})",
    }
    return Person(words.get(kind, "Someone who signed in"))
