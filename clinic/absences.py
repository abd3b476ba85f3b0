"""Absences, planned in advance: they begin and end by their dates on the clinic's calendar, by themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from clinic.models import Absence, Membership, User
from clinic.roles import Capability, Role, require
from clinic.services import StaffError
from clinic.stand_ins import Roster

LONGEST = timedelta(days=366)
SHOWN_AHEAD = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Notice:
    """What Today tells of an absence, now or soon: the reader's own, or one in which they stand in.

    ``stand_ins`` is empty where nobody can stand in.
    """

    absence: Absence
    is_own: bool
    has_begun: bool
    stand_ins: Sequence[User]


@transaction.atomic
def set_absence(
    *, membership: Membership, by: User, starts_on: date, ends_on: date, cover: User | None, now: datetime
) -> Absence:
    """The member is away on these days, the last one included, and ``cover`` stands in; without one their
    standing cover, else the owners.

    Raises:
        Denied: ``by`` is neither this member nor an owner.
        StaffError: a member who does not treat; days in the past, in the wrong order, too many, or on which
            they are away already; a cover who does not treat here, has not signed in yet, is the member, or
            is away too on one of the days with covers that lead back.
    """
    _require_own_or_owner(membership, by)
    member = Membership.objects.select_for_update(of=("self",), no_key=True).get(pk=membership.pk)
    today = _today(member, now)
    if not Membership.objects.clinicians().filter(pk=member.pk).exists():
        raise StaffError("starts_on", "Only who treats patients here needs somebody to stand in.")
    _check_days(starts_on, ends_on, today)
    earlier = Absence.objects.filter(clinic=member.clinic_id, clinician=member.user_id)
    clash = earlier.filter(starts_on__lte=ends_on, ends_on__gte=starts_on).first()
    if clash is not None:
        raise StaffError("starts_on", f"Away already {clash.days}: end that first.")
    if cover is not None:
        _check_cover(member, cover)
    absence = Absence.objects.create(
        clinic_id=member.clinic_id,
        clinician_id=member.user_id,
        cover=cover,
        starts_on=starts_on,
        ends_on=ends_on,
        set_by=by,
        set_at=now,
    )
    if cover is not None:
        _check_circle(absence, cover)
    return absence


@transaction.atomic
def end_absence(*, absence: Absence, by: User, now: datetime) -> None:
    """They are back today, or do not go: one that has not begun before today is taken back altogether.

    Raises:
        Denied: ``by`` is neither the one who is away nor an owner.
        StaffError: it is over already.
    """
    membership = Membership.objects.get(clinic=absence.clinic_id, user=absence.clinician_id)
    _require_own_or_owner(membership, by)
    absence = Absence.objects.select_for_update(of=("self",)).get(pk=absence.pk)
    today = _today(membership, now)
    if absence.ends_on < today:
        raise StaffError("absence", "This absence is over already.")
    if absence.starts_on >= today:
        absence.delete()
        return
    absence.ends_on = today - timedelta(days=1)
    absence.save(update_fields=["ends_on"])


def roster(clinic_id: int, on: date) -> Roster:
    """Who treats in the clinic, who is away on that day of its calendar, and who covers. Two queries."""
    return _Calendar.of(clinic_id, on, on).roster(on)


def covered_by(user: User, now: datetime) -> Mapping[int, frozenset[int]]:
    """By clinic, for whom the user stands in at this moment: whose cases they see as their own."""
    found: dict[int, frozenset[int]] = {}
    for member in user.active_memberships:
        there = roster(member.clinic_id, _today(member, now))
        covered = frozenset(away for away in there.away if user.pk in there.stand_ins(away))
        if covered:
            found[member.clinic_id] = covered
    return found


def notices(user: User, now: datetime) -> list[Notice]:
    """Absences of the user, or in which they stand in: under way, or within the next two weeks."""
    found = []
    for member in user.active_memberships:
        today = _today(member, now)
        calendar = _Calendar.of(member.clinic_id, today, today + SHOWN_AHEAD)
        people = {one.user_id: one.user for one in calendar.members}
        for absence in calendar.absences:
            who = calendar.roster(max(today, absence.starts_on)).stand_ins(absence.clinician_id)
            is_own = absence.clinician_id == user.pk
            if is_own or user.pk in who:
                found.append(Notice(absence, is_own, absence.starts_on <= today, [people[pk] for pk in who]))
    return found


@dataclass(frozen=True, slots=True)
class _Calendar:
    """A clinic's clinicians and the absences of some days."""

    members: Sequence[Membership]
    absences: Sequence[Absence]

    @classmethod
    def of(cls, clinic_id: int, first: date, last: date) -> _Calendar:
        members = Membership.objects.clinicians().filter(clinic=clinic_id).select_related("user")
        absences = Absence.objects.filter(clinic=clinic_id, starts_on__lte=last, ends_on__gte=first)
        return cls(list(members.order_by("pk")), list(absences.select_related("clinician")))

    def roster(self, on: date) -> Roster:
        return Roster(
            treating={member.user_id for member in self.members},
            owners=[member.user_id for member in self.members if member.role == Role.OWNER],
            away={one.clinician_id: one.cover_id for one in self.absences if one.covers(on)},
            standing={member.user_id: member.cover_id for member in self.members},
        )


def still_to_come(*, clinic_id: int, today: date) -> Mapping[int, list[Absence]]:
    """Absences that are not over, by who is away."""
    found: dict[int, list[Absence]] = defaultdict(list)
    rows = Absence.objects.filter(clinic=clinic_id, ends_on__gte=today).select_related("cover", "clinician")
    for absence in rows:
        found[absence.clinician_id].append(absence)
    return found


def _require_own_or_owner(membership: Membership, by: User) -> None:
    if by.pk != membership.user_id:
        require(by, Capability.MANAGE_CLINIC, membership.clinic_id)


def _today(membership: Membership, now: datetime) -> date:
    return now.astimezone(ZoneInfo(membership.clinic.timezone)).date()


def _check_days(starts_on: date, ends_on: date, today: date) -> None:
    if ends_on < starts_on:
        raise StaffError("ends_on", "The last day is before the first.")
    if ends_on < today:
        raise StaffError("ends_on", "This is over already: choose today or a later day.")
    if ends_on - starts_on > LONGEST:
        raise StaffError("ends_on", "At most a year: hand the cases over instead.")


def _check_cover(member: Membership, cover: User) -> None:
    if cover.pk == member.user_id:
        raise StaffError("cover", "Choose someone else as cover.")
    here = Membership.objects.clinicians().filter(clinic=member.clinic_id, user=cover).first()
    if here is None:
        raise StaffError("cover", f"{cover} does not treat patients in this clinic.")
    if here.arrived_at is None:
        raise StaffError("cover", f"{cover} has not signed in yet: choose someone who has.")


def _check_circle(absence: Absence, cover: User) -> None:
    """Looked at on each day on which somebody goes: between these nobody new is away."""
    calendar = _Calendar.of(absence.clinic_id, absence.starts_on, absence.ends_on)
    for day in sorted({max(one.starts_on, absence.starts_on) for one in calendar.absences}):
        if calendar.roster(day).goes_round(absence.clinician_id):
            raise StaffError(
                "cover",
                f"{cover} is away too on {day:%-d %b %Y}, and who stands in there leads back to "
                f"{absence.clinician}: choose someone else.",
            )
