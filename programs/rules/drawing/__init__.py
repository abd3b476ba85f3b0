"""Line drawings of exercises: poses as data in, one animated SVG out."""

from programs.rules.drawing.body import Joints, joints_of
from programs.rules.drawing.parsing import DRAWINGS, parse_drawings
from programs.rules.drawing.shapes import Drawing, Pose
from programs.rules.drawing.svg import draw

__all__ = ["DRAWINGS", "Drawing", "Joints", "Pose", "draw", "joints_of", "parse_drawings"]
