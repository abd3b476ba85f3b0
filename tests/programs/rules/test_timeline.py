"""The timeline: where things are drawn, and the same in words and as a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.thresholds import DEFAULTS
from programs.rules.pain import Activity, Light
from programs.rules.timeline import (
    NARROW,
    WIDE,
    Course,
    Effort,
    Event,
    Knee,
    Mark,
    Raised,
    Scene,
    Span,
    Success,
    columns,
    draw,
    gaps,
    success_line,
    summary,
    table,
    weekly_km,
)

D = Decimal
START = date(2026, 1, 5)


def on(day: int) -> date:
    return START + timedelta(days=day)


def knee(
    worst: dict[int, str], usual: dict[int, str] | None = None, *, side: str = "left", index: bool = True
) -> Knee:
    days = ({on(day): D(value) for day, value in values.items()} for values in (worst, usual or {}))
    return Knee(side, index, *days)


def course(**changes: object) -> Course:
    base = Course(
        started_on=START,
        today=on(56),
        knees=[knee({0: "6.5", 3: "6.0", 28: "5.0"}, {0: "3.0"})],
        baseline=D("6.5"),
        success=Success(D("4.5"), "Success: 4.5 or less"),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def effort(day: int, light: Light, *, km: str | None = None) -> Effort:
    activity = Activity.RUN if km else Activity.STRENGTH
    return Effort(on(day), activity, light, ("pain 2",), D(km) if km else None)


def marks(scene: Scene, group: str) -> list[Mark]:
    return next(found.marks for found in scene.groups if found.label == group)


def index_marks(scene: Scene) -> list[Mark]:
    return marks(scene, "Left knee (index), worst pain")


@pytest.mark.parametrize(
    ("baseline", "at", "words"),
    [
        ("6.5", "4.5", "Success: 4.5 or less"),
        ("3.0", "2", "Success: below 2"),
        ("2.9", "2.03", "Success: 2.0 or less"),
        ("2.0", "2", "Success: below 2"),
    ],
)
def test_the_success_line_is_where_the_rule_is(baseline: str, at: str, words: str) -> None:
    assert success_line(D(baseline), DEFAULTS) == Success(D(at), words)


def test_more_pain_stands_higher_and_later_days_further_right() -> None:
    first, _, last = index_marks(draw(course()))

    assert first.x < last.x
    assert first.y < last.y


def test_both_widths_say_the_same() -> None:
    full = course(efforts=[effort(2, Light.GREEN, km="5")], alerts=[Raised(on(42), None, "Stall", "warning")])
    wide, narrow = draw(full, WIDE), draw(full, NARROW)

    assert (wide.width, narrow.width) == (1040, 380)
    assert [[mark.words for mark in group.marks] for group in wide.groups] == [
        [mark.words for mark in group.marks] for group in narrow.groups
    ]


@given(
    days=st.lists(st.integers(-200, 400), min_size=1, max_size=40, unique=True),
    today=st.integers(0, 300),
    width=st.sampled_from([WIDE, NARROW]),
)
def test_whatever_happens_stands_inside_the_picture(days: list[int], today: int, width: int) -> None:
    values = {day: str(abs(day) % 11) for day in days}
    lights = list(Light)
    full = course(
        today=on(today),
        knees=[knee(values, values), knee(values, side="right", index=False)],
        efforts=[effort(day, lights[day % 4], km="7.5" if day % 2 else None) for day in days],
        events=[Event(on(day), f"Stage {day}", "S") for day in days],
        spans=[Span("pause", "Holiday", on(days[0]), None)],
        alerts=[Raised(on(day), None, "Stall", "warning") for day in days],
    )

    scene = draw(full, width)

    for group in scene.groups:
        for mark in group.marks:
            assert 0 <= mark.x <= scene.width
            assert 0 <= mark.y <= scene.height
    for text in scene.texts:
        assert 0 <= text.x <= scene.width
        assert 0 <= text.y <= scene.height


def test_answers_more_than_a_week_apart_are_not_joined() -> None:
    def joined(days: dict[int, str]) -> int:
        scene = draw(course(knees=[knee(days)]))
        return sum(path.css == "tl-line tl-index tl-worst" for path in scene.lines)

    assert joined({0: "6", 7: "5"}) == 1
    assert joined({0: "6", 8: "5"}) == 0
    assert joined({0: "6", 1: "6", 9: "5", 10: "5"}) == 2


def test_a_gap_is_named_the_last_one_up_to_today() -> None:
    assert gaps([on(0), on(7), on(15)], on(20)) == [(on(7), on(15))]
    assert gaps([on(0)], on(8)) == [(on(0), on(8))]
    assert gaps([], on(8)) == []
    assert "No answers between 8 Jan 2026 and 2 Feb 2026" in summary(course())


def test_each_light_has_its_own_shape_and_colour() -> None:
    found = course(efforts=[effort(day, light) for day, light in enumerate(Light)])
    drawn = marks(draw(found), "Strength")

    assert [mark.css.split()[-1] for mark in drawn] == ["tl-green", "tl-amber", "tl-red", "tl-incomplete"]
    shapes = ["".join(letter for letter in mark.d if letter.isalpha()) for mark in drawn]
    assert shapes[0] == shapes[3], "both round: one is filled, one is open"
    assert len({*shapes}) == 3


def test_a_weeks_distance_is_summed_from_the_start_on() -> None:
    runs = [effort(day, Light.GREEN, km=km) for day, km in ((-1, "3"), (0, "5"), (6, "4.5"), (7, "10"))]

    assert weekly_km(course(efforts=runs)) == {-1: D(3), 0: D("9.5"), 1: D(10)}
    bars = marks(draw(course(efforts=runs)), "Weekly distance")
    assert [bar.words for bar in bars][1:] == [
        "Week 0, from 5 Jan 2026: 9.5 km",
        "Week 1, from 12 Jan 2026: 10 km",
    ]
    assert bars[2].y < bars[1].y, "the longer week has the higher bar"


def test_lanes_without_anything_take_no_room() -> None:
    assert draw(course()).height < draw(course(efforts=[effort(2, Light.RED)])).height
    assert "Runs" not in [group.label for group in draw(course()).groups]


def test_a_pause_without_an_end_reaches_to_the_right() -> None:
    def band(end: date | None) -> str:
        scene = draw(course(spans=[Span("pause", "Holiday", on(42), end)]))
        return next(path.d for path in scene.back if "tl-pause" in path.css)

    assert band(None) == band(on(56))
    assert band(None) != band(on(50))


def test_the_words_say_what_the_picture_says() -> None:
    told = summary(
        course(
            knees=[knee({0: "6.5", 28: "5.0"}, {0: "3.0"}), knee({7: "2"}, side="right", index=False)],
            efforts=[effort(1, Light.GREEN), effort(2, Light.RED), effort(3, Light.GREEN, km="5")],
            events=[Event(on(14), "Stage 2", "S2")],
            spans=[Span("hold", "On hold", on(30), on(33))],
            alerts=[Raised(on(42), on(50), "Stall", "warning"), Raised(on(50), None, "Overload", "warning")],
        )
    )

    for words in (
        "Left knee (index), worst: 6.5 on 5 Jan 2026, 5.0 on 2 Feb 2026, 2 days answered",
        "Left knee (index), usual: 3.0 on 5 Jan 2026",
        "Right knee, worst: 2.0 on 12 Jan 2026",
        "Baseline 6.5. Success: 4.5 or less",
        "Strength sessions: 1 green, 1 red",
        "Runs: 1 green",
        "most in week 0, 5 km",
        "Stage 2 on 19 Jan 2026",
        "On hold from 4 Feb 2026, back on 7 Feb 2026",
        "Alert Stall from 16 Feb 2026 to 24 Feb 2026",
        "Alert Overload from 24 Feb 2026, open",
    ):
        assert words in told


def test_the_table_has_the_latest_day_first_and_everything_that_is_drawn() -> None:
    full = course(efforts=[effort(3, Light.AMBER)], events=[Event(on(14), "Stage 2", "S2")])

    assert columns(full) == ["Left knee (index), worst", "Left knee (index), usual"]
    rows = [(row.on, row.pains, row.training, row.happened) for row in table(full)]
    assert rows == [
        (on(28), ["5.0", ""], "", ""),
        (on(14), ["", ""], "", "Stage 2"),
        (on(3), ["6.0", ""], "Strength session, amber: pain 2", ""),
        (on(0), ["6.5", "3.0"], "", ""),
    ]


def test_a_case_without_answers_still_draws() -> None:
    silent = course(knees=[knee({})], baseline=None, success=None)

    assert draw(silent).groups == []
    assert "Left knee (index): no answers" in summary(silent)
    assert table(silent) == []
