"""Clinic pages of the admin: log-in, staff, policy, outbox."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic import outbox
from clinic.models import Clinic, ClinicPolicy, Membership, OutboxMessage, User
from clinic.roles import Role
from clinic.thresholds import FIELDS
from patients.models import Episode
from tests.factories import make_case, make_clinic, make_operator, make_user
from tests.staff import code_of, give_app, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic(name="Own clinic")


@pytest.fixture
def owner(clinic: Clinic) -> User:
    return make_user("owner@example.org", Role.OWNER, clinic)


def client_of(user: User) -> Client:
    return signed_in(user)


def test_staff_log_in_with_email_password_and_code(clinic: Clinic) -> None:
    paul = make_user("paul@example.org", Role.PHYSIO, clinic, password="a long enough one")
    give_app(paul)
    client = Client()
    first = client.get(reverse("admin:index"))
    assert first.url.startswith(reverse("admin:login"))

    wrong = client.post(first.url, {"username": "paul@example.org", "password": "guess"})
    assert wrong.status_code == 200
    right = client.post(first.url, {"username": "Paul@example.org", "password": "a long enough one"})
    assert (right.status_code, right.url) == (302, reverse("second-factor"))
    assert client.get(reverse("admin:index")).status_code == 302
    inside = client.post(right.url, {"code": code_of(paul)})
    assert (inside.status_code, inside.url) == (302, reverse("admin:index"))
    assert client.get(reverse("admin:index")).status_code == 200


def test_a_patients_login_does_not_open_the_admin(clinic: Clinic) -> None:
    patient_login = make_user(role=None)

    assert client_of(patient_login).get(reverse("admin:index")).status_code == 302


@pytest.mark.parametrize("page", ["x", "", "0", "-1", "1.5", "999", "9" * 5000, "\u00b2"])
def test_a_search_page_that_is_not_there_is_not_found(owner: User, page: str) -> None:
    answer = client_of(owner).get(reverse("admin:search"), {"s": "patient", "page": page})

    assert answer.status_code == 404


def test_the_search_answers_staff_and_sends_others_to_the_log_in(owner: User) -> None:
    query = {"s": "patient", "page": "1"}

    assert client_of(owner).get(reverse("admin:search"), query).status_code == 200
    assert Client().get(reverse("admin:search"), query).status_code == 302


# --- policy


def policy_form(client: Client, clinic: Clinic) -> dict[str, Any]:
    """The policy page as the browser would post it back unchanged."""
    form = client.get(policy_page(clinic)).context["form"]
    data = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in data.items() if value not in (False, None)}


def policy_page(clinic: Clinic) -> str:
    return reverse("admin:clinic_clinicpolicy_change", args=[clinic.pk])


def test_the_policy_shows_every_threshold_with_default_unit_source_and_positions(
    clinic: Clinic, owner: User
) -> None:
    html = client_of(owner).get(policy_page(clinic)).content.decode()

    assert all(f'name="{key}"' in html for key in FIELDS)
    for text in ("Stalled from week", "Default 8", "Source: Crossley 2004", "S2: 7; S0: none", "NPRS"):
        assert text in html


def test_only_what_differs_from_the_defaults_is_kept(clinic: Clinic, owner: User) -> None:
    client = client_of(owner)
    changes = {
        "stalled_week": "9",
        "check_in_weekdays": ["2", "6"],
        "digest_full_names": "on",
        "own_cases_only": "on",
    }

    answer = client.post(policy_page(clinic), policy_form(client, clinic) | changes)

    assert answer.status_code == 302, answer.context["form"].errors
    policy = ClinicPolicy.objects.get()
    assert policy.overrides == {"stalled_week": 9, "check_in_weekdays": [2, 6], "digest_full_names": True}
    assert (policy.own_cases_only, policy.updated_by) == (True, owner)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("stalled_week", "99", "must be between 1 and 52"),
        ("stalled_week", "5", "must be above 'Stalling from week'"),
        ("success_drop", "0", "must be between 0.1 and 10"),
        ("success_drop", "NaN", "Enter a number."),
        ("green_max", "7", "must be above"),
        ("check_in_time", "25:00", "Enter a valid time."),
        ("watch_week", "", "This field is required."),
    ],
)
def test_a_value_out_of_range_or_order_is_refused_beside_its_field(
    clinic: Clinic, owner: User, key: str, value: str, message: str
) -> None:
    client = client_of(owner)
    field = "amber_max" if key == "green_max" else key

    answer = client.post(policy_page(clinic), policy_form(client, clinic) | {key: value})

    assert message in answer.context["form"].errors[field][0]
    assert ClinicPolicy.objects.get().overrides == {}


@pytest.mark.parametrize("role", [Role.PHYSIO, Role.ASSISTANT])
def test_only_an_owner_opens_or_changes_the_policy(clinic: Clinic, owner: User, role: Role) -> None:
    data = policy_form(client_of(owner), clinic) | {"stalled_week": "9"}
    client = client_of(make_user(role=role, clinic=clinic))

    assert client.get(policy_page(clinic)).status_code == 403
    assert client.post(policy_page(clinic), data).status_code == 403
    assert ClinicPolicy.objects.get().overrides == {}


def test_another_clinics_policy_answers_like_a_missing_one(clinic: Clinic, owner: User) -> None:
    other = make_clinic()
    data = policy_form(client_of(owner), clinic) | {"stalled_week": "9"}

    answers = [
        client_of(owner).post(page, data) for page in (policy_page(other), policy_page(Clinic(pk=10**6)))
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert ClinicPolicy.objects.get(clinic=other).overrides == {}


# --- staff

NEW = {"email": "nora@example.org", "name": "Nora New", "role": "physio"}
ADD = "admin:clinic_membership_add"


def member_page(member: Membership) -> str:
    return reverse("admin:clinic_membership_change", args=[member.pk])


def test_an_owner_adds_a_member_whose_password_only_they_choose(clinic: Clinic, owner: User) -> None:
    answer = client_of(owner).post(reverse(ADD), NEW | {"password": "typed by the owner"}, follow=True)

    assert "Nora New is now physio. The way in is on its way to nora@example.org." in answer.content.decode()
    nora = User.objects.get(email="nora@example.org")
    assert (nora.is_staff, nora.is_operator, nora.has_usable_password()) == (True, False, False)
    assert Membership.objects.get(user=nora).role == Role.PHYSIO


def test_a_colleague_of_another_clinic_keeps_their_password(owner: User) -> None:
    nora = make_user("nora@example.org", Role.OWNER, make_clinic(), password="her own password")

    client_of(owner).post(reverse(ADD), NEW)

    nora.refresh_from_db()
    assert nora.check_password("her own password")
    assert nora.memberships.count() == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "owner@example.org"}, "email"),
        ({"email": "no address"}, "email"),
        ({"role": "king"}, "role"),
    ],
)
def test_a_mistake_is_named_and_nobody_is_added(owner: User, change: dict[str, str], field: str) -> None:
    answer = client_of(owner).post(reverse(ADD), NEW | change)

    assert answer.context["form"].errors[field]
    assert User.objects.count() == 1


def test_no_clinic_makes_an_operator_its_staff(clinic: Clinic, owner: User) -> None:
    operator = make_operator(email="nora@example.org", password="her own password")
    answer = client_of(owner).post(reverse(ADD), NEW)

    said = answer.context["form"].errors["email"]
    assert said == ["This address can't be added. Choose another one."]
    assert not Membership.objects.filter(user=operator).exists()
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_who_has_not_signed_in_since_they_were_added_is_called_so_and_treats_no_case(
    clinic: Clinic, owner: User, elsewhere: bool
) -> None:
    """Whether they have a login elsewhere is not for the clinic to see."""
    if elsewhere:
        make_user("nora@example.org", clinic=make_clinic(), password="her own password")
    client_of(owner).post(reverse(ADD), NEW)
    nora = User.objects.get(email="nora@example.org")

    staff_list = client_of(owner).get(reverse("admin:clinic_membership_changelist")).content.decode()
    assert staff_list.count("Not signed in yet") == 1
    form = client_of(owner).get(reverse("admin:patients_patient_add")).context["form"]
    assert list(form.fields["clinician"].queryset) == [owner]
    nora.set_password("her own password")
    nora.save()
    give_app(nora)
    client = Client()
    client.post(reverse("admin:login"), {"username": nora.email, "password": "her own password"})
    client.post(reverse("second-factor"), {"code": code_of(nora)})
    form = client_of(owner).get(reverse("admin:patients_patient_add")).context["form"]
    assert set(form.fields["clinician"].queryset) == {owner, nora}


def test_who_leaves_hands_their_cases_over_on_the_same_page(clinic: Clinic, owner: User) -> None:
    piet, anna = make_user(clinic=clinic, name="Piet"), make_user(clinic=clinic, name="Anna")
    cases = [make_case(clinic, clinician=piet) for _ in range(2)]
    Membership.objects.filter(user=owner).update(cover=piet)
    member = Membership.objects.get(user=piet)
    form = client_of(owner).get(member_page(member)).context["form"]
    assert form.fields["hand_over_to"].help_text.startswith("2 open cases.")
    assert set(form.fields["hand_over_to"].queryset) == {owner, anna}

    refused = client_of(owner).post(member_page(member), {"role": "physio"})
    assert "choose who treats them" in refused.context["form"].errors["hand_over_to"][0]
    member.refresh_from_db()
    assert member.is_active

    data = {"role": "physio", "hand_over_to": anna.pk}
    done = client_of(owner).post(member_page(member), data, follow=True).content.decode()
    assert "Anna treats their cases now." in done
    assert f"{owner} has no cover any more" in done
    assert {case.clinician_id for case in Episode.objects.filter(pk__in=[c.pk for c in cases])} == {anna.pk}


def test_the_last_owner_stays(clinic: Clinic, owner: User) -> None:
    member = Membership.objects.get(user=owner)

    answer = client_of(owner).post(member_page(member), {"role": "physio", "is_active": "on"})

    assert "needs an owner" in answer.context["form"].errors["role"][0]
    member.refresh_from_db()
    assert member.role == Role.OWNER


def test_cover_and_digest_are_the_members_own_to_set(clinic: Clinic, owner: User) -> None:
    physio, cover = make_user(clinic=clinic), make_user(clinic=clinic)
    member = Membership.objects.get(user=physio)
    mine = f"{reverse('admin:clinic_membership_me')}?member={member.pk}"
    data = {"cover": cover.pk, "digest_weekday": "3", "digest_time": "08:30", "role": "owner"}

    assert client_of(cover).post(mine, data).status_code == 404
    client_of(physio).post(mine, data)

    member.refresh_from_db()
    assert (member.cover, member.digest_weekday, f"{member.digest_time:%H:%M}") == (cover, 3, "08:30")
    assert member.role == Role.PHYSIO


@pytest.mark.parametrize("role", [Role.PHYSIO, Role.ASSISTANT])
def test_only_an_owner_changes_staff(clinic: Clinic, owner: User, role: Role) -> None:
    client = client_of(make_user(role=role, clinic=clinic))
    member = Membership.objects.get(user=owner)

    assert client.post(reverse(ADD), NEW).status_code == 403
    assert client.post(member_page(member), {"role": "assistant"}).status_code == 403
    assert not User.objects.filter(email="nora@example.org").exists()
    member.refresh_from_db()
    assert member.role == Role.OWNER


def test_another_clinics_member_is_not_found(owner: User) -> None:
    stranger = make_user(clinic=make_clinic())
    member = Membership.objects.get(user=stranger)

    assert client_of(owner).post(member_page(member), {"role": "owner", "is_active": "on"}).status_code == 404
    member.refresh_from_db()
    assert member.role == Role.PHYSIO


# --- outbox


def mail_of(clinic: Clinic | None) -> OutboxMessage:
    outbox.put(
        clinic=clinic,
        kind="invitation",
        dedupe_key=f"test:{clinic}",
        to_email="patient@example.org",
        subject="Your invitation",
        text=f"Hello Robin, {outbox.PLACEHOLDER}",
        html=f"<p>Hello Robin</p><script>alert(1)</script>{outbox.PLACEHOLDER}",
        secret="very-secret-token",
        now=timezone.now(),
    )
    return OutboxMessage.objects.get(dedupe_key=f"test:{clinic}")


def mail_page(message: OutboxMessage) -> str:
    return reverse("admin:clinic_outboxmessage_change", args=[message.pk])


MAILS = "admin:clinic_outboxmessage_changelist"


def test_an_owner_previews_a_mail_masked_and_in_a_sandbox(clinic: Clinic, owner: User) -> None:
    message = mail_of(clinic)
    html = client_of(owner).get(mail_page(message)).content.decode()

    assert "Hello Robin" in html
    assert outbox.MASK in html
    assert "very-secret-token" not in html
    assert outbox.PLACEHOLDER not in html
    assert '<iframe class="kc-mail" title="The e-mail as HTML" sandbox=""' in html
    assert "<script>alert(1)</script>" not in html
    assert "patient@example.org" in client_of(owner).get(reverse(MAILS)).content.decode()


def test_an_operator_sees_states_of_all_mails_and_nothing_else(clinic: Clinic) -> None:
    message = mail_of(clinic)
    OutboxMessage.objects.update(last_error="SMTPRecipientsRefused: 550 <patient@example.org> unknown")
    client = client_of(make_operator())

    rows = client.get(reverse(MAILS)).content.decode()
    page = client.get(mail_page(message))

    assert "Invitation" in rows
    assert "Waiting" in rows
    assert "550 [address] unknown" in rows
    for hidden in ("patient@example.org", "Hello Robin", "Your invitation"):
        assert hidden not in rows
    assert page.status_code == 404


@pytest.mark.parametrize("role", [Role.PHYSIO, Role.ASSISTANT])
def test_nobody_else_reads_mails(clinic: Clinic, role: Role) -> None:
    message = mail_of(clinic)
    client = client_of(make_user(role=role, clinic=clinic))

    assert client.get(reverse(MAILS)).status_code == 403
    assert client.get(mail_page(message)).status_code == 404


def test_another_clinics_mail_is_not_seen(owner: User) -> None:
    message = mail_of(make_clinic())
    client = client_of(owner)

    assert "patient@example.org" not in client.get(reverse(MAILS)).content.decode()
    assert client.get(mail_page(message)).status_code == 404


# --- clinics


def test_an_owner_keeps_the_clinics_phone_and_cannot_switch_the_clinic_off(
    clinic: Clinic, owner: User
) -> None:
    page = reverse("admin:clinic_clinic_change", args=[clinic.pk])
    data = {"name": "Own clinic", "phone": "+31 20 1", "emergency_number": "112", "timezone": "Europe/Paris"}

    client_of(owner).post(page, data)

    clinic.refresh_from_db()
    assert (clinic.phone, clinic.timezone, clinic.is_active) == ("+31 20 1", "Europe/Paris", True)


@pytest.mark.parametrize(
    ("country", "typed", "called"),
    [("GB", "", "999"), ("NL", "", "112"), ("", "", "112"), ("GB", "112", "112")],
)
def test_the_emergency_number_is_the_countrys_unless_the_owner_says_another(
    clinic: Clinic, owner: User, country: str, typed: str, called: str
) -> None:
    page = reverse("admin:clinic_clinic_change", args=[clinic.pk])
    data = {"name": "Own clinic", "emergency_number": typed, "timezone": "Europe/London", "country": country}
    assert client_of(owner).post(page, data).status_code == 302
    clinic.refresh_from_db()
    assert clinic.emergency == called


def test_what_is_too_long_is_said_plainly(clinic: Clinic, owner: User) -> None:
    page = reverse("admin:clinic_clinic_change", args=[clinic.pk])
    data = {"name": "x" * 201, "timezone": "Europe/London"}
    answer = client_of(owner).post(page, data).content.decode()
    assert "At most 200 characters." in answer
    assert "Ensure" not in answer


def test_a_list_is_called_like_what_it_holds(owner: User) -> None:
    page = client_of(owner).get(reverse("admin:clinic_membership_changelist")).content.decode()
    assert re.search(r"<title>\s*Staff\b", page)


def test_an_operator_switches_a_clinic_off(clinic: Clinic) -> None:
    page = reverse("admin:clinic_clinic_change", args=[clinic.pk])

    client_of(make_operator()).post(page, {"name": "Own clinic"})

    clinic.refresh_from_db()
    assert (clinic.is_active, clinic.phone) == (False, "+31 20 555 0100")


def test_times_are_shown_on_the_clinics_clock(clinic: Clinic, owner: User) -> None:
    Clinic.objects.update(timezone="Pacific/Auckland")
    message = mail_of(clinic)
    OutboxMessage.objects.update(created_at="2026-03-02T23:30:00Z")

    assert "3 Mar 2026 12:30" in client_of(owner).get(mail_page(message)).content.decode()


# --- the own account

NEW_PASSWORD = "an even longer one"


@pytest.mark.parametrize("who", [*Role, "operator"])
def test_everybody_changes_their_own_password_from_the_menu(clinic: Clinic, who: str) -> None:
    old = "a long enough one"
    user = (
        make_operator(password=old) if who == "operator" else make_user(role=who, clinic=clinic, password=old)
    )
    client = client_of(user)
    page = reverse("admin:password_change")
    assert f'href="{page}"' in client.get(reverse("admin:index")).content.decode()
    assert client.get(page).status_code == 200

    given = {"old_password": "a guess", "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    refused = client.post(page, given)
    user.refresh_from_db()
    assert refused.context["form"].errors["old_password"]
    assert user.check_password(old)

    done = client.post(page, given | {"old_password": old})
    user.refresh_from_db()
    assert done.url == reverse("admin:password_change_done")
    assert user.check_password(NEW_PASSWORD)
    assert client.get(done.url).status_code == 200


def test_cover_and_digest_stay_in_the_menu_of_members_only(clinic: Clinic, owner: User) -> None:
    mine = f'href="{reverse("admin:clinic_membership_me")}"'

    assert mine in client_of(owner).get(reverse("admin:index")).content.decode()
    assert mine not in client_of(make_operator()).get(reverse("admin:index")).content.decode()
