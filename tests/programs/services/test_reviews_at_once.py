"""Many cases, several workers, people at work meanwhile: each case is reviewed once, in time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from programs.models import Alert, AlertEvent, Answer, Program, Review
from programs.services.reviews import ReviewSweepError, review_as_of, review_due
from tests.connections import from_another_connection, wait_for_a_lock
from tests.programs.services.recorded import answer, break_case, day, diary, flat_case
from tests.programs.services.reviewing import START, at

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("cases", [1, 3])
def test_a_sweep_costs_the_same_queries_for_one_case_and_for_three(cases: int) -> None:
    for _ in range(cases):
        program = flat_case(started_on=START, weeks=8)
        diary(program, {}, missed=[58])
    review_due(now=at(day(program, 43)))
    assert Alert.objects.count() == cases

    with CaptureQueriesContext(connection) as queries:
        review_due(now=at(day(program, 57)))

    assert Alert.objects.filter(level="stalled").count() == cases
    assert len(queries) == 34


@contextmanager
def held(program: Program) -> Iterator[None]:
    """Another connection changes the case at this moment."""
    ready, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            type(program.episode).objects.select_for_update().get(pk=program.episode_id)
            ready.set()
            done.wait(20)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert ready.wait(20)
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_case_somebody_is_changing_is_passed_by_and_reviewed_the_next_time() -> None:
    program, other = flat_case(started_on=START, weeks=8), flat_case(started_on=START, weeks=8)

    with held(program):
        assert review_due(now=at(day(program, 57)))["reviewed"] == 1
    assert Review.objects.get().program_id == other.pk

    assert review_due(now=at(day(program, 57)))["reviewed"] == 1
    assert Alert.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_do_the_same_as_one() -> None:
    programs = [flat_case(started_on=START, weeks=8) for _ in range(6)]
    start, errors = threading.Barrier(2), list[BaseException]()

    def sweep() -> None:
        try:
            start.wait(20)
            review_due(now=at(day(programs[0], 57)), batch=2)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not errors
    assert Review.objects.count() == 6
    assert Alert.objects.count() == 6
    assert AlertEvent.objects.count() == 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sweep", ["daily", "as_of"])
def test_a_patient_may_answer_while_the_case_is_reviewed(sweep: str) -> None:
    program = flat_case(started_on=START, weeks=8)
    now = at(day(program, 57))

    with transaction.atomic():
        if sweep == "daily":
            assert review_due(now=now)["reviewed"] == 1
        else:
            review_as_of(on=now.date(), now=now)
        from_another_connection(lambda: answer(program, 57, 3))

    assert Answer.objects.filter(program=program, local_date=now.date()).exists()
    assert Review.objects.count() == Alert.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_review_as_of_a_day_waits_for_whoever_changes_the_case() -> None:
    ended, runs_on = flat_case(started_on=START, weeks=8), flat_case(started_on=START, weeks=8)
    on = day(ended, 57)

    def review_all() -> None:
        review_as_of(on=on, now=at(on))
        connection.close()

    thread = threading.Thread(target=review_all)
    with transaction.atomic():
        Program.objects.filter(pk=ended.pk).update(ended_on=on, end_reason="Discharged")
        thread.start()
        wait_for_a_lock(thread)
    thread.join(20)

    assert [found.program_id for found in Review.objects.all()] == [runs_on.pk]
    assert [found.episode_id for found in Alert.objects.all()] == [runs_on.episode_id]


def test_a_dry_run_does_not_wait_for_anyone() -> None:
    program = flat_case(started_on=START, weeks=8)

    with CaptureQueriesContext(connection) as queries:
        review_as_of(on=day(program, 57), now=at(day(program, 57)), dry_run=True)

    assert not [query for query in queries if "FOR NO KEY UPDATE" in query["sql"]]


@pytest.mark.parametrize("batch", [1, 3])
def test_a_sweep_out_of_time_leaves_the_other_cases_to_the_next(batch: int) -> None:
    programs = [flat_case(started_on=START, weeks=7) for _ in range(3)]
    break_case(programs[0])
    now = at(day(programs[0], 50))

    with pytest.raises(ReviewSweepError, match="1 cases"):
        review_due(now=now, batch=batch, limit=timedelta(0))
    assert not Review.objects.exists()

    break_case(programs[0], zone="UTC")
    while review_due(now=now, batch=1, limit=timedelta(0))["reviewed"]:
        pass
    assert Review.objects.count() == 2
    review_due(now=now + timedelta(minutes=1), batch=1, limit=timedelta(0))
    assert Review.objects.count() == 3
