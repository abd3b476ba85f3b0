"""The record of the periodic jobs: nothing to report, broken and killed look different."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from clinic import sweeps
from clinic.models import Clinic, SweepRun
from tests.factories import NOW, make_clinic

pytestmark = pytest.mark.django_db


def run_of(name: str) -> Any:
    return SweepRun.objects.get(name=name)


def break_down(now: datetime, *, asked: int = 0) -> None:
    with sweeps.record("ask_check_ins", now) as counts:
        counts["asked"] = asked
        raise ValueError("no such zone")


def test_a_good_run_keeps_its_counts_and_times() -> None:
    with sweeps.record("ask_check_ins", NOW) as counts:
        counts["asked"] = 3

    run = run_of("ask_check_ins")
    assert run.started_at == NOW
    assert run.finished_at == run.succeeded_at
    assert NOW <= run.finished_at < NOW + timedelta(seconds=5)
    assert (run.result, run.error) == ({"asked": 3}, "")


def test_a_run_that_breaks_is_kept_logged_and_raised_again(caplog: Any) -> None:
    with sweeps.record("ask_check_ins", NOW):
        pass
    good = run_of("ask_check_ins").succeeded_at

    later = NOW + timedelta(minutes=1)
    with pytest.raises(ValueError, match="no such zone"):
        break_down(later, asked=2)

    run = run_of("ask_check_ins")
    assert (run.started_at, run.succeeded_at) == (later, good)
    assert run.finished_at >= later
    assert run.result == {"asked": 2}
    assert re.fullmatch(r"builtins\.ValueError at \S+test_sweeps\.py:\d+ break_down .*", run.error)
    assert "sweep ask_check_ins failed" in caplog.text


def test_the_next_good_run_clears_the_error() -> None:
    with pytest.raises(ValueError):
        break_down(NOW)
    with sweeps.record("ask_check_ins", NOW + timedelta(minutes=1)):
        pass

    run = run_of("ask_check_ins")
    assert run.error == ""
    assert run.succeeded_at >= NOW + timedelta(minutes=1)


def test_a_killed_run_shows_a_start_after_its_finish() -> None:
    with sweeps.record("ask_check_ins", NOW):
        pass
    later = NOW + timedelta(minutes=1)
    killed = sweeps.record("ask_check_ins", later)
    killed.__enter__()

    run = run_of("ask_check_ins")
    assert run.started_at == later
    assert run.finished_at < later
    killed.__exit__(None, None, None)


def test_jobs_do_not_mix() -> None:
    with sweeps.record("ask_check_ins", NOW) as counts:
        counts["asked"] = 1
    with sweeps.record("mark_missed", NOW) as counts:
        counts["missed"] = 2

    assert run_of("ask_check_ins").result == {"asked": 1}
    assert run_of("mark_missed").result == {"missed": 2}


def test_the_values_of_a_row_that_a_database_error_names_are_not_kept() -> None:
    clinic = make_clinic(slug="kneeworks")
    with pytest.raises(IntegrityError), sweeps.record("ask_check_ins", NOW), transaction.atomic():
        Clinic.objects.create(slug=clinic.slug, name="Another")

    assert "UniqueViolation (clinic_clinic_slug_key)" in run_of("ask_check_ins").error
    assert "kneeworks" not in run_of("ask_check_ins").error
