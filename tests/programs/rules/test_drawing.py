"""The generator of drawings: bodies that keep their limbs, pictures that hold them, mistakes named."""

from __future__ import annotations

import re
from math import dist
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.library import starter_drawings
from programs.rules.drawing import Drawing, Pose, draw, joints_of, parse_drawings
from programs.rules.drawing.body import between
from programs.rules.drawing.scene import scene_of, shares
from programs.rules.drawing.shapes import LIMBS, Limb
from programs.rules.library import LibraryError

BONES = {
    ("pelvis", "neck"): 54,
    ("neck", "head"): 14,
    **{
        (f"{side}_{a}", f"{side}_{b}"): long
        for side in ("right", "left")
        for a, b, long in (
            ("hip", "knee", 42),
            ("knee", "ankle", 42),
            ("heel", "toe", 23),
            ("shoulder", "elbow", 29),
            ("elbow", "hand", 30),
        )
    },
}
DRAWINGS = starter_drawings()
SVG = "{http://www.w3.org/2000/svg}"
MINIMAL = """
[bow]
words = "Bow."
working = ["trunk"]
arrows = [{ follows = "head" }]
start = { pelvis = [0, 89], legs = { toes = [18, 0] } }
end = { lean = 40 }
"""
angles = st.floats(-180, 180)
limbs = st.builds(
    Limb, flex=angles, abduct=angles, rotate=angles, bend=st.floats(0, 150), ankle=st.floats(-60, 40)
)
poses = st.builds(
    Pose,
    root=st.sampled_from(["pelvis", "neck"]),
    at=st.tuples(*[st.floats(-100, 100)] * 3),
    lean=angles,
    roll=angles,
    turn=angles,
    nod=st.floats(-40, 40),
    limbs=st.fixed_dictionaries(dict.fromkeys(LIMBS, limbs)),
)


def assert_whole(pose: Pose) -> None:
    joints = joints_of(pose)
    for (a, b), long in BONES.items():
        assert dist(joints[a], joints[b]) == pytest.approx(long, abs=1e-6), (a, b)


class TestBody:
    @given(pose=poses)
    @settings(max_examples=60)
    def test_limbs_are_as_long_however_the_joints_stand(self, pose: Pose) -> None:
        assert_whole(pose)

    @given(drawing=st.sampled_from(DRAWINGS), share=st.floats(0, 1))
    @settings(max_examples=150)
    def test_limbs_are_as_long_all_the_way_from_start_to_end(self, drawing: Drawing, share: float) -> None:
        assert_whole(between(drawing.start, drawing.end, share))

    @given(start=poses, end=poses)
    @settings(max_examples=30)
    def test_the_way_begins_at_the_start_and_ends_at_the_end(self, start: Pose, end: Pose) -> None:
        end = Pose(start.root, end.at, end.lean, end.roll, end.turn, end.nod, end.limbs)
        for share, pose in ((0, start), (1, end)):
            there, meant = joints_of(between(start, end, share)), joints_of(pose)
            assert all(dist(there[name], meant[name]) < 1e-6 for name in meant)

    def test_a_foot_that_is_placed_stays_while_the_body_moves(self) -> None:
        [squat] = [drawing for drawing in DRAWINGS if drawing.slug == "squat-to-chair"]
        feet = [
            joints_of(between(squat.start, squat.end, share))[name]
            for share in shares()
            for name in ("right_toe", "right_heel")
        ]
        assert feet[0][:2] == pytest.approx((18, 0), abs=0.5)
        assert all(dist(feet[n], feet[n % 2]) < 0.5 for n in range(len(feet)))


class TestPicture:
    @pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.slug)
    def test_it_holds_every_line_of_every_moment_whole(self, drawing: Drawing) -> None:
        scene = scene_of(drawing)
        left, top, width, height = scene.box
        lines = [*scene.behind, *(line for part in scene.figure for line in part)]
        places = [place for line in lines for moment in line.moments for place in moment]
        places += [place for way in scene.arrows for place in way]
        assert all(left < x < left + width and top < y < top + height for x, y in places)
        assert width / height == pytest.approx(1.2)

    @pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.slug)
    def test_it_is_named_described_animated_and_brings_nothing_along(self, drawing: Drawing) -> None:
        text = draw(drawing, "A <name> & more")
        root = ET.fromstring(text)
        assert root.findtext(f"{SVG}title") == "A <name> & more"
        assert root.findtext(f"{SVG}desc") == drawing.words
        assert next(root.iter(f"{SVG}animate"), None) is not None
        names = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert names <= {"svg", "title", "desc", "style", "g", "defs", "path", "animate", "use", "text"}
        assert not re.search(r"\s(style|on\w+)=|url\(|@import|javascript:", text)
        assert all(href.startswith("#l") for href in re.findall(r'href="([^"]*)"', text))
        assert text.count("http") == 1  # the namespace

    def test_every_animation_runs_as_long_through_as_many_moments(self) -> None:
        for drawing in DRAWINGS:
            root = ET.fromstring(draw(drawing, "x"))
            timings = {(a.get("dur"), a.get("keyTimes")) for a in root.iter(f"{SVG}animate")}
            [(_, times)] = timings
            keys = [float(key) for key in (times or "").split(";")]
            assert (keys[0], keys[-1], sorted(keys)) == (0, 1, keys), drawing.slug
            for animation in root.iter(f"{SVG}animate"):
                values = (animation.get("values") or "").split(";")
                assert len(values) == len(keys)
                assert (values[0] == values[-1]) is drawing.returns

    def test_without_motion_both_poses_stand_there_the_start_in_a_lighter_tone(self) -> None:
        root = ET.fromstring(draw(parse_drawings(MINIMAL)[0], "Bow"))
        pale, moving, end = root.findall(f"{SVG}g")
        assert (pale.get("opacity"), moving.get("class"), end.get("display")) == (".28", "m", "none")
        assert list(pale.iter(f"{SVG}animate")) == list(end.iter(f"{SVG}animate")) == []
        assert [p.get("d") for p in pale] != [p.get("d") for p in end]
        sheet = root.findtext(f"{SVG}style") or ""
        assert "(prefers-reduced-motion:reduce){.m{display:none}.e{display:inline}}" in sheet
        assert root.get("id") == "still"
        assert "svg:target .m{display:none}svg:target .e{display:inline}" in sheet

    def test_what_works_is_marked(self) -> None:
        at_rest = MINIMAL.replace('"trunk"', "")
        assert 'class="w' in draw(parse_drawings(MINIMAL)[0], "Bow")
        assert 'class="w' not in draw(parse_drawings(at_rest)[0], "Bow")


class TestMistakes:
    @pytest.mark.parametrize(
        ("old", "new", "error"),
        [
            ('words = "Bow."', "", "drawings.toml: bow: words: is missing"),
            ('"trunk"', '"tail"', "bow: working: no part 'tail'"),
            ("lean = 40", "lean = 'far'", "bow: end lean: expected a number, got 'far'"),
            ("lean = 40", "jump = 4", "bow: end jump: is not a known field"),
            ("[0, 89]", "[0, 120]", "bow: start: out of reach by 30.0"),
            ("[0, 89]", "[0]", "bow: start pelvis: expected [x, y] or [x, y, z], got [0]"),
            ("pelvis = [0, 89]", "neck = [0, 140], pelvis = [0, 89]", "bow: start pelvis: or neck"),
            ('"head"', '"tail"', "bow: arrow follows: no joint 'tail'"),
            ("arrows =", "view = [1]\narrows =", "bow: view: expected [turned, raised], got [1]"),
            (
                "arrows =",
                'props = [{ kind = "sofa", places = [] }]\narrows =',
                "bow: prop kind: no prop 'sofa'",
            ),
            (
                "arrows =",
                'props = [{ kind = "wall", places = ["tail"] }]\narrows =',
                "bow: prop places: no joint 'tail'",
            ),
            (
                "end = { lean = 40 }",
                "end = { legs = { toes = [], bend = 1 } }",
                "bow: end right_leg: ends elsewhere than at the start",
            ),
            ("end = { lean = 40 }", "end = { }", "bow: end: is the same as the start"),
            ("[bow]", "[bow", "drawings.toml: "),
        ],
    )
    def test_a_mistake_is_named_with_slug_and_field(self, old: str, new: str, error: str) -> None:
        assert old in MINIMAL
        with pytest.raises(LibraryError) as caught:
            parse_drawings(MINIMAL.replace(old, new, 1))
        assert error in str(caught.value)
