"""A clinic's staff and policy: what an owner changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time

from django.db import transaction

from clinic.accounts.joining import login_of_staff, send_way_in
from clinic.accounts.tokens import end_tokens
from clinic.errors import FieldError
from clinic.models import Clinic, ClinicPolicy, Membership, User
from clinic.roles import CLINICIAN_ROLES, Capability, Role, require
from clinic.thresholds import differing


class StaffError(FieldError):
    """The member cannot be added or changed like that."""


@transaction.atomic
def set_policy(
    *, clinic: Clinic, by: User, values: Mapping[str, object], own_cases_only: bool
) -> ClinicPolicy:
    """Set the clinic's thresholds; only what differs from the defaults is kept, so that defaults can improve.

    Raises:
        Denied: ``by`` is not an owner here.
        PolicyError: a value is unknown, of the wrong type, out of range or out of order; its key is named.
    """
    require(by, Capability.MANAGE_CLINIC, clinic.pk)
    overrides = differing(values)
    policy, _ = ClinicPolicy.objects.update_or_create(
        clinic=clinic,
        defaults={"overrides": overrides, "own_cases_only": own_cases_only, "updated_by": by},
    )
    return policy


@transaction.atomic
def add_member(*, clinic: Clinic, by: User, email: str, name: str, role: str, now: datetime) -> Membership:
    """A new member of staff, who gets the way in by e-mail. Someone who already has a login keeps it:
    elsewhere they may be staff or a patient, which the owner does not learn.

    Raises:
        Denied: ``by`` is not an owner here.
        StaffError: a member already, an unknown role, or an address that can't be added.
        ValidationError: the e-mail is not valid.
    """
    require(by, Capability.MANAGE_CLINIC, clinic.pk)
    _check_role(role)
    if Membership.objects.filter(clinic=clinic, user__email=email.strip().lower()).exists():
        raise StaffError("email", "This person is a member already.")
    user = login_of_staff(email, name=name)
    if user.is_operator:  # who runs the platform is not made to treat; why is not for a clinic to know
        raise StaffError("email", "This address can't be added. Choose another one.")
    membership = Membership.objects.create(clinic=clinic, user=user, role=role)
    send_way_in(membership=membership, by=by, now=now)
    return membership


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
) -> Membership:
    """Change a member's role, cover and digest. The clinic keeps an owner; who stops treating covers nobody.

    Raises:
        Denied: ``by`` is not an owner here.
        StaffError: an unknown role, no owner left, or a cover who does not treat here.
    """
    require(by, Capability.MANAGE_CLINIC, membership.clinic_id)
    _check_role(role)
    Clinic.objects.select_for_update(no_key=True).get(pk=membership.clinic_id)
    others = Membership.objects.owners().filter(clinic=membership.clinic_id).exclude(pk=membership.pk)
    if (role != Role.OWNER or not is_active) and not others.exists():
        raise StaffError("role", "The clinic needs an owner: name another one first.")
    if (role, is_active) != (membership.role, membership.is_active):
        end_tokens(membership=membership)
    membership.role, membership.is_active = role, is_active
    membership.save(update_fields=["role", "is_active"])
    if not (is_active and role in CLINICIAN_ROLES):
        Membership.objects.filter(clinic=membership.clinic_id, cover=membership.user_id).update(cover=None)
    return set_reachability(
        membership=membership, by=by, cover=cover, digest_weekday=digest_weekday, digest_time=digest_time
    )


@transaction.atomic
def set_reachability(
    *,
    membership: Membership,
    by: User,
    cover: User | None,
    digest_weekday: int | None,
    digest_time: time | None,
) -> Membership:
    """Who is told of red flags beside this member, and when they want the digest: theirs to choose.

    Raises:
        Denied: ``by`` is neither this member nor an owner.
        StaffError: a cover who does not treat in this clinic, or the member themselves.
    """
    if by.pk != membership.user_id:
        require(by, Capability.MANAGE_CLINIC, membership.clinic_id)
    if cover is not None:
        _check_cover(membership, cover)
    membership.cover, membership.digest_weekday, membership.digest_time = cover, digest_weekday, digest_time
    membership.next_digest_at = None  # the digest sweep finds the next slot
    membership.save(update_fields=["cover", "digest_weekday", "digest_time", "next_digest_at"])
    return membership


def _check_cover(membership: Membership, cover: User) -> None:
    if cover.pk == membership.user_id:
        raise StaffError("cover", "Choose someone else as cover.")
    if not Membership.objects.clinicians().filter(clinic=membership.clinic_id, user=cover).exists():
        raise StaffError("cover", f"{cover} does not treat patients in this clinic.")


def _check_role(role: str) -> None:
    if role not in set(Role):
        raise StaffError("role", f"expected one of {', '.join(Role)}.")
