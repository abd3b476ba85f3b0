"""A letter about a case to a colleague: what it says, in which order, and how long each part may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a letter: its name in forms, its heading, and how many characters it may have."""

    name: str
    heading: str
    most: int


FLAG = Part("flag", "Red flag", 350)
PARTS = (
    Part("question", "My question to you", 500),
    Part("findings", "Findings", 800),
    Part("program", "Program", 450),
    Part("adherence", "Adherence", 200),
    Part("tried", "What was tried", 500),
    Part("thresholds", "What the judgement rests on", 400),
)
"""In the order of the page; a red flag stands before all of them. Together they fit one A4 page."""

RECIPIENT_MOST, ADDRESS_LINES = 200, 5
LINES_MOST = 8
"""Lines that a part may have: a short text on many lines fills a page too."""


class TooLong(Exception):
    """The letter does not fit one page in the smallest type."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, word for word. ``sections`` are heading and text, ``picture`` is an SVG or empty.

    ``patient`` and ``sender`` are lines as they stood when it was made.
    """

    title: str
    made_on: date
    sender: tuple[str, ...]
    recipient: str
    patient: tuple[str, ...]
    flag: str
    sections: tuple[tuple[str, str], ...]
    picture: str
    picture_words: str
    signed: str


def to_json(letter: Letter) -> str:
    """As one text, to be kept."""
    return json.dumps({**asdict(letter), "made_on": letter.made_on.isoformat()}, ensure_ascii=False)


def from_json(text: str) -> Letter:
    """The letter that ``to_json`` kept."""
    stored = json.loads(text)
    return Letter(
        **{
            **stored,
            "made_on": date.fromisoformat(stored["made_on"]),
            "sender": tuple(stored["sender"]),
            "patient": tuple(stored["patient"]),
            "sections": tuple((heading, words) for heading, words in stored["sections"]),
        }
    )


def too_long(texts: Mapping[str, str]) -> tuple[str, str] | None:
    """The first part that is too long for its place on the page, and what to say about it."""
    for part in (FLAG, *PARTS):
        text = texts.get(part.name, "").strip()
        if len(text) > part.most:
            return part.name, f"At most {part.most} characters, so that the letter stays one page."
        if len(text.splitlines()) > LINES_MOST:
            return part.name, f"At most {LINES_MOST} lines, so that the letter stays one page."
    return None
