"""A drawing as flat lines: every line with its points at each moment of the movement."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, pairwise
from math import cos, hypot, pi
from statistics import fmean

from programs.rules.drawing.body import Joints, between, joints_of
from programs.rules.drawing.props import point, strokes_of
from programs.rules.drawing.shapes import Arrow, Drawing, Label
from programs.rules.drawing.vectors import UP_AXIS, X_AXIS, Vector, plus, turned

STEPS, ARROW_STEPS = 6, 12
LONGEST_HEAD, SHORTEST_ARROW = 9.0, 20.0
RATIO, NARROWEST = 1.2, 170.0

type Flat = tuple[float, float]
type Camera = Callable[[Vector], Flat]


# A part of the body: the joints that its lines run through, and how wide they are.
BODY: dict[str, tuple[tuple[tuple[str, ...], float], ...]] = {
    "trunk": ((("right_chest", "left_chest", "left_hip", "right_hip"), 13.0), (("pelvis", "neck"), 9.0)),
    "head": ((("neck", "head"), 7.0), (("head", "nose"), 4.0), (("head", "head"), 20.0)),
    **{
        f"{side}_arm": (((f"{side}_shoulder", f"{side}_elbow", f"{side}_hand"), 6.5),)
        for side in ("right", "left")
    },
    **{
        f"{side}_leg": (
            ((f"{side}_hip", f"{side}_knee", f"{side}_ankle"), 9.5),
            ((f"{side}_ankle", f"{side}_heel", f"{side}_toe"), 4.5),
        )
        for side in ("right", "left")
    },
}
HELD = {"ball": 30.0, "band": 30.0, "weight": 30.0}
"""Things at the body stand among its parts; how much nearer than their points."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line on the picture at each moment."""

    moments: tuple[tuple[Flat, ...], ...]
    width: float
    look: str
    closed: bool = False


type Part = tuple[float, tuple[Line, ...]]
"""How near it is to who looks, and its lines."""


@dataclass(frozen=True, slots=True)
class Scene:
    """From back to front; ``figure``: the parts of the body and what it holds, each with its lines."""

    behind: tuple[Line, ...]
    figure: tuple[tuple[Line, ...], ...]
    arrows: tuple[tuple[Flat, ...], ...]
    labels: tuple[tuple[str, Flat], ...]
    box: tuple[float, float, float, float]


def scene_of(drawing: Drawing) -> Scene:
    """The lines of each moment of the movement, seen from where the drawing looks."""
    moments = [joints_of(between(drawing.start, drawing.end, share)) for share in shares()]
    camera = _camera(drawing.view)
    things, held = _things(drawing, moments, camera)
    parts = [*_figure(drawing, moments, camera), *held]
    figure = tuple(lines for _, lines in sorted(parts, key=lambda part: part[0]))
    finely = [joints_of(between(drawing.start, drawing.end, n / ARROW_STEPS)) for n in range(ARROW_STEPS + 1)]
    arrows = tuple(_arrow(arrow, finely, camera) for arrow in drawing.arrows)
    labels = tuple(_label(label, moments[-1], camera) for label in drawing.labels)
    lines = [*things, *(line for lines in figure for line in lines)]
    return Scene(
        behind=tuple(things),
        figure=figure,
        arrows=arrows,
        labels=labels,
        box=_box([*_corners(lines), *_edges(arrows), *_words(labels)]),
    )


def shares() -> list[float]:
    """How far the movement has come at each of its moments: it starts and ends softly."""
    return [(1 - cos(pi * step / STEPS)) / 2 for step in range(STEPS + 1)]


def _camera(view: tuple[float, float]) -> Camera:
    yaw, pitch = view

    def seen(place: Vector) -> Flat:
        x, y, _ = turned(turned(place, UP_AXIS, yaw), X_AXIS, pitch)
        return x, -y

    return seen


def _depth(view: tuple[float, float], places: Iterable[Vector]) -> float:
    """How near to who looks, in the middle."""
    return fmean(turned(turned(place, UP_AXIS, view[0]), X_AXIS, view[1])[2] for place in places)


def _with_chest(joints: Joints) -> Joints:
    """The trunk is a little narrower than the shoulders, which belong to the arms."""
    middle = plus(plus((0, 0, 0), joints["right_shoulder"], 0.5), joints["left_shoulder"], 0.5)
    chest = {}
    for side in ("right", "left"):
        aside = plus(joints[f"{side}_shoulder"], middle, -1)
        chest[f"{side}_chest"] = plus(middle, aside, 0.6)
    return {**joints, **chest}


def _figure(drawing: Drawing, moments: list[Joints], camera: Camera) -> list[Part]:
    bodies = [_with_chest(joints) for joints in moments]
    parts = []
    for part, paths in BODY.items():
        look = "work" if part in drawing.working else "body"
        lines = tuple(
            Line(
                tuple(tuple(camera(body[name]) for name in names) for body in bodies),
                width,
                look,
                closed=len(names) > 2 and not names[0].endswith(("shoulder", "hip")),
            )
            for names, width in paths
        )
        names = [name for names, _ in paths for name in names]
        near = _depth(drawing.view, (body[name] for body in bodies for name in names))
        parts.append((near, lines))
    return parts


def _things(drawing: Drawing, moments: list[Joints], camera: Camera) -> tuple[list[Line], list[Part]]:
    """What stands around, and what is held."""
    around: list[Line] = []
    held: list[Part] = []
    for prop in drawing.props:
        strokes = [strokes_of(prop, joints) for joints in moments]
        for versions in zip(*strokes, strict=True):
            first = versions[0]
            flat = tuple(tuple(camera(place) for place in stroke.points) for stroke in versions)
            line = Line(flat, first.width, first.look, first.closed)
            if line.look in HELD:
                near = _depth(drawing.view, first.points)
                held.append((near + HELD[line.look], (line,)))
            else:
                around.append(line)
    return around, held


def _arrow(arrow: Arrow, moments: list[Joints], camera: Camera) -> tuple[Flat, ...]:
    """The joint's way; a short one is drawn longer, to be seen."""
    way = [camera(plus(joints[arrow.follows], arrow.shift)) for joints in moments]
    long = sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(way))
    stretch = max(1.0, SHORTEST_ARROW / long)
    x, y = (way[0][0] + way[-1][0]) / 2, (way[0][1] + way[-1][1]) / 2
    return tuple((x + (px - x) * stretch, y + (py - y) * stretch) for px, py in way)


def _label(label: Label, joints: Joints, camera: Camera) -> tuple[str, Flat]:
    return label.text, camera(plus(point(label.at, joints), label.shift))


def _corners(lines: list[Line]) -> Iterable[Flat]:
    for line in lines:
        reach = line.width / 2 + 2
        for x, y in chain.from_iterable(line.moments):
            yield from ((x - reach, y - reach), (x + reach, y + reach))


def _edges(arrows: Iterable[tuple[Flat, ...]]) -> Iterable[Flat]:
    for way in arrows:
        for x, y in way:
            yield from ((x - LONGEST_HEAD, y - LONGEST_HEAD), (x + LONGEST_HEAD, y + LONGEST_HEAD))


def _words(labels: Iterable[tuple[str, Flat]]) -> Iterable[Flat]:
    for text, (x, y) in labels:
        yield from ((x - 4.5 * len(text), y - 14), (x + 4.5 * len(text), y + 5))


def _box(points: list[Flat]) -> tuple[float, float, float, float]:
    """Left, top, width, height around all that moves; of one shape, so that drawings stand in rows."""
    left, right = min(x for x, _ in points) - 5, max(x for x, _ in points) + 5
    top, bottom = min(y for _, y in points) - 5, max(y for _, y in points) + 5
    width = max(right - left, (bottom - top) * RATIO, NARROWEST)
    height = width / RATIO
    return (left + right - width) / 2, (top + bottom - height) / 2, width, height
