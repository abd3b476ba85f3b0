"""Staff and the cases they treat: nobody leaves cases behind."""

from __future__ import annotations

from datetime import datetime, time

from django.db import transaction

from clinic import services
from clinic.models import Membership, User
from clinic.roles import CLINICIAN_ROLES, Capability, require
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
