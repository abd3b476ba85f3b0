"""Requests that create a row, sent again: under the same key they create no twin."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from clinic.models import ApiCreation, Clinic, User


class OtherBodyError(ValueError):
    """The key was used for another body, which made the row of ``row_key``."""

    def __init__(self, row_key: str) -> None:
        super().__init__("This key was used for another body.")
        self.row_key = row_key


@transaction.atomic
def claim(*, clinic: Clinic, user: User, route: str, key: str, body: Any, now: datetime) -> ApiCreation:
    """The note of this key: without ``row_key`` it is new and the caller's to fill, in this transaction. Of
    two at once the second waits for the first.

    Raises:
        OtherBodyError: another body came under this key before.
    """
    said = json.dumps(body, sort_keys=True, default=str)
    body_hash = salted_hmac("clinic.creations", said, algorithm="sha256").hexdigest()
    note, _ = ApiCreation.objects.get_or_create(
        clinic=clinic, user=user, route=route, key=key, defaults={"body_hash": body_hash, "created_at": now}
    )
    if not constant_time_compare(note.body_hash, body_hash):
        raise OtherBodyError(note.row_key)
    return note


def keep(note: ApiCreation, row_key: object) -> None:
    """What was created under the key."""
    note.row_key = str(row_key)
    note.save(update_fields=["row_key"])
