"""The small picture of worst pain beside a case on the caseload. Pure: dates and scores in, geometry out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from programs.rules.stall.wording import count, pain

WIDTH, HEIGHT, EDGE = 132, 34, 3
PAIN_MAX = 10


@dataclass(frozen=True, slots=True)
class Sparkline:
    """``baseline`` is the height of its dashed line; ``words`` tell the picture to who does not see it."""

    points: str
    end: tuple[float, float]
    baseline: float | None
    words: str


def sparkline(
    days: Mapping[date, Decimal], *, since: date, today: date, baseline: Decimal | None
) -> Sparkline | None:
    """Worst pain by day, NPRS 0-10, from ``since`` to ``today``; none without an answer."""
    if not days:
        return None
    span = max((today - since).days, 1)
    dots = [(_x((on - since).days / span), _y(worst)) for on, worst in sorted(days.items())]
    return Sparkline(
        points=" ".join(f"{x},{y}" for x, y in dots),
        end=dots[-1],
        baseline=None if baseline is None else _y(baseline),
        words=_words(days, baseline),
    )


def _words(days: Mapping[date, Decimal], baseline: Decimal | None) -> str:
    first, last = min(days), max(days)
    parts = [f"{pain(days[first])} on {_day(first)}"]
    if first != last:
        parts += [f"{pain(days[last])} on {_day(last)}", f"highest {pain(max(days.values()))}"]
    if baseline is not None:
        parts.append(f"baseline {pain(baseline)}")
    return f"Worst pain, 0 to 10, {count(len(days), 'day')} answered: {', '.join(parts)}"


def _x(share: float) -> float:
    return round(EDGE + min(max(share, 0), 1) * (WIDTH - 2 * EDGE), 1)


def _y(worst: Decimal) -> float:
    return round(EDGE + float(PAIN_MAX - worst) / PAIN_MAX * (HEIGHT - 2 * EDGE), 1)


def _day(on: date) -> str:
    return f"{on.day} {on:%b}"
