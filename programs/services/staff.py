"""Staff and the cases they treat: nobody leaves cases behind."""

from __future__ import annotations

from datetime import datetime, time

from django.db import transaction

from clinic import services
from clinic.models import Clinic, Membership, User
from clinic.roles import CLINICIAN_ROLES, Capability, Role, require
from clinic.services import StaffError
from programs.services.hand_overs import reassign_caseload


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
        reassign_caseload(membership=changed, to=hand_over_to, by=by, now=now)
    return changed


@transaction.atomic
def end_membership(
    *, membership: Membership, by: User, hand_over_to: User | None, now: datetime
) -> Membership:
    """They work here no more: no access, tokens included; the open cases are handed over.

    Not for an owner: whoever has an owner's token must not lock out those who could end it.

    Raises:
        Denied: ``by`` is not an owner here.
        StaffError: an owner, or nobody who works here; open cases, and nobody to take them.
        CaseError: ``hand_over_to`` does not treat in this clinic, or has not signed in yet.
    """
    require(by, Capability.MANAGE_CLINIC, membership.clinic_id)
    Clinic.objects.select_for_update(no_key=True).get(pk=membership.clinic_id)
    membership = Membership.objects.get(pk=membership.pk)  # they may have become an owner in the meantime
    if membership.role == Role.OWNER:
        raise StaffError("member", "An owner's access is ended in the admin.")
    if not membership.is_active:
        raise StaffError("member", "They do not work here any more.")
    return change_member(
        membership=membership,
        by=by,
        role=membership.role,
        is_active=False,
        cover=membership.cover,
        digest_weekday=membership.digest_weekday,
        digest_time=membership.digest_time,
        hand_over_to=hand_over_to,
        now=now,
    )
