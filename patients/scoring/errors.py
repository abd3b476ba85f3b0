"""The one error of scoring."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation


class ScoringError(ValueError):
    """A measurement that cannot be scored. ``field`` names the item, for the form or API field beside it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def exact(field: str, raw: object) -> Decimal:
    """A finite Decimal from a Decimal, an int or decimal text; a float would already have lost digits."""
    if isinstance(raw, bool) or not isinstance(raw, Decimal | int | str):
        raise ScoringError(field, f"expected a decimal number, got {raw!r}")
    try:
        value = Decimal(raw)
    except InvalidOperation:
        raise ScoringError(field, f"expected a decimal number, got {raw!r}") from None
    if not value.is_finite():
        raise ScoringError(field, f"expected a finite number, got {raw!r}")
    return value


def positive(field: str, raw: object) -> Decimal:
    """As ``exact``, and above 0."""
    value = exact(field, raw)
    if value <= 0:
        raise ScoringError(field, f"must be above 0, got {value}")
    return value
