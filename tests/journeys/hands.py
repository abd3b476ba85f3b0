"""A physio's hands on the browser: each click and keystroke is counted, each part of the job is timed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Locator, Page


@dataclass
class Effort:
    """What one part of the job took. Seconds are of the pages alone: nobody thinks meanwhile."""

    part: str
    clicks: int = 0
    keys: int = 0
    seconds: float = 0.0


class Hands:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.parts: list[Effort] = []

    @contextmanager
    def doing(self, part: str, *, clicks: int = 0, keys: int = 0) -> Iterator[None]:
        self.parts.append(Effort(part, clicks, keys))
        begun = time.monotonic()
        yield
        self.parts[-1].seconds = time.monotonic() - begun

    def click(self, target: Locator) -> None:
        self.parts[-1].clicks += 1
        target.click()

    def check(self, target: Locator) -> None:
        self.parts[-1].clicks += 1
        target.check()

    def type(self, target: Locator, text: str) -> None:
        """Into a field that is reached by a click."""
        self.parts[-1].clicks += 1
        self.parts[-1].keys += len(text)
        target.fill(text)

    def choose(self, target: Locator, value: str) -> None:
        self.parts[-1].clicks += 2
        target.select_option(value)

    def table(self) -> str:
        rows = [*self.parts, self.total()]
        lines = [f"| {p.part} | {p.clicks} | {p.keys} | {p.seconds:.1f} |" for p in rows]
        return "\n".join(["| part | clicks | keystrokes | seconds |", "|---|--:|--:|--:|", *lines])

    def total(self) -> Effort:
        return Effort(
            "all",
            sum(part.clicks for part in self.parts),
            sum(part.keys for part in self.parts),
            sum(part.seconds for part in self.parts),
        )
