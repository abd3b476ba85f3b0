"""What an operator may do at the command line."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from clinic.models import Factor, OutboxMessage, User
from tests.clinic.sign_in.door import confirm, give_password, halfway
from tests.factories import make_operator
from tests.staff import give_app

pytestmark = pytest.mark.django_db


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
