"""Setting up a second factor: the QR code of an app, or a passkey. Used at enrolment and in the account."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import segno
from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from clinic import secrets
from clinic.accounts import factors, passkeys
from clinic.accounts.models import Factor
from clinic.models import User


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )


class NewFactorForm(CodeForm):
    label = forms.CharField(
        label="Name it",
        max_length=60,
        required=False,
        help_text="Such as: my phone. You tell your apps apart by it.",
    )


def origin_of(request: HttpRequest) -> str:
    """The page's address as the browser signs it."""
    return f"{request.scheme}://{request.get_host()}"


def offer(request: HttpRequest, *, user: User, kept: dict[str, Any]) -> dict[str, Any]:
    """What the page shows. ``kept`` is a part of the session: the app's secret waits there, encrypted, until
    a first code shows that the app has it.
    """
    if "totp" not in kept:
        kept["totp"] = secrets.encrypt(factors.new_totp_secret()).decode()
    secret = secrets.decrypt(kept["totp"].encode())
    asked = passkeys.ask_to_register(user=user, origin=origin_of(request))
    kept["challenge"] = asked.state
    qr = segno.make(factors.totp_address(user, secret), error="m")
    return {
        "qr": qr.svg_inline(scale=5, border=3, dark="#000", light="#fff", omitsize=True),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "passkey": asked.options,
    }


def new_factor(
    request: HttpRequest, form: NewFactorForm, *, user: User, kept: dict[str, Any], now: datetime
) -> Factor | None:
    """Add what the form shows to be at hand; nothing, with the form saying why, where it does not."""
    if answer := request.POST.get("passkey"):
        form.full_clean()
        form.errors.clear()
        try:
            return passkeys.register(
                user=user,
                origin=origin_of(request),
                state=kept.pop("challenge", {}),
                answer=answer,
                label="",
                now=now,
            )
        except passkeys.PasskeyError as error:
            form.refused = str(error)  # type: ignore[attr-defined]
            return None
    if not form.is_valid() or "totp" not in kept:
        return None
    secret = secrets.decrypt(kept["totp"].encode())
    step = factors.matching_step(secret, form.cleaned_data["code"].replace(" ", ""), now=now)
    if step is None:
        form.add_error("code", "This is not the code that the app shows now.")
        return None
    del kept["totp"]
    label = form.cleaned_data["label"]
    return factors.add_totp(user=user, secret=secret, label=label, step=step, now=now)
