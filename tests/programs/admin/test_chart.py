"""The trend chart's geometry and words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from clinic.thresholds import DEFAULTS
from programs.admin.chart import Course, KneeSeries, Span, charts, success_line, summary, table

START = date(2026, 1, 5)


def course(**changes: object) -> Course:
    days = {START: Decimal("6.5"), START + timedelta(days=28): Decimal("5.0")}
    base = Course(
        started_on=START,
        today=START + timedelta(days=56),
        knees=[KneeSeries("left", True, days)],
        baseline=Decimal("6.5"),
        success_value=Decimal("4.5"),
        success_at="Success: 4.5 or less",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


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
    value, text = success_line(Decimal(baseline), DEFAULTS)

    assert (value, text) == (Decimal(at), words)


def test_more_pain_stands_higher_and_later_days_further_right() -> None:
    first, last = charts(course())[0].lines[0].dots

    assert first[0] < last[0]
    assert first[1] < last[1]


def test_both_widths_show_the_same_days() -> None:
    wide, narrow = charts(course())

    assert (wide.width, narrow.width) == (760, 360)
    assert [dot[2] for dot in wide.lines[0].dots] == [dot[2] for dot in narrow.lines[0].dots]


def test_a_pause_without_an_end_reaches_today() -> None:
    open_pause = course(spans=[Span("pause", "Holiday", START + timedelta(days=42), None)])

    chart = charts(open_pause)[0]
    (band,) = chart.spans

    assert band.at + band.width == pytest.approx(chart.right)


def test_nothing_falls_outside_the_frame() -> None:
    early = KneeSeries("right", False, {START - timedelta(days=90): Decimal(10), START: Decimal(0)})
    chart = charts(course(knees=[early]))[0]

    for x, y, _ in chart.lines[0].dots:
        assert chart.left <= x <= chart.right
        assert chart.top <= y <= chart.bottom


def test_the_words_say_what_the_lines_say() -> None:
    told = summary(
        course(
            stages=[(START + timedelta(days=14), "Stage 2")],
            spans=[Span("hold", "On hold", START + timedelta(days=30), START + timedelta(days=33))],
        )
    )

    assert "Left knee (index): 6.5 on 5 Jan 2026, 5.0 on 2 Feb 2026, 2 days answered" in told
    assert "Baseline 6.5. Success: 4.5 or less" in told
    assert "Stage 2 on 19 Jan 2026" in told
    assert "On hold from 4 Feb 2026 to 7 Feb 2026" in told


def test_a_case_without_answers_still_draws() -> None:
    silent = course(knees=[KneeSeries("left", True, {})], baseline=None, success_value=None)

    assert charts(silent)[0].lines[0].dots == []
    assert "no answers" in summary(silent)
    assert table(silent) == []


def test_the_table_has_the_latest_day_first() -> None:
    assert [values for _, values in table(course())] == [["5.0"], ["6.5"]]
