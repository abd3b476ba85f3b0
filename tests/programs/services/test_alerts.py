"""What a clinician does with an alert is kept: who, when, why."""

from datetime import timedelta

import pytest

from clinic.roles import Denied, Role
from programs.models import Alert
from programs.services.alerts import AlertError, acknowledge, resolve, snooze
from tests.factories import NOW, TODAY, make_case, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert():
    case = make_case()
    return Alert.objects.create(
        clinic=case.clinic, episode=case, kind="stall", summary="Flat at 6", opened_on=TODAY, opened_at=NOW
    )


def history(alert):
    return list(alert.events.values_list("what", "by", "note"))


def test_acknowledging_keeps_who_and_when_and_twice_is_once(alert):
    physio = alert.episode.clinician
    acknowledge(alert=alert, by=physio, now=NOW, note="Will call")
    acknowledge(alert=alert, by=physio, now=NOW + timedelta(days=1))
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by, alert.acknowledged_at) == ("acknowledged", physio, NOW)
    assert history(alert) == [("acknowledged", physio.pk, "Will call")]


def test_who_acknowledges_second_takes_nothing_over_and_their_note_is_kept(alert):
    first, second = alert.episode.clinician, make_user(clinic=alert.clinic)
    acknowledge(alert=alert, by=first, now=NOW, note="Will call")
    for _ in range(2):
        acknowledge(alert=alert, by=second, now=NOW, note="I call her tomorrow")
    alert.refresh_from_db()
    assert alert.acknowledged_by == first
    assert sorted(history(alert)) == sorted(
        [("acknowledged", first.pk, "Will call"), ("acknowledged", second.pk, "I call her tomorrow")]
    )


def test_snoozing_keeps_until_when(alert):
    until = TODAY + timedelta(days=7)
    snooze(alert=alert, by=alert.episode.clinician, until=until, now=NOW, today=TODAY, note="On holiday")
    alert.refresh_from_db()
    assert (alert.state, alert.snoozed_until) == ("snoozed", until)
    assert history(alert) == [("snoozed", alert.episode.clinician_id, f"Until {until:%-d %b %Y}. On holiday")]


@pytest.mark.parametrize("days", [0, 43, 2_900_000])
def test_snoozing_until_today_or_for_ever_is_refused(alert, days):
    with pytest.raises(AlertError) as error:
        snooze(
            alert=alert, by=alert.episode.clinician, until=TODAY + timedelta(days=days), now=NOW, today=TODAY
        )
    assert error.value.field == "until"
    alert.refresh_from_db()
    assert (alert.state, history(alert)) == ("open", [])


def test_resolving_needs_an_outcome_and_ends_it(alert):
    physio = alert.episode.clinician
    with pytest.raises(AlertError) as error:
        resolve(alert=alert, by=physio, outcome=" ", now=NOW, today=TODAY)
    assert error.value.field == "outcome"
    resolve(alert=alert, by=physio, outcome="Program changed", now=NOW, today=TODAY)
    alert.refresh_from_db()
    assert (alert.state, alert.resolution, alert.outcome) == ("resolved", "clinician", "Program changed")
    assert history(alert) == [("resolved", physio.pk, "Program changed")]
    with pytest.raises(AlertError, match="already resolved"):
        acknowledge(alert=alert, by=physio, now=NOW)


@pytest.mark.parametrize("role", [Role.ASSISTANT, None])
def test_who_may_not_do_clinical_work_changes_nothing(alert, role):
    other = make_user(role=role, clinic=alert.clinic)
    with pytest.raises(Denied):
        acknowledge(alert=alert, by=other, now=NOW)
    with pytest.raises(Denied):
        resolve(alert=alert, by=other, outcome="x", now=NOW, today=TODAY)
    alert.refresh_from_db()
    assert (alert.state, history(alert)) == ("open", [])
