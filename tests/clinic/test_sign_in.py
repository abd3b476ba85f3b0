"""Signing in: what is counted, what a stranger can't tell apart, and when a session ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.contrib.auth import hashers
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import secrets
from clinic.accounts.factors import add_totp, new_recovery_codes, new_totp_secret, totp_code
from clinic.models import Clinic, Factor, Membership, OutboxMessage, Tally, User
from clinic.roles import Role
from clinic.row_security import Tenant, acting_for
from tests.api import Device, log_in
from tests.enforced import enforced
from tests.factories import NOW, make_clinic, make_operator, make_patient, make_user
from tests.staff import code_of, give_app, signed_in

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough one"
INDEX = "/admin/"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def paul() -> User:
    paul = make_user("paul@example.org", Role.PHYSIO, make_clinic(), password=PASSWORD)
    give_app(paul)
    return paul


def give_password(
    client: Client, password: str = PASSWORD, email: str = "paul@example.org", **kw: Any
) -> Any:
    return client.post(reverse("admin:login"), {"username": email, "password": password}, **kw)


def halfway(password: str = PASSWORD) -> Client:
    client = Client()
    assert give_password(client, password).status_code == 302
    return client


def confirm(client: Client, code: str) -> Any:
    return client.post(reverse("second-factor"), {"code": code})


def guess_until_locked() -> Any:
    answers = [give_password(Client(), "guess") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert "Too many tries. Wait 15 min" in answers[-1].content.decode()
    return answers[-1]


# --- Two factors


def test_between_password_and_code_nothing_is_open(paul: User) -> None:
    client = halfway()

    for address in (INDEX, reverse("account"), reverse("admin:patients_patient_changelist")):
        assert client.get(address).url.startswith(reverse("admin:login"))
    assert client.get("/api/v1/me").status_code == 401


def test_who_has_no_second_factor_enrols_before_anything_else(paul: User) -> None:
    Factor.objects.all().delete()
    client = Client()
    assert give_password(client).url == reverse("enrol")

    assert client.get(INDEX).status_code == 302
    assert client.post(reverse("enrol"), {"code": "000000"}).status_code == 200
    assert client.get(INDEX).status_code == 302
    assert not Factor.objects.exists()


def test_who_has_one_can_not_enrol_another_on_a_password_alone(paul: User) -> None:
    client = halfway()

    assert client.post(reverse("enrol"), {"code": "000000"}).url == reverse("second-factor")
    assert Factor.objects.count() == 1


class Stronger(hashers.PBKDF2PasswordHasher):
    """What the next release hashes with."""

    iterations = 2


def test_a_password_hashed_by_an_earlier_release_opens_and_is_hashed_anew(paul: User, settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Stronger", *settings.PASSWORD_HASHERS]

    assert give_password(Client(), "guess").status_code == 200
    client = halfway()
    paul.refresh_from_db()
    assert paul.password.startswith("pbkdf2_sha256$2$")
    assert confirm(client, code_of(paul)).status_code == 302
    assert client.get(INDEX).status_code == 200


def test_a_code_works_once(paul: User) -> None:
    code = code_of(paul)
    assert confirm(halfway(), code).status_code == 302
    assert confirm(halfway(), code).status_code == 200


def test_a_recovery_code_works_once(paul: User) -> None:
    code = new_recovery_codes(user=paul, now=NOW)[0].upper()
    assert confirm(halfway(), code).status_code == 302
    assert confirm(halfway(), code).status_code == 200


def test_a_recovery_code_has_128_random_bits_and_can_be_typed(paul: User) -> None:
    codes = new_recovery_codes(user=paul, now=NOW)
    assert all(re.fullmatch(r"([a-z2-7]{4}-){6}[a-z2-7]{2}", code) for code in codes)  # 26 of 5 bits each
    assert len({code[:4] for code in codes}) > 1


def test_the_password_is_good_for_ten_minutes(paul: User, clock: time_machine.Traveller) -> None:
    client = halfway()
    clock.shift(timedelta(minutes=10, seconds=1))

    assert "why=slow" in confirm(client, code_of(paul)).url


def test_secrets_are_not_readable_in_the_database(paul: User) -> None:
    codes = new_recovery_codes(user=paul, now=NOW)
    stored = b"".join(bytes(factor.secret) for factor in Factor.objects.all())

    assert secrets.decrypt(Factor.objects.get(kind="totp").secret).encode() not in stored
    assert not any(code.replace("-", "").encode() in stored for code in codes)


def test_factors_are_seen_by_their_user_alone(paul: User) -> None:
    others = (Tenant(), Tenant(tuple(paul.clinic_ids), user=paul.pk + 1), Tenant(platform=True))
    for tenant, seen in [*((other, 0) for other in others), (Tenant(user=paul.pk), 1)]:
        with enforced(), acting_for(tenant):
            assert Factor.objects.count() == seen
            if not seen:
                assert Factor.objects.update(label="x") == 0


def test_what_takes_a_way_in_away_asks_first(paul: User) -> None:
    page = signed_in(paul).get(reverse("account")).content.decode()
    for action in (reverse("account-remove", args=[Factor.objects.get().pk]), reverse("account-recovery")):
        before = page[: page.index(f'action="{action}"')]
        assert before.count("<details") == before.count("</details") + 1


def test_an_app_keeps_the_name_it_was_given(paul: User) -> None:
    client = signed_in(paul)
    secret = client.get(reverse("account-add")).context["secret"].replace(" ", "")
    body = {"code": totp_code(secret, now=NOW), "label": "Attic tablet"}
    assert client.post(reverse("account-add"), body).status_code == 302
    assert "Attic tablet" in client.get(reverse("account")).content.decode()
    assert "A second factor was added: Attic tablet." in OutboxMessage.objects.get().text


def test_the_only_factor_stays(paul: User) -> None:
    client = signed_in(paul)
    factor = Factor.objects.get()
    client.post(reverse("account-remove", args=[factor.pk]))
    assert Factor.objects.filter(pk=factor.pk).exists()
    other = make_user("o@example.org", clinic=make_clinic())
    give_app(other)
    answer = client.post(reverse("account-remove", args=[Factor.objects.get(user=other).pk]))
    assert (answer.status_code, Factor.objects.filter(user=other).count()) == (404, 1)


def test_changing_factors_asks_for_a_fresh_sign_in(paul: User, clock: time_machine.Traveller) -> None:
    client = signed_in(paul)
    assert client.get(reverse("account")).status_code == 200
    clock.shift(timedelta(minutes=16))

    refused = client.post(reverse("account-recovery"))
    assert "why=confirm" in refused.url
    assert not Factor.objects.filter(kind="recovery").exists()


# --- Limits


def test_five_wrong_passwords_lock_the_account_and_one_mail_says_so(
    paul: User, clock: time_machine.Traveller
) -> None:
    assert guess_until_locked()["Retry-After"] == "900"
    assert give_password(Client()).status_code == 429  # the right one too
    assert [mail.to_email for mail in OutboxMessage.objects.all()] == ["paul@example.org"]
    clock.shift(timedelta(minutes=15))
    assert give_password(Client()).status_code == 302

    guess_until_locked()
    assert OutboxMessage.objects.count() == 1  # one a day


def test_five_wrong_codes_lock_the_second_step(paul: User) -> None:
    client = halfway()
    answers = [confirm(client, "000000") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert answers[-1]["Retry-After"] == "900"
    assert confirm(halfway(), code_of(paul)).status_code == 429
    mail = OutboxMessage.objects.get()
    assert mail.kind == "account_locked_codes"
    for body in (mail.text, mail.html):
        assert "Somebody who knows your password tried wrong codes" in body
        assert reverse("admin:password_change") in body
        assert reverse("password-reset") not in body


def test_a_new_password_lifts_the_lock_as_the_mail_says(paul: User) -> None:
    guess_until_locked()
    mail = OutboxMessage.objects.get()
    assert "A new password lifts the lock at once." in mail.text
    assert set_password(link()).status_code == 302
    assert give_password(Client(), "another long one 7").status_code == 302


def test_a_recovery_code_works_once_and_its_use_is_told(paul: User) -> None:
    code = new_recovery_codes(user=paul, now=NOW)[3]
    assert confirm(halfway(), code).status_code == 302
    mail = OutboxMessage.objects.get(kind="account_changed")
    assert "A recovery code was used to sign in: 9 codes left." in mail.text
    again = confirm(halfway(), code)
    assert "This recovery code was used before. Take another." in again.content.decode()
    assert OutboxMessage.objects.count() == 1
    assert "9 unused codes left" in signed_in(paul).get(reverse("account")).content.decode()


def test_who_signs_out_reads_our_words_and_a_way_back(paul: User) -> None:
    page = signed_in(paul).post(reverse("admin:logout")).content.decode()
    assert "You are signed out on this device." in page
    assert "quality time" not in page
    assert f'href="{reverse("admin:login")}"' in page


def test_a_right_password_counts_for_nothing(paul: User, settings: Any) -> None:
    settings.SIGN_IN_TRIES_BY_ADDRESS = 5
    for _ in range(8):
        assert confirm(halfway(), code_of(paul)).status_code == 302


def test_one_address_can_not_try_every_account(paul: User, settings: Any) -> None:
    settings.SIGN_IN_TRIES_BY_ADDRESS = 5
    answers = [give_password(Client(), email=f"p{n}@example.org") for n in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert give_password(Client(), REMOTE_ADDR="10.0.0.9").status_code == 302


def test_without_the_cache_tries_are_counted_all_the_same(paul: User, settings: Any) -> None:
    backend = settings.CACHES["default"]["BACKEND"]
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    guess_until_locked()
    codes = [Device().post("auth/code", {"email": "x@example.org"}) for _ in range(11)]
    assert [code.status_code for code in codes] == [202] * 10 + [429]
    assert codes[-1]["Retry-After"] == "3600"


def test_who_is_locked_out_by_wrong_passkeys_is_told(paul: User) -> None:
    client = halfway()
    answers = [client.post(reverse("second-factor"), {"passkey": "{}"}).status_code for _ in range(5)]
    assert answers == [200] * 4 + [429]
    mail = OutboxMessage.objects.get()
    assert (mail.kind, mail.to_email) == ("account_locked_codes", "paul@example.org")


def test_a_tally_names_nobody(paul: User) -> None:
    give_password(Client(), "guess")
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in Tally.objects.values_list("key", flat=True))


# --- What a stranger can't tell apart


def seen_of(ask: Callable[[str], Any], email: str, monkeypatch: Any) -> tuple[Any, ...]:
    """Status, headers, cookies and body; statements and hashings."""
    hashed: list[str] = []
    encode = hashers.MD5PasswordHasher.encode
    with (
        monkeypatch.context() as patch,
        CaptureQueriesContext(
            connection,
        ) as queries,
    ):
        patch.setattr(
            hashers.MD5PasswordHasher, "encode", lambda *a, **k: (hashed.append("x"), encode(*a, **k))[1]
        )
        answer = ask(email)
    body = re.sub(rb'csrfmiddlewaretoken" value="\w+"', b"", answer.content).replace(email.encode(), b"")
    headers = {
        name: value
        for name, value in answer.items()
        if name not in ("Date", "Content-Length", "X-Request-ID")
    }
    cookies = {name: dict(morsel) | {"value": len(morsel.value)} for name, morsel in answer.cookies.items()}
    statements = [query["sql"].replace("ROLLBACK TO", "RELEASE") for query in queries]
    shapes = [re.sub(r"'[^']*'|\d+|\"s\d+_x\d+\"", "?", statement)[:60] for statement in statements]
    return answer.status_code, headers, cookies, body, len(hashed), shapes


def ask_for_link(email: str) -> Any:
    return Client().post(reverse("password-reset"), {"email": email})


def ask_for_code(email: str) -> Any:
    return Device().post("auth/code", {"email": email})


QUESTIONS: dict[str, Callable[[str], Any]] = {
    "password": lambda email: give_password(Client(), "guess", email),
    "reset": ask_for_link,
    "code": ask_for_code,
}


@pytest.mark.parametrize("question", list(QUESTIONS))
def test_an_unknown_e_mail_answers_and_costs_as_a_known_one(
    paul: User, monkeypatch: Any, question: str
) -> None:
    patient = make_patient(email="paula@example.org")
    log_in(patient)
    known = {"code": "paula@example.org"}.get(question, "paul@example.org")
    ask = QUESTIONS[question]
    ask("warm@example.org")

    first = seen_of(ask, known, monkeypatch)
    assert seen_of(ask, "nobody@example.org", monkeypatch) == first
    assert not OutboxMessage.objects.filter(to_email__startswith="nobody").exists()
    assert first[4] == (1 if question == "password" else 0)
    assert seen_of(ask, known, monkeypatch)[5] == first[5]
    if question == "password":
        User.objects.update(is_active=False)
        assert seen_of(ask, known, monkeypatch) == first


def test_a_locked_stranger_looks_like_a_locked_member(paul: User, monkeypatch: Any) -> None:
    ask = QUESTIONS["password"]
    answers = [
        [seen_of(ask, email, monkeypatch) for _ in range(6)]
        for email in ("paul@example.org", "nobody@example.org")
    ]
    assert answers[0] == answers[1]
    assert [mail.to_email for mail in OutboxMessage.objects.all()] == ["paul@example.org"]


# --- Forgotten password


def link() -> str:
    ask_for_link("Paul@example.org")
    mail = OutboxMessage.objects.filter(kind="password_reset").latest("pk")
    assert mail.to_email == "paul@example.org"
    return secrets.decrypt(mail.secret)


def set_password(secret: str, password: str = "another long one 7") -> Any:
    return Client().post(reverse("password-reset-new"), {"secret": secret, "password": password})


def test_a_link_sets_the_password_once_and_ends_every_session(paul: User) -> None:
    inside, secret = signed_in(paul), link()
    assert Client().get(reverse("password-reset-new")).status_code == 200  # a scanner looks
    assert set_password(secret, "short").status_code == 200

    assert "why=reset" in set_password(secret).url
    assert set_password(secret, "a third long one 8").status_code == 200
    assert give_password(Client(), "another long one 7").url == reverse("second-factor")
    assert "why=ended" in inside.get(INDEX).url


def test_a_link_dies_after_an_hour(paul: User, clock: time_machine.Traveller) -> None:
    secret = link()
    clock.shift(timedelta(minutes=60, seconds=1))
    assert set_password(secret).status_code == 200
    assert give_password(Client()).status_code == 302


@pytest.mark.parametrize("secret", ["", "x", "1.x", "9" * 60 + ".x", "1.", "\x00.x"])
def test_a_made_up_link_is_refused(paul: User, secret: str) -> None:
    assert set_password(secret).status_code == 200
    assert give_password(Client()).status_code == 302


# --- The end of a session


ENDED = {
    "disabled": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "left": lambda user: Membership.objects.filter(user=user).update(is_active=False),
    "other role": lambda user: Membership.objects.filter(user=user).update(role=Role.ASSISTANT),
    "other clinic": lambda user: Membership.objects.filter(user=user).update(clinic=make_clinic()),
    "clinic closed": lambda user: type(user.memberships.get().clinic).objects.update(is_active=False),
    "no staff any more": lambda user: User.objects.filter(pk=user.pk).update(is_staff=False),
}


@pytest.mark.parametrize("how", list(ENDED))
def test_who_is_disabled_or_moved_is_out_at_the_next_request(paul: User, how: str) -> None:
    client = signed_in(paul)
    assert client.get(INDEX).status_code == 200
    ENDED[how](paul)

    assert client.get(INDEX).url == "/admin/login/?why=ended&next=%2Fadmin%2F"


def test_signing_out_everywhere_leaves_this_session_alone(paul: User) -> None:
    here, there = signed_in(paul), signed_in(paul)
    assert here.post(reverse("account-sign-out")).status_code == 302

    assert here.get(INDEX).status_code == 200
    assert "why=ended" in there.get(INDEX).url


def test_a_changed_password_ends_the_other_sessions(paul: User) -> None:
    here, there = signed_in(paul), signed_in(paul)
    new = {
        "old_password": PASSWORD,
        "new_password1": "another long one 7",
        "new_password2": "another long one 7",
    }
    assert here.post(reverse("admin:password_change"), new).status_code == 302

    assert here.get(INDEX).status_code == 200
    assert "why=ended" in there.get(INDEX).url


def change_password(client: Client, old: str, new: str = "another long one 7") -> Any:
    body = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(reverse("admin:password_change"), body)


def test_a_changed_password_is_mailed_to_the_account(paul: User) -> None:
    assert change_password(signed_in(paul), PASSWORD).status_code == 302

    mail = OutboxMessage.objects.get()
    assert (mail.kind, mail.to_email) == ("account_changed", "paul@example.org")
    assert "Your password was changed." in mail.text


def test_a_changed_factor_is_mailed_with_its_name_its_time_and_address_and_what_to_do(paul: User) -> None:
    Clinic.objects.update(timezone="Asia/Tokyo")
    secret = new_totp_secret()
    factor = add_totp(user=paul, secret=secret, label="<Attic> tablet", step=0, now=NOW)
    signed_in(paul).post(reverse("account-remove", args=[factor.pk]), REMOTE_ADDR="203.0.113.7")

    mail = OutboxMessage.objects.get()
    for body, name in ((mail.text, "<Attic> tablet"), (mail.html, "&lt;Attic&gt; tablet")):
        assert f"A second factor was removed: {name}." in body
        assert "Monday 2 March 2026, 18:00 (JST)" in body
        assert "203.0.113.7" in body
        assert "then remove what you don't know under" in body.lower()
        assert "/admin/account/" in body
        assert "make new recovery codes" in body


def test_a_reset_from_elsewhere_is_mailed_with_its_address(paul: User) -> None:
    body = {"secret": link(), "password": "another long one 7"}
    Client().post(reverse("password-reset-new"), body, REMOTE_ADDR="198.51.100.9")
    mail = OutboxMessage.objects.get(kind="account_changed")
    assert "Your password was set anew." in mail.text
    assert "From the address 198.51.100.9" in mail.text


def test_guesses_of_the_old_password_are_counted_as_at_the_door(
    paul: User, clock: time_machine.Traveller
) -> None:
    client = signed_in(paul)
    answers = [change_password(client, "guess") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert answers[-1]["Retry-After"] == "900"
    assert change_password(client, PASSWORD).status_code == 429
    assert give_password(Client()).status_code == 429
    assert OutboxMessage.objects.get().kind == "account_locked"
    clock.shift(timedelta(minutes=15))
    assert change_password(client, PASSWORD).status_code == 302


def test_guesses_of_the_old_password_count_for_the_address(paul: User, settings: Any) -> None:
    settings.SIGN_IN_TRIES_BY_ADDRESS = 5
    client = signed_in(paul)
    assert [change_password(client, "guess").status_code for _ in range(4)] == [200] * 4
    assert give_password(Client(), email="p@example.org").status_code == 200
    assert give_password(Client(), email="q@example.org").status_code == 429


def test_one_network_is_one_address_for_staff_and_patients(paul: User, settings: Any) -> None:
    settings.SIGN_IN_TRIES_BY_ADDRESS = 5
    answers = [
        give_password(Client(), email=f"p{n}@example.org", REMOTE_ADDR=f"2001:db8::{n}") for n in range(6)
    ]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert give_password(Client(), REMOTE_ADDR="2001:db8:0:1::1").status_code == 302
    codes = [
        Device().post("auth/code", {"email": f"p{n}@example.org"}, REMOTE_ADDR=f"2001:db8::{n}").status_code
        for n in range(31)
    ]
    assert codes == [202] * 30 + [429]


def test_a_session_ends_after_half_an_hour_without_use_and_says_so(
    paul: User, clock: time_machine.Traveller
) -> None:
    client = signed_in(paul)
    for _ in range(3):
        clock.shift(timedelta(minutes=29))
        assert client.get(INDEX).status_code == 200
    clock.shift(timedelta(minutes=30))
    page = reverse("admin:patients_patient_changelist") + "?q=x"

    out = client.get(page)
    assert "why=idle" in out.url
    login = client.get(out.url)
    assert "nothing was done for 30 minutes" in login.content.decode()
    body = {"username": "paul@example.org", "password": PASSWORD, "next": page}
    client.post(reverse("admin:login"), body)
    assert confirm(client, code_of(paul)).url == page


def test_a_session_ends_after_twelve_hours_of_use(paul: User, clock: time_machine.Traveller) -> None:
    client = signed_in(paul)
    answers = []
    for _ in range(29):
        clock.shift(timedelta(minutes=25))
        answers.append(client.get(reverse("admin:clinic_membership_me")))
    assert all("member=" in answer.url for answer in answers[:28])
    assert "why=age" in answers[28].url


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_way_on_stays_within_the_service(paul: User, target: str) -> None:
    client = Client()
    client.post(
        reverse("admin:login"), {"username": "paul@example.org", "password": PASSWORD, "next": target}
    )
    assert confirm(client, code_of(paul)).url == INDEX


def test_a_session_that_went_past_the_second_factor_is_none(paul: User) -> None:
    client = Client()
    client.force_login(paul)
    assert "why=ended" in client.get(INDEX).url


# --- Commands


def run(command: str, email: str) -> str:
    out = StringIO()
    call_command(command, email, stdout=out)
    return out.getvalue().strip()


def test_demo_code_tells_the_code_of_a_simulated_clinics_staff(paul: User) -> None:
    paul.memberships.get().clinic.__class__.objects.update(simulated=True)
    Factor.objects.update(for_demo=True)
    assert confirm(halfway(), run("demo_code", "Paul@example.org")).status_code == 302


@pytest.mark.parametrize("who", ["nobody@example.org", "paul@example.org", "op@example.org"])
def test_demo_code_tells_no_real_code(paul: User, who: str) -> None:
    give_app(make_operator(email="op@example.org"))
    Factor.objects.filter(user=paul).update(for_demo=True)  # but the clinic is real
    with pytest.raises(CommandError):
        run("demo_code", who)


def test_who_lost_everything_enrols_anew(paul: User) -> None:
    run("forget_factors", "paul@example.org")
    assert give_password(Client()).url == reverse("enrol")
    mail = OutboxMessage.objects.get()
    assert mail.kind == "account_changed"
    assert "By who runs the service" in mail.text
    with pytest.raises(CommandError):
        run("forget_factors", "nobody@example.org")
