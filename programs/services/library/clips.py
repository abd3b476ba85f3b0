"""The clinic's own film of an exercise, as a link."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from clinic.models import Clinic, User
from clinic.roles import Capability, require
from programs.models import Clip, Exercise
from programs.services.library.copies import LibraryRefused

LONGEST = 500
_is_url = URLValidator(schemes=["https"])


def set_clip(*, exercise: Exercise, clinic: Clinic, url: str, by: User) -> Clip | None:
    """Link the exercise, of the starter library or the clinic's own, to a film; an empty ``url`` unlinks it.

    Raises:
        Denied: ``by`` may do no clinical work here.
        LibraryRefused: the exercise is another clinic's, or the link is none that a patient can follow.
    """
    require(by, Capability.WRITE_CLINICAL, clinic.pk)
    if exercise.clinic_id not in (None, clinic.pk):
        raise LibraryRefused("exercise", "This exercise is not in your library.")
    if not url.strip():
        Clip.objects.filter(clinic=clinic, exercise=exercise).delete()
        return None
    made, _ = Clip.objects.update_or_create(
        clinic=clinic, exercise=exercise, defaults={"url": _checked(url.strip())}
    )
    return made


def _checked(url: str) -> str:
    if len(url) > LONGEST:
        raise LibraryRefused("url", f"At most {LONGEST} characters.")
    try:
        _is_url(url)
    except ValidationError:
        raise LibraryRefused("url", "A whole address that begins with https://, please.") from None
    host = urlsplit(url)
    if "@" in host.netloc:
        raise LibraryRefused("url", "An address without a login in it, please.")
    if _is_number(host.hostname or "") or "." not in (host.hostname or ""):
        raise LibraryRefused("url", "The address of a site on the internet, please: a phone must find it.")
    return url


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
