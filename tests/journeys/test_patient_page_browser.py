"""The patient page in a browser: the timeline by keyboard, and axe-core on a case that has much to show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import Membership, User
from clinic.roles import Role
from patients.models import Episode
from programs import demo
from programs.demo.cast import cast
from programs.services.library import load_starter_library
from programs.services.red_flags import raise_red_flag
from tests.browser import DESKTOP, PASSWORD, PHONE, enter, serious_findings
from tests.factories import make_user
from tests.servers import forget_database, keep_database, restore_database
from tests.staff import give_app

pytestmark = pytest.mark.django_db(transaction=True)

SHOWN = "stall dealt with by the physio"
MOST_TABS = 60


@pytest.fixture(scope="module")
def kept() -> Iterator[list[str]]:
    """Names of kept databases: the case is simulated once, and each test gets it as it then was."""
    names: list[str] = []
    yield names
    for name in names:
        forget_database(name)


@pytest.fixture
def case(transactional_db: None, kept: list[str]) -> Episode:
    """A case of the demo clinic: ten weeks of answers and sessions, alerts, re-assessments, outcomes."""
    if kept:
        restore_database(kept[0])
    else:
        load_starter_library()
        courses = [course for course in cast(1) if course.shows == SHOWN]
        demo.load(seed=1, today=timezone.localdate(), courses=courses)
        keep_database("case")
        kept.append("case")
    return Episode.objects.select_related("clinic").get()


@pytest.fixture
def owner(case: Episode) -> User:
    owner = make_user("olivia@example.org", Role.OWNER, case.clinic, password=PASSWORD, name="Olivia Owner")
    Membership.objects.filter(user=owner).update(arrived_at=timezone.now())
    give_app(owner)
    return owner


def open_page(page: Page, url: str, owner: User, case: Episode) -> list[str]:
    """The patient page; returns the errors of the console, as they come."""
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    enter(page, url, owner)
    page.goto(url + reverse("admin:patients_patient_change", args=[case.patient_id]))
    page.wait_for_load_state("networkidle")
    return problems


def reached(page: Page) -> str:
    """What a screen reader says of the mark that has the focus."""
    return str(page.evaluate("document.activeElement.getAttribute('aria-label')"))


def row(page: Page) -> str:
    return str(page.evaluate("document.activeElement.closest('[data-row]')?.getAttribute('aria-label')"))


def press(page: Page, key: str) -> str:
    page.keyboard.press(key)
    return reached(page)


def tab_into_the_timeline(page: Page) -> None:
    page.locator(".pp-jump a").last.focus()
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("!!document.activeElement.closest('.tl-wide')"):
            return
    pytest.fail("the timeline is not reached by Tab")


def test_the_timeline_is_one_stop_of_tab_and_is_walked_by_arrow_keys(
    page: Page, live_server: Any, owner: User, case: Episode
) -> None:
    page.set_viewport_size(DESKTOP)
    problems = open_page(page, live_server.url, owner, case)
    tab_into_the_timeline(page)
    read = page.locator("#course [data-read]")

    first, first_row = reached(page), row(page)
    assert press(page, "ArrowUp") == first
    assert press(page, "ArrowRight") != first  # alone in its row: on to the next mark of any row
    assert row(page) != first_row
    while row(page) != first_row:
        press(page, "ArrowUp")
    below = press(page, "ArrowDown")
    assert row(page) != first_row
    expect(read).to_have_text(below)

    start = press(page, "Home")
    second = press(page, "ArrowRight")
    assert second != start
    expect(read).to_have_text(second)
    assert press(page, "ArrowLeft") == start
    last = press(page, "End")
    expect(read).to_have_text(last)

    press(page, "ArrowUp")
    assert row(page) == first_row
    assert press(page, "Home") == first

    press(page, "ArrowDown")
    last = press(page, "End")
    page.keyboard.press("Tab")
    assert not page.evaluate("!!document.activeElement.closest('.tl-wide')")
    assert press(page, "Shift+Tab") == last
    assert problems == []


@pytest.mark.parametrize(("theme", "size"), [("light", DESKTOP), ("dark", PHONE)])
def test_a_full_case_has_no_serious_finding_and_nothing_runs_over(
    page: Page, live_server: Any, owner: User, case: Episode, theme: Any, size: Any
) -> None:
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=theme)
    problems = open_page(page, live_server.url, owner, case)
    for folded in page.locator("main details > summary, .pp details > summary").all():
        folded.click()
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert problems == []


def test_printed_from_a_dark_screen_a_red_flag_is_dark_on_white(
    page: Page, live_server: Any, owner: User, case: Episode
) -> None:
    raise_red_flag(episode=case, codes=["knee_locks"], source="a check-in", evidence=[], now=timezone.now())
    page.emulate_media(color_scheme="dark")
    open_page(page, live_server.url, owner, case)
    page.emulate_media(media="print")
    assert page.locator(".kc-told dt").first.is_visible()
    assert serious_findings(page) == []
    assert not page.get_by_role("link", name="Add a note").is_visible()
