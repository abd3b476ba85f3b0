"""The figures of the clinic, now and four weeks before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import User
from clinic.roles import Role
from patients.models import Episode
from programs.models import Alert, Review
from programs.services.caseload import clinic_figures
from tests.factories import NOW, TODAY, make_clinic, make_user
from tests.programs.services.caseload.making import alert, case_of

pytestmark = pytest.mark.django_db

BEFORE = TODAY - timedelta(weeks=4)


@pytest.fixture
def physio() -> User:
    return make_user(clinic=make_clinic())


def reviewed(case: Episode, state: str, done: int, due: int, on=BEFORE) -> None:
    Review.objects.create(
        clinic=case.clinic,
        episode=case,
        program=case.programs.get(),
        day=on,
        week=6,
        state=state,
        sessions_done=done,
        sessions_due=due,
        verdict={},
        thresholds={},
        reviewed_at=NOW,
    )


def test_the_figures_of_a_caseload_worked_by_hand(physio: User) -> None:
    early = {"opened_on": TODAY - timedelta(weeks=10)}
    well = {"review_state": "on_track", "sessions_done": 10, "sessions_due": 12, "success_week": 5}
    one = case_of(physio, "1", program=well | {"succeeded_on": TODAY - timedelta(days=3)}, **early)
    two = case_of(
        physio, "2", program={"review_state": "stalled", "sessions_done": 2, "sessions_due": 12}, **early
    )
    case_of(physio, "3", program={"review_state": "too_early", "sessions_done": 3, "sessions_due": 3})
    gone = case_of(physio, "4", program={"succeeded_on": BEFORE, "success_week": 8}, **early)
    Episode.objects.filter(pk=gone.pk).update(closed_on=TODAY - timedelta(days=1), outcome="improved")
    reviewed(one, "watch", 4, 12)
    reviewed(two, "on_track", 8, 12)
    reviewed(one, "stalled", 0, 12, on=BEFORE - timedelta(days=1))  # the latest day counts
    alert(two, kind="stall", reason="not_doing", opened_on=BEFORE)
    closed = {"state": "resolved", "resolved_at": NOW, "resolved_on": TODAY, "resolution": "recovered"}
    alert(one, kind="silent", opened_on=BEFORE, **closed)

    found = clinic_figures(user=physio, now=NOW)

    assert (found.active.now, found.active.before) == (3, 3)
    assert (found.responding.now, found.responding.before) == (50, 50)
    assert (found.adherence.now, found.adherence.before) == (56, 50)
    assert (found.weeks_to_success.now, found.weeks_to_success.before) == (6.5, 8)
    assert {reason: (f.now, f.before) for reason, f in found.alerts.items()} == {
        "not_doing": (1, 1),
        "silent": (0, 1),
    }


def test_figures_are_of_the_cases_whose_findings_one_reads(physio: User) -> None:
    stranger = make_user(clinic=make_clinic())
    case = case_of(stranger, "1", program={"review_state": "on_track"})
    alert(case, kind="worsening")
    reviewed(case, "on_track", 1, 1)
    assistant = make_user(clinic=case.clinic, role=Role.ASSISTANT)
    for user in (physio, assistant):
        found = clinic_figures(user=user, now=NOW)
        assert (found.active.now, found.responding.now, found.responding.before) == (0, None, None)
        assert found.alerts == {}
    assert clinic_figures(user=stranger, now=NOW).responding.now == 100


@pytest.mark.parametrize("cases", [1, 3])
def test_they_take_the_same_queries_for_one_case_and_three(physio: User, cases: int) -> None:
    for number in range(cases):
        case = case_of(physio, str(number), program={"review_state": "on_track"})
        reviewed(case, "on_track", 1, 1)
        alert(case, kind="stall", reason="not_doing")
    assert Alert.objects.count() == cases
    physio.clinics_by_reach(), physio.clinic_ids
    with CaptureQueriesContext(connection) as queries:
        clinic_figures(user=physio, now=NOW)
    assert len(queries) == 6
