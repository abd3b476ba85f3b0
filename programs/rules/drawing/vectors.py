"""Points and directions in space: x to the right of the picture, y up, z towards who looks. In cm."""

from __future__ import annotations

from math import cos, hypot, radians, sin

type Vector = tuple[float, float, float]


def plus(a: Vector, b: Vector, times: float = 1) -> Vector:
    return a[0] + times * b[0], a[1] + times * b[1], a[2] + times * b[2]


def minus(a: Vector, b: Vector) -> Vector:
    return plus(a, b, -1)


def dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def length(a: Vector) -> float:
    return hypot(*a)


def unit(a: Vector) -> Vector:
    size = length(a)
    return a[0] / size, a[1] / size, a[2] / size


def mixed(a: Vector, b: Vector, degrees: float) -> Vector:
    """The direction that lies so many degrees from ``a`` towards ``b``, which is square to it."""
    return plus(plus((0, 0, 0), a, cos(radians(degrees))), b, sin(radians(degrees)))


def turned(v: Vector, axis: Vector, degrees: float) -> Vector:
    """``v`` turned about the axis by the right hand."""
    angle = radians(degrees)
    along = plus((0, 0, 0), axis, dot(axis, v) * (1 - cos(angle)))
    return plus(plus(along, v, cos(angle)), cross(axis, v), sin(angle))


X_AXIS: Vector = (1.0, 0.0, 0.0)
UP_AXIS: Vector = (0.0, 1.0, 0.0)


def blend(a: Vector, b: Vector, share: float) -> Vector:
    return plus(a, minus(b, a), share)
