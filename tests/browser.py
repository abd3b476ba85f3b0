"""What the browser tests share: signing in as a member of staff, and what axe-core finds on a page."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, expect

from clinic.models import User
from tests.staff import code_of, signed_in

PASSWORD = "a long enough one"
DESKTOP = {"width": 1440, "height": 900}
LAPTOP = {"width": 1024, "height": 768}
PHONE = {"width": 390, "height": 844}

expect.set_options(timeout=15_000)  # a page may wait for one of few cores

WCAG = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def log_in(page: Page, url: str, user: User) -> None:
    """With password and code; ends on the first page."""
    page.goto(url + reverse("admin:index"))
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Code").fill(code_of(user))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(url + reverse("admin:index"))


def enter(page: Page, url: str, user: User) -> None:
    """With a session that has password and code behind it, for what is not about signing in."""
    key = signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": url}])


def serious_findings(page: Page) -> list[str]:
    """Serious and critical ones of axe-core: rule, where, and why."""
    found: list[dict[str, Any]] = Axe().run(page, options=WCAG).response["violations"]
    return [
        f"{rule['id']}: {node['target'][0]}: {node['any'][0]['message'] if node['any'] else rule['help']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
