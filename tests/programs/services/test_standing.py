"""What stands beside a program is what its reviews say, whatever was reviewed in which order."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from programs.models import Pause, Program, Review
from programs.services.reviews import ReviewError, review_as_of
from tests.factories import NOW, make_case, make_clinic
from tests.programs.services.recorded import answer, day, diary, running_case, session

pytestmark = pytest.mark.django_db

START = NOW.date() - timedelta(days=100)


def standing(program: Program) -> dict[str, Any]:
    names = ("reviewed_on", "review_state", "review_trend", "review_week", "sessions_done", "sessions_due")
    names = (*names, "paused_long")
    return Program.objects.filter(pk=program.pk).values(*names, "succeeded_on", "success_week").get()


def recomputed(program: Program) -> dict[str, Any]:
    reviews = list(Review.objects.filter(program=program).order_by("day"))
    last, won = reviews[-1], [review for review in reviews if review.state == "on_track"]
    return {
        "reviewed_on": last.day,
        "review_state": last.state,
        "review_trend": last.trend,
        "review_week": last.week,
        "sessions_done": last.sessions_done,
        "sessions_due": last.sessions_due,
        "paused_long": "restart_or_discharge" in (last.verdict["reasons"] or ()),
        "succeeded_on": won[0].day if won else None,
        "success_week": won[0].week if won else None,
    }


def review(program: Program, number: int, **options: Any) -> None:
    review_as_of(on=day(program, number), now=NOW, clinic=program.clinic, **options)


@pytest.fixture
def program() -> Program:
    """Flat for five weeks, then better, then flat again."""
    clinic = make_clinic()
    program = running_case(started_on=START, episode=make_case(clinic, opened_on=START))
    pain = {n: "2" if 35 <= n < 63 else "6" for n in range(0, 98, 2)}
    diary(program, pain)
    for number in range(0, 60, 4):
        session(program, number)
    return program


def test_it_equals_the_reviews_after_each_of_them(program: Program) -> None:
    won = set()
    for number in range(7, 99, 7):
        review(program, number)
        assert standing(program) == recomputed(program), number
        won.add(standing(program)["succeeded_on"])
    assert len(won - {None}) == 1
    assert standing(program)["review_state"] == "stalled"


def test_a_second_review_of_the_day_takes_the_place_of_the_first(program: Program) -> None:
    review(program, 55)
    assert standing(program)["succeeded_on"] == day(program, 55)
    for number in range(42, 55, 2):
        answer(program, number, "8")
    review(program, 55)
    assert Review.objects.filter(program=program).count() == 1
    assert standing(program) == recomputed(program)
    assert standing(program)["succeeded_on"] is None


def test_a_dry_run_and_a_refused_day_change_nothing(program: Program) -> None:
    review(program, 56)
    before = standing(program)
    review(program, 70, dry_run=True)
    with pytest.raises(ReviewError):
        review(program, 40)
    assert standing(program) == before == recomputed(program)


def test_sessions_are_of_the_adherence_window_and_prescribed_by_the_week(program: Program) -> None:
    review(program, 40)
    found = standing(program)
    assert (found["sessions_done"], found["sessions_due"]) == (7, 12)


def test_what_is_due_is_told_with_the_review(program: Program) -> None:
    review(program, 90)
    found = Program.objects.get()
    assert found.akps_due_since == day(program, 77)
    assert found.reassess_due_since == day(program, 77)
    assert isinstance(found.reassess_due_since, date)


def test_a_pause_beyond_the_limit_stands_beside_the_program(program: Program) -> None:
    Pause.objects.create(
        clinic=program.clinic,
        program=program,
        kind="illness",
        starts_on=day(program, 20),
        paused_by=program.assigned_by,
    )
    for number, too_long in ((47, False), (48, True)):
        review(program, number)
        program.refresh_from_db()
        assert program.paused_long is too_long, number
