"""What a password may not be made of: the words of this place."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError

WORDS = (
    "knee",
    "clinic",
    "physio",
    "therapy",
    "runner",
    "running",
    "patella",
    "patient",
    "password",
    "admin",
)
LEAST_BESIDE = 8


class ContextWordsValidator:
    """Beside these words it must be long enough on its own."""

    def validate(self, password: str, user: object = None) -> None:
        if len(re.sub("|".join(WORDS), "", password.lower())) < LEAST_BESIDE:
            raise ValidationError(self.get_help_text(), code="password_of_this_place")

    def get_help_text(self) -> str:
        *words, last = WORDS[:3]
        named = f"{', '.join(words)} or {last}"
        return f"Words such as {named} don't count towards the {LEAST_BESIDE} characters."
