"""Reads plain data from a file field by field; every mistake is noted with its path, and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MAX_MISTAKES = 50
MAX_LINES = 50
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,80}")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Mistake:
    """``path`` is where: ``stages[1].exercises[2].sets``; "" is the whole."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class Part:
    """A mapping in the data. What nobody asked for is a mistake."""

    def __init__(self, path: str, raw: Any, mistakes: list[Mistake]) -> None:
        self.path, self.mistakes = path, mistakes
        if not isinstance(raw, dict):
            self._note(path, "expected fields with values")
        self._left: dict[Any, Any] = dict(raw) if isinstance(raw, dict) else {}

    @classmethod
    def root(cls, raw: Any, path: str = "") -> Part:
        return cls(path, raw, [])

    def say(self, field: str, message: str) -> None:
        self._note(self._at(field), message)

    def text(self, field: str, longest: int, *, required: bool = False) -> str:
        value = self._left.pop(field, None)
        if value is None or value == "":
            if required:
                self.say(field, "is missing")
            return ""
        return self._text(field, value, longest)

    def slug(self, field: str, *, required: bool = False) -> str:
        value = self.text(field, 80, required=required)
        if value and not SLUG.fullmatch(value):
            self.say(field, "expected letters, digits and hyphens")
            return ""
        return value

    def number(self, field: str, least: int, most: int, *, required: bool = False) -> int | None:
        value = self._left.pop(field, None)
        if value is None:
            if required:
                self.say(field, "is missing")
            return None
        if type(value) is not int or not least <= value <= most:
            self.say(field, f"expected a whole number from {least} to {most}")
            return None
        return value

    def flag(self, field: str) -> bool:
        value = self._left.pop(field, False)
        if not isinstance(value, bool):
            self.say(field, "expected true or false")
            return False
        return value

    def texts(self, field: str, longest: int, most: int = MAX_LINES) -> list[str]:
        values = self._list(field, most)
        return [self._text(f"{field}[{n}]", value, longest) for n, value in enumerate(values)]

    def term[E: StrEnum](self, field: str, terms: type[E]) -> E | None:
        value = self._left.pop(field, None)
        if value is None:
            self.say(field, "is missing")
            return None
        return self._term(field, value, terms)

    def terms[E: StrEnum](self, field: str, terms: type[E]) -> list[E]:
        found = [self._term(f"{field}[{n}]", v, terms) for n, v in enumerate(self._list(field, MAX_LINES))]
        return [term for term in found if term is not None]

    def part(self, field: str) -> Part:
        """The mapping in this field; without one, an empty one."""
        return Part(self._at(field), self._left.pop(field, {}), self.mistakes)

    def parts(self, field: str, most: int) -> Iterator[Part]:
        for number, raw in enumerate(self._list(field, most)):
            yield Part(f"{self._at(field)}[{number}]", raw, self.mistakes)

    def ignore(self, *fields: str) -> None:
        """Known fields that are not taken."""
        for field in fields:
            self._left.pop(field, None)

    def done(self) -> None:
        for field in self._left:
            if isinstance(field, str) and SLUG.fullmatch(field):
                self.say(field, "is not a known field")
            else:
                self._note(self.path, "has a field whose name is no word")

    def _at(self, field: str) -> str:
        return f"{self.path}.{field}" if self.path else field

    def _note(self, path: str, message: str) -> None:
        if len(self.mistakes) < MAX_MISTAKES:
            self.mistakes.append(Mistake(path, message))

    def _list(self, field: str, most: int) -> list[Any]:
        value = self._left.pop(field, [])
        if not isinstance(value, list):
            self.say(field, "expected a list")
            return []
        if len(value) > most:
            self.say(field, f"at most {most}")
            return []
        return value

    def _text(self, field: str, value: Any, longest: int) -> str:
        if not isinstance(value, str):
            self.say(field, "expected text: put it in quotes")
        elif UNPRINTABLE.search(value):
            self.say(field, "holds characters that cannot be shown")
        elif len(value) > longest:
            self.say(field, f"at most {longest} characters")
        else:
            return value
        return ""

    def _term[E: StrEnum](self, field: str, value: Any, terms: type[E]) -> E | None:
        if not isinstance(value, str) or value not in set(terms):
            self.say(field, f"expected one of {', '.join(terms)}")
            return None
        return terms(value)
