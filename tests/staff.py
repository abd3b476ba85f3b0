"""Staff at the admin's door: a client that has passed it, and what a phone would show."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.test import Client
from django.utils import timezone

from clinic import secrets
from clinic.accounts.factors import add_totp, factors_of, new_totp_secret, totp_code
from clinic.accounts.sessions import BACKEND, ENTERED
from clinic.models import User


def signed_in(user: User) -> Client:
    """A client whose session has password and second factor behind it."""
    client = Client()
    sign_in(client, user)
    return client


def sign_in(client: Client, user: User) -> None:
    client.force_login(user, backend=BACKEND)
    session = client.session
    now = timezone.now().timestamp()
    session[ENTERED] = {"at": now, "seen": now, "by": "code"}
    session.save()


def give_app(user: User, *, now: datetime | None = None) -> str:
    """An authenticator app for the user; its secret."""
    secret = new_totp_secret()
    add_totp(user=user, secret=secret, label="Phone", step=0, now=now or timezone.now())
    return secret


@transaction.atomic
def code_of(user: User) -> str:
    """What the user's app shows now, free to be used again."""
    factor = factors_of(user).filter(kind="totp").get()
    factors_of(user).update(last_step=0)
    return totp_code(secrets.decrypt(factor.secret), now=timezone.now())
