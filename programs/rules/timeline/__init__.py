"""The course of a case as one picture: what happened, where it is drawn, and the same in words. Pure."""

from programs.rules.timeline.course import (
    Course,
    Effort,
    Event,
    Knee,
    Raised,
    Span,
    Success,
    gaps,
    success_line,
    weekly_km,
)
from programs.rules.timeline.layout import NARROW, WIDE, draw
from programs.rules.timeline.scene import Group, Mark, Path, Scene, Text
from programs.rules.timeline.words import TableRow, columns, summary, table

__all__ = [
    "NARROW",
    "WIDE",
    "Course",
    "Effort",
    "Event",
    "Group",
    "Knee",
    "Mark",
    "Path",
    "Raised",
    "Scene",
    "Span",
    "Success",
    "TableRow",
    "Text",
    "columns",
    "draw",
    "gaps",
    "success_line",
    "summary",
    "table",
    "weekly_km",
]
