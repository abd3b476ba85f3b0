"""The drawings of the starter library: one for each exercise, as a human body could do it, as committed."""

from __future__ import annotations

from math import atan2, degrees

import pytest

from programs.library import (
    DRAWN_FOLDER,
    drawing_of,
    drawn_files,
    starter_drawings,
    starter_library,
    write_drawings,
)
from programs.rules.drawing import Drawing, Joints, joints_of
from programs.rules.drawing.vectors import Vector, cross, dot, length, minus, plus, unit

DRAWINGS = starter_drawings()
BOTH = [(drawing, pose) for drawing in DRAWINGS for pose in ("start", "end")]
# Smallest and largest angle of a joint, in degrees; bent forwards, upwards and outwards is more.
RANGES = {
    "knee": (-1, 150),
    "elbow": (-1, 150),
    "hip": (-30, 125),
    "abduction": (-35, 50),
    "ankle": (-62, 40),
}
ABOVE_THE_FLOOR = {("pogo-hops", "end"), ("jumps", "end"), ("leg-press", "start"), ("leg-press", "end")}


def angles_of(joints: Joints, side: str) -> dict[str, float]:
    """The angles of a leg and an arm as a physio measures them, from the points alone."""

    def bone(a: str, b: str) -> Vector:
        return unit(minus(joints[f"{side}_{b}"], joints[f"{side}_{a}"]))

    up, right = (
        unit(minus(joints["neck"], joints["pelvis"])),
        unit(minus(joints["right_hip"], joints["left_hip"])),
    )
    front, outwards = cross(up, right), right if side == "right" else minus((0, 0, 0), right)
    thigh, shin, foot = bone("hip", "knee"), bone("knee", "ankle"), bone("heel", "toe")
    shin_front = unit(plus(foot, shin, -dot(foot, shin)))
    upper, lower = bone("shoulder", "elbow"), bone("elbow", "hand")
    sideways = dot(thigh, outwards)
    return {
        "knee": degrees(atan2(dot(thigh, shin_front), dot(thigh, shin))),
        "elbow": degrees(atan2(length(cross(upper, lower)), dot(upper, lower))),
        "hip": degrees(atan2(dot(thigh, front), -dot(thigh, up))),
        "abduction": degrees(atan2(sideways, length(plus(thigh, outwards, -sideways)))),
        "ankle": degrees(atan2(-dot(foot, shin), dot(foot, shin_front))),
    }


def test_every_exercise_is_drawn_and_nothing_else() -> None:
    exercises = [exercise.slug for exercise in starter_library().exercises]
    assert [drawing.slug for drawing in DRAWINGS] == exercises
    assert len(exercises) == 36


def test_the_committed_files_are_what_the_generator_draws() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in DRAWN_FOLDER.iterdir()}
    assert committed.keys() == drawn_files().keys()
    assert [name for name, text in drawn_files().items() if committed[name] != text] == []


def test_drawing_anew_writes_every_file(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("programs.library.DRAWN_FOLDER", tmp_path / "drawn")
    assert write_drawings() == len(list((tmp_path / "drawn").iterdir())) == len(DRAWINGS)


def test_an_exercise_is_drawn_by_its_slug() -> None:
    assert drawing_of("step-down") == "programs/drawings/step-down.svg"
    assert drawing_of("../admin") is None


@pytest.mark.parametrize(("drawing", "pose"), BOTH, ids=lambda value: getattr(value, "slug", value))
def test_a_human_body_can_stand_so(drawing: Drawing, pose: str) -> None:
    joints = joints_of(getattr(drawing, pose))
    for side in ("right", "left"):
        for joint, angle in angles_of(joints, side).items():
            low, high = RANGES[joint]
            assert low <= angle <= high, (side, joint, round(angle))


@pytest.mark.parametrize(("drawing", "pose"), BOTH, ids=lambda value: getattr(value, "slug", value))
def test_it_rests_on_the_floor_or_on_a_step_and_sinks_into_neither(drawing: Drawing, pose: str) -> None:
    joints = joints_of(getattr(drawing, pose))
    lowest = min(y for _, y, _ in joints.values())
    assert lowest > -2
    if (drawing.slug, pose) not in ABOVE_THE_FLOOR:
        assert lowest < 15, "nothing carries it"


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.slug)
def test_something_of_the_body_works_and_its_way_is_marked(drawing: Drawing) -> None:
    assert drawing.working
    assert drawing.arrows
    assert len(drawing.words) > 20
