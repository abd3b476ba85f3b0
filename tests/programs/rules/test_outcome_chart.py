"""One outcome measure as a small picture: the band of error, the change that matters."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from patients.scoring import Score, course_of
from programs.rules.outcome_chart import draw_outcome
from programs.rules.timeline import Scene

START = date(2026, 1, 5)


def drawn(measure: str, *values: int) -> Scene:
    scores = [Score(START + timedelta(weeks=4 * n), Decimal(value)) for n, value in enumerate(values)]
    course = course_of(measure, scores)
    assert course is not None
    return draw_outcome(course)


def height_of(scene: Scene, css: str) -> float | None:
    """The y at which a level of this kind is drawn, or the height of a band."""
    path = next((path.d for path in scene.back if path.css == css), None)
    if path is None:
        return None
    return float(path.split("v")[1].split("h")[0]) if "v" in path else float(path.split(" ")[1].split("H")[0])


def y_of(scene: Scene, place: int) -> float:
    return scene.groups[0].marks[place].y


def test_a_higher_score_stands_higher() -> None:
    scene = drawn("akps", 60, 70)

    assert y_of(scene, 1) < y_of(scene, 0)


def test_the_band_of_error_is_as_high_as_the_error_up_and_down() -> None:
    points = height_of(drawn("akps", 50), "tl-error")
    per_point = (y_of(drawn("akps", 0), 0) - y_of(drawn("akps", 100), 0)) / 100

    assert points == pytest.approx(26 * per_point, abs=0.2)


def test_the_line_is_where_the_change_matters() -> None:
    """AKPS: MCID 10. KOOS-PF: MIC 16.4."""
    assert height_of(drawn("akps", 60), "tl-success") == pytest.approx(y_of(drawn("akps", 70), 0), abs=0.2)
    assert height_of(drawn("koos_pf", 50), "tl-success") == pytest.approx(
        y_of(drawn("koos_pf", 66), 0), abs=0.6
    )
    assert height_of(drawn("lefs", 50), "tl-success") is None


def test_groc_is_a_change_itself_its_line_stands_at_5() -> None:
    scene = drawn("groc", -3)

    assert height_of(scene, "tl-success") == pytest.approx(y_of(drawn("groc", 5), 0), abs=0.2)
    assert height_of(scene, "tl-error") is None


@pytest.mark.parametrize(("measure", "values"), [("nprs", (10, 0)), ("akps", (0, 100)), ("groc", (-7, 7))])
def test_nothing_stands_outside_the_picture(measure: str, values: tuple[int, int]) -> None:
    scene = drawn(measure, *values)

    for text in scene.texts:
        assert 0 < text.y <= scene.height
        assert 0 <= text.x <= scene.width
    for mark in scene.groups[0].marks:
        assert 0 <= mark.x <= scene.width
        assert 0 <= mark.y <= scene.height
