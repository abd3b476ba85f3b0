"""What somebody types is not lost without a question, and a chosen file is read, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import Membership, User
from clinic.roles import Role
from patients.models import Episode
from programs.models import ProgramDose
from programs.services.assign import prepare_program
from programs.services.library import export_template
from tests.browser import PASSWORD, enter
from tests.factories import make_case, make_template, make_user
from tests.staff import give_app

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def case() -> Episode:
    case: Episode = make_case()
    return case


@pytest.fixture
def owner(case: Episode) -> User:
    owner = make_user("olivia@example.org", Role.OWNER, case.clinic, password=PASSWORD, name="Olivia Owner")
    Membership.objects.filter(user=owner).update(arrived_at=timezone.now())
    give_app(owner)
    return owner


def asked(page: Page) -> list[str]:
    """The questions of the browser, as they come; the first is answered by staying, others by leaving."""
    seen: list[str] = []

    def answer(dialog: Any) -> None:
        seen.append(dialog.type)
        dialog.dismiss() if len(seen) == 1 else dialog.accept()

    page.on("dialog", answer)
    return seen


def test_a_dose_that_was_typed_and_not_saved_is_asked_about(
    page: Page, live_server: Any, owner: User, case: Episode
) -> None:
    program = prepare_program(episode=case, template=make_template(), by=owner, today=timezone.localdate())
    dose = ProgramDose.objects.filter(stage__program=program).order_by("pk")[0]
    enter(page, live_server.url, owner)
    page.goto(live_server.url + reverse("admin:adjust", args=[program.pk]))
    seen = asked(page)

    box = page.locator(f"#dose-{dose.pk}")
    box.get_by_text("Change the dose").click()
    box.get_by_label("Sets").click()
    box.get_by_label("Sets").fill("7")
    page.get_by_role("link", name="Send to patient").click(no_wait_after=True)
    page.wait_for_timeout(300)
    assert seen == ["beforeunload"]
    expect(box.get_by_label("Sets")).to_have_value("7")

    box.get_by_role("button", name="Save the dose").click()
    page.wait_for_url(f"**#dose-{dose.pk}")
    page.get_by_role("link", name="Send to patient").click()
    page.wait_for_url("**/do/send/**")
    assert seen == ["beforeunload"]
    dose.refresh_from_db()
    assert dose.sets == 7


def test_another_kind_of_letter_asks_before_the_typed_one_goes(
    page: Page, live_server: Any, owner: User, case: Episode
) -> None:
    enter(page, live_server.url, owner)
    page.goto(live_server.url + reverse("admin:do", args=["letter", case.pk]))
    seen = asked(page)
    page.get_by_label("Findings").click()
    page.get_by_label("Findings").fill("Pain on the stairs.")
    page.get_by_role("link", name="Referral letter").click(no_wait_after=True)
    page.wait_for_timeout(300)
    assert seen == ["beforeunload"]
    expect(page.get_by_label("Findings")).to_have_value("Pain on the stairs.")
    page.get_by_role("link", name="Referral letter").click()
    page.wait_for_url("**kind=referral")
    assert len(seen) == 2


def test_a_chosen_file_is_read_without_an_error(
    page: Page, live_server: Any, owner: User, tmp_path: Path
) -> None:
    (file := tmp_path / "hops.yaml").write_text(export_template(template=make_template(name="Hops")))
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    enter(page, live_server.url, owner)
    page.goto(live_server.url + reverse("admin:programs_template_import"))
    page.get_by_label("Choose the file").set_input_files(file)
    expect(page.locator("textarea[name=text]")).to_have_value(file.read_text())
    assert problems == []
