"""A case goes to a colleague with its alerts: on record, and the colleague is told once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.models import Membership, OutboxMessage
from clinic.roles import Denied, Role
from clinic.services import StaffError
from patients.models import Episode
from patients.services import CaseError
from programs.models import Alert, AlertEvent
from programs.services.alerts import AlertError, resolve
from programs.services.cases import reassign
from programs.services.hand_overs import hand_over_alert, reassign_caseload
from programs.services.red_flags import raise_red_flag
from tests.factories import NOW, TODAY, make_case, make_clinic, make_user

pytestmark = pytest.mark.django_db


def alert(case: Episode, kind: str = "stall") -> Alert:
    return Alert.objects.create(
        clinic=case.clinic, episode=case, kind=kind, summary="Why", opened_on=TODAY, opened_at=NOW
    )


def mails(kind: str = "handed_over") -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(kind=kind).order_by("created_at"))


def test_an_alert_goes_with_its_case_and_all_that_is_open_there(clinic, anna, piet) -> None:
    case = make_case(clinic, clinician=anna, case_number="1042")
    stall, silent = alert(case), alert(case, "silent")
    gone = alert(case, "drift")
    resolve(alert=gone, by=anna, outcome="Fine", now=NOW, today=TODAY)

    hand_over_alert(alert=stall, to=piet, by=anna, now=NOW, why="You know his knee")

    case.refresh_from_db()
    assert case.clinician == piet
    events = AlertEvent.objects.filter(what="handed_over").order_by("alert_id")
    assert [(e.alert_id, e.by, e.note) for e in events] == [
        (stall.pk, anna, "From Anna Berg to Piet. You know his knee"),
        (silent.pk, anna, "From Anna Berg to Piet. You know his knee"),
    ]
    [mail] = mails()
    assert (mail.to_email, mail.subject) == ("piet@example.org", "Anna Berg handed you a case")
    assert mail.patient_key == case.patient_id
    for text in (mail.text, mail.html):
        assert "1042" in text
        assert "stall, silent" in text
        assert "You know his knee" in text
        assert "Runner" not in text


def test_a_red_flag_tells_who_answers_for_it_now(clinic, anna, piet) -> None:
    case = make_case(clinic, clinician=anna)
    flag = raise_red_flag(episode=case, codes=["knee_locks"], source="call", evidence=[{}], now=NOW)
    hand_over_alert(alert=flag, to=piet, by=anna, now=NOW + timedelta(minutes=5))
    assert [mail.to_email for mail in mails("red_flag")] == ["anna@example.org", "piet@example.org"]
    assert "A red flag is not cleared yet" in mails()[0].text


def test_handing_a_case_to_who_treats_it_already_tells_nobody_again(clinic, anna, piet) -> None:
    case = make_case(clinic, clinician=anna)
    raise_red_flag(episode=case, codes=["knee_locks"], source="call", evidence=[{}], now=NOW)
    seen_before = Episode.objects.get()
    for minutes, episode in enumerate((case, case, seen_before), start=1):
        later = NOW + timedelta(minutes=minutes)
        reassign(episode=episode, clinician=piet, by=anna, now=later)
    assert [mail.to_email for mail in mails("red_flag")] == ["anna@example.org", "piet@example.org"]
    assert len(mails()) == 1
    assert AlertEvent.objects.filter(what="handed_over").count() == 1
    with pytest.raises(Denied):
        reassign(episode=case, clinician=piet, by=make_user(clinic=make_clinic()), now=NOW)


def test_nobody_is_handed_what_they_treat_or_what_is_closed(clinic, anna, piet, owner) -> None:
    stall = alert(make_case(clinic, clinician=anna))
    with pytest.raises(AlertError, match="Anna Berg treats this case already"):
        hand_over_alert(alert=stall, to=anna, by=owner, now=NOW)
    with pytest.raises(AlertError, match="At most 300"):
        hand_over_alert(alert=stall, to=piet, by=owner, now=NOW, why="x" * 301)
    desk = make_user(role=Role.ASSISTANT, clinic=clinic)
    for colleague in (desk, make_user(clinic=make_clinic())):
        with pytest.raises(CaseError, match="does not treat"):
            hand_over_alert(alert=stall, to=colleague, by=owner, now=NOW)
    for stranger in (desk, make_user(clinic=make_clinic())):
        with pytest.raises(Denied):
            hand_over_alert(alert=stall, to=piet, by=stranger, now=NOW)
    resolve(alert=stall, by=anna, outcome="Fine", now=NOW, today=TODAY)
    with pytest.raises(AlertError, match="already resolved"):
        hand_over_alert(alert=stall, to=piet, by=owner, now=NOW)
    assert Episode.objects.get().clinician == anna
    assert mails() == []


def test_who_takes_a_case_themselves_needs_no_mail(clinic, anna, piet) -> None:
    reassign(episode=make_case(clinic, clinician=anna), clinician=piet, by=piet, now=NOW)
    assert mails() == []


def test_a_caseload_goes_in_one_step_and_one_mail_that_names_nobody(clinic, anna, piet, owner) -> None:
    cases = [make_case(clinic, clinician=anna, case_number=f"CASE-{n}") for n in range(3)]
    alert(cases[0])
    kept = make_case(clinic, clinician=owner)
    member = Membership.objects.get(user=anna)

    assert reassign_caseload(membership=member, to=piet, by=owner, now=NOW) == 3

    assert {case.clinician for case in Episode.objects.exclude(pk=kept.pk)} == {piet}
    assert Episode.objects.get(pk=kept.pk).clinician == owner
    member.refresh_from_db()
    assert member.is_active
    [mail] = mails()
    assert (mail.subject, mail.patient_key) == (f"{owner} handed you 3 cases", None)
    assert "Open there: 1 alert." in mail.text
    assert "CASE-" not in mail.text.split("http")[0]
    assert reassign_caseload(membership=member, to=piet, by=owner, now=NOW) == 0


def test_a_caseload_is_the_owners_to_hand_over_and_to_somebody_else(clinic, anna, piet, owner) -> None:
    make_case(clinic, clinician=anna)
    member = Membership.objects.get(user=anna)
    with pytest.raises(Denied):
        reassign_caseload(membership=member, to=piet, by=piet, now=NOW)
    with pytest.raises(StaffError, match="1 open case: choose"):
        reassign_caseload(membership=member, to=None, by=owner, now=NOW)
    with pytest.raises(StaffError, match="treat these cases already"):
        reassign_caseload(membership=member, to=anna, by=owner, now=NOW)
    assert Episode.objects.get().clinician == anna


def test_the_second_of_two_who_cannot_take_it_leaves_the_first_where_it_was(clinic, anna, owner) -> None:
    for _ in range(2):
        make_case(clinic, clinician=anna)
    left = make_user(clinic=clinic)
    Membership.objects.filter(user=left).update(is_active=False)
    member = Membership.objects.get(user=anna)
    with pytest.raises(CaseError):
        reassign_caseload(membership=member, to=left, by=owner, now=NOW)
    assert {case.clinician for case in Episode.objects.all()} == {anna}
