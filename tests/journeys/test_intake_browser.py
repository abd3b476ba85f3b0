"""The intake page in a browser: a lost connection or session loses nothing; the pain map; the keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import Page, expect

from clinic.roles import Role
from patients.models import Assessment, AssessmentDraft, Episode
from programs.admin.intake.fields import GROUPS
from programs.models import Alert
from tests.browser import PASSWORD, enter, log_in
from tests.factories import make_case, make_clinic, make_user
from tests.staff import give_app

pytestmark = pytest.mark.django_db(transaction=True)

KEPT = "Draft kept at"


@pytest.fixture
def case() -> Episode:
    clinic = make_clinic(name="Riverside", timezone="Europe/Amsterdam", simulated=True)
    owner = make_user("olivia@example.org", Role.OWNER, clinic, password=PASSWORD, name="Olivia Owner")
    give_app(owner)
    return make_case(clinic, clinician=owner)


@pytest.fixture
def problems(page: Page) -> list[str]:
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


def open_intake(page: Page, url: str, case: Episode) -> None:
    enter(page, url, case.clinician)
    page.goto(f"{url}{reverse('admin:patients_assessment_add')}?episode={case.pk}")


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_what_is_typed_without_a_connection_arrives_when_it_is_back(
    page: Page, live_server: Any, case: Episode
) -> None:
    open_intake(page, live_server.url, case)
    tab(page, "Pain")
    page.locator("[name=worst_pain]").fill("6,5")
    expect(page.get_by_text(KEPT)).to_be_visible()

    page.context.set_offline(True)
    page.locator("[name=usual_pain]").fill("3")
    tab(page, "Strength")
    expect(page.get_by_role("alert").get_by_text("No connection.")).to_be_visible()
    for n in range(len(GROUPS)):
        page.locator(f"[name=s{n}-left]").fill(str(100 + n))
        page.locator(f"[name=s{n}-right]").fill(str(120 + n))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("No connection.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text(KEPT)).to_be_visible()

    page.reload()
    expect(page.locator("[name=s7-right]")).to_have_value("127")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/suggestions/**")
    assessment = Assessment.objects.get()
    assert (assessment.worst_pain, assessment.usual_pain) == (6.5, 3)
    assert assessment.strength_tests.count() == 16
    assert not AssessmentDraft.objects.exists()


def test_what_is_typed_after_the_session_ended_arrives_after_the_next_sign_in(
    page: Page, live_server: Any, case: Episode
) -> None:
    open_intake(page, live_server.url, case)
    tab(page, "Load")
    Session.objects.all().delete()
    page.context.clear_cookies()
    page.locator("[name=notes]").fill("Likes hills.")
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[name=notes]")).to_have_value("Likes hills.")

    other = page.context.new_page()
    log_in(other, live_server.url, case.clinician)
    other.close()
    page.bring_to_front()
    expect(page.get_by_text(KEPT)).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/suggestions/**")
    assert Assessment.objects.get().notes == "Likes hills."
    assert page.evaluate(
        "localStorage.getItem('draft') === null && !JSON.stringify(localStorage).includes('hills')"
    )


def test_the_pain_map_by_mouse_and_by_keyboard(
    page: Page, live_server: Any, case: Episode, problems: list[str]
) -> None:
    open_intake(page, live_server.url, case)
    tab(page, "Pain")
    index = page.locator(".in-knee.in-index")
    expect(index).to_contain_text("Left knee")

    kneecap = index.locator("[data-code=retropatellar]")
    kneecap.click()
    expect(page.locator("[name=locations][value=retropatellar]")).to_be_checked()
    page.locator("[name=other_knee_locations][value=posterior]").focus()
    page.keyboard.press("Space")
    back = page.locator("svg[data-field=other_knee_locations] [data-code=posterior]")
    assert "in-on" in (back.get_attribute("class") or "")
    kneecap.click()
    expect(page.locator("[name=locations][value=retropatellar]")).not_to_be_checked()
    page.locator("[name=locations][value=retropatellar]").press("Enter")  # goes on, saves nothing
    expect(page.locator("[name=locations][value=peripatellar]")).to_be_focused()
    index.locator("[data-code=lateral]").first.click()
    expect(page.get_by_text(KEPT)).to_be_visible()

    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/suggestions/**")
    assessment = Assessment.objects.get()
    assert (assessment.locations, assessment.other_knee_locations) == (["lateral"], ["posterior"])
    assert problems == []


def test_two_clicks_on_save_make_one_assessment(
    page: Page, live_server: Any, case: Episode, problems: list[str]
) -> None:
    open_intake(page, live_server.url, case)
    tab(page, "Strength")
    page.locator("[name=s0-left]").fill("118")
    page.get_by_role("button", name="Save", exact=True).dblclick()
    page.wait_for_url("**/suggestions/**")
    page.wait_for_timeout(1000)
    assert Assessment.objects.count() == 1
    assert problems == []


def test_live_values_warn_question_and_refuse_while_typing(
    page: Page, live_server: Any, case: Episode, problems: list[str]
) -> None:
    open_intake(page, live_server.url, case)
    tab(page, "Strength")
    page.locator("[name=s0-left]").fill("118")
    page.keyboard.press("Enter")
    page.keyboard.type("162")
    expect(page.locator("[data-derived='s0-left']")).to_contain_text("LSI 72 %")
    expect(page.locator("[data-derived='s0-left']")).to_have_class("in-derived in-deficit")

    tab(page, "Movement")
    cadence = page.locator("[name=cadence_spm]")
    cadence.fill("141")
    cadence.press("ArrowUp")
    expect(cadence).to_have_value("142")
    page.get_by_label("Cadence 142 is unusual").check()
    page.locator("[name=peak_knee_flexion_deg]").fill("200")
    expect(page.get_by_text("must be between 0 and 160 degrees, got 200.")).to_be_visible()
    page.locator("[name=peak_knee_flexion_deg]").fill("45")

    tab(page, "Questionnaires")
    page.locator("[name=o-akps-limp]").first.focus()
    page.keyboard.type("35")  # a digit answers, and goes on to the next question
    expect(page.locator("[name=o-akps-limp][value='3']")).to_be_checked()
    expect(page.locator("[name=o-akps-support][value='5']")).to_be_checked()
    page.locator("[name=o-akps-support][value='5']").press("Delete")
    page.locator("[name=o-akps-limp][value='3']").press("Delete")
    expect(page.locator("#tab-scores :checked")).to_have_count(0)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/suggestions/**")
    assert Assessment.objects.get().cadence_spm == 142
    assert problems == []


def test_a_ticked_red_flag_says_that_it_is_not_raised_and_is_with_one_click(
    page: Page, live_server: Any, case: Episode, problems: list[str]
) -> None:
    open_intake(page, live_server.url, case)
    page.get_by_label("Knee locks").check()
    expect(page.get_by_role("heading", name="Red flag: not raised until saved")).to_be_visible()
    expect(page.get_by_text(KEPT)).to_be_visible()
    assert not Alert.objects.exists()
    page.get_by_role("button", name="Save and raise it now").click()
    page.wait_for_url("**/change/**")
    expect(page.get_by_text("The program is on hold and the clinician is told.")).to_be_visible()
    assert "Knee locks" in Alert.objects.get().summary
    expect(page.get_by_role("heading", name="Red flag: not raised")).to_be_hidden()
    assert problems == []


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_each_part_fits_the_screen(
    page: Page, live_server: Any, case: Episode, problems: list[str], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    open_intake(page, live_server.url, case)
    for link in page.get_by_role("tab").all():
        link.click()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), link.inner_text()
    assert problems == []
