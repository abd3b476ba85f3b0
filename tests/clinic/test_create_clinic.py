from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clinic.models import Clinic, ClinicPolicy, Factor, Membership, OutboxMessage, User
from clinic.roles import Capability
from tests.factories import make_clinic, make_user
from tests.staff import give_app

pytestmark = pytest.mark.django_db

OPTIONS = {
    "slug": "riverside",
    "name": "Riverside Physio",
    "owner": "Anna@Example.org",
    "timezone": "Europe/Amsterdam",
}


def create(**options: Any) -> str:
    out = StringIO()
    call_command("create_clinic", stdout=out, **{**OPTIONS, **options})
    return out.getvalue()


def refused(**options: Any) -> list[str]:
    err = StringIO()
    with pytest.raises(CommandError, match=r"No clinic was created\."):
        call_command("create_clinic", stderr=err, **{**OPTIONS, **options})
    return err.getvalue().splitlines()


def test_a_clinic_and_an_owner_who_treats_and_can_log_in() -> None:
    out = create()

    clinic = Clinic.objects.get(slug="riverside")
    assert (clinic.name, clinic.timezone, clinic.simulated) == ("Riverside Physio", "Europe/Amsterdam", False)
    assert ClinicPolicy.objects.get(clinic=clinic).overrides == {}
    owner = User.objects.get(email="anna@example.org")
    assert owner.is_staff
    assert not owner.is_operator
    assert owner.may(Capability.MANAGE_CLINIC, clinic.pk)
    assert Membership.objects.clinicians().get(clinic=clinic).user == owner
    password = re.search(r"One-time password: (\S+)", out)
    assert password
    assert owner.check_password(password[1])


def test_two_passwords_differ() -> None:
    first = create()
    second = create(slug="hillside", owner="bo@example.org")

    assert first.split("password: ")[1] != second.split("password: ")[1]


def test_someone_who_logs_in_already_keeps_their_password() -> None:
    user = make_user("anna@example.org", clinic=make_clinic(), password="long-and-secret-7")

    out = create()

    user.refresh_from_db()
    assert user.check_password("long-and-secret-7")
    assert "password:" not in out
    assert user.memberships.count() == 2
    mail = OutboxMessage.objects.get()
    assert (mail.kind, mail.to_email, mail.clinic.slug) == ("staff_added", "anna@example.org", "riverside")


def test_a_login_with_which_nobody_works_any_more_gets_a_new_password() -> None:
    user = make_user("anna@example.org", clinic=make_clinic(), password="long-and-secret-7")
    give_app(user)
    user.memberships.update(is_active=False)

    out = create()

    user.refresh_from_db()
    assert not user.check_password("long-and-secret-7")
    assert user.check_password(out.split("password: ")[1].split()[0])
    assert not Factor.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_patients_login_without_a_password_gets_one() -> None:
    user = User.objects.create_user("anna@example.org")

    out = create()

    user.refresh_from_db()
    assert user.is_staff
    assert user.check_password(out.split("password: ")[1].split()[0])


def test_without_a_timezone_it_is_utc() -> None:
    call_command("create_clinic", slug="a", name="A", owner="a@example.org", stdout=StringIO())

    assert Clinic.objects.get().timezone == "UTC"


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ({"slug": "not a slug"}, "--slug: "),
        ({"timezone": "Mars/Olympus"}, "--timezone: 'Mars/Olympus' is not an IANA time zone"),
        ({"name": ""}, "--name: "),
        ({"owner": "nobody"}, "--owner: "),
        ({"owner": ""}, "--owner: "),
    ],
)
def test_a_bad_value_is_one_line_under_its_option_and_nothing_is_written(
    options: dict[str, str], start: str
) -> None:
    (line,) = refused(**options)

    assert line.startswith(start)
    assert not Clinic.objects.exists()
    assert not User.objects.exists()


def test_every_bad_value_has_its_line() -> None:
    assert len(refused(slug="not a slug", timezone="Mars/Olympus", owner="nobody")) == 3


def test_a_taken_slug_is_refused() -> None:
    create()

    assert refused(owner="bo@example.org")[0].startswith("--slug: ")
    assert Clinic.objects.count() == 1
    assert not User.objects.filter(email="bo@example.org").exists()
