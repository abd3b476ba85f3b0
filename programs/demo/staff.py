"""Who works in the demo clinic, and the file with their logins."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError

from clinic.absences import set_absence
from clinic.accounts.factors import add_totp, new_totp_secret
from clinic.founding import found_clinic
from clinic.models import Clinic, Membership, User
from clinic.roles import Role
from clinic.row_security import Tenant, acting_for
from clinic.services import set_reachability

SLUG = "demo"
NAME = "Demo Knee Clinic"
ZONE = "Europe/London"
PHONE = "+44 20 7946 0100"  # from the range that Ofcom keeps for fiction
OPERATOR = "operator"
PASSWORD_BYTES = 9
LEAD = "Demo clinic at "
DAYS_AWAY = timedelta(days=10)

PEOPLE = (
    (Role.OWNER, "owner@example.com", "Opal Overstep"),
    (Role.PHYSIO, "physio1@example.com", "Pia Plankwell"),
    (Role.PHYSIO, "physio2@example.com", "Piet Patterstep"),
    (Role.PHYSIO, "physio3@example.com", "Petra Platform"),
    (Role.ASSISTANT, "assistant@example.com", "Asta Answerley"),
)
OPERATOR_LOGIN = ("operator@example.com", "Otto Opsworth")


@dataclass(frozen=True, slots=True)
class Staff:
    owner: User
    physios: Sequence[User]
    assistant: User


def new_password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


@acting_for(Tenant(platform=True))
def found(*, password: str, now: datetime) -> tuple[Clinic, Staff]:
    """The empty clinic, its staff and an operator, who all log in with the password and `demo_code`.

    Each physio covers for the one before.

    Raises:
        ValidationError: the slug or one of the addresses is taken.
    """
    _check_free([email for _, email, _ in PEOPLE] + [OPERATOR_LOGIN[0]])
    _, owner_email, owner_name = PEOPLE[0]
    founded = found_clinic(slug=SLUG, name=NAME, owner_email=owner_email, timezone=ZONE, now=now)
    clinic, owner = founded.clinic, founded.owner
    clinic.phone, clinic.simulated = PHONE, True
    clinic.save(update_fields=["phone", "simulated"])
    owner.name = owner_name
    owner.set_password(password)
    owner.save(update_fields=["name", "password"])
    with acting_for(Tenant((clinic.pk,), platform=True)):  # only the platform makes logins
        members = [
            Membership.objects.create(
                clinic=clinic,
                user=User.objects.create_user(email, password, name=name, is_staff=True),
                role=role,
                arrived_at=now,
            )
            for role, email, name in PEOPLE[1:]
        ]
        physios = [member for member in members if member.role == Role.PHYSIO]
        for member, cover in zip(physios, [*physios[1:], physios[0]], strict=True):
            set_reachability(
                membership=member, by=owner, cover=cover.user, digest_weekday=None, digest_time=None
            )
    email, name = OPERATOR_LOGIN
    operator = User.objects.create_superuser(email, password, name=name)
    for user in (owner, operator, *(member.user for member in members)):
        with acting_for(Tenant(user=user.pk)):
            add_totp(user=user, secret=new_totp_secret(), label="Demo", step=0, for_demo=True, now=now)
    assistant = next(member for member in members if member.role == Role.ASSISTANT)
    return clinic, Staff(owner, [member.user for member in physios], assistant.user)


def go_away(staff: Staff, clinic: Clinic, *, now: datetime) -> None:
    """The last physio is away from today on, for more than a week; the first one stands in."""
    away, stands_in = staff.physios[-1], staff.physios[0]
    today = now.astimezone(ZoneInfo(ZONE)).date()
    set_absence(
        membership=Membership.objects.get(clinic=clinic, user=away),
        by=away,
        starts_on=today,
        ends_on=today + DAYS_AWAY,
        cover=stands_in,
        now=now,
    )


def _check_free(addresses: Sequence[str]) -> None:
    """Nobody who is here already becomes staff of the demo, or gets its password."""
    taken = User.objects.filter(email__in=addresses).values_list("email", flat=True)
    if taken:
        raise ValidationError(f"In use already: {', '.join(taken)}.")


def logins_file() -> Path:
    """In the data folder, readable by its owner only."""
    return Path(settings.DATA_DIR) / "demo-logins.txt"


def logins() -> str:
    """What to log in with, at the address it has today; empty if the file is gone."""
    try:
        kept = logins_file().read_text().strip()
    except FileNotFoundError:
        return ""
    then = kept.removeprefix(LEAD).partition("/admin/")[0]
    return kept.replace(then, settings.SITE_URL)


def write_logins(*, password: str, patient: str, token: str) -> None:
    """Keep the logins: the password all staff share, and the access token of one patient's device."""
    people = [(role.label, email, name) for role, email, name in PEOPLE]
    people.append((OPERATOR.capitalize(), *OPERATOR_LOGIN))
    lines = [f"{LEAD}{settings.SITE_URL}/admin/, password of all: {password}"]
    lines += [f"  {role:<10} {email:<24} {name}" for role, email, name in people]
    lines += [
        "Then a code, which works once: .venv/bin/python manage.py demo_code owner@example.com",
        f"Patient {patient} over the API at {settings.SITE_URL}/api/v1/, such as:",
        f'  curl -H "Authorization: Token {token}" {settings.SITE_URL}/api/v1/me',
    ]
    path = logins_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")


@acting_for(Tenant(platform=True))
def existing() -> Clinic | None:
    clinic: Clinic | None = Clinic.objects.filter(slug=SLUG).first()
    return clinic
