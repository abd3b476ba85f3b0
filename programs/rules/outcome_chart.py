"""One outcome measure over time as a small picture: its scores, its error band, the change that matters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from patients.scoring import Better, MeasureCourse
from programs.rules.pain import figure
from programs.rules.stall.wording import day
from programs.rules.timeline.scene import Group, Mark, Path, Scene, Text, box, circle, horizontal

WIDTH, HEIGHT = 320, 150
LEFT, RIGHT, TOP, BOTTOM = 30, 22, 16, 24
LEAST_DAYS = 28
"""A picture of less than four weeks would make days look far apart."""


@dataclass(frozen=True, slots=True)
class _Axes:
    course: MeasureCourse

    @property
    def first(self) -> date:
        return self.course.scores[0].on

    def x(self, on: date) -> float:
        span = max((self.course.latest.on - self.first).days, LEAST_DAYS)
        return round(LEFT + 8 + (on - self.first).days / span * (WIDTH - LEFT - RIGHT - 16), 1)

    def y(self, value: Decimal | int) -> float:
        low, high = self.course.low, self.course.high
        share = float((min(max(value, low), high) - low) / Decimal(high - low))
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def draw_outcome(course: MeasureCourse) -> Scene:
    """The band around the first score: what lies in it is within measurement error."""
    axes = _Axes(course)
    back = [Path(horizontal(LEFT, WIDTH - RIGHT, axes.y(value)), "tl-grid") for value in _ticks(course)]
    texts = [Text(LEFT - 6, axes.y(value) + 4, str(value), anchor="end") for value in _ticks(course)]
    back += _bands(course, axes)
    points = [(axes.x(score.on), axes.y(score.value)) for score in course.scores]
    path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
    lines = [Path(path, "tl-line tl-index tl-worst")] if len(points) > 1 else []
    marks = [
        Mark(
            x,
            y,
            circle(x, y, 4),
            "tl-dot tl-index",
            f"{day(score.on)}: {course.about.label} {figure(score.value)}",
        )
        for (x, y), score in zip(points, course.scores, strict=True)
    ]
    texts += _labels(course, axes)
    return Scene(WIDTH, HEIGHT, back, lines, [Group(course.about.label, marks)], texts)


def _ticks(course: MeasureCourse) -> tuple[int, ...]:
    return (course.low, (course.low + course.high) // 2, course.high)


def _bands(course: MeasureCourse, axes: _Axes) -> list[Path]:
    about, first = course.about, course.scores[0].value
    found, width = [], WIDTH - RIGHT - LEFT
    if about.error is not None:
        top, bottom = axes.y(first + about.error), axes.y(first - about.error)
        words = f"Within {figure(about.error)} of the first score: measurement error ({about.source})"
        found.append(Path(box(LEFT, top, width, round(bottom - top, 1)), "tl-error", words))
    if about.important is not None:
        wanted, words = _wanted(course, about.important)
        found.append(Path(horizontal(LEFT, WIDTH - RIGHT, axes.y(wanted)), "tl-success", words))
    return found


def _wanted(course: MeasureCourse, important: Decimal) -> tuple[Decimal, str]:
    """Where the change that matters is reached; of GROC, itself a change, the score itself."""
    about, first = course.about, course.scores[0].value
    if about.error is None:
        return important, about.source.capitalize()
    value = first - important if about.better is Better.LOWER else first + important
    return value, f"A change of {figure(important)} matters ({about.source})"


def _labels(course: MeasureCourse, axes: _Axes) -> list[Text]:
    """The first and the latest score with their dates; one if they are the same."""
    ends = [course.scores[0]] if len(course.scores) == 1 else [course.scores[0], course.latest]
    texts = []
    for score in ends:
        x = axes.x(score.on)
        anchor = "start" if score is course.scores[0] else "end"
        dx = -8 if anchor == "start" else 8
        above = axes.y(score.value) - 9
        y = above if above > 10 else axes.y(score.value) + 17
        texts.append(Text(x, y, figure(score.value), "tl-tick tl-strong", "middle"))
        texts.append(Text(x + dx, HEIGHT - 8, f"{score.on.day} {score.on:%b %Y}", anchor=anchor))
    return texts
