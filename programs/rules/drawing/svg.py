"""A drawing as SVG: animated, or both poses where motion is not wanted; light and dark; all in one file."""

from __future__ import annotations

from math import atan2, cos, hypot, sin
from xml.sax.saxutils import escape

from programs.rules.drawing.scene import LONGEST_HEAD, STEPS, Flat, Line, Scene, scene_of
from programs.rules.drawing.shapes import Drawing

INK, PAPER, ACCENT, AMBER = "#334155", "#ffffff", "#2fb3a6", "#d97706"
# Presentation attributes hold without the sheet; it only answers what the reader asked their device for.
# A picture in a page is not told of reduced motion by every browser: the page then asks for ``#still``.
SHEET = (
    "@media(prefers-color-scheme:dark){svg{color:#e2e8f0}.p{stroke:#1e293b}.p.c,.f{fill:#1e293b}"
    ".w{stroke:#14857b}.w.c{fill:#14857b}.t{fill:#e2e8f0}}"
    "@media(prefers-reduced-motion:reduce){.m{display:none}.e{display:inline}}"
    "svg:target .m{display:none}svg:target .e{display:inline}"
)
OUTLINE = 2.6
INSIDES = {"body": ("p", PAPER), "work": ("w", ACCENT)}
STROKES = {
    "thing": 'fill="none" stroke="currentColor" stroke-opacity=".55"',
    "dashes": 'fill="none" stroke="currentColor" stroke-opacity=".55" stroke-dasharray="5 5"',
    "solid": f'class="f" fill="{PAPER}" stroke="currentColor" stroke-opacity=".55"',
    "mat": 'fill="currentColor" fill-opacity=".1" stroke="currentColor" stroke-opacity=".35"',
    "band": f'fill="none" stroke="{AMBER}"',
    "ball": f'stroke="{AMBER}"',
    "weight": f'fill="none" stroke="{AMBER}"',
}
REST = 0.5
LETTER = 0.062  # of the picture's width: as readable in a wide one


def draw(drawing: Drawing, name: str) -> str:
    """The whole file."""
    scene = scene_of(drawing)
    left, top, width, height = scene.box
    moving = _Figure(scene, _timing(drawing), drawing.returns)
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" id="still" role="img" aria-labelledby="name words"'
            f' viewBox="{_n(left)} {_n(top)} {_n(width)} {_n(height)}" width="{_n(width * 2)}"'
            f' height="{_n(height * 2)}" color="{INK}" fill="none"'
            ' stroke-linecap="round" stroke-linejoin="round">',
            f'<title id="name">{escape(name)}</title>',
            f'<desc id="words">{escape(drawing.words)}</desc>',
            f"<style>{SHEET}</style>",
            *_floor(drawing, scene),
            *(_still(line, 0) for line in scene.behind if not _moves(line)),
            '<g opacity=".28">',
            *moving.standing(0),
            "</g>",
            '<g class="m">',
            *moving.animated(),
            "</g>",
            '<g class="e" display="none">',
            *moving.standing(-1),
            "</g>",
            *(_arrow(way) for way in scene.arrows),
            *(_text(text, at, width * LETTER) for text, at in scene.labels),
            "</svg>\n",
        ]
    )


def _timing(drawing: Drawing) -> str:
    """The attributes of every animation but its values: there, hold, and back the same way."""
    go, hold = drawing.seconds, drawing.hold
    back = go if drawing.returns else 0
    total = REST + go + hold + back
    times = [0.0, *(REST + go * n / STEPS for n in range(STEPS + 1)), REST + go + hold]
    if drawing.returns:
        times += [REST + go + hold + go * n / STEPS for n in range(1, STEPS + 1)]
    keys = ";".join(f"{t / total:.3f}".rstrip("0").rstrip(".") for t in times)
    return f'dur="{_n(total)}s" repeatCount="indefinite" keyTimes="{keys}"'


class _Figure:
    """The body and what moves with it, from back to front."""

    def __init__(self, scene: Scene, timing: str, returns: bool) -> None:
        self.scene, self.timing, self.returns = scene, timing, returns

    def standing(self, moment: int) -> list[str]:
        parts = [
            f'<path {_look(line, extra)} d="{_path(line, moment)}"/>'
            for part in self.scene.figure
            for extra in _coats(part)
            for line in part
        ]
        return [*(_still(line, moment) for line in self.scene.behind if _moves(line)), *parts]

    def animated(self) -> list[str]:
        """Each line of the body is described once and drawn twice: its outline, and over it its inside."""
        marks = [self._shape(line, f" {_look(line, 0)}") for line in self.scene.behind if _moves(line)]
        number = 0
        for part in self.scene.figure:
            names = [f"l{number + n}" for n in range(len(part))]
            number += len(part)
            shapes = (self._shape(line, f' id="{name}"') for name, line in zip(names, part, strict=True))
            marks.append(f"<defs>{''.join(shapes)}</defs>")
            for extra in _coats(part):
                marks += [
                    f'<use href="#{name}" {_look(line, extra)}/>'
                    for name, line in zip(names, part, strict=True)
                ]
        return marks

    def _shape(self, line: Line, attributes: str) -> str:
        if not _moves(line):
            return f'<path{attributes} d="{_path(line, 0)}"/>'
        there = [_path(line, n) for n in range(len(line.moments))]
        frames = [there[0], *there, there[-1]]
        frames += reversed(there[:-1]) if self.returns else []
        values = ";".join(frames)
        return (
            f'<path{attributes} d="{there[0]}"><animate attributeName="d" {self.timing}'
            f' values="{values}"/></path>'
        )


def _moves(line: Line) -> bool:
    return _path(line, 0) != _path(line, -1)


def _path(line: Line, moment: int) -> str:
    points = " ".join(f"{_n(x)} {_n(y)}" for x, y in line.moments[moment])
    return f"M{points}{'Z' if line.closed else ''}"


def _look(line: Line, extra: float) -> str:
    """Of an outline or, without extra width, of the inside."""
    width = f'stroke-width="{_n(line.width + extra)}"'
    if line.look not in INSIDES:
        return f"{STROKES[line.look]} {width}"
    if extra:
        return f'stroke="currentColor" {width}'
    name, colour = INSIDES[line.look]
    closed = f'class="{name} c" fill="{colour}"' if line.closed else f'class="{name}"'
    return f'{closed} stroke="{colour}" {width}'


def _coats(part: tuple[Line, ...]) -> tuple[float, ...]:
    """The body has an outline and an inside, a thing is one stroke."""
    return (OUTLINE, 0) if part[0].look in INSIDES else (0,)


def _still(line: Line, moment: int) -> str:
    return f'<path {_look(line, 0)} d="{_path(line, moment)}"/>'


def _floor(drawing: Drawing, scene: Scene) -> list[str]:
    """Seen from the side the floor is a line; from above a mat shows it."""
    if drawing.view[1]:
        return []
    left, _, width, _ = scene.box
    return [
        f'<path stroke="currentColor" stroke-opacity=".55" stroke-width="2" d="M{_n(left + 4)} 3'
        f' {_n(left + width - 4)} 3"/>'
    ]


def _arrow(way: tuple[Flat, ...]) -> str:
    """Its head points as the last part of the way runs."""
    tip = way[-1]
    tail = next((p for p in reversed(way) if hypot(tip[0] - p[0], tip[1] - p[1]) >= LONGEST_HEAD), way[0])
    angle = atan2(tip[1] - tail[1], tip[0] - tail[0])
    wings = [
        (tip[0] - LONGEST_HEAD * cos(angle + turn), tip[1] - LONGEST_HEAD * sin(angle + turn))
        for turn in (-0.55, 0.55)
    ]
    line = " ".join(f"{_n(x)} {_n(y)}" for x, y in way)
    head = (
        f"M{_n(wings[0][0])} {_n(wings[0][1])} {_n(tip[0])} {_n(tip[1])} {_n(wings[1][0])} {_n(wings[1][1])}"
    )
    return f'<path stroke="{AMBER}" stroke-width="2.6" d="M{line} {head}"/>'


def _text(text: str, at: Flat, size: float) -> str:
    return (
        f'<text class="t" x="{_n(at[0])}" y="{_n(at[1])}" fill="{INK}" font-family="sans-serif"'
        f' font-size="{_n(size)}" text-anchor="middle">{escape(text)}</text>'
    )


def _n(number: float) -> str:
    """One digit after the point, and none where it is zero."""
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
