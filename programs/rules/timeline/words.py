"""The timeline in words and as a table: nothing that is drawn is said by the drawing alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from programs.rules.pain import Activity, Light, figure
from programs.rules.stall.wording import count, day, pain
from programs.rules.timeline.course import Course, DailyPain, Effort, Knee, Span, gaps, weekly_km

ACTIVITIES = {Activity.STRENGTH: "Strength sessions", Activity.RUN: "Runs"}


@dataclass(frozen=True, slots=True)
class TableRow:
    """One day: the pain of each knee as ``columns`` heads it, the training, and what happened."""

    on: date
    pains: list[str]
    training: str
    happened: str


def summary(course: Course) -> str:
    """The picture in words, for those who don't see it."""
    return ". ".join(_sentences(course)) + "."


def columns(course: Course) -> list[str]:
    return [label for label, _ in series(course)]


def series(course: Course) -> list[tuple[str, DailyPain]]:
    """Worst pain of each knee, and usual pain where it was ever told."""
    told = [(knee, kind) for knee in course.knees for kind in ("worst", "usual")]
    return [
        (f"{knee.label}, {kind}", getattr(knee, kind)) for knee, kind in told if kind == "worst" or knee.usual
    ]


def table(course: Course) -> list[TableRow]:
    """A row for each day of which anything is known, the latest first."""
    return [_row(course, on) for on in reversed(course.days)]


def effort_words(effort: Effort) -> str:
    name = "Run" if effort.activity is Activity.RUN else "Strength session"
    distance = f" of {figure(effort.km)} km" if effort.km is not None else ""
    why = f": {'; '.join(effort.reasons)}" if effort.reasons else ""
    return f"{name}{distance}, {effort.light.value}{why}"


def span_words(span: Span) -> str:
    if span.end is None:
        return f"{span.label} since {day(span.start)}"
    return f"{span.label} from {day(span.start)}, back on {day(span.end)}"


def _sentences(course: Course) -> Iterator[str]:
    yield f"From {day(course.started_on)} to {day(course.today)}, pain on a scale of 0 to 10"
    for knee in course.knees:
        yield from _knee(knee, course)
    if course.baseline is not None:
        line = f". {course.success.words}" if course.success else ""
        yield f"Baseline {pain(course.baseline)}{line}"
    for activity, label in ACTIVITIES.items():
        yield from _lights(course, activity, label)
    yield from _distance(course)
    yield from (f"{event.label} on {day(event.on)}" for event in course.events)
    yield from (span_words(span) for span in course.spans)
    for alert in course.alerts:
        yield f"Alert {alert.label} from {day(alert.on)}" + (
            f" to {day(alert.until)}" if alert.until else ", open"
        )


def _knee(knee: Knee, course: Course) -> Iterator[str]:
    if not knee.worst:
        yield f"{knee.label}: no answers"
        return
    for kind, values in (("worst", knee.worst), ("usual", knee.usual)):
        if values:
            first, last = min(values), max(values)
            course_of = f"{pain(values[first])} on {day(first)}, {pain(values[last])} on {day(last)}"
            yield f"{knee.label}, {kind}: {course_of}, {count(len(values), 'day')} answered"
    if knee.is_index:
        yield from (f"No answers between {day(a)} and {day(b)}" for a, b in gaps(knee.worst, course.today))


def _lights(course: Course, activity: Activity, label: str) -> Iterator[str]:
    seen = Counter(effort.light for effort in course.efforts if effort.activity is activity)
    if seen:
        yield f"{label}: " + ", ".join(f"{seen[light]} {light.value}" for light in Light if seen[light])


def _distance(course: Course) -> Iterator[str]:
    weeks = weekly_km(course)
    if weeks:
        most = max(weeks, key=lambda week: (weeks[week], week))
        last = max(weeks)
        yield f"Running: most in week {most}, {_km(weeks[most])}; last in week {last}, {_km(weeks[last])}"


def _km(value: Decimal) -> str:
    return f"{figure(value)} km"


def _row(course: Course, on: date) -> TableRow:
    pains = [pain(values[on]) if on in values else "" for _, values in series(course)]
    training = "; ".join(effort_words(effort) for effort in course.efforts if effort.on == on)
    happened = [event.label for event in course.events if event.on == on]
    happened += [f"Alert: {alert.label}" for alert in course.alerts if alert.on == on]
    happened += [f"{alert.label} resolved" for alert in course.alerts if alert.until == on]
    happened += [f"{span.label} begins" for span in course.spans if span.start == on]
    return TableRow(on, pains, training, "; ".join(happened))
