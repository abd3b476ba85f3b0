"""Who leaves hands their cases over: no patient is left with nobody who treats them."""

from __future__ import annotations

from typing import Any

import pytest

from clinic.models import AuditEntry, Membership, OutboxMessage, User
from clinic.roles import Denied, Role
from clinic.services import StaffError
from patients.models import Episode
from patients.services import CaseError, close_episode
from programs.models import Alert
from programs.services.red_flags import raise_red_flag
from programs.services.staff import change_member, end_membership
from tests.factories import NOW, TODAY, make_case, make_clinic, make_patient, make_user

pytestmark = pytest.mark.django_db


def leave(user: User, by: User, **changed: Any) -> Membership:
    values = {"role": Role.PHYSIO, "is_active": False, "cover": None, "digest_weekday": None, **changed}
    member = Membership.objects.get(user=user)
    return change_member(membership=member, by=by, digest_time=None, now=NOW, **values)


@pytest.mark.parametrize("change", [{}, {"is_active": True, "role": Role.ASSISTANT}])
def test_who_has_open_cases_does_not_leave_without_a_successor(clinic, owner, piet, change) -> None:
    for _ in range(2):
        make_case(clinic, clinician=piet)
    with pytest.raises(StaffError) as error:
        leave(piet, owner, **change)
    assert error.value.field == "hand_over_to"
    assert str(error.value) == "2 open cases: choose who treats them from now on."
    member = Membership.objects.get(user=piet)
    assert (member.is_active, member.role) == (True, Role.PHYSIO)
    assert set(Episode.objects.values_list("clinician", flat=True)) == {piet.pk}


def test_the_cases_go_to_the_successor_on_record_who_is_told_of_the_open_red_flag(
    clinic, owner, anna, piet
) -> None:
    flagged, closed = make_case(clinic, clinician=piet), make_case(clinic, clinician=piet)
    kept = make_case(clinic, clinician=anna)
    over = close_episode(episode=make_case(clinic, clinician=piet), outcome="improved", note="", on=TODAY)
    for case in (flagged, closed):
        raise_red_flag(episode=case, codes=["knee_locks"], source="call", evidence=[{}], now=NOW)
    close_episode(episode=closed, outcome="referred", note="", on=TODAY)
    OutboxMessage.objects.all().delete()

    leave(piet, owner, hand_over_to=anna)

    now_with = dict(Episode.objects.values_list("pk", "clinician"))
    assert now_with == {flagged.pk: anna.pk, closed.pk: anna.pk, kept.pk: anna.pk, over.pk: piet.pk}
    told = OutboxMessage.objects.filter(to_email="anna@example.org").values_list("kind", flat=True)
    assert sorted(told) == ["handed_over", "red_flag", "red_flag"]
    assert Alert.objects.filter(state=Alert.State.OPEN).count() == 2
    moved = AuditEntry.objects.filter(table_name="patients_episode", row_id=str(flagged.pk))
    assert moved.filter(action="changed").exists()


def test_who_leaves_covers_nobody_any_more(clinic, owner, anna, piet) -> None:
    elsewhere = make_user(clinic=make_clinic())
    Membership.objects.filter(user__in=[anna, elsewhere]).update(cover=piet)
    leave(piet, owner)
    assert Membership.objects.get(user=anna).cover is None
    assert Membership.objects.get(user=elsewhere).cover == piet


def test_the_successor_treats_here_and_has_arrived(clinic, owner, piet) -> None:
    make_case(clinic, clinician=piet)
    invited = make_user(clinic=clinic)
    Membership.objects.filter(user=invited).update(arrived_at=None)
    assistant, stranger = make_user(role=Role.ASSISTANT, clinic=clinic), make_user(clinic=make_clinic())
    for other in (piet, assistant, stranger, invited):
        with pytest.raises(CaseError) as error:
            leave(piet, owner, hand_over_to=other)
        assert error.value.field == "clinician"
    assert "has not signed in yet" in str(error.value)
    assert Membership.objects.get(user=piet).is_active


def test_a_physio_sends_nobody_away(clinic, owner, anna, piet) -> None:
    with pytest.raises(Denied):
        leave(anna, piet)
    assert Membership.objects.get(user=anna).is_active


def test_the_cases_in_another_clinic_stay(clinic, owner, piet) -> None:
    there = make_clinic()
    Membership.objects.create(clinic=there, user=piet, role=Role.PHYSIO)
    case = make_case(there, clinician=piet, patient=make_patient(there))
    member = Membership.objects.get(user=piet, clinic=clinic)
    change_member(
        membership=member,
        by=owner,
        role=Role.PHYSIO,
        is_active=False,
        cover=None,
        digest_weekday=None,
        digest_time=None,
        now=NOW,
    )
    case.refresh_from_db()
    assert case.clinician == piet


def test_who_became_an_owner_since_the_page_was_read_is_not_locked_out(clinic, owner, piet) -> None:
    read_before = Membership.objects.get(user=piet)
    Membership.objects.filter(user=piet).update(role=Role.OWNER)
    with pytest.raises(StaffError, match="An owner's access"):
        end_membership(membership=read_before, by=owner, hand_over_to=None, now=NOW)
    member = Membership.objects.get(user=piet)
    assert (member.is_active, member.role) == (True, Role.OWNER)
