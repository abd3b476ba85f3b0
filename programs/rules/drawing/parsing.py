"""The drawings' format: one TOML text in, drawings out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from programs.rules.drawing.body import HIP, JOINTS, OutOfReach, joints_of
from programs.rules.drawing.props import KINDS
from programs.rules.drawing.shapes import LIMBS, PARTS, SIDES, Arrow, Drawing, Label, Limb, Place, Pose, Prop
from programs.rules.drawing.vectors import Vector
from programs.rules.library import LibraryError
from programs.rules.library.entry import Entry

DRAWINGS = "drawings.toml"
ENDS = ("hand", "toes", "ankle_at")
ANGLES = tuple(field.name for field in fields(Limb) if field.name not in ("end", "at"))
PAIRS = {"arms": ("right_arm", "left_arm"), "legs": ("right_leg", "left_leg")}


def parse_drawings(text: str) -> tuple[Drawing, ...]:
    """The drawings from their TOML text; LibraryError at the first mistake."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LibraryError(DRAWINGS, "", "", str(error)) from None
    return tuple(_drawing(Entry(DRAWINGS, slug, raw)) for slug, raw in tables.items())


def _drawing(entry: Entry) -> Drawing:
    start, end = _poses(entry)
    drawing = Drawing(
        slug=entry.slug,
        words=entry.take("words", str),
        start=start,
        end=end,
        working=tuple(entry.known("working", part, PARTS, "part") for part in entry.texts("working")),
        props=tuple(_prop(entry.part("prop", raw)) for raw in entry.take("props", list, [])),
        arrows=tuple(_arrow(entry.part("arrow", raw)) for raw in entry.take("arrows", list, [])),
        labels=tuple(_label(entry.part("label", raw)) for raw in entry.take("labels", list, [])),
        view=_view(entry),
        returns=entry.take("returns", bool, True),
        seconds=_number(entry, "seconds", 1.6),
        hold=_number(entry, "hold", 0.8),
    )
    entry.done()
    return drawing


def _poses(entry: Entry) -> tuple[Pose, Pose]:
    """Start and end, between which every limb can be carried."""
    raw = entry.take("start", dict)
    start = _pose(entry.part("start", raw))
    part = entry.part("end", _merged(raw, entry.take("end", dict)))
    end = _pose(part)
    for name in LIMBS:
        if start.limbs[name].end != end.limbs[name].end:
            raise part.error(name, "ends elsewhere than at the start")
    if start == end:
        raise part.error("", "is the same as the start")
    return start, end


def _view(entry: Entry) -> tuple[float, float]:
    raw = entry.take("view", list, [0, 0])
    if len(raw) != 2 or not all(type(n) in (int, float) for n in raw):
        raise entry.error("view", f"expected [turned, raised], got {raw!r}")
    return float(raw[0]), float(raw[1])


def _merged(start: Mapping[str, Any], end: Mapping[str, Any]) -> dict[str, Any]:
    """What the end leaves out is as at the start."""
    merged = dict(start)
    for name, value in end.items():
        known = merged.get(name)
        merged[name] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _pose(entry: Entry) -> Pose:
    pelvis, neck = (entry.take(name, list, []) for name in ("pelvis", "neck"))
    if bool(pelvis) == bool(neck):
        raise entry.error("pelvis", "or neck: one of them says where the body is")
    pose = Pose(
        root="pelvis" if pelvis else "neck",
        at=_point(entry, "pelvis", pelvis or neck),
        **{name: _number(entry, name, 0) for name in ("lean", "roll", "turn", "nod")},
        limbs=_limbs(entry),
    )
    entry.done()
    try:
        joints_of(pose)
    except OutOfReach as error:
        raise entry.error("", str(error)) from None
    return pose


def _limbs(entry: Entry) -> dict[str, Limb]:
    raw: dict[str, dict[str, Any]] = {name: {} for name in LIMBS}
    for pair, names in PAIRS.items():
        both = entry.take(pair, dict, {})
        for name in names:
            raw[name] = {**both, **entry.take(name, dict, {})}
    return {name: _limb(entry.part(name, raw[name]), SIDES[name.split("_")[0]]) for name in LIMBS}


def _limb(entry: Entry, sign: int) -> Limb:
    """A point of two numbers stands below its own hip or shoulder, on its side of the body."""
    ends = {name: value for name in ENDS if (value := entry.take(name, list, []))}
    if len(ends) > 1:
        raise entry.error("toes", "a limb ends in one place")
    end, at = next(iter(ends.items()), ("", [0, 0, 0]))
    angles = {name: _number(entry, name, 0) for name in ANGLES}
    entry.done()
    placed = _point(entry, end, at if len(at) != 2 else [*at, sign * HIP])
    return Limb(end=end, at=placed, **angles)


def _prop(entry: Entry) -> Prop:
    kind = entry.known("kind", entry.take("kind", str), KINDS, "prop")
    prop = Prop(
        kind, tuple(_place(entry, raw) for raw in entry.take("places", list)), _number(entry, "size", 0)
    )
    entry.done()
    return prop


def _arrow(entry: Entry) -> Arrow:
    follows = entry.known("follows", entry.take("follows", str), JOINTS, "joint")
    arrow = Arrow(follows, _vector(entry, "shift", [0, 0]))
    entry.done()
    return arrow


def _label(entry: Entry) -> Label:
    label = Label(
        entry.take("text", str), _place(entry, entry.take("at", object)), _vector(entry, "shift", [0, 0])
    )
    entry.done()
    return label


def _place(entry: Entry, raw: Any) -> Place:
    if isinstance(raw, str):
        return entry.known("places", raw, JOINTS, "joint")
    return _point(entry, "places", raw)


def _number(entry: Entry, field: str, default: float) -> float:
    value = entry.take(field, object, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise entry.error(field, f"expected a number, got {value!r}")
    return float(value)


def _vector(entry: Entry, field: str, default: list[int]) -> Vector:
    return _point(entry, field, entry.take(field, list, default))


def _point(entry: Entry, field: str, raw: Any) -> Vector:
    """``[x, y]`` or ``[x, y, z]``."""
    if not isinstance(raw, list) or len(raw) not in (2, 3) or not all(type(n) in (int, float) for n in raw):
        raise entry.error(field, f"expected [x, y] or [x, y, z], got {raw!r}")
    x, y, z = (*raw, 0)[:3]
    return float(x), float(y), float(z)
