"""IANA time zones as settings of clinics and patients."""

from __future__ import annotations

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError


def validate_zone(value: str) -> None:
    """Accept a canonical IANA name such as ``Europe/Amsterdam``; ValidationError otherwise."""
    if value not in available_timezones():
        raise ValidationError(f"{value!r} is not an IANA time zone such as Europe/Amsterdam.")
