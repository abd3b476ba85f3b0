"""Staff and the cases they treat: nobody leaves cases behind."""

from __future__ import annotations

from datetime import datetime, time

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from clinic import services
from clinic.models import Membership, User
from clinic.roles import CLINICIAN_ROLES, Capability, require
from clinic.services import StaffError
from patients.models import Episode
from patients.models.people import EpisodeQuerySet
from programs.models import Alert
from programs.services.cases import reassign


@transaction.atomic
def change_member(
    *,
    membership: Membership,
    by: User,
    role: str,
    is_active: bool,
    cover: User | None,
    digest_weekday: int | None,
    digest_time: time | None,
    hand_over_to: User | None = None,
    now: datetime,
) -> Membership:
    """Change a member; who stops treating here hands the open cases over in the same step, alerts included.

    Raises:
        Denied: ``by`` is not an owner here.
        StaffError: as ``clinic.services.change_member``; open cases, and nobody to take them.
        CaseError: ``hand_over_to`` does not treat in this clinic, or has not signed in yet.
    """
    require(by, Capability.MANAGE_CLINIC, membership.clinic_id)
    changed = services.change_member(
        membership=membership,
        by=by,
        role=role,
        is_active=is_active,
        cover=cover,
        digest_weekday=digest_weekday,
        digest_time=digest_time,
    )
    if not (is_active and role in CLINICIAN_ROLES):
        _hand_over(changed, hand_over_to, by, now)
    return changed


def cases_in_hands_of(membership: Membership) -> EpisodeQuerySet:
    """The cases somebody must answer for: open ones, and closed ones whose red flag nobody has cleared."""
    flags = Alert.objects.unresolved().filter(episode=OuterRef("pk"), kind=Alert.Kind.RED_FLAG)
    cases: EpisodeQuerySet = Episode.objects.filter(
        Q(closed_on=None) | Exists(flags), clinic=membership.clinic_id, clinician=membership.user_id
    )
    return cases


def _hand_over(membership: Membership, to: User | None, by: User, now: datetime) -> None:
    cases = list(cases_in_hands_of(membership).order_by("pk"))
    if cases and to is None:
        number = "1 open case" if len(cases) == 1 else f"{len(cases)} open cases"
        raise StaffError("hand_over_to", f"{number}: choose who treats them from now on.")
    for episode in cases:
        assert to is not None
        reassign(episode=episode, clinician=to, by=by, now=now)
