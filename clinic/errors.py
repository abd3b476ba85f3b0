"""The error that every form and API can show beside its field."""

from __future__ import annotations


class FieldError(ValueError):
    """Something cannot be done as asked; ``field`` names the input at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message
