"""The same done to many alerts: what can be done is, of each is said what became of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.models import Clinic, User
from clinic.roles import Denied, Role
from patients.models import Episode
from programs.models import Alert, AlertEvent
from programs.services.alerts import resolve
from programs.services.bulk_alerts import (
    MOST,
    BulkError,
    acknowledge_many,
    hand_over_many,
    resolve_many,
    snooze_many,
)
from programs.services.red_flags import raise_red_flag
from tests.factories import NOW, TODAY, make_case, make_clinic, make_user

pytestmark = pytest.mark.django_db

WEEK = TODAY + timedelta(days=7)


def alert(case: Episode, kind: str = "stall") -> Alert:
    return Alert.objects.create(
        clinic=case.clinic, episode=case, kind=kind, summary="Why", opened_on=TODAY, opened_at=NOW
    )


def red_flag(case: Episode) -> Alert:
    return raise_red_flag(episode=case, codes=["knee_locks"], source="call", evidence=[{}], now=NOW)


@pytest.fixture
def three(clinic: Clinic, anna: User) -> list[Alert]:
    """A stall, a red flag and a resolved one."""
    cases = [make_case(clinic, clinician=anna) for _ in range(3)]
    over = alert(cases[2])
    resolve(alert=over, by=anna, outcome="Fine", now=NOW, today=TODAY)
    return [alert(cases[0]), red_flag(cases[1]), over]


def said(found) -> list[tuple[bool, str]]:
    return [(one.done, one.said) for one in found]


def states() -> list[str]:
    return list(Alert.objects.order_by("episode", "pk").values_list("state", flat=True))


def test_snooze_leaves_red_flags_and_says_why_row_by_row(anna, three) -> None:
    found = snooze_many(alerts=three, by=anna, until=WEEK, now=NOW, note="Holiday")
    assert said(found) == [
        (True, "Snoozed until 9 Mar 2026."),
        (False, "A red flag cannot be snoozed: clear it with a finding."),
        (False, "This alert is already resolved."),
    ]
    assert [one.alert for one in found] == three
    assert states() == ["snoozed", "open", "resolved"]


def test_resolve_leaves_red_flags_too(anna, three) -> None:
    found = resolve_many(alerts=three, by=anna, came_of="contacted", outcome="", now=NOW)
    assert [one.done for one in found] == [True, False, False]
    assert found[1].said == "A red flag is cleared with a finding, not resolved."
    stall = Alert.objects.get(pk=three[0].pk)
    assert (stall.came_of, stall.outcome) == ("contacted", "Spoke with the patient.")


def test_a_red_flag_is_acknowledged_only_by_who_has_read_it(anna, three) -> None:
    unread = acknowledge_many(alerts=three, by=anna, now=NOW)
    assert [one.done for one in unread] == [True, False, False]
    assert unread[1].said == "A red flag is acknowledged once what was reported has been read."
    flag = three[1]
    raise_red_flag(episode=flag.episode, codes=["hot_knee_or_fever"], source="call", evidence=[{}], now=NOW)
    [stale] = acknowledge_many(alerts=[flag], by=anna, now=NOW, seen={flag.pk: 1})
    assert stale.said == "New symptoms were reported in the meantime: read them first."
    assert Alert.objects.get(pk=flag.pk).escalate_at is not None
    [read] = acknowledge_many(alerts=[flag], by=anna, now=NOW, seen={flag.pk: 2})
    assert (read.done, read.said) == (True, "Acknowledged.")
    assert Alert.objects.get(pk=flag.pk).escalate_at is None


def test_handed_over_once_with_each_case(clinic, anna, piet) -> None:
    case, his = make_case(clinic, clinician=anna, case_number="31"), make_case(clinic, clinician=piet)
    alerts = [alert(case), red_flag(case), alert(his)]
    found = hand_over_many(alerts=alerts, to=piet, by=anna, now=NOW, why="Half days")
    assert said(found) == [
        (True, "Handed to Piet, with case 31."),
        (True, "Handed to Piet, with case 31."),
        (False, "Piet treats this case already."),
    ]
    assert AlertEvent.objects.filter(what="handed_over").count() == 2


def test_a_part_that_is_refused_writes_nothing(clinic, anna) -> None:
    kept = alert(make_case(clinic, clinician=anna))
    far = TODAY + timedelta(days=400)
    [refused] = snooze_many(alerts=[kept], by=anna, until=far, now=NOW)
    assert not refused.done
    assert states() == ["open"]
    assert not AlertEvent.objects.exists()


@pytest.mark.parametrize("role", [Role.ASSISTANT, None])
def test_who_may_not_act_changes_nothing_at_all(clinic, anna, role) -> None:
    other = make_user(role=role, clinic=clinic if role else None)
    mixed = [alert(make_case(clinic, clinician=anna)), alert(make_case(make_clinic()))]
    for by in (other, anna):  # the physio may in one of the two clinics
        with pytest.raises(Denied):
            acknowledge_many(alerts=mixed, by=by, now=NOW)
    assert states() == ["open", "open"]


def test_none_and_too_many_are_refused_as_a_whole(clinic, anna) -> None:
    one = alert(make_case(clinic, clinician=anna))
    for alerts in ([], [one] * (MOST + 1)):
        with pytest.raises(BulkError):
            acknowledge_many(alerts=alerts, by=anna, now=NOW)
    assert states() == ["open"]
