"""The trend of worst pain as SVG geometry. Pure: dates and scores in, coordinates and words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from clinic.thresholds import Thresholds
from programs.rules.stall.wording import pain

TOP, BOTTOM, LEFT, RIGHT = 26, 34, 30, 14
HEIGHT = 280
WIDE, NARROW = 760, 360
PAIN_MAX = 10


@dataclass(frozen=True, slots=True)
class KneeSeries:
    """Daily worst pain of one knee by local date. ``is_index``: the knee that success is measured on."""

    side: str
    is_index: bool
    days: Mapping[date, Decimal]

    @property
    def label(self) -> str:
        return f"{self.side.capitalize()} knee{' (index)' if self.is_index else ''}"


@dataclass(frozen=True, slots=True)
class Span:
    """Days that do not count, from ``start`` until the day before ``end``; ``kind`` is a pause or a hold."""

    kind: str
    label: str
    start: date
    end: date | None


@dataclass(frozen=True, slots=True)
class Course:
    """What the chart shows of one program. Answers before its start are shown from the first one on."""

    started_on: date
    today: date
    knees: Sequence[KneeSeries]
    baseline: Decimal | None = None
    success_at: str = ""
    success_value: Decimal | None = None
    stages: Sequence[tuple[date, str]] = ()
    spans: Sequence[Span] = ()


@dataclass(frozen=True, slots=True)
class Line:
    css: str
    label: str
    points: str
    dots: list[tuple[float, float, str]]


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical or horizontal line, or a band (with ``width``), with its label."""

    at: float
    label: str
    width: float = 0
    css: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    lines: list[Line]
    grid: list[Mark]
    weeks: list[Mark]
    stages: list[Mark]
    spans: list[Mark]
    baseline: Mark | None
    success: Mark | None
    css: str
    label_y: int

    @property
    def plot_height(self) -> int:
        return self.bottom - self.top

    @property
    def tick_bottom(self) -> int:
        return self.bottom + 4

    @property
    def tick_label_y(self) -> int:
        return self.bottom + 18


def success_line(baseline: Decimal, t: Thresholds) -> tuple[Decimal, str]:
    """The pain at or below which this baseline counts as success, and the words for it."""
    if baseline >= t.success_baseline_floor:
        limit = baseline - t.success_drop
    else:
        limit = baseline * (100 - t.success_drop_percent) / 100
    if limit < t.success_now_below:
        return t.success_now_below, f"Success: below {t.success_now_below:f}"
    return limit, f"Success: {_number(limit)} or less"


def charts(course: Course) -> list[Chart]:
    """The same course for a desktop and for a phone: text keeps its size on both."""
    return [_chart(course, WIDE, "kc-wide"), _chart(course, NARROW, "kc-phone")]


def summary(course: Course) -> str:
    """The chart in words, for those who don't see it."""
    parts = [f"Worst pain, 0 to 10, from {_day(course.started_on)} to {_day(course.today)}"]
    for knee in course.knees:
        if knee.days:
            first, last = min(knee.days), max(knee.days)
            parts.append(
                f"{knee.label}: {_number(knee.days[first])} on {_day(first)}, "
                f"{_number(knee.days[last])} on {_day(last)}, {len(knee.days)} days answered"
            )
        else:
            parts.append(f"{knee.label}: no answers")
    if course.baseline is not None:
        parts.append(f"Baseline {_number(course.baseline)}. {course.success_at}")
    parts += [f"{label} on {_day(day)}" for day, label in course.stages]
    parts += [
        f"{span.label} from {_day(span.start)}{f' to {_day(span.end)}' if span.end else ', still'}"
        for span in course.spans
    ]
    return ". ".join(parts) + "."


def table(course: Course) -> list[tuple[date, list[str]]]:
    """One row a day with an answer, latest first: the value of each knee."""
    days = sorted({day for knee in course.knees for day in knee.days}, reverse=True)
    return [
        (day, [_number(knee.days[day]) if day in knee.days else "" for knee in course.knees]) for day in days
    ]


class _Scale:
    """From dates and pain to coordinates."""

    def __init__(self, course: Course, width: int) -> None:
        answered = [day for knee in course.knees for day in knee.days]
        self.first = min([course.started_on, *answered])
        self.last = max([course.today, *answered, self.first + timedelta(days=14)])
        self.width = width

    def x(self, day: date) -> float:
        day = min(max(day, self.first), self.last)
        share = (day - self.first).days / (self.last - self.first).days
        return round(LEFT + share * (self.width - LEFT - RIGHT), 1)

    def y(self, pain: Decimal | int) -> float:
        return round(TOP + float(PAIN_MAX - pain) / PAIN_MAX * (HEIGHT - TOP - BOTTOM), 1)


def _chart(course: Course, width: int, css: str) -> Chart:
    scale = _Scale(course, width)
    return Chart(
        width=width,
        height=HEIGHT,
        left=LEFT,
        right=width - RIGHT,
        top=TOP,
        bottom=HEIGHT - BOTTOM,
        lines=[_line(knee, scale) for knee in course.knees],
        grid=[Mark(scale.y(pain), str(pain)) for pain in range(0, PAIN_MAX + 1, 2)],
        weeks=_weeks(course, scale),
        stages=[Mark(scale.x(day), label) for day, label in course.stages],
        spans=[_band(span, course, scale) for span in course.spans],
        baseline=None
        if course.baseline is None
        else Mark(scale.y(course.baseline), f"Baseline {_number(course.baseline)}"),
        success=None
        if course.success_value is None
        else Mark(scale.y(course.success_value), course.success_at),
        css=css,
        label_y=TOP - 10,
    )


def _line(knee: KneeSeries, scale: _Scale) -> Line:
    dots = [
        (scale.x(day), scale.y(pain), f"{knee.label}, {_day(day)}: {_number(pain)}")
        for day, pain in sorted(knee.days.items())
    ]
    return Line(
        css="kc-index" if knee.is_index else "kc-other",
        label=knee.label,
        points=" ".join(f"{x},{y}" for x, y, _ in dots),
        dots=dots,
    )


def _weeks(course: Course, scale: _Scale) -> list[Mark]:
    """A tick a week from the start; labels as far apart as they fit."""
    total = (scale.last - course.started_on).days // 7
    every = next((step for step in (1, 2, 4, 8, 13, 26) if total / step * 44 <= scale.width), 52)
    return [
        Mark(scale.x(course.started_on + timedelta(weeks=week)), f"w{week}")
        for week in range(0, total + 1, every)
    ]


def _band(span: Span, course: Course, scale: _Scale) -> Mark:
    start = scale.x(span.start)
    end = scale.x(span.end or course.today + timedelta(days=1))
    return Mark(start, span.label, width=max(round(end - start, 1), 2), css=f"kc-{span.kind}")


def _number(value: Decimal) -> str:
    """Cut, as in the verdict's text."""
    return pain(value)


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
