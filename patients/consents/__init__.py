"""The text a patient agrees to: one file a version, never changed once it was shown to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class ConsentText:
    version: int
    text: str

    @property
    def hash(self) -> str:
        return sha256(self.text.encode()).hexdigest()


@cache
def versions() -> tuple[ConsentText, ...]:
    """All of them, the first first."""
    files = sorted(FOLDER.glob("*.md"), key=lambda file: int(file.stem))
    return tuple(ConsentText(int(file.stem), file.read_text(encoding="utf-8")) for file in files)


def current() -> ConsentText:
    return versions()[-1]
