"""Where everything of a timeline is drawn: from dates and scores to coordinates.

From top to bottom: what happened, pain, alerts, strength sessions, runs, weekly distance, the calendar.
A lane without anything in it takes no room.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from programs.rules.pain import Activity, Light, figure
from programs.rules.stall.wording import day as on_day
from programs.rules.stall.wording import pain
from programs.rules.timeline.course import (
    GAP_DAYS,
    Course,
    DailyPain,
    Event,
    Raised,
    gaps,
    weekly_km,
)
from programs.rules.timeline.scene import (
    Group,
    Mark,
    Path,
    Scene,
    Text,
    box,
    circle,
    diamond,
    horizontal,
    square,
    triangle,
    vertical,
)
from programs.rules.timeline.words import effort_words, span_words

WIDE, NARROW = 1040, 380
LEFT, RIGHT = 66, 12
PAIN_MAX = 10
PAIN_HEIGHT, LANE, ALERT_ROW, BARS = 210, 22, 19, 58
LETTER = 6.0
"""Width of a letter at the size of the labels, in px, about."""

GLYPHS = {Light.GREEN: circle, Light.AMBER: diamond, Light.RED: square, Light.INCOMPLETE: circle}
LANES = {Activity.STRENGTH: "Strength", Activity.RUN: "Runs"}


@dataclass(slots=True)
class _Canvas:
    """The time axis, and what was drawn so far; ``y`` is where the next lane begins."""

    course: Course
    width: int
    y: float = 0
    back: list[Path] = field(default_factory=list)
    lines: list[Path] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    @property
    def first(self) -> date:
        return min([self.course.started_on, *self.course.days[:1]])

    @property
    def last(self) -> date:
        return max([self.course.today, *self.course.days[-1:], self.first + timedelta(days=14)])

    @property
    def right(self) -> int:
        return self.width - RIGHT

    def x(self, on: date) -> float:
        share = (min(max(on, self.first), self.last) - self.first).days / (self.last - self.first).days
        return round(LEFT + share * (self.right - LEFT), 1)

    def name(self, words: str, y: float) -> None:
        self.texts.append(Text(LEFT - 8, y + 4, words, anchor="end"))


def draw(course: Course, width: int = WIDE) -> Scene:
    """The whole picture, ``width`` px wide; a lane that is empty is left out."""
    canvas = _Canvas(course, width)
    _events(canvas)
    _pain(canvas)
    _alerts(canvas)
    for activity in LANES:
        _efforts(canvas, activity)
    _distance(canvas)
    _calendar(canvas)
    return Scene(width, round(canvas.y), canvas.back, canvas.lines, canvas.groups, canvas.texts)


# --- what happened


def _events(canvas: _Canvas) -> None:
    """A flag a day, its label in the first of three rows where it fits; a line down through the pain."""
    ends = [0.0, 0.0, 0.0]
    marks, labels = [], []
    for on, label, short in _by_day(canvas.course.events):
        x = canvas.x(on)
        words = label if canvas.width >= WIDE else short
        row = next((row for row, end in enumerate(ends) if x >= end), None)
        if row is not None:
            at_end = x + len(words) * LETTER > canvas.right
            start = x - len(words) * LETTER if at_end else x
            if not at_end or start >= ends[row]:
                ends[row] = x + len(words) * LETTER + 10
                labels.append((row, x, words, at_end))
        marks.append((x, f"{label}, {on_day(on)}"))
    rows = 1 + max((row for row, *_ in labels), default=0)
    base = 6 + rows * 14
    for row, x, words, at_end in labels:
        y = base - 4 - row * 14
        canvas.texts.append(
            Text(x - 3 if at_end else x + 3, y, words, "tl-tick tl-strong", "end" if at_end else "start")
        )
        canvas.lines.append(Path(vertical(x, y - 8, base), "tl-event"))
    canvas.y = base
    bottom = base + PAIN_HEIGHT
    for x, _ in marks:
        canvas.lines.append(Path(vertical(x, base, bottom), "tl-event"))
    group = [Mark(x, base, triangle(x, base, 4), "tl-flag", words) for x, words in marks]
    if group:
        canvas.groups.append(Group("What happened", group))


def _by_day(events: object) -> Iterator[tuple[date, str, str]]:
    """Events of one day share a flag."""
    days: dict[date, list[Event]] = {}
    for event in sorted(events, key=lambda event: event.on):  # type: ignore[call-overload]
        days.setdefault(event.on, []).append(event)
    for on, found in days.items():
        yield on, ", ".join(event.label for event in found), ", ".join(event.short for event in found)


# --- pain


def _pain(canvas: _Canvas) -> None:
    top, course = canvas.y, canvas.course
    bottom = top + PAIN_HEIGHT
    y = _PainScale(top)
    for value in range(0, PAIN_MAX + 1, 2):
        canvas.back.append(Path(horizontal(LEFT, canvas.right, y(value)), "tl-grid"))
        canvas.texts.append(Text(LEFT - 8, y(value) + 4, str(value), anchor="end"))
    canvas.texts.append(Text(8, y(PAIN_MAX // 2) + 4, "Pain"))
    _spans(canvas, top, bottom)
    _levels(canvas, y)
    for knee in course.knees:
        css = "tl-index" if knee.is_index else "tl-other"
        for kind, values in (("usual", knee.usual), ("worst", knee.worst)):
            _series(canvas, y, f"{css} tl-{kind}", f"{knee.label}, {kind} pain", values)
    _no_answers(canvas, bottom)
    canvas.y = bottom + 10


@dataclass(frozen=True, slots=True)
class _PainScale:
    top: float

    def __call__(self, value: Decimal | int) -> float:
        return round(self.top + float(PAIN_MAX - value) / PAIN_MAX * PAIN_HEIGHT, 1)


def _spans(canvas: _Canvas, top: float, bottom: float) -> None:
    for span in canvas.course.spans:
        start, end = canvas.x(span.start), canvas.x(span.end or canvas.last)
        path = box(start, top, max(round(end - start, 1), 3), bottom - top)
        canvas.back.append(Path(path, f"tl-band tl-{span.kind}", span_words(span)))
        if len(span.label) * LETTER <= end - start:
            canvas.texts.append(Text((start + end) / 2, bottom - 5, span.label, anchor="middle"))


def _levels(canvas: _Canvas, y: _PainScale) -> None:
    course = canvas.course
    if course.baseline is not None:
        canvas.lines.append(Path(horizontal(LEFT, canvas.right, y(course.baseline)), "tl-baseline"))
        words = f"Baseline {pain(course.baseline)}"
        canvas.texts.append(Text(canvas.right, y(course.baseline) - 5, words, "tl-tick tl-strong", "end"))
    if course.success is not None:
        at = y(course.success.at)
        height = round(y(0) - at, 1)
        canvas.back.append(Path(box(LEFT, at, canvas.right - LEFT, height), "tl-goal", course.success.words))
        canvas.lines.append(Path(horizontal(LEFT, canvas.right, at), "tl-success"))
        canvas.texts.append(Text(LEFT + 4, at + 13, course.success.words, "tl-tick tl-good"))


def _series(canvas: _Canvas, y: _PainScale, css: str, label: str, values: DailyPain) -> None:
    """Dots, and a line between those no more than a week apart: a gap is shown as a gap."""
    if not values:
        return
    days = sorted(values)
    points = {on: (canvas.x(on), y(values[on])) for on in days}
    runs: list[list[date]] = [[days[0]]]
    for before, on in pairwise(days):
        if (on - before).days > GAP_DAYS:
            runs.append([])
        runs[-1].append(on)
    for run in runs:
        if len(run) > 1:
            path = "M" + "L".join(f"{points[on][0]:g} {points[on][1]:g}" for on in run)
            canvas.lines.append(Path(path, f"tl-line {css}"))
    glyph, size = (square, 3.2) if "tl-other" in css else (circle, 3.6)
    size = size if "tl-worst" in css else 2
    marks = [
        Mark(
            *points[on],
            glyph(*points[on], size),
            f"tl-dot {css}",
            f"{on_day(on)}: {label} {pain(values[on])}",
        )
        for on in days
    ]
    canvas.groups.append(Group(label, marks))


def _no_answers(canvas: _Canvas, bottom: float) -> None:
    """Where the index knee was silent for more than a week."""
    index = next((knee for knee in canvas.course.knees if knee.is_index), None)
    for start, end in gaps(index.worst, canvas.course.today) if index else ():
        x1, x2 = canvas.x(start), canvas.x(end)
        words = f"no answers, {(end - start).days} days"
        path = horizontal(x1 + 4, max(x2 - 4, x1 + 5), bottom - 18)
        canvas.lines.append(Path(path, "tl-gap", f"{words}, from {on_day(start)}"))
        if len(words) * LETTER < x2 - x1:
            canvas.texts.append(Text((x1 + x2) / 2, bottom - 22, words, anchor="middle"))


# --- alerts


def _alerts(canvas: _Canvas) -> None:
    """A row a kind; a bar from the day it opened to the day it was resolved."""
    kinds: dict[str, list[Raised]] = {}
    for alert in sorted(canvas.course.alerts, key=lambda alert: alert.on):
        kinds.setdefault(alert.label, []).append(alert)
    if not kinds:
        return
    canvas.y += 4
    canvas.name("Alerts", canvas.y + 6)
    marks = [
        _alert(canvas, alert, canvas.y + row * ALERT_ROW)
        for row, found in enumerate(kinds.values())
        for alert in found
    ]
    canvas.groups.append(Group("Alerts", sorted(marks, key=lambda mark: mark.x)))
    canvas.y += len(kinds) * ALERT_ROW + 6


def _alert(canvas: _Canvas, alert: Raised, y: float) -> Mark:
    start, end = canvas.x(alert.on), canvas.x(alert.until or canvas.course.today)
    length = max(round(end - start, 1), 6)
    start = min(start, canvas.right - length)
    canvas.back.append(Path(box(start, y, length, 13), f"tl-alert-bar tl-{alert.tone}"))
    if len(alert.label) * LETTER + 14 > canvas.right - start:
        canvas.texts.append(Text(start - 8, y + 10, alert.label, "tl-tick tl-strong", "end"))
    else:
        canvas.texts.append(Text(start + 12, y + 10, alert.label, "tl-tick tl-strong"))
    ended = f"resolved on {on_day(alert.until)}" if alert.until else "open"
    words = f"Alert: {alert.label} from {on_day(alert.on)}, {ended}"
    return Mark(start, y + 6, triangle(start + 5, y + 6.5, 4.5), f"tl-alert tl-{alert.tone}", words)


# --- training


def _efforts(canvas: _Canvas, activity: Activity) -> None:
    efforts = [effort for effort in canvas.course.efforts if effort.activity is activity]
    if not efforts:
        return
    y = canvas.y + LANE / 2
    size = 5 if canvas.width >= WIDE else 3.6
    canvas.name(LANES[activity], y)
    canvas.back.append(Path(horizontal(LEFT, canvas.right, y), "tl-grid"))
    marks = []
    for effort in sorted(efforts, key=lambda effort: effort.on):
        x = canvas.x(effort.on)
        path = GLYPHS[effort.light](x, y, size)
        words = f"{on_day(effort.on)}: {effort_words(effort)}"
        marks.append(Mark(x, y, path, f"tl-effort tl-{effort.light.value}", words))
    canvas.groups.append(Group(LANES[activity], marks))
    canvas.y += LANE


def _distance(canvas: _Canvas) -> None:
    """A bar a week, from the first day of the week to its last."""
    weeks = weekly_km(canvas.course)
    if not any(weeks.values()):
        return
    top, bottom, most = canvas.y + 14, canvas.y + BARS, max(weeks.values())
    canvas.name("km a week", (top + bottom) / 2)
    canvas.back.append(Path(horizontal(LEFT, canvas.right, bottom), "tl-grid"))
    marks = []
    for week, km in weeks.items():
        first = canvas.course.started_on + timedelta(weeks=week)
        start, end = canvas.x(first) + 1, canvas.x(first + timedelta(days=7)) - 1
        height = round(float(km / most) * (bottom - top), 1)
        path = box(round(start, 1), round(bottom - height, 1), max(round(end - start, 1), 1), height)
        words = f"Week {week}, from {on_day(first)}: {figure(km)} km"
        marks.append(Mark(round((start + end) / 2, 1), bottom - height, path, "tl-bar", words))
        figures = f"{km:.0f}"
        if len(figures) * LETTER <= end - start:
            canvas.texts.append(
                Text(round((start + end) / 2, 1), bottom - height - 4, figures, anchor="middle")
            )
    canvas.groups.append(Group("Weekly distance", marks))
    canvas.y = bottom


def _calendar(canvas: _Canvas) -> None:
    """A tick a week from the start, with its date; labels as far apart as they fit."""
    y = canvas.y + 6
    start = canvas.course.started_on
    total = (canvas.last - start).days // 7
    room = max(total * 52 / (canvas.right - LEFT), 1)
    every = next((step for step in (1, 2, 4, 8, 13, 26) if step >= room), 52)
    for week in range(total + 1):
        x = canvas.x(start + timedelta(weeks=week))
        canvas.back.append(Path(vertical(x, y - 6, y), "tl-grid"))
        if week % every == 0:
            on = start + timedelta(weeks=week)
            anchor = "end" if x + 18 > canvas.right else "middle"
            canvas.texts.append(
                Text(x, y + 12, f"week {week}" if canvas.width >= WIDE else f"w{week}", anchor=anchor)
            )
            canvas.texts.append(Text(x, y + 25, f"{on.day} {on:%b}", anchor=anchor))
    canvas.y = y + 32
