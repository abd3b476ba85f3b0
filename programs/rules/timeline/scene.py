"""What a drawn timeline is made of. CSS classes say how it looks: a page has two themes, a letter one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """An SVG path; ``words`` is its tooltip, if it has one."""

    d: str
    css: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    x: float
    y: float
    words: str
    css: str = "tl-tick"
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to read out: a day's pain, a session, a week's distance, an alert."""

    x: float
    y: float
    d: str
    css: str
    words: str


@dataclass(frozen=True, slots=True)
class Group:
    """Marks that belong together, in the order of time."""

    label: str
    marks: list[Mark]


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture of ``width`` x ``height``: ``back`` first, then ``lines``, ``groups`` and ``texts``."""

    width: int
    height: int
    back: list[Path]
    lines: list[Path]
    groups: list[Group]
    texts: list[Text]


def horizontal(x1: float, x2: float, y: float) -> str:
    return f"M{x1:g} {y:g}H{x2:g}"


def vertical(x: float, y1: float, y2: float) -> str:
    return f"M{x:g} {y1:g}V{y2:g}"


def box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:g} {y:g}h{width:g}v{height:g}h{-width:g}z"


def circle(x: float, y: float, r: float) -> str:
    return f"M{x - r:g} {y:g}a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0 {-2 * r:g} 0z"


def square(x: float, y: float, r: float) -> str:
    return box(round(x - r, 2), round(y - r, 2), 2 * r, 2 * r)


def diamond(x: float, y: float, r: float) -> str:
    return f"M{x:g} {y - r:g}l{r:g} {r:g}l{-r:g} {r:g}l{-r:g} {-r:g}z"


def triangle(x: float, y: float, r: float) -> str:
    return f"M{x:g} {y - r:g}l{r:g} {2 * r:g}h{-2 * r:g}z"
