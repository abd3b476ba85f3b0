"""Outcome measures over time, and assessments side by side, against hand-worked cases."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from patients.scoring import (
    ChangeKind,
    Measured,
    Score,
    Taken,
    Value,
    Visit,
    course_of,
    review_due,
    side_by_side,
    visits_shown,
)

START = date(2026, 1, 5)


def on(day: int) -> date:
    return START + timedelta(days=day)


def scores(*values: str, detail: str = "") -> list[Score]:
    return [Score(on(28 * n), Decimal(value), detail) for n, value in enumerate(values)]


class TestCourse:
    def test_changes_are_since_the_first_and_since_the_one_before(self) -> None:
        course = course_of("akps", scores("60", "66", "75"))

        assert course is not None
        assert course.since_first is not None
        assert course.since_last is not None
        assert (course.since_first.kind, course.since_first.difference) == (ChangeKind.IMPROVED, 15)
        assert (course.since_last.kind, course.since_last.difference) == (ChangeKind.WITHIN_ERROR, 9)

    @pytest.mark.parametrize(
        ("gain", "words"), [(7, "not a real change"), (8, "improved, within"), (13, "improved (")]
    )
    def test_a_gain_of_akps_in_words(self, gain: int, words: str) -> None:
        course = course_of("akps", scores("60", str(60 + gain)))

        assert course is not None
        assert words in course.words

    def test_scores_come_in_any_order(self) -> None:
        course = course_of("lefs", scores("50", "59")[::-1])

        assert course is not None
        assert course.words.startswith("LEFS +9: improved")

    def test_one_score_is_no_change_and_none_no_course(self) -> None:
        one = course_of("lefs", scores("50"))

        assert course_of("lefs", []) is None
        assert one is not None
        assert (one.since_first, one.since_last, one.words) == (None, None, "One score so far.")

    def test_psfs_of_other_activities_is_refused_with_the_reason(self) -> None:
        course = course_of("psfs", [*scores("4", detail="stairs"), Score(on(28), Decimal(8), "running")])

        assert course is not None
        assert course.words == "Not compared: taken differently (stairs, then running)."

    @pytest.mark.parametrize(
        ("value", "words"),
        [("5", "+5: much improved"), ("4", "+4: improved"), ("0", "+0: unchanged"), ("-3", "-3: worse")],
    )
    def test_groc_is_a_change_by_itself(self, value: str, words: str) -> None:
        course = course_of("groc", scores("-7", value))

        assert course is not None
        assert course.words == f"{words} since the start."
        assert course.since_first is None

    def test_koos_pf_that_is_real_and_still_less_than_what_matters(self) -> None:
        """MDC 16, MIC 16.4 (Crossley 2018)."""
        course = course_of("koos_pf", scores("50", "66.1"))

        assert course is not None
        assert "improved, less than the 16.4 that matter" in course.words


class TestReviewDue:
    @pytest.mark.parametrize(
        ("week", "due"), [(5, None), (6, 6), (7, 6), (8, 8), (11, 8), (12, 12), (30, 12)]
    )
    def test_it_is_owed_at_weeks_6_8_and_12(self, week: int, due: int | None) -> None:
        assert review_due([], week=week, today=START) == due

    @pytest.mark.parametrize(("age", "due"), [(0, None), (20, None), (21, 8)])
    def test_a_score_of_about_that_week_serves(self, age: int, due: int | None) -> None:
        """Week 9: the last of week 8's days may be 13 days ago, and up to 7 days before it count."""
        assert review_due([START - timedelta(days=age)], week=9, today=START) == due


def strength(value: str, **taken: str) -> Measured:
    how = Taken(**({"method": "handheld dynamometer", "position": "seated", "unit": "N"} | taken))
    return Measured("Strength", "Quadriceps, left", f"{value} N", "strength", Value(Decimal(value), how))


def q_angle(value: str, **taken: str) -> Measured:
    how = Taken(position="supine", detail="quadriceps relaxed")
    how = Taken(**{"position": how.position, "detail": how.detail} | taken)
    return Measured("Alignment", "Q-angle, left", value, "q_angle", Value(Decimal(value), how))


def visits(*found: list[Measured]) -> list[Visit]:
    return [Visit(n, on(28 * n), "Visit", rows) for n, rows in enumerate(found)]


class TestSideBySide:
    def change(self, *found: list[Measured]) -> object:
        return side_by_side(visits(*found)).blocks[0].rows[0].change

    @pytest.mark.parametrize(
        ("after", "brief"),
        [("17.9", "+2.9: not a real change, smaller than 3"), ("18", "+3: changed"), ("12", "-3: changed")],
    )
    def test_a_q_angle_changes_from_3_degrees_on(self, after: str, brief: str) -> None:
        assert self.change([q_angle("15")], [q_angle(after)]).brief == brief  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("taken", "words"),
        [
            ({"method": "isokinetic"}, "method (handheld dynamometer, then isokinetic)"),
            ({"position": "prone"}, "position (seated, then prone)"),
            ({"unit": "kgf"}, "unit (N, then kgf)"),
            ({"fixation": "belt"}, "fixation (not noted, then belt)"),
            ({"lever_arm": "0.35 m"}, "lever arm (not noted, then 0.35 m)"),
        ],
    )
    def test_what_was_taken_otherwise_is_refused_with_the_reason(
        self, taken: dict[str, str], words: str
    ) -> None:
        change = self.change([strength("150")], [strength("200", **taken)])

        assert change.kind is ChangeKind.REFUSED  # type: ignore[attr-defined]
        assert change.difference is None  # type: ignore[attr-defined]
        assert words in change.text  # type: ignore[attr-defined]

    def test_the_earliest_visit_that_took_it_in_the_same_way_is_compared_with(self) -> None:
        other = [strength("999", position="prone")]
        change = self.change(other, [strength("150")], [strength("160")], [strength("180")])

        assert change.brief == "+30: no measurement error is known"  # type: ignore[attr-defined]

    def test_a_measure_that_one_visit_has_is_a_row_without_a_change(self) -> None:
        table = side_by_side(visits([q_angle("15")], [strength("150")]))

        assert [(block.label, row.change) for block in table.blocks for row in block.rows] == [
            ("Alignment", None),
            ("Strength", None),
        ]
        assert [[found.words for found in cell] for cell in table.blocks[0].rows[0].cells] == [["15"], []]

    @pytest.mark.parametrize(
        ("before", "after", "brief"), [("yes", "no", "yes before, no now"), ("yes", "yes", "as before")]
    )
    def test_what_is_only_seen_is_compared_in_words(self, before: str, after: str, brief: str) -> None:
        seen = ([Measured("Pain", "Crepitus", words)] for words in (before, after))

        assert self.change(*seen).brief == brief  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("count", "shown", "left_out"), [(1, [0], 0), (4, [0, 1, 2, 3], 0), (7, [0, 4, 5, 6], 3)]
    )
    def test_the_first_and_the_latest_are_shown(self, count: int, shown: list[int], left_out: int) -> None:
        assert visits_shown(range(count), 4) == (shown, left_out)
