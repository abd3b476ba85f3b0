"""From a pose to the points of a body whose limbs are as long in every pose."""

from __future__ import annotations

from dataclasses import fields
from math import sqrt

from programs.rules.drawing.shapes import LIMBS, SIDES, Limb, Pose
from programs.rules.drawing.vectors import Vector, blend, cross, dot, length, minus, mixed, plus, turned, unit

type Joints = dict[str, Vector]

TRUNK, NECK, SKULL, NOSE = 50.0, 4.0, 14.0, 12.0
THIGH, SHANK = 42.0, 42.0
UPPER_ARM, FOREARM = 29.0, 30.0
HIP, SHOULDER = 8.5, 16.0
SOLE, HEEL, TOES = 6.0, 5.0, 18.0
SLACK = 1.0  # an end that a limb misses by less is taken as reached

FORWARDS, UP, RIGHT = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


JOINTS = frozenset(
    {"pelvis", "neck", "head", "nose"}
    | {
        f"{side}_{joint}"
        for side in SIDES
        for joint in ("shoulder", "elbow", "hand", "hip", "thigh", "knee", "ankle", "heel", "toe")
    }
)


class OutOfReach(ValueError):
    """A limb cannot reach the point that its end is to rest on."""


class _Body:
    """The three directions of a trunk."""

    def __init__(self, pose: Pose) -> None:
        self.pose = pose
        self.forwards, self.up, self.right = (self.placed(axis) for axis in (FORWARDS, UP, RIGHT))

    def placed(self, v: Vector) -> Vector:
        leaned = turned(v, RIGHT, -self.pose.lean)
        return turned(turned(leaned, FORWARDS, -self.pose.roll), UP, -self.pose.turn)

    def heading(self, out: float) -> Vector:
        """Where the toes of a flat foot point."""
        return turned(FORWARDS, UP, -self.pose.turn - out)


def joints_of(pose: Pose) -> Joints:
    """Every joint by its name. Raises OutOfReach."""
    body = _Body(pose)
    pelvis = pose.at if pose.root == "pelvis" else plus(pose.at, body.up, -TRUNK - NECK)
    neck = plus(pelvis, body.up, TRUNK + NECK)
    face = mixed(body.forwards, body.up, -pose.nod)
    head = plus(neck, mixed(body.up, body.forwards, pose.nod), SKULL)
    joints = {"pelvis": pelvis, "neck": neck, "head": head, "nose": plus(head, face, NOSE)}
    for name in LIMBS:
        side, kind = name.split("_")
        sign, limb = SIDES[side], pose.limbs[name]
        if kind == "arm":
            root = plus(plus(pelvis, body.up, TRUNK), body.right, sign * SHOULDER)
            found = _arm(body, root, limb, sign)
        else:
            found = _leg(body, plus(pelvis, body.right, sign * HIP), limb, sign)
        joints |= {f"{side}_{joint}": point for joint, point in found.items()}
    return joints


def _arm(body: _Body, shoulder: Vector, limb: Limb, sign: int) -> Joints:
    if limb.end:
        left = plus((0, 0, 0), body.right, -1)
        elbow, _ = _bent(shoulder, limb.at, (UPPER_ARM, FOREARM), left, sign * limb.swivel)
        end = _reached(shoulder, limb.at, UPPER_ARM + FOREARM)
        return {"shoulder": shoulder, "elbow": elbow, "hand": end}
    along, front = _aimed(body, limb, sign)
    elbow = plus(shoulder, along, UPPER_ARM)
    return {
        "shoulder": shoulder,
        "elbow": elbow,
        "hand": plus(elbow, mixed(along, front, limb.bend), FOREARM),
    }


def _leg(body: _Body, hip: Vector, limb: Limb, sign: int) -> Joints:
    if limb.end == "toes":
        ahead = body.heading(sign * limb.out)
        foot, down = mixed(ahead, UP, -limb.pitch), mixed((0, -1, 0), ahead, -limb.pitch)
        ankle = plus(plus(limb.at, down, -SOLE), foot, -TOES)
        knee, _ = _bent(hip, ankle, (THIGH, SHANK), body.right, -sign * limb.swivel)
        return _with_foot(hip, knee, _reached(hip, ankle, THIGH + SHANK), foot, down)
    if limb.end == "ankle_at":
        knee, pole = _bent(hip, limb.at, (THIGH, SHANK), body.right, -sign * limb.swivel)
        ankle = _reached(hip, limb.at, THIGH + SHANK)
        shin = unit(minus(ankle, knee))
        front = _square(pole, shin)
    else:
        along, pole = _aimed(body, limb, sign)
        knee = plus(hip, along, THIGH)
        shin, front = mixed(along, pole, -limb.bend), mixed(pole, along, limb.bend)
        ankle = plus(knee, shin, SHANK)
    return _with_foot(hip, knee, ankle, mixed(front, shin, -limb.ankle), mixed(shin, front, limb.ankle))


def _with_foot(hip: Vector, knee: Vector, ankle: Vector, ahead: Vector, down: Vector) -> Joints:
    sole = plus(ankle, down, SOLE)
    return {
        "hip": hip,
        "thigh": blend(hip, knee, 0.8),
        "knee": knee,
        "ankle": ankle,
        "heel": plus(sole, ahead, -HEEL),
        "toe": plus(sole, ahead, TOES),
    }


def _aimed(body: _Body, limb: Limb, sign: int) -> tuple[Vector, Vector]:
    """Where thigh or upper arm point, and where knee or elbow crease look."""

    def aimed(v: Vector) -> Vector:
        rotated = turned(v, UP, -sign * limb.rotate)
        return body.placed(turned(turned(rotated, FORWARDS, -sign * limb.abduct), RIGHT, limb.flex))

    return aimed((0, -1, 0)), aimed(FORWARDS)


def _reached(root: Vector, end: Vector, reach: float) -> Vector:
    gap = length(minus(end, root))
    if gap > reach + SLACK:
        raise OutOfReach(f"out of reach by {gap - reach:.1f}")
    return end if gap <= reach else plus(root, unit(minus(end, root)), reach)


def _bent(
    root: Vector, end: Vector, lengths: tuple[float, float], hinge: Vector, swivel: float
) -> tuple[Vector, Vector]:
    """The joint in the middle of a limb, and the way it is bent: about its hinge, turned by the swivel."""
    upper, lower = lengths
    way = minus(_reached(root, end, upper + lower), root)
    gap, axis = length(way), unit(way)
    along = (upper**2 - lower**2 + gap**2) / (2 * gap)
    aside = sqrt(max(upper**2 - along**2, 0))
    front = turned(unit(cross(hinge, axis)), axis, swivel)
    return plus(plus(root, axis, along), front, aside), front


def _square(v: Vector, axis: Vector) -> Vector:
    """The part of a direction that is square to the axis."""
    return unit(plus(v, axis, -dot(v, axis)))


def between(start: Pose, end: Pose, share: float) -> Pose:
    """The pose on the way: angles and resting points part of the way, so that limbs keep their length."""

    def number(a: float, b: float) -> float:
        return a + (b - a) * share

    def limb(a: Limb, b: Limb) -> Limb:
        names = [field.name for field in fields(Limb) if field.name not in ("end", "at")]
        angles = {name: number(getattr(a, name), getattr(b, name)) for name in names}
        return Limb(end=a.end, at=blend(a.at, b.at, share), **angles)

    return Pose(
        root=start.root,
        at=blend(start.at, end.at, share),
        **{
            name: number(getattr(start, name), getattr(end, name)) for name in ("lean", "roll", "turn", "nod")
        },
        limbs={name: limb(start.limbs[name], end.limbs[name]) for name in LIMBS},
    )
