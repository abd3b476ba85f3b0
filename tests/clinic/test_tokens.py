"""Tokens of staff for the API: made after a fresh sign-in, shown once, ended with what they were made for."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.accounts.models import StaffToken
from clinic.accounts.tokens import MOST
from clinic.models import AuditEntry, Clinic, Membership, OutboxMessage, User
from clinic.roles import Role
from clinic.services import change_member
from tests.api import Tool, bare, problem_of
from tests.enforced import enforced
from tests.factories import make_case, make_clinic, make_user
from tests.staff import signed_in

pytestmark = pytest.mark.django_db

PAGE = "account-tokens"
ASKED = {"name": "Dashboard", "may": "read", "days": "30"}


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def physio(clinic: Clinic) -> User:
    return make_user(clinic=clinic)


def ask(client: Client, user: User, **changed: str) -> str:
    """Fill in the page's form; the page that comes back."""
    member = user.memberships.earliest("pk")
    response = client.post(reverse(PAGE), {"clinic": str(member.pk), **ASKED, **changed})
    assert response.status_code == 200
    return response.content.decode()


def text_in(page: str) -> str:
    found = re.search(r"staff_[\w-]{43}", page)
    assert found, page
    return found[0]


def works(text: str) -> bool:
    return Tool().get("token", Authorization=f"Token {text}").status_code == 200


def test_it_is_shown_once_stored_hashed_and_told_by_e_mail(physio: User) -> None:
    client = signed_in(physio)
    text = text_in(ask(client, physio))
    assert text not in client.get(reverse(PAGE)).content.decode()
    stored = StaffToken.objects.get()
    assert text not in "".join(str(getattr(stored, field.attname)) for field in stored._meta.concrete_fields)
    mail = OutboxMessage.objects.get(kind="account_changed")
    assert (mail.to_email, text in mail.text, "to read only: Dashboard" in mail.text) == (
        physio.email,
        False,
        True,
    )
    [entry] = AuditEntry.objects.filter(table_name="clinic_stafftoken", action="added")
    assert text not in str(entry.changes)
    assert works(text)
    assert "last used" in client.get(reverse(PAGE)).content.decode()


def test_it_takes_a_sign_in_of_a_moment_ago(physio: User) -> None:
    client = signed_in(physio)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        response = client.post(reverse(PAGE), ASKED)
    assert response.status_code == 302
    assert not StaffToken.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"days": "91"}, {"days": "0"}, {"name": " "}, {"may": "all"}, {"name": "x" * 61}],
)
def test_what_is_wrong_with_it_is_said_and_nothing_is_made(physio: User, wrong: dict[str, str]) -> None:
    assert "new token" not in ask(signed_in(physio), physio, **wrong)
    assert not StaffToken.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_who_works_for_two_clinics_chooses_and_no_clinic_of_others(physio: User) -> None:
    second = Membership.objects.create(clinic=make_clinic(), user=physio, role=Role.PHYSIO)
    other = Membership.objects.get(user=make_user(clinic=make_clinic()))
    ask(signed_in(physio), physio, clinic=str(other.pk))
    assert not StaffToken.objects.exists()
    ask(signed_in(physio), physio, clinic=str(second.pk))
    assert StaffToken.objects.get().clinic == second.clinic


def test_names_are_told_apart_and_there_are_not_too_many(physio: User) -> None:
    client = signed_in(physio)
    for number in range(MOST + 2):
        ask(client, physio, name=f"Tool {number % MOST}")
    assert StaffToken.objects.count() == MOST


def test_it_works_in_its_clinic_alone(physio: User, clinic: Clinic) -> None:
    elsewhere = make_clinic()
    Membership.objects.create(clinic=elsewhere, user=physio, role=Role.OWNER, arrived_at=timezone.now())
    own = make_case(clinic)
    foreign = make_case(elsewhere)
    tool = Tool(physio, clinic=clinic)
    with enforced():
        found = tool.get("cases").json()["results"]
        assert [row["id"] for row in found] == [own.pk]
        assert tool.get(f"cases/{foreign.pk}").status_code == 404
        assert tool.get("policy").status_code == 403  # a physio here, whatever elsewhere
        assert tool.get("token").json()["role"] == "physio"


def leave(user: User, by: User) -> None:
    member = Membership.objects.get(user=user)
    change_member(
        membership=member,
        by=by,
        role=member.role,
        is_active=False,
        cover=None,
        digest_weekday=None,
        digest_time=None,
    )


def test_it_ends_with_password_role_place_login_clinic_and_time(clinic: Clinic, physio: User) -> None:
    """By whatever way these change; and all answer as a token that never was."""
    never = bare(Tool().get("token", Authorization="Token staff_never"))
    changes = {
        "password": lambda: User.objects.filter(pk=physio.pk).update(password=make_password("another")),
        "role": lambda: Membership.objects.filter(user=physio).update(role="assistant"),
        "place": lambda: Membership.objects.filter(user=physio).update(is_active=False),
        "login": lambda: User.objects.filter(pk=physio.pk).update(is_active=False),
        "clinic": lambda: Clinic.objects.filter(pk=clinic.pk).update(is_active=False),
        "time": lambda: StaffToken.objects.update(expires_at=timezone.now()),
    }
    for what, change in changes.items():
        User.objects.filter(pk=physio.pk).update(is_active=True)
        Clinic.objects.filter(pk=clinic.pk).update(is_active=True)
        Membership.objects.filter(user=physio).update(is_active=True, role="physio")
        physio.refresh_from_db()
        tool = Tool(User.objects.get(pk=physio.pk))
        assert tool.get("token").status_code == 200, what
        change()
        refused = tool.get("token")
        assert (refused.status_code, bare(refused)) == (401, never), what


def test_one_that_ended_with_a_place_does_not_come_back_with_it(clinic: Clinic, physio: User) -> None:
    tool, owner = Tool(physio), make_user(clinic=clinic, role=Role.OWNER)
    leave(physio, owner)
    Membership.objects.filter(user=physio).update(is_active=True)
    assert tool.get("token").status_code == 401
    assert not StaffToken.objects.filter(user=physio).exists()


def test_revoked_it_opens_nothing_and_one_of_others_can_t_be_revoked(physio: User, clinic: Clinic) -> None:
    tool, colleague = Tool(physio), Tool(make_user(clinic=clinic))
    theirs = StaffToken.objects.exclude(user=physio).get()
    client = signed_in(physio)
    assert client.post(reverse("account-token-revoke", args=[theirs.pk])).status_code == 404
    assert colleague.get("token").status_code == 200
    assert (
        client.post(
            reverse("account-token-revoke", args=[StaffToken.objects.get(user=physio).pk])
        ).status_code
        == 302
    )
    assert tool.get("token").status_code == 401


def test_a_tool_may_end_its_own_token_even_one_that_only_reads(physio: User) -> None:
    tool = Tool(physio, writes=False)
    assert tool.delete("token").status_code == 204
    assert tool.get("token").status_code == 401


def test_one_that_only_reads_changes_nothing(physio: User, clinic: Clinic) -> None:
    case = make_case(clinic, clinician=physio)
    refused = Tool(physio, writes=False).post(f"cases/{case.pk}/contacts", {"kind": "call"})
    assert (refused.status_code, problem_of(refused)["detail"]) == (403, "This token may only read.")
    assert not case.contacts.exists()


def test_wrong_ones_are_counted_by_address_and_right_ones_go_on(physio: User, settings: object) -> None:
    settings.SIGN_IN_TRIES_BY_ADDRESS = 5  # type: ignore[attr-defined]
    tool = Tool(physio)
    answers = [Tool().get("cases", Authorization="Token staff_guess").status_code for _ in range(7)]
    assert answers == [401] * 5 + [429] * 2
    assert tool.get("cases").status_code == 200


def test_a_tool_that_runs_wild_is_slowed_down(physio: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinic.api.throttles.TokenThrottle.most", 3)
    tool = Tool(physio)
    answers = [tool.get("cases") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert tool.get("alerts").status_code == 429  # whatever it asks for
    assert Tool(physio).get("cases").status_code == 200


@pytest.mark.parametrize("token", ["patient", "session"])
def test_nothing_else_opens_the_staff_s_api(physio: User, clinic: Clinic, token: str) -> None:
    tool = Tool()
    if token == "session":
        tool.http = signed_in(physio)
    assert tool.get("cases").status_code == 401
