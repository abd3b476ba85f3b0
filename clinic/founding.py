"""A new clinic with its owner: what an operator sets up, once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from clinic.accounts.joining import login_of_staff, send_way_in
from clinic.models import Clinic, ClinicPolicy, Membership, User
from clinic.roles import Role
from clinic.row_security import Tenant, acting_for

PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class Founded:
    """``password`` is kept nowhere else; empty for an owner who has a login already."""

    clinic: Clinic
    owner: User
    password: str


@acting_for(Tenant(platform=True))
@transaction.atomic
def found_clinic(*, slug: str, name: str, owner_email: str, timezone: str, now: datetime) -> Founded:
    """A clinic with an empty policy and its owner, who is a clinician too.

    Somebody who works elsewhere already keeps their password, and is told by e-mail.

    Raises:
        ValidationError: a value is not valid or taken, by name.
    """
    clinic = Clinic(slug=slug, name=name, timezone=timezone)
    _check(clinic, owner_email)
    clinic.save()
    owner = login_of_staff(owner_email)
    with acting_for(Tenant((clinic.pk,))):
        ClinicPolicy.objects.create(clinic=clinic)
        membership = Membership.objects.create(clinic=clinic, user=owner, role=Role.OWNER, arrived_at=now)
        if owner.has_usable_password():
            send_way_in(membership=membership, by=None, now=now)
            return Founded(clinic, owner, "")
    return Founded(clinic, owner, _first_password(owner))


def _check(clinic: Clinic, owner_email: str) -> None:
    """All that is wrong at once."""
    errors: dict[str, list[str]] = {}
    try:
        clinic.full_clean()
    except ValidationError as error:
        errors |= error.message_dict
    try:
        validate_email(owner_email.strip())
    except ValidationError as error:
        errors["email"] = error.messages
    if errors:
        raise ValidationError(errors)


def _first_password(owner: User) -> str:
    """Made here, for the operator to hand over."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    owner.set_password(password)
    owner.save(update_fields=["password"])
    return password
