"""The clinic's thresholds have to go with those that a case has of its own."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from clinic.models import Clinic, ClinicPolicy, User
from clinic.roles import Denied, Role
from clinic.thresholds import PolicyError
from patients.models import Episode
from programs.models import Alert
from programs.services.cases import discharge
from programs.services.diary import AnswerReport, record_answer
from programs.services.policy import change_policy
from programs.services.policy_trial import try_policy
from programs.services.reviews import review_due
from tests.factories import NOW, TODAY, make_case, make_clinic, make_program, make_user

pytestmark = pytest.mark.django_db

LATER = {"stalling_week": 8, "stalled_week": 10}


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def owner(clinic: Clinic) -> User:
    return make_user(role=Role.OWNER, clinic=clinic)


def case_with(clinic: Clinic, number: str, **own: object) -> Episode:
    return make_case(clinic, case_number=number, policy_overrides=own)


def save(clinic: Clinic, by: User, **values: object) -> ClinicPolicy:
    return change_policy(clinic=clinic, by=by, values=values, own_cases_only=True)


def test_values_that_do_not_go_with_a_cases_own_are_refused_and_the_case_is_named(
    clinic: Clinic, owner: User
) -> None:
    case_with(clinic, "1046", stalled_week=7)
    case_with(clinic, "1047", stalled_week=12)
    for act in (
        lambda: save(clinic, owner, **LATER),
        lambda: try_policy(clinic=clinic, by=owner, values=LATER, today=TODAY),
    ):
        with pytest.raises(PolicyError, match="that case 1046 has of its own") as refused:
            act()
        assert refused.value.key == "stalled_week"
    policy = ClinicPolicy.objects.get(clinic=clinic)
    assert (policy.overrides, policy.own_cases_only) == ({}, False)


def test_of_many_cases_the_first_are_named_and_the_others_counted(clinic: Clinic, owner: User) -> None:
    for number in range(1001, 1006):
        case_with(clinic, str(number), stalled_week=7)
    with pytest.raises(PolicyError, match="cases 1001, 1002, 1003 and 2 more"):
        save(clinic, owner, **LATER)


def test_closed_cases_and_those_of_other_clinics_are_in_nobodys_way(clinic: Clinic, owner: User) -> None:
    closed = case_with(clinic, "1046", stalled_week=7)
    discharge(episode=closed, outcome="improved", note="", by=closed.clinician, now=NOW, today=TODAY)
    case_with(make_clinic(), "1046", stalled_week=7)
    assert save(clinic, owner, **LATER).overrides == LATER


def test_who_may_not_set_the_policy_learns_of_no_case(clinic: Clinic) -> None:
    case_with(clinic, "1046", stalled_week=7)
    with pytest.raises(Denied):
        save(clinic, make_user(clinic=clinic), **LATER)


def test_a_case_whose_own_thresholds_fit_no_more_goes_by_the_clinics_and_loses_no_red_flag(
    clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    """However it came to that: two saved at once, or a default moved."""
    case = case_with(clinic, "1046", stalled_week=7, green_max="2")
    make_program(case, started_on=TODAY - timedelta(days=30))
    ClinicPolicy.objects.filter(clinic=clinic).update(overrides=LATER)
    case = Episode.objects.get(pk=case.pk)

    assert (case.thresholds.stalled_week, case.thresholds.green_max) == (10, 3)
    report = AnswerReport(occurred_at=NOW, red_flags=("calf_pain_swelling",))
    recorded = record_answer(patient=case.patient, client_id=uuid4(), report=report, now=NOW)

    assert recorded.advice is not None
    assert Alert.objects.get().level == "tier_1"
    assert review_due(now=NOW)["reviewed"] == 1
    assert "its own thresholds do not go with the clinic's" in caplog.text
