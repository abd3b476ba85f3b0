"""Values as JSON or a form gives them, in the type and range of their threshold; errors name the key."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import time
from decimal import Decimal, InvalidOperation
from typing import Any

from clinic.thresholds.table import Thresholds

DEFAULTS = Thresholds()
FIELDS: Mapping[str, dataclasses.Field[Any]] = {f.name: f for f in dataclasses.fields(Thresholds)}


class PolicyError(ValueError):
    """A policy value that is unknown, of the wrong type, or out of its range.

    ``key`` names the threshold, so that a form can show the message beside its field.
    """

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.key = key
        self.message = message


def with_overrides(*layers: Mapping[str, object]) -> Thresholds:
    """The thresholds in force: defaults overridden by each layer in turn (clinic, then case).

    Raises:
        PolicyError: a key is unknown, or a value has the wrong type or is out of range.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, raw in layer.items():
            merged[key] = parse(key, raw)
    result = dataclasses.replace(DEFAULTS, **merged)
    _check_order(result)
    return result


def parse(key: str, raw: object) -> Any:
    """One value, as JSON or a form gives it, in the type of its threshold; PolicyError otherwise."""
    if key not in FIELDS:
        raise PolicyError(key, "is not a known setting")
    default = FIELDS[key].default
    try:
        value = _convert(default, raw)
    except (TypeError, ValueError, InvalidOperation):
        raise PolicyError(key, f"expected a value like {to_json(default)!r}, got {raw!r}") from None
    _check_range(key, value)
    return value


def differing(values: Mapping[str, object]) -> dict[str, Any]:
    """Of these values those that are not the defaults, ready for a JSON column. Raises PolicyError."""
    parsed = {key: parse(key, raw) for key, raw in values.items()}
    overrides = {key: to_json(value) for key, value in parsed.items() if value != getattr(DEFAULTS, key)}
    with_overrides(overrides)
    return overrides


def to_json(value: Any) -> Any:
    """A threshold's value as JSON stores it: Decimal and time as text, tuples as lists."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, time):
        return value.strftime("%H:%M")
    return list(value) if isinstance(value, tuple) else value


def as_json(thresholds: Thresholds) -> dict[str, Any]:
    """All values, ready for a JSON column: what a verdict keeps beside it."""
    return {key: to_json(getattr(thresholds, key)) for key in FIELDS}


def _convert(default: Any, raw: Any) -> Any:
    if isinstance(default, bool):
        if not isinstance(raw, bool):
            raise TypeError
        return raw
    if isinstance(raw, bool):
        raise TypeError
    if isinstance(default, int):
        if Decimal(str(raw)) % 1:
            raise ValueError
        return int(Decimal(str(raw)))
    if isinstance(default, Decimal):
        return Decimal(str(raw))
    if isinstance(default, time):
        return raw if isinstance(raw, time) else time.fromisoformat(str(raw))
    return tuple(sorted({int(str(item)) for item in raw}))


def _check_range(key: str, value: Any) -> None:
    low, high = FIELDS[key].metadata["low"], FIELDS[key].metadata["high"]
    if isinstance(value, tuple) and not value:
        raise PolicyError(key, "needs at least one value")
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, time | bool):
            continue
        if not Decimal(number).is_finite() or not low <= number <= high:
            raise PolicyError(key, f"must be between {low} and {high}, got {number}")


def _check_order(t: Thresholds) -> None:
    """Values that only make sense in order: a verdict's state is the first that holds."""
    for lower, upper in (
        ("watch_week", "stalling_week"),
        ("stalling_week", "stalled_week"),
        ("green_max", "amber_max"),
        ("remind_after_hours", "missed_after_hours"),
        ("watch_remind_days", "watch_missed_days"),
        ("clinic_opens", "clinic_closes"),
    ):
        if not getattr(t, lower) < getattr(t, upper):
            raise PolicyError(upper, f"must be above '{FIELDS[lower].metadata['label']}'")
