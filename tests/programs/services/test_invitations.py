"""Inviting a patient, and whether what was sent can be seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from clinic.models import OutboxMessage
from patients.models import Invitation, Patient
from patients.services import login_of
from programs.rules.caseload import Way
from programs.services.cases import change_contact
from programs.services.invitations import invite, way_of, ways
from tests.factories import NOW, make_case, make_patient

pytestmark = pytest.mark.django_db


def test_an_invitation_goes_out_and_a_second_one_replaces_it():
    case = make_case()
    first = invite(patient=case.patient, by=case.clinician, now=NOW)
    second = invite(patient=case.patient, by=case.clinician, now=NOW + timedelta(hours=1))
    first.refresh_from_db()
    assert first.revoked_at is not None
    assert second.revoked_at is None
    assert list(OutboxMessage.objects.values_list("to_email", flat=True)) == [case.patient.email] * 2


def test_the_token_is_not_readable_in_the_outbox_row():
    case = make_case()
    invite(patient=case.patient, by=case.clinician, now=NOW)
    message = OutboxMessage.objects.get()
    assert message.secret
    assert Invitation.objects.get().token_hash not in message.text + message.html


def test_without_an_e_mail_nobody_is_invited():
    case = make_case(patient=make_patient(email=""))
    with pytest.raises(ValidationError) as error:
        invite(patient=case.patient, by=case.clinician, now=NOW)
    assert "email" in error.value.message_dict
    assert not Invitation.objects.exists()


def way(case, *, days=0):
    return way_of(Patient.objects.get(pk=case.patient_id), NOW + timedelta(days=days))


def test_the_way_into_the_app_opens_with_an_invitation_and_shuts_when_it_runs_out():
    case = make_case()
    assert way(case) is Way.NOT_INVITED
    invite(patient=case.patient, by=case.clinician, now=NOW)
    assert (way(case), way(case, days=13), way(case, days=14)) == (Way.OPEN, Way.OPEN, Way.RAN_OUT)
    invite(patient=case.patient, by=case.clinician, now=NOW + timedelta(days=20))
    assert way(case, days=20) is Way.OPEN


def test_an_account_is_a_way_and_a_wrong_address_is_none():
    case = make_case()
    invite(patient=case.patient, by=case.clinician, now=NOW)
    Patient.objects.update(email_bounced_at=NOW)
    assert way(case) is Way.BOUNCED
    Patient.objects.update(user=login_of(case.patient))
    assert way(case) is Way.UNREACHED
    Patient.objects.update(email_bounced_at=None)
    assert way(case, days=99) is Way.OPEN
    assert way(make_case(patient=make_patient(email=""))) is Way.NO_ADDRESS


def test_who_lost_the_account_with_the_old_address_did_not_let_the_invitation_run_out():
    case = make_case()
    invite(patient=case.patient, by=case.clinician, now=NOW)
    Invitation.objects.update(accepted_at=NOW)
    Patient.objects.update(user=login_of(case.patient))
    patient = Patient.objects.get(pk=case.patient_id)
    patient.email = "new@example.org"
    change_contact(patient=patient, changed=["email"], by=case.clinician, now=NOW)
    assert (way(case), way(case, days=99)) == (Way.ADDRESS_CHANGED, Way.ADDRESS_CHANGED)
    invite(patient=patient, by=case.clinician, now=NOW + timedelta(days=99))
    assert (way(case, days=99), way(case, days=199)) == (Way.OPEN, Way.RAN_OUT)


def test_an_invitation_ends_with_the_address_it_went_to():
    case = make_case()
    invite(patient=case.patient, by=case.clinician, now=NOW)
    patient = Patient.objects.get(pk=case.patient_id)
    patient.email = "new@example.org"
    change_contact(patient=patient, changed=["email"], by=case.clinician, now=NOW)
    assert (way(case), way(case, days=99)) == (Way.ADDRESS_CHANGED, Way.ADDRESS_CHANGED)
    invite(patient=patient, by=case.clinician, now=NOW + timedelta(hours=1))
    assert way(case) is Way.OPEN


@pytest.mark.parametrize("number", [1, 3])
def test_the_ways_of_one_patient_and_of_three_take_one_query(number, django_assert_num_queries):
    people = [make_case().patient for _ in range(number)]
    with django_assert_num_queries(1):
        assert len(ways(people, NOW)) == number
