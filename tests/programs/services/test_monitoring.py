"""Remote-monitoring counters of a case: off unless the clinic turns them on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.roles import Denied, Role
from patients.models import Episode
from patients.services import CaseError
from programs.models import Answer, ContactLog, Run, Session
from programs.services.cases import log_contact
from programs.services.monitoring import monitoring_counts
from tests.factories import NOW, TODAY, make_case, make_clinic, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Episode:
    return make_case(make_clinic(overrides={"monitoring_counts": True}, timezone="America/Denver"))


def report(case: Episode, model: type, days_ago: int, **fields: object) -> None:
    model.objects.create(
        clinic=case.clinic,
        patient=case.patient,
        episode=case,
        client_id=uuid4(),
        occurred_at=NOW,
        local_date=TODAY - timedelta(days=days_ago),
        **fields,
    )


def test_they_are_off_by_default() -> None:
    assert monitoring_counts(episode=make_case(), now=NOW) is None


def test_a_day_counts_once_whatever_was_reported_on_it(case) -> None:
    report(case, Answer, 1, worst_left=Decimal(3))
    report(case, Session, 1, pain_during=Decimal(2))
    report(case, Run, 2, pain_during=Decimal(2), distance_km=5)
    report(case, Answer, 40, worst_left=Decimal(3))
    with CaptureQueriesContext(connection) as queries:
        found = monitoring_counts(episode=case, now=NOW)
    assert found is not None
    assert (found.data_days, found.band) == (2, "2-15 days")
    assert len(queries) == 2


def test_a_month_is_the_clinics(case) -> None:
    for at in (datetime(2026, 3, 1, 6, 59, tzinfo=UTC), datetime(2026, 3, 1, 7, 0, tzinfo=UTC)):
        log_contact(episode=case, kind="call", note="", by=case.clinician, now=at, minutes=10, is_live=True)
    found = monitoring_counts(episode=case, now=NOW)
    assert found is not None
    assert (found.minutes, found.live_contacts) == (10, 1)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "call", "minutes": 0}, "minutes"),
        ({"kind": "call", "minutes": 481}, "minutes"),
        ({"kind": "message", "is_live": True}, "is_live"),
        ({"kind": "no_answer", "is_live": True}, "is_live"),
    ],
)
def test_minutes_and_live_that_cannot_be_are_refused(case, fields, field) -> None:
    with pytest.raises(CaseError) as error:
        log_contact(episode=case, note="", by=case.clinician, now=NOW, **fields)
    assert error.value.field == field
    assert not ContactLog.objects.exists()


def test_a_note_is_no_contact_and_counts_only_the_minutes_it_gives(case) -> None:
    log_contact(episode=case, kind="note", note="Runs on grass now", by=case.clinician, now=NOW)
    found = monitoring_counts(episode=case, now=NOW)
    assert (found.minutes, found.untimed, found.live_contacts) == (0, 0, 0)
    log_contact(episode=case, kind="note", note="Plan reviewed", by=case.clinician, now=NOW, minutes=12)
    found = monitoring_counts(episode=case, now=NOW)
    assert (found.minutes, found.untimed, found.live_contacts) == (12, 0, 0)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"note": "  "}, "note"),
        ({"note": "x" * 4001}, "note"),
        ({"note": "Spoke", "is_live": True}, "is_live"),
    ],
)
def test_a_note_that_cannot_be_is_refused(case, fields, field) -> None:
    with pytest.raises(CaseError) as error:
        log_contact(episode=case, kind="note", by=case.clinician, now=NOW, **fields)
    assert error.value.field == field
    assert not ContactLog.objects.exists()


def test_a_note_is_a_clinicians(case) -> None:
    assistant = make_user(clinic=case.clinic, role=Role.ASSISTANT)
    with pytest.raises(Denied):
        log_contact(episode=case, kind="note", note="Hm", by=assistant, now=NOW)
    assert not ContactLog.objects.exists()
