"""Patients, cases and invitations."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from clinic.models import User
from clinic.roles import Denied, Role
from patients.models import DeviceToken, Episode, Invitation, LoginCode, Patient
from patients.services import (
    CaseError,
    ConsentMissing,
    InvitationError,
    accept_invitation,
    forget_expired,
    hand_over,
    issue_invitation,
    open_episode,
    register_patient,
)
from tests.factories import NOW, TODAY, make_case, make_clinic, make_operator, make_patient, make_user

pytestmark = pytest.mark.django_db


def registered(clinic, by, **contact):
    return register_patient(
        clinic=clinic,
        by=by,
        given_name="Robin",
        timezone="Europe/Amsterdam",
        today=TODAY,
        **{"email": "r@example.org", **contact},
    )


def opened(patient, by, **fields):
    values = {
        "clinician": by,
        "diagnosis": "pfp",
        "index_side": "left",
        "opened_on": TODAY,
        "today": TODAY,
        **fields,
    }
    return open_episode(patient=patient, by=by, **values)


@pytest.mark.parametrize("role", list(Role))
def test_everyone_of_the_clinic_registers_patients(role):
    clinic = make_clinic()
    assert registered(clinic, make_user(role=role, clinic=clinic)).clinic == clinic


def test_nobody_else_registers_patients():
    clinic = make_clinic()
    for stranger in (make_user(clinic=make_clinic()), make_operator(), make_user(role=None)):
        with pytest.raises(Denied):
            registered(clinic, stranger)
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"), [("timezone", "Mars/Olympus"), ("email", "not an address"), ("sex", "runner")]
)
def test_a_bad_column_is_refused_by_name(field, value):
    clinic = make_clinic()
    with pytest.raises(ValidationError) as error:
        register_patient(
            clinic=clinic,
            by=make_user(clinic=clinic),
            today=TODAY,
            **{"given_name": "R", "timezone": "UTC", field: value},
        )
    assert field in error.value.message_dict
    assert not Patient.objects.exists()


@pytest.mark.parametrize("birth_date", [date(1899, 12, 31), TODAY + timedelta(days=1)])
def test_nobody_is_born_in_the_future_or_before_1900(birth_date):
    clinic = make_clinic()
    with pytest.raises(ValidationError) as error:
        registered(clinic, make_user(clinic=clinic), birth_date=birth_date)
    assert "1 Jan 1900" in error.value.message_dict["birth_date"][0]
    assert not Patient.objects.exists()


@pytest.mark.parametrize("birth_date", [date(1900, 1, 1), TODAY])
def test_the_first_and_the_last_day_of_birth_are_taken(birth_date):
    clinic = make_clinic()
    assert registered(clinic, make_user(clinic=clinic), birth_date=birth_date).birth_date == birth_date


PHONES = {
    "+31 (0)20 555-0100": True,
    "020/5550100": True,
    "555.0100 ext. 12": True,
    "+1\u2011555\u20130100 x7": True,
    "112 0": True,
    "abc": False,
    "ask for Kim": False,
    "+-()": False,
    "123": False,
    "0205550100 mobile": False,
    "020 555 0100 ext": False,
}


@pytest.mark.parametrize(("phone", "taken"), PHONES.items())
def test_a_phone_number_is_one(phone, taken):
    clinic = make_clinic()
    if taken:
        assert registered(clinic, make_user(clinic=clinic), phone=phone).phone == phone
        return
    with pytest.raises(ValidationError) as error:
        registered(clinic, make_user(clinic=clinic), phone=phone)
    assert list(error.value.message_dict) == ["phone"]
    assert not Patient.objects.exists()


def test_nobody_has_consented_tomorrow():
    clinic = make_clinic()
    with pytest.raises(ValidationError) as error:
        registered(clinic, make_user(clinic=clinic), guardian_consented_on=TODAY + timedelta(days=1))
    assert list(error.value.message_dict) == ["guardian_consented_on"]


def test_pain_does_not_begin_in_the_future():
    clinic = make_clinic()
    with pytest.raises(ValidationError) as error:
        opened(make_patient(clinic), make_user(clinic=clinic), onset_on=TODAY + timedelta(days=1))
    assert error.value.message_dict == {"onset_on": ["Choose a day up to today, 2 Mar 2026."]}
    assert not Episode.objects.exists()
    assert opened(make_patient(clinic), make_user(clinic=clinic), onset_on=TODAY).onset_on == TODAY


@pytest.mark.parametrize(
    ("guardian", "named"),
    [
        ({}, "guardian name and guardian consented on"),
        ({"guardian_name": "Kim"}, "fill in guardian consented on"),
        ({"guardian_consented_on": TODAY}, "fill in guardian name in"),
    ],
)
def test_someone_under_18_is_invited_once_a_guardian_consented(guardian, named):
    patient = make_patient(birth_date=TODAY.replace(year=TODAY.year - 13), **guardian)
    with pytest.raises(ConsentMissing, match=named):
        invited(patient)
    assert not Invitation.objects.exists()

    patient.guardian_name, patient.guardian_consented_on = "Kim", TODAY
    assert invited(patient)


def test_a_case_does_not_open_in_the_future():
    clinic = make_clinic()
    with pytest.raises(CaseError) as error:
        opened(make_patient(clinic), make_user(clinic=clinic), opened_on=TODAY + timedelta(days=1))
    assert (error.value.field, str(error.value)) == ("opened_on", "Choose a day up to today, 2 Mar 2026.")
    assert not Episode.objects.exists()


def test_an_e_mail_is_used_once_per_clinic_in_any_case_and_again_in_another():
    clinic, other = make_clinic(), make_clinic()
    registered(clinic, make_user(clinic=clinic))
    with pytest.raises(ValidationError):
        registered(clinic, make_user(clinic=clinic), email="R@Example.org")
    assert registered(other, make_user(clinic=other)).email == "r@example.org"


def test_case_numbers_count_up_per_clinic_and_are_unique_there():
    clinic = make_clinic()
    physio = make_user(clinic=clinic)
    numbers = [opened(make_patient(clinic), physio).case_number for _ in range(2)]
    assert numbers == ["1001", "1002"]
    with pytest.raises(ValidationError):
        opened(make_patient(clinic), physio, case_number="1001")
    other = make_clinic()
    assert opened(make_patient(other), make_user(clinic=other)).case_number == "1001"


def test_a_case_is_treated_by_a_clinician_of_the_clinic():
    clinic = make_clinic()
    physio = make_user(clinic=clinic)
    patient = make_patient(clinic)
    for other in (make_user(clinic=make_clinic()), make_user(role=Role.ASSISTANT, clinic=clinic)):
        with pytest.raises(CaseError) as error:
            opened(patient, physio, clinician=other)
        assert error.value.field == "clinician"
    assert not Episode.objects.exists()


def test_an_assistant_opens_no_case():
    clinic = make_clinic()
    assistant = make_user(role=Role.ASSISTANT, clinic=clinic)
    with pytest.raises(Denied):
        opened(make_patient(clinic), assistant, clinician=make_user(clinic=clinic))
    assert not Episode.objects.exists()


def test_a_case_is_handed_over_by_a_clinician_to_a_clinician():
    case = make_case()
    colleague = make_user(clinic=case.clinic)
    hand_over(episode=case, clinician=colleague, by=case.clinician)
    case.refresh_from_db()
    assert case.clinician == colleague
    with pytest.raises(Denied):
        hand_over(episode=case, clinician=colleague, by=make_user(role=Role.ASSISTANT, clinic=case.clinic))
    with pytest.raises(CaseError):
        hand_over(episode=case, clinician=make_user(clinic=make_clinic()), by=colleague)
    case.refresh_from_db()
    assert case.clinician == colleague


def invited(patient):
    return issue_invitation(patient=patient, by=make_user(clinic=patient.clinic), now=NOW)


def test_an_invitation_opens_the_account_once():
    patient = make_patient()
    invitation, token = invited(patient)
    assert token not in invitation.token_hash
    accepted = accept_invitation(token=token, now=NOW)
    assert accepted.user == User.objects.get(email=patient.email)
    assert not accepted.user.has_usable_password()
    assert not accepted.user.is_staff
    with pytest.raises(InvitationError):
        accept_invitation(token=token, now=NOW)


def test_the_same_person_at_two_clinics_has_one_login_and_two_records():
    first, second = make_patient(email="r@example.org"), make_patient(email="r@example.org")
    users = {accept_invitation(token=invited(patient)[1], now=NOW).user for patient in (first, second)}
    assert len(users) == 1
    assert first.clinic_id != second.clinic_id


@pytest.mark.parametrize("fault", ["wrong", "old", "revoked", "replaced", "clinic closed"])
def test_an_invitation_that_does_not_hold_opens_nothing(fault):
    patient = make_patient()
    invitation, token = invited(patient)
    now = NOW
    if fault == "wrong":
        token = token[:-1] + ("a" if token[-1] != "a" else "b")
    elif fault == "old":
        now = invitation.expires_at + timedelta(seconds=1)
    elif fault == "revoked":
        Invitation.objects.update(revoked_at=NOW)
    elif fault == "replaced":
        invited(patient)
    else:
        patient.clinic.is_active = False
        patient.clinic.save()
    with pytest.raises(InvitationError):
        accept_invitation(token=token, now=now)
    patient.refresh_from_db()
    assert patient.user is None
    assert not User.objects.filter(email=patient.email).exists()


@pytest.mark.django_db(transaction=True)
def test_inviting_again_and_accepting_at_once_do_not_block_each_other():
    patient = make_patient()
    physio = make_user(clinic=patient.clinic)
    for _ in range(5):
        _, token = issue_invitation(patient=patient, by=physio, now=NOW)
        results = at_once(
            lambda: issue_invitation(patient=patient, by=physio, now=NOW),
            lambda token=token: accept_invitation(token=token, now=NOW),
        )
        assert isinstance(results[0], tuple)
        assert isinstance(results[1], Patient | InvitationError)


def at_once(*works):
    """What each of several threads returned or raised, started together."""
    barrier = threading.Barrier(len(works))

    def run(work):
        barrier.wait()
        try:
            return work()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


SECOND = timedelta(seconds=1)


def make_code(**fields):
    patient = make_patient()
    values = {"code_hash": "-", "expires_at": NOW + SECOND, **fields}
    return LoginCode.objects.create(clinic=patient.clinic, patient=patient, **values)


def make_invitation(**fields):
    patient = make_patient()
    values = {"token_hash": patient.pk.hex, "created_at": NOW, **fields}
    return Invitation.objects.create(clinic=patient.clinic, patient=patient, **values)


def make_device(expiry):
    patient = make_patient()
    patient.user = make_user(role=None)
    patient.save()
    device = DeviceToken(
        digest=patient.pk.hex, user=patient.user, clinic=patient.clinic, patient=patient, expiry=expiry
    )
    device.save(force_insert=True)
    return device


def test_what_opens_nothing_any_more_is_deleted_and_nothing_else():
    kept = [
        make_device(NOW + SECOND),
        make_code(),
        make_invitation(expires_at=NOW - timedelta(days=30) + SECOND),
        make_invitation(expires_at=NOW + SECOND, accepted_at=NOW),
    ]
    make_device(NOW)
    make_code(expires_at=NOW)
    make_code(used_at=NOW - SECOND)
    make_invitation(expires_at=NOW - timedelta(days=30))
    make_invitation(expires_at=NOW - timedelta(days=30), accepted_at=NOW - timedelta(days=40))
    make_invitation(expires_at=NOW - timedelta(days=30), revoked_at=NOW - timedelta(days=40))

    assert forget_expired(now=NOW) == 6

    left = [*DeviceToken.objects.all(), *LoginCode.objects.all(), *Invitation.objects.order_by("pk")]
    assert left == kept
    assert forget_expired(now=NOW) == 0


def test_one_sweep_forgets_a_bounded_number():
    for _ in range(3):
        make_code(expires_at=NOW)
        make_device(NOW)

    assert [forget_expired(now=NOW, batch=2) for _ in range(3)] == [4, 2, 0]


@pytest.mark.django_db(transaction=True)
def test_a_code_that_is_being_replaced_is_left_alone():
    code = make_code(expires_at=NOW)

    def sweep():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        try:
            return forget_expired(now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        LoginCode.objects.select_for_update().get(pk=code.pk)
        assert other.submit(sweep).result(timeout=20) == 0
        LoginCode.objects.filter(pk=code.pk).update(expires_at=NOW + SECOND)
    assert LoginCode.objects.get().expires_at == NOW + SECOND
