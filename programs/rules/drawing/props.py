"""What stands around a figure, as strokes between points of the room or joints of the body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from programs.rules.drawing.body import Joints
from programs.rules.drawing.shapes import Place, Prop
from programs.rules.drawing.vectors import Vector, blend, minus, plus, unit

type Points = list[Vector]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line of a thing: its points at a moment, its width and look."""

    points: Points
    width: float
    look: str
    closed: bool = False


def point(place: Place, joints: Joints) -> Vector:
    return joints[place] if isinstance(place, str) else place


def strokes_of(prop: Prop, joints: Joints) -> list[Stroke]:
    return KINDS[prop.kind]([point(place, joints) for place in prop.places], prop.size)


def _line(points: Points, size: float) -> list[Stroke]:
    return [Stroke(points, 2.5, "thing")]


def _dashes(points: Points, size: float) -> list[Stroke]:
    return [Stroke(points, 1.6, "dashes")]


def _block(points: Points, size: float) -> list[Stroke]:
    """A step, bench or board by its corners."""
    return [Stroke(points, 2.5, "solid", closed=True)]


def _wall(points: Points, size: float) -> list[Stroke]:
    """From its foot upwards, hatched on the far side; size is its height, negative hatches to the right."""
    [foot] = points
    away = -6 if size > 0 else 6
    height = abs(size)
    hatches = [
        Stroke([(foot[0], y, 0), (foot[0] + away, y - 6, 0)], 1.2, "thing")
        for y in range(8, int(height) + 1, 10)
    ]
    return [Stroke([foot, plus(foot, (0, height, 0))], 2.5, "thing"), *hatches]


def _chair(points: Points, size: float) -> list[Stroke]:
    """By the front edge of its seat; size is its depth, negative to the left."""
    [(x, y, z)] = points
    back = x + size
    return [
        Stroke([(x, 0, z), (x, y, z), (back, y, z), (back, 0, z)], 3, "thing"),
        Stroke([(back, y, z), (back, y + 42, z)], 3, "thing"),
    ]


def _mat(points: Points, size: float) -> list[Stroke]:
    """Between two corners on the floor; seen from the side it is a thick line."""
    (x, _, z), (to_x, _, to_z) = points
    corners = [(x, 0.0, z), (to_x, 0.0, z), (to_x, 0.0, to_z), (x, 0.0, to_z)]
    return [Stroke(corners, 3, "mat", closed=True)]


def _band(points: Points, size: float) -> list[Stroke]:
    """Along its places; around the outer two by its size."""
    first, last = points[0], points[-1]
    aside = unit(minus(last, first))
    return [Stroke([plus(first, aside, -size), *points[1:-1], plus(last, aside, size)], 4, "band")]


def _sling(points: Points, size: float) -> list[Stroke]:
    """A band from its anchor around the back of a joint, and back to the anchor."""
    joint, anchor = points
    back = (joint[0] - 7, joint[1], joint[2])
    return [
        Stroke(
            [
                anchor,
                plus(back, (6, 4, 0)),
                plus(back, (0, 2, 0)),
                plus(back, (0, -2, 0)),
                plus(back, (6, -4, 0)),
                anchor,
            ],
            2.6,
            "band",
            closed=True,
        )
    ]


def _plate(points: Points, size: float) -> list[Stroke]:
    """What the foot pushes: from heel to toes and on, by its size."""
    heel, toe = points
    way = unit(minus(toe, heel))
    ends = [plus(heel, way, -size), plus(toe, way, size)]
    return [Stroke([plus(end, (3, 0, 0)) for end in ends], 5, "thing")]


def _ball(points: Points, size: float) -> list[Stroke]:
    middle = blend(points[0], points[-1], 0.5)
    return [Stroke([middle, middle], size, "ball")]


def _dumbbell(points: Points, size: float) -> list[Stroke]:
    """In a hand, pointing ahead."""
    [hand] = points
    ends = [plus(hand, (-9, 0, 0)), plus(hand, (9, 0, 0))]
    plates = [[plus(end, (0, -5, 0)), plus(end, (0, 5, 0))] for end in ends]
    return [Stroke(ends, 3, "weight"), *(Stroke(plate, 6, "weight") for plate in plates)]


KINDS: dict[str, Callable[[Points, float], list[Stroke]]] = {
    "line": _line,
    "dashes": _dashes,
    "block": _block,
    "wall": _wall,
    "chair": _chair,
    "mat": _mat,
    "band": _band,
    "sling": _sling,
    "plate": _plate,
    "ball": _ball,
    "dumbbell": _dumbbell,
}
