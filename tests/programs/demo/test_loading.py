"""Loading the demo clinic: refused days, and the same rows for the same seed."""

from __future__ import annotations

import sys
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from clinic.management.teaching import bar_or_lines
from clinic.models import Clinic, OutboxMessage, User
from patients.models import Episode, OutcomeScore
from programs import demo
from programs.demo import simulation
from programs.demo.cast import cast
from programs.models import Answer, Session
from programs.services.library import load_starter_library
from tests.enforced import enforced

pytestmark = pytest.mark.django_db
SEED = 1
TODAY = date(2026, 5, 3)


def test_a_day_ahead_is_refused() -> None:
    with pytest.raises(CommandError, match="lies ahead"):
        call_command("load_demo", today=date(9999, 1, 1))
    assert not Clinic.objects.filter(slug="demo").exists()


def rows_of_a_small_demo(seed: int) -> list[Any]:
    """Every score and case of the newest patients, loaded as the service would, and rolled back."""
    with transaction.atomic():
        with enforced():
            demo.load(seed=seed, today=TODAY, courses=[course for course in cast(seed) if course.start < 11])
        scores = ("episode__case_number", "worst_left", "worst_right", "received_at", "client_id")
        mails = OutboxMessage.objects.order_by("created_at", "to_email")
        found = [
            *Answer.objects.order_by("received_at", "pk").values_list(*scores),
            *Session.objects.order_by("received_at", "pk").values_list("pain_during", "occurred_at"),
            *Episode.objects.order_by("case_number").values_list(
                "case_number", "patient__family_name", "onset_on"
            ),
            *OutcomeScore.objects.order_by("pk").values_list("episode__case_number", "value"),
            *mails.values_list("kind", "to_email", "sent_at"),
        ]
        transaction.set_rollback(True)
    return found


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    load_starter_library()
    first = rows_of_a_small_demo(SEED)
    assert len(first) > 30
    assert rows_of_a_small_demo(SEED) == first
    assert rows_of_a_small_demo(SEED + 1) != first


def test_where_there_is_no_terminal_a_line_tells_of_every_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = [course for course in cast(SEED) if course.start < 5]
    monkeypatch.setattr(simulation, "cast", lambda seed: newest)
    monkeypatch.setattr(sys, "stderr", StringIO())
    load_starter_library()
    said = StringIO()
    call_command("load_demo", today=TODAY, stdout=StringIO(), stderr=said)
    assert said.getvalue().splitlines() == [f"Demo clinic: {percent} %" for percent in range(10, 101, 10)]


def test_a_terminal_shows_a_bar_and_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, lines = StringIO(), list[str]()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    with bar_or_lines("events", "Demo clinic", lines.append) as report:
        for done in range(1, 11):
            report(done, 10)
    assert lines == []
    assert terminal.getvalue().lstrip("\r").startswith("Demo clinic: ")


def test_an_address_that_is_taken_leaves_nothing_behind() -> None:
    owner = User.objects.create_user("owner@example.com", "abcDEF12345")
    with pytest.raises(CommandError, match="was not loaded"):
        call_command("load_demo")
    assert not Clinic.objects.filter(slug="demo").exists()
    assert User.objects.get(pk=owner.pk).check_password("abcDEF12345")
