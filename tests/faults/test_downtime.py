"""Beat away for an hour, ten days, sixty days; a mail server that hangs; old code on a new schema."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from clinic import outbox
from clinic.models import OutboxMessage
from clinic.roles import Role
from programs.models import CheckInRequest, Digest, Review
from programs.services import checkins, digests, reviews
from tests.clinic.test_outbox import mailers_on, put
from tests.factories import NOW, make_case, make_clinic, make_program, make_user
from tests.faults.release import RELEASED, columns

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
SLOT = datetime.fromisoformat("2026-03-02T17:00+00:00")
"""Monday 18:00 in Amsterdam."""


@pytest.mark.parametrize(
    ("away", "missed"), [(timedelta(hours=1), 0), (10 * DAY, 4), (60 * DAY, 26)], ids=["1 h", "10 d", "60 d"]
)
def test_after_beat_was_away_one_current_question_one_review_and_one_digest(
    away: timedelta, missed: int
) -> None:
    clinic = make_clinic(timezone="Europe/Amsterdam")
    owner = make_user(role=Role.OWNER, clinic=clinic)
    program = make_program(make_case(clinic, clinician=owner), next_review_on=SLOT.date())
    checkins.schedule_next(program=program, now=NOW)
    back = SLOT + away
    for now in (back, back + timedelta(minutes=1)):  # nothing is caught up twice
        checkins.ask_due(now=now)
        checkins.remind_due(now=now)
        checkins.mark_missed(now=now)
        reviews.review_due(now=now)
        digests.send_due(now=now)

    states = CheckInRequest.objects.order_by("local_date").values_list("state", flat=True)
    assert list(states) == ["missed"] * missed + ["open"]
    assert list(OutboxMessage.objects.values_list("kind", flat=True)).count("check_in") == 1
    assert not OutboxMessage.objects.filter(kind="reminder").exists()
    assert Review.objects.count() == 1
    assert Digest.objects.count() <= 1


@pytest.fixture
def silent_server(settings: Any) -> Iterator[None]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.MAILERS = mailers_on(server.getsockname()[1])
        settings.MAILERS["default"]["OPTIONS"]["timeout"] = 0.3
        yield


def test_a_mail_server_that_hangs_costs_no_mail_an_attempt(silent_server: None) -> None:
    message = put()
    with pytest.raises(outbox.MailServerError, match="timed out"):
        outbox.send_due(now=NOW)

    message.refresh_from_db()
    assert (message.state, message.attempts, message.lease) == ("pending", 0, None)


def test_code_of_the_last_release_can_write_into_this_schema() -> None:
    """While a new release is rolled out, both run on the new schema: no column may go, and none may be asked
    for that the old code does not know of. What must go, goes one release later.
    """
    released, present = json.loads(Path(RELEASED).read_text()), columns(connection)
    for table, known in released.items():
        missing = set(known) - set(present.get(table, {}))
        assert not missing, f"{table}: {missing} of the last release is gone"
        for name, column in present[table].items():
            if name in known:
                assert column["type"] == known[name]["type"], f"{table}.{name} has another type"
                assert column["may_be_left_out"] or not known[name]["may_be_left_out"], f"{table}.{name}"
            else:
                assert column["may_be_left_out"], f"{table}.{name}: the old code leaves it out"
