"""Into the admin in a real browser: app, recovery code, passkey, and the pages on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic import secrets
from clinic.accounts.factors import totp_code
from clinic.accounts.joining import send_way_in
from clinic.models import Factor, OutboxMessage, User
from clinic.roles import Role
from clinic.row_security import Tenant, acting_for
from tests.factories import make_clinic, make_user

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "a long enough one"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def owner() -> User:
    return make_user("olivia@example.org", Role.OWNER, make_clinic(), password=PASSWORD, name="Olivia Owner")


@pytest.fixture
def problems(page: Page) -> list[str]:
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def give_password(page: Page, url: str) -> None:
    page.get_by_label("E-mail").fill("olivia@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_fresh_account_enrols_an_app_and_comes_back_by_a_recovery_code(
    page: Page, live_server: Any, owner: User, problems: list[str]
) -> None:
    page.set_viewport_size(PHONE)
    staff_page = live_server.url + reverse("admin:clinic_membership_changelist")
    page.goto(staff_page)
    assert fits(page)
    give_password(page, live_server.url)

    expect(page.get_by_role("img", name="To be scanned")).to_be_visible()
    assert fits(page)
    page.goto(staff_page)
    expect(page).to_have_url(
        f"{live_server.url}{reverse('admin:login')}?next={reverse('admin:clinic_membership_changelist')}"
    )

    give_password(page, live_server.url)
    page.get_by_text("Can't scan it?").click()
    secret = page.locator(".kc-key").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(totp_code(secret, now=timezone.now()))
    page.get_by_role("button", name="Use this app").click()

    codes = page.locator(".kc-codes li").all_inner_texts()
    assert len(codes) == 10
    assert fits(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").split() == codes
    page.evaluate("window.print = () => { document.title = 'printed' }")
    page.get_by_role("button", name="Print").click()
    expect(page).to_have_title("printed")
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(staff_page)

    page.context.clear_cookies()
    page.goto(staff_page)
    give_password(page, live_server.url)
    page.get_by_label("Code").fill(codes[3])
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(staff_page)
    assert Factor.objects.filter(kind="recovery", last_used_at=None).count() == 9
    assert secrets.decrypt(Factor.objects.get(kind="totp").secret) == secret
    assert problems == []


def test_a_passkey_is_added_and_opens_the_next_session(
    page: Page, live_server: Any, owner: User, problems: list[str]
) -> None:
    url = live_server.url.replace("127.0.0.1", "localhost")  # browsers know no passkeys for an IP address
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    page.goto(url + reverse("admin:index"))
    give_password(page, url)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("link", name="I have kept them").click()
    page.goto(url + reverse("account"))
    expect(page.get_by_text("Passkey", exact=True)).to_be_visible()

    page.context.clear_cookies()
    page.goto(url + reverse("account"))
    give_password(page, url)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(url + reverse("account"))
    assert Factor.objects.get(kind="passkey").last_used_at is not None
    assert problems == []


def test_a_forgotten_password_is_set_anew_from_the_link(
    page: Page, live_server: Any, owner: User, problems: list[str]
) -> None:
    page.goto(live_server.url + reverse("admin:login"))
    page.get_by_role("link", name="Forgotten your password?").click()
    page.get_by_label("E-mail").fill("olivia@example.org")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("An e-mail with a link is on its way")).to_be_visible()

    secret = secrets.decrypt(OutboxMessage.objects.get(kind="password_reset").secret)
    page.goto(f"{live_server.url}{reverse('password-reset-new')}#{secret}")
    expect(page).to_have_url(live_server.url + reverse("password-reset-new"))
    page.get_by_label("New password").fill("another long one 7")
    expect(page.get_by_text("You choose the password for")).to_be_hidden()
    page.get_by_label("Show the password").check()
    expect(page.get_by_label("New password")).to_have_attribute("type", "text")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("Your password is set.")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value("olivia@example.org")
    owner.refresh_from_db()
    assert owner.check_password("another long one 7")
    assert problems == []


def test_a_new_member_is_welcomed_by_the_clinic_under_their_e_mail(
    page: Page, live_server: Any, owner: User, problems: list[str]
) -> None:
    clinic = owner.memberships.get().clinic
    member = make_user("bo+new@example.org", Role.PHYSIO, clinic)
    member.set_unusable_password()
    member.save()
    with acting_for(Tenant((clinic.pk,), platform=True)):
        send_way_in(membership=member.memberships.get(), by=owner, now=timezone.now())
    way = secrets.decrypt(OutboxMessage.objects.get(kind="staff_added").secret)

    page.goto(f"{live_server.url}/{way}")
    expect(page.get_by_text(f"Welcome to {clinic.name}.")).to_be_visible()
    expect(page.get_by_text("bo+new@example.org")).to_be_visible()
    expect(page).to_have_url(live_server.url + reverse("password-reset-new"))
    page.get_by_label("New password").fill("another long one 7")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_label("E-mail")).to_have_value("bo+new@example.org")
    assert problems == []
