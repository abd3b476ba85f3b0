"""Reads one TOML table field by field, with errors that name file, slug and field."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class LibraryError(ValueError):
    """A mistake in the library's data: file, slug of the entry, field."""

    def __init__(self, file: str, slug: str, field: str, message: str) -> None:
        super().__init__(": ".join(part for part in (file, slug, field, message) if part))
        self.file = file
        self.slug = slug
        self.field = field
        self.message = message


class Entry:
    """Reads one TOML table field by field; what nobody asked for is an error."""

    def __init__(self, file: str, slug: str, raw: Any, where: str = "") -> None:
        self.file, self.slug, self.where = file, slug, where
        if not isinstance(raw, dict):
            raise self.error("", f"expected a table, got {raw!r}")
        self._left = dict(raw)

    def error(self, field: str, message: str) -> LibraryError:
        return LibraryError(self.file, self.slug, " ".join(filter(None, (self.where, field))), message)

    def part(self, where: str, raw: Any) -> Entry:
        """A table inside this one."""
        return Entry(self.file, self.slug, raw, " ".join(filter(None, (self.where, where))))

    def take[T](self, field: str, kind: type[T], default: T | None = None) -> T:
        """The field's value; required without a default."""
        value = self._left.pop(field, default)
        if value is None:
            raise self.error(field, "is missing")
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(field, f"expected {kind.__name__}, got {value!r}")
        if value == "" and default is None:
            raise self.error(field, "is empty")
        return value

    def count(self, field: str, default: int | None = None) -> int:
        value = self.take(field, int, default)
        if value < 1:
            raise self.error(field, f"must be 1 or more, got {value}")
        return value

    def optional_count(self, field: str) -> int | None:
        return self.count(field) if field in self._left else None

    def span(self, field: str) -> tuple[int | None, int | None]:
        """``15`` or ``[30, 45]``; (None, None) where absent."""
        raw = self._left.pop(field, None)
        if raw is None:
            return None, None
        low, high = raw if isinstance(raw, list) and len(raw) == 2 else (raw, raw)
        if not (type(low) is int and type(high) is int and 1 <= low <= high):
            raise self.error(field, f"expected a number or [low, high], got {raw!r}")
        return low, high

    def term[E: StrEnum](self, field: str, terms: type[E]) -> E:
        return self._term(field, terms, self.take(field, str))

    def terms[E: StrEnum](self, field: str, terms: type[E]) -> tuple[E, ...]:
        return tuple(self._term(field, terms, value) for value in self.texts(field))

    def texts(self, field: str) -> tuple[str, ...]:
        values = self.take(field, list, [])
        if not all(isinstance(value, str) and value for value in values):
            raise self.error(field, f"expected a list of texts, got {values!r}")
        return tuple(values)

    def known(self, field: str, value: str, choices: Any, what: str) -> str:
        if value not in choices:
            raise self.error(field, f"no {what} {value!r}")
        return value

    def done(self) -> None:
        if self._left:
            raise self.error(next(iter(self._left)), "is not a known field")

    def _term[E: StrEnum](self, field: str, terms: type[E], value: str) -> E:
        try:
            return terms(value)
        except ValueError:
            raise self.error(field, f"expected one of {', '.join(terms)}, got {value!r}") from None
