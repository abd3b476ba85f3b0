"""The small trend picture of the digest: worst pain by day on a fixed 0-10 scale, drawn at 3x its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from programs.rules.stall.wording import pain, pains

SCALE = 3
WIDTH, HEIGHT = 300, 96  # as shown; the file is SCALE times that
LEFT, RIGHT, TOP, BOTTOM = 22, 34, 9, 20
WEEK = timedelta(days=7)

INK, MUTED, GRID, PAPER = "#10242b", "#51646b", "#dbe3e5", "#ffffff"
LINE, BASELINE = "#0f6b66", "#b8860b"


@dataclass(frozen=True, slots=True)
class Trend:
    """Worst pain by local date, NPRS 0-10, from the start of the program to the day of the digest.

    ``baseline`` and ``now`` are the medians that the verdict compares.
    """

    days: Mapping[date, Decimal]
    started_on: date
    today: date
    baseline: Decimal | None = None
    now: Decimal | None = None

    @property
    def text(self) -> str:
        """What the picture shows, for those who do not see it."""
        first, last = min(self.days), max(self.days)
        course = f"from {self.days[first]} on {_day(first)} to {self.days[last]} on {_day(last)}"
        medians = zip(("baseline", "now"), self.figures, strict=True)
        found = "".join(f"; {name} {figure}" for name, figure in medians if figure)
        return f"Worst pain {course}, {len(self.days)} days answered{found}"

    @property
    def figures(self) -> tuple[str, str]:
        """Baseline and now as the verdict's text has them; empty where there is none."""
        if self.baseline is not None and self.now is not None:
            return pains(self.baseline, self.now)
        then, now = (pain(value) if value is not None else "" for value in (self.baseline, self.now))
        return then, now


def draw(trend: Trend) -> bytes:
    """The picture as PNG."""
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), PAPER)
    pen = _Pen(ImageDraw.Draw(image), trend)
    pen.grid()
    if trend.baseline is not None:
        pen.baseline(trend.baseline)
    pen.course()
    if trend.now is not None:
        pen.now(trend.now)
    file = BytesIO()
    image.quantize(64).save(file, format="PNG", optimize=True)
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws in the coordinates of the trend: dates across, pain upwards."""

    on: ImageDraw.ImageDraw
    trend: Trend

    def grid(self) -> None:
        """0, 5 and 10, and a tick each four weeks."""
        for level in (0, 5, 10):
            y = self._y(Decimal(level))
            self.on.line([(LEFT * SCALE, y), ((WIDTH - RIGHT) * SCALE, y)], fill=GRID, width=SCALE)
            self._write((LEFT - 6) * SCALE, y, str(level), MUTED, "rm")
        weeks = max(1, (self.trend.today - self.trend.started_on).days // 7)
        step = max(1, -(-weeks // 5))
        for week in range(0, weeks + 1, step):
            x = self._x(self.trend.started_on + week * WEEK)
            self._write(x, (HEIGHT - 8) * SCALE, "start" if week == 0 else f"wk {week}", MUTED, "mm")

    def baseline(self, value: Decimal) -> None:
        """A dashed line where the case started."""
        y, dash = self._y(value), 5 * SCALE
        for x in range(LEFT * SCALE, (WIDTH - RIGHT) * SCALE, 2 * dash):
            end = min(x + dash, (WIDTH - RIGHT) * SCALE)
            self.on.line([(x, y), (end, y)], fill=BASELINE, width=SCALE)

    def course(self) -> None:
        """Every answered day, joined."""
        points = [(self._x(day), self._y(worst)) for day, worst in sorted(self.trend.days.items())]
        self.on.line(points, fill=LINE, width=2 * SCALE, joint="curve")
        for x, y in points:
            self._dot(x, y, 2)

    def now(self, value: Decimal) -> None:
        """The figure of the verdict, at its height."""
        x = (WIDTH - RIGHT + 5) * SCALE
        self._write(x, self._y(value), self.trend.figures[1], INK, "lm", size=13)

    def _dot(self, x: float, y: float, radius: int) -> None:
        r = radius * SCALE
        self.on.ellipse([(x - r, y - r), (x + r, y + r)], fill=LINE)

    def _write(self, x: float, y: float, text: str, ink: str, anchor: str, size: int = 10) -> None:
        font = ImageFont.load_default(size=size * SCALE)
        self.on.text((x, y), text, fill=ink, anchor=anchor, font=font)

    def _x(self, day: date) -> float:
        span = max(1, (self.trend.today - self.trend.started_on).days)
        share = (day - self.trend.started_on).days / span
        return SCALE * (LEFT + 6 + share * (WIDTH - LEFT - RIGHT - 12))

    def _y(self, pain: Decimal) -> float:
        return SCALE * (TOP + float(10 - pain) / 10 * (HEIGHT - TOP - BOTTOM))


def _day(on: date) -> str:
    return f"{on.day} {on:%b}"
