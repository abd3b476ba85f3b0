"""Rows of a table in use are changed some at a time, each time committed."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import DataError

from clinic.backfill import change_in_batches
from patients.models import Episode
from programs.models import Program, Review
from scripts.lint_migrations import updates_under_lock
from tests.factories import NOW, TODAY, make_case, make_clinic, make_program

CHANGE = "UPDATE patients_episode SET case_number = 'n' || id WHERE id = ANY(%(ids)s)"
REFUSED = "UPDATE patients_episode SET case_number = CASE id WHEN {} THEN repeat('n', 99) ELSE 'n' || id END "


@pytest.mark.django_db
@pytest.mark.parametrize("batch", [1, 2, 3, 9])
def test_every_row_is_changed_whatever_the_size_of_a_batch(batch: int) -> None:
    clinic = make_clinic()
    cases = [make_case(clinic) for _ in range(3)]
    change_in_batches("patients_episode", CHANGE, batch=batch)
    assert set(Episode.objects.values_list("case_number", flat=True)) == {f"n{case.pk}" for case in cases}


@pytest.mark.django_db(transaction=True)
def test_what_is_done_stays_done_when_it_is_broken_off() -> None:
    clinic = make_clinic()
    first, second, third = (make_case(clinic, case_number=f"K{n}") for n in range(3))
    refused = f"{REFUSED.format(third.pk)} WHERE id = ANY(%(ids)s)"
    with pytest.raises(DataError):
        change_in_batches("patients_episode", refused, batch=2)
    numbers = list(Episode.objects.order_by("pk").values_list("case_number", flat=True))
    assert numbers == [f"n{first.pk}", f"n{second.pk}", "K2"]


@pytest.mark.django_db
def test_a_program_stands_as_its_latest_review_and_first_success_say_unless_reviewed_since() -> None:
    clinic = make_clinic()
    program, known, never = (make_program(make_case(clinic)) for _ in range(3))
    for day, state in enumerate(("watch", "on_track", "on_track", "stalled")):
        for row in (program, known):
            _review(row, day, state)
    Program.objects.filter(pk=known.pk).update(reviewed_on=TODAY, review_state="paused")

    change = import_module("programs.migrations.0017_standing_of_reviews").FROM_REVIEWS
    for _ in range(2):
        change_in_batches("programs_program", change, batch=2)

    columns = ("reviewed_on", "review_state", "review_week", "succeeded_on", "success_week")
    stands = {row[0]: row[1:] for row in Program.objects.values_list("pk", *columns)}
    assert stands == {
        program.pk: (TODAY.replace(day=5), "stalled", 3, TODAY.replace(day=3), 1),
        known.pk: (TODAY, "paused", None, None, None),
        never.pk: (None, "", None, None, None),
    }


def _review(program: Program, number: int, state: str) -> None:
    Review.objects.create(
        clinic=program.clinic,
        episode=program.episode,
        program=program,
        day=TODAY.replace(day=TODAY.day + number),
        week=number,
        state=state,
        trend="flat",
        verdict={},
        thresholds={},
        reviewed_at=NOW,
    )


@pytest.mark.parametrize(
    ("lines", "locks"),
    [
        (["ALTER TABLE a ADD COLUMN b int;", "UPDATE a SET", "    b = 1;"], True),
        (["UPDATE a SET b = 1;"], False),
        (["ALTER TABLE a ADD COLUMN b int;", "CREATE TRIGGER t BEFORE UPDATE ON a"], False),
        (
            ["ALTER TABLE a ADD COLUMN b int;", "CREATE FUNCTION f() AS $$", "UPDATE a SET b = 1;", "$$;"],
            False,
        ),
    ],
)
def test_rows_changed_in_the_transaction_that_alters_a_table_are_found(lines: list[str], locks: bool) -> None:
    assert updates_under_lock(lines) is locks
