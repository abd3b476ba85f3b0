"""auth/...: by invitation, by a code, one token per device."""

from __future__ import annotations

import re
from datetime import timedelta
from unittest.mock import ANY

import pytest
import time_machine

from clinic.models import OutboxMessage
from clinic.secrets import decrypt
from patients.models import DeviceToken, Invitation, LoginCode, Patient
from patients.services import issue_invitation
from tests.api import Device, fields_of, log_in, problem_of
from tests.factories import NOW, make_case, make_clinic, make_patient, make_program, make_user

NAME = {"device_name": "Robin's phone"}


@pytest.fixture
def patient() -> Patient:
    patient = make_patient()
    log_in(patient, "Old phone")
    return patient


def code_for(patient: Patient) -> str:
    """The code in the mail that waits for this patient; the newest."""
    mail = OutboxMessage.objects.filter(patient_key=patient.pk, kind="login_code").latest(
        "next_attempt_at", "pk"
    )
    return decrypt(bytes(mail.secret))


def ask(patient: Patient) -> str:
    assert Device().post("auth/code", {"email": patient.email}).status_code == 202
    return code_for(patient)


def exchange(patient: Patient, code: str) -> object:
    return Device().post("auth/token", {"email": patient.email, "code": code, **NAME})


def test_an_invitation_opens_the_account_on_this_device() -> None:
    patient = make_patient()
    _, token = issue_invitation(patient=patient, by=make_user(clinic=patient.clinic), now=NOW)
    response = Device().post("auth/invitation", {"token": token, **NAME})
    assert response.status_code == 201
    assert response.json() == {
        "token": ANY,
        "expires_at": "2026-08-29T09:00:00Z",
        "name": patient.full_name,
        "clinic": patient.clinic.name,
    }
    device = Device()
    device.headers = {"Authorization": f"Token {response.json()['token']}"}
    assert device.get("me").json()["patient"]["email"] == patient.email
    stored = DeviceToken.objects.get()
    assert response.json()["token"] not in (stored.digest, stored.token_key)
    assert stored.device_name == "Robin's phone"


def test_an_invitation_works_once_and_a_guess_does_not(clock: time_machine.Traveller) -> None:
    patient = make_patient()
    _, token = issue_invitation(patient=patient, by=make_user(clinic=patient.clinic), now=NOW)
    Device().post("auth/invitation", {"token": token, **NAME})
    for wrong in (token, "guess"):
        response = Device().post("auth/invitation", {"token": wrong, **NAME})
        assert (response.status_code, fields_of(response)) == (400, ["token"])
    assert DeviceToken.objects.count() == 1


def test_an_old_invitation_is_refused_and_stays_unaccepted(clock: time_machine.Traveller) -> None:
    patient = make_patient()
    _, token = issue_invitation(patient=patient, by=make_user(clinic=patient.clinic), now=NOW)
    clock.shift(timedelta(days=15))
    assert Device().post("auth/invitation", {"token": token, **NAME}).status_code == 400
    assert Invitation.objects.get().accepted_at is None
    assert not DeviceToken.objects.exists()


def test_a_code_from_the_mail_is_exchanged_for_a_token(patient: Patient) -> None:
    response = exchange(patient, ask(patient))
    assert response.status_code == 201
    device = Device()
    device.headers = {"Authorization": f"Token {response.json()['token']}"}
    assert device.get("me").status_code == 200


def test_the_code_is_stored_nowhere_readable(patient: Patient) -> None:
    code = ask(patient)
    mail = OutboxMessage.objects.get()
    assert len(code) == 6
    assert code not in mail.text + mail.html + mail.subject
    assert code not in LoginCode.objects.get().code_hash


def test_a_code_works_once(patient: Patient) -> None:
    code = ask(patient)
    codes = [exchange(patient, code).status_code, exchange(patient, code).status_code]
    assert codes == [201, 400]
    assert DeviceToken.objects.count() == 2


def test_a_code_dies_after_ten_minutes(patient: Patient, clock: time_machine.Traveller) -> None:
    code = ask(patient)
    clock.shift(timedelta(minutes=10))
    response = exchange(patient, code)
    assert (response.status_code, fields_of(response)) == (400, ["code"])


def test_a_code_is_good_until_then(patient: Patient, clock: time_machine.Traveller) -> None:
    code = ask(patient)
    clock.shift(timedelta(minutes=9, seconds=59))
    assert exchange(patient, code).status_code == 201


def test_five_wrong_tries_spoil_the_code(patient: Patient) -> None:
    code = ask(patient)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert [exchange(patient, wrong).status_code for _ in range(5)] == [400] * 5
    assert exchange(patient, code).status_code == 400
    assert LoginCode.objects.get().attempts == 5


def test_four_wrong_tries_do_not(patient: Patient) -> None:
    code = ask(patient)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(4):
        exchange(patient, wrong)
    assert exchange(patient, code).status_code == 201


def test_a_new_code_replaces_the_one_before(patient: Patient, clock: time_machine.Traveller) -> None:
    old = ask(patient)
    clock.shift(timedelta(seconds=1))
    new = ask(patient)
    assert new == old or exchange(patient, old).status_code == 400
    assert exchange(patient, new).status_code == 201


def test_a_strangers_address_gets_the_same_answer_and_no_mail(patient: Patient) -> None:
    known = Device().post("auth/code", {"email": patient.email.upper()})
    stranger = Device().post("auth/code", {"email": "nobody@example.org"})
    assert (known.status_code, known.content) == (stranger.status_code, stranger.content)
    assert [mail.to_email for mail in OutboxMessage.objects.all()] == [patient.email]
    assert LoginCode.objects.count() == 1


def test_someone_without_an_account_gets_no_code() -> None:
    never_invited = make_patient()
    assert Device().post("auth/code", {"email": never_invited.email}).status_code == 202
    assert not OutboxMessage.objects.exists()


def test_in_two_clinics_each_code_opens_its_own_record(patient: Patient) -> None:
    second = make_patient(make_clinic(), email=patient.email, user=patient.user)
    Device().post("auth/code", {"email": patient.email})
    for record in (patient, second):
        response = exchange(record, code_for(record))
        assert response.json()["clinic"] == record.clinic.name
    mails = {mail.clinic: mail.text for mail in OutboxMessage.objects.all()}
    assert patient.clinic.name not in mails[second.clinic]


def test_a_patient_of_a_closed_clinic_gets_no_code(patient: Patient) -> None:
    patient.clinic.is_active = False
    patient.clinic.save()
    Device().post("auth/code", {"email": patient.email})
    assert not OutboxMessage.objects.exists()


def test_logout_revokes_this_device_only(patient: Patient) -> None:
    phone, tablet = Device(patient), Device(patient)
    assert phone.post("auth/logout").status_code == 204
    assert (phone.get("me").status_code, tablet.get("me").status_code) == (401, 200)


def test_logout_all_revokes_every_device_of_this_patient_only(patient: Patient) -> None:
    phone, tablet = Device(patient), Device(patient)
    other = Device(make_patient())
    assert phone.post("auth/logout-all").status_code == 204
    states = [device.get("me").status_code for device in (phone, tablet, other)]
    assert states == [401, 401, 200]


def test_too_many_tries_are_told_to_wait(patient: Patient) -> None:
    answers = [Device().post("auth/code", {"email": patient.email}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert problem_of(answers[-1])["errors"][0]["code"] == "throttled"
    assert OutboxMessage.objects.count() <= 10
    assert Device().post("auth/code", {"email": "another@example.org"}).status_code == 202


def test_one_address_can_not_try_every_e_mail() -> None:
    codes = [Device().post("auth/code", {"email": f"p{n}@example.org"}).status_code for n in range(31)]
    assert codes == [202] * 30 + [429]


def test_a_claimed_forwarding_header_does_not_reset_the_count() -> None:
    codes = [
        Device()
        .post("auth/code", {"email": f"p{n}@example.org"}, headers={"X-Forwarded-For": f"10.0.0.{n}"})
        .status_code
        for n in range(31)
    ]
    assert codes[-1] == 429


def test_codes_are_drawn_by_the_systems_generator(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda most: most - 42)
    assert ask(patient) == "999958"


def test_tokens_of_devices_and_invitations_are_256_random_bits(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert re.fullmatch("[0-9a-f]{64}", exchange(patient, ask(patient)).json()["token"])
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: f"{size} bytes")
    other = make_patient(email="other@example.org")
    _, token = issue_invitation(patient=other, by=make_user(clinic=other.clinic), now=NOW)
    assert token == "32 bytes"


def test_a_discharged_patient_still_reaches_the_record(patient: Patient) -> None:
    make_program(make_case(patient=patient, closed_on=NOW.date(), outcome="recovered"), ended_on=NOW.date())
    assert exchange(patient, ask(patient)).status_code == 201
