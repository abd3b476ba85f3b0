"""What a policy would have done, before it is saved."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Clinic, ClinicPolicy, User
from clinic.roles import Denied, Role
from clinic.services import set_policy
from clinic.thresholds import PolicyError
from programs.models import Alert, Program, Review
from programs.rules.stall import AlertKind
from programs.services.cases import set_case_policy
from programs.services.policy_trial import DAYS, Trial, try_policy
from tests.factories import NOW, make_case, make_clinic, make_user
from tests.programs.services.recorded import flat_case

pytestmark = pytest.mark.django_db

TODAY = date(2026, 6, 1)
START = TODAY - timedelta(weeks=10)
LATER = {"stalling_week": 8, "stalled_week": 9}


def flat(clinic: Clinic, owner: User, *, weeks: int = 10, started_on: date = START, **fields: Any) -> Program:
    case = make_case(clinic, clinician=owner, opened_on=started_on, **fields)
    return flat_case(started_on=started_on, weeks=weeks, episode=case)


def tried(clinic: Clinic, owner: User, **values: Any) -> Trial:
    return try_policy(clinic=clinic, by=owner, values=values, today=TODAY)


def test_the_present_values_change_nothing(clinic: Clinic, owner: User) -> None:
    flat(clinic, owner)
    trial = tried(clinic, owner)
    assert (trial.changes, trial.same, trial.programs) == ((), 1, 1)
    assert trial.days[-1] == TODAY
    assert (TODAY - trial.days[0]).days == 84
    assert {(b - a).days for a, b in zip(trial.days, trial.days[1:], strict=False)} == {7}


def test_a_later_week_moves_the_alert_and_spares_who_is_not_there_yet(clinic: Clinic, owner: User) -> None:
    old = flat(clinic, owner, case_number="OLD")
    young = flat(clinic, owner, weeks=7, started_on=TODAY - timedelta(weeks=7), case_number="YOUNG")
    trial = tried(clinic, owner, **LATER)
    (moved,) = trial.moved
    assert (moved.episode, moved.kind) == (old.episode, AlertKind.STALL)
    assert moved.before is not None
    assert moved.after is not None
    assert (moved.before.on, moved.after.on) == (START + timedelta(weeks=6), START + timedelta(weeks=8))
    (fewer,) = trial.fewer
    assert (fewer.episode, fewer.after) == (young.episode, None)
    assert trial.more == ()


def test_a_later_week_of_stalled_alone_moves_the_day_it_is_called_so(clinic: Clinic, owner: User) -> None:
    flat(clinic, owner)
    (moved,) = tried(clinic, owner, stalled_week=10).moved
    assert moved.before is not None
    assert moved.after is not None
    assert moved.before.on == moved.after.on == START + timedelta(weeks=6)
    called = (moved.before.stalled_on, moved.after.stalled_on)
    assert called == (START + timedelta(weeks=8), START + timedelta(weeks=10))


def test_an_earlier_week_alerts_on_more(clinic: Clinic, owner: User) -> None:
    young = flat(clinic, owner, weeks=5, started_on=TODAY - timedelta(weeks=5))
    trial = tried(clinic, owner, stalling_week=5)
    assert [(change.episode, change.before) for change in trial.more] == [(young.episode, None)]
    assert trial.more[0].label == "Stall"
    assert trial.more[0].why == "No session was ever logged"


def test_a_cases_own_thresholds_hold_in_both(clinic: Clinic, owner: User) -> None:
    program = flat(clinic, owner)
    own = {"stalling_week": 7, "stalled_week": 10}
    set_case_policy(episode=program.episode, by=owner, values=own, now=NOW)
    trial = tried(clinic, owner, stalling_week=8, stalled_week=9)
    assert (trial.changes, trial.same) == ((), 1)


def test_imported_and_long_ended_programs_and_other_clinics_are_left_out(clinic: Clinic, owner: User) -> None:
    Program.objects.filter(pk=flat(clinic, owner).pk).update(asleep=True)
    ended = flat(clinic, owner, started_on=TODAY - timedelta(days=200))
    Program.objects.filter(pk=ended.pk).update(ended_on=TODAY - timedelta(days=DAYS))
    other = make_clinic()
    flat(other, make_user(role=Role.OWNER, clinic=other))
    assert tried(clinic, owner, **LATER).programs == 0


def test_nothing_is_stored(clinic: Clinic, owner: User) -> None:
    flat(clinic, owner)
    tried(clinic, owner, **LATER)
    assert not Alert.objects.exists()
    assert not Review.objects.exists()
    assert ClinicPolicy.objects.get(clinic=clinic).overrides == {}


def test_who_may_not_set_the_policy_may_not_try_one(clinic: Clinic) -> None:
    with pytest.raises(Denied):
        tried(clinic, make_user(clinic=clinic), **LATER)


@pytest.mark.parametrize(
    "values", [{"stalled_week": 0}, {"no_such": 1}, {"stalling_week": 9, "stalled_week": 8}]
)
def test_values_that_could_not_be_saved_are_refused_alike(
    clinic: Clinic, owner: User, values: dict[str, int]
) -> None:
    with pytest.raises(PolicyError) as tried_out:
        tried(clinic, owner, **values)
    with pytest.raises(PolicyError) as saved:
        set_policy(clinic=clinic, by=owner, values=values, own_cases_only=False)
    assert (tried_out.value.key, tried_out.value.message) == (saved.value.key, saved.value.message)


def test_as_many_queries_for_three_cases_as_for_one(clinic: Clinic, owner: User) -> None:
    counts = []
    tried(clinic, owner, **LATER)  # what the owner may do is known from now on
    for number in (1, 2):
        for _ in range(number):
            flat(clinic, owner)
        with CaptureQueriesContext(connection) as queries:
            tried(clinic, owner, **LATER)
        counts.append(len(queries))
    assert counts == [34, 34]
