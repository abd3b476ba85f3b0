"""What a drawing is made of: two poses, what stands around, what is marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from programs.rules.drawing.vectors import Vector

SIDES = {"right": 1, "left": -1}
LIMBS = ("right_arm", "left_arm", "right_leg", "left_leg")
PARTS = (*LIMBS, "trunk")

type Place = str | Vector
"""A joint by its name, or a point of the room."""


@dataclass(frozen=True, slots=True)
class Limb:
    """An arm or leg: by the angles of its joints, or by the point that its end rests on.

    ``at``: where the hand, the toes or the ankle are; None means the angles ``flex`` (forwards), ``abduct``
    (sideways), ``rotate`` (outwards) and ``bend`` (knee or elbow) say it. ``swivel`` turns the knee or elbow
    about the line from hip to ankle, outwards. The foot: ``ankle`` upwards from square to the shin, or, where
    toes are placed, ``pitch`` of the heel above them and ``out`` of the toes.
    """

    end: str = ""
    at: Vector = (0, 0, 0)
    flex: float = 0
    abduct: float = 0
    rotate: float = 0
    bend: float = 0
    swivel: float = 0
    ankle: float = 0
    pitch: float = 0
    out: float = 0


@dataclass(frozen=True, slots=True)
class Pose:
    """A body: where its pelvis (or neck) is, how the trunk stands, its limbs.

    ``lean`` forwards from upright, so that 90 is prone and -90 supine with the head to the left; ``roll``
    onto the left side; ``turn`` of the front towards who looks; ``nod`` of the head forwards.
    """

    root: str
    at: Vector
    lean: float
    roll: float
    turn: float
    nod: float
    limbs: Mapping[str, Limb]


@dataclass(frozen=True, slots=True)
class Prop:
    """A thing beside the figure; ``places`` and ``size`` mean what its kind says (props.py)."""

    kind: str
    places: tuple[Place, ...]
    size: float = 0


@dataclass(frozen=True, slots=True)
class Arrow:
    """The way of a joint from start to end, drawn beside it."""

    follows: str
    shift: Vector = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Label:
    text: str
    at: Place
    shift: Vector = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Two poses and what is marked. ``view``: degrees the room is turned, and seen from above. ``returns``:
    the movement goes back the way it came, in as many ``seconds``, after the ``hold``.
    """

    slug: str
    words: str
    start: Pose
    end: Pose
    working: tuple[str, ...]
    props: tuple[Prop, ...]
    arrows: tuple[Arrow, ...]
    labels: tuple[Label, ...]
    view: tuple[float, float]
    returns: bool
    seconds: float
    hold: float
