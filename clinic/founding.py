"""A new clinic with its owner: what an operator sets up, once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

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
def found_clinic(*, slug: str, name: str, owner_email: str, timezone: str) -> Founded:
    """A clinic with an empty policy and its owner, who is a clinician too.

    Someone who already logs in with that e-mail keeps their password.

    Raises:
        ValidationError: a value is not valid or taken, by name.
    """
    clinic = Clinic(slug=slug, name=name, timezone=timezone)
    _check(clinic, owner_email)
    clinic.save()
    owner, password = _login(owner_email)
    with acting_for(Tenant((clinic.pk,))):
        ClinicPolicy.objects.create(clinic=clinic)
        Membership.objects.create(clinic=clinic, user=owner, role=Role.OWNER)
    return Founded(clinic, owner, password)


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


def _login(email: str) -> tuple[User, str]:
    user = User.objects.filter(email=email.strip().lower()).first()
    password = "" if user and user.has_usable_password() else secrets.token_urlsafe(PASSWORD_BYTES)
    if user is None:
        return User.objects.create_user(email.strip(), password, is_staff=True), password
    user.is_staff = True
    if password:
        user.set_password(password)
    user.save(update_fields=["is_staff", "password"])
    return user, password
