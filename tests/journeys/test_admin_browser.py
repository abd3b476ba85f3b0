"""The admin in a real browser: log in, take a patient on, assess, assign, act; also on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from clinic.models import SweepRun, User
from clinic.roles import Role
from patients.models import Assessment, Episode
from programs.models import Alert, Hold, Program
from programs.services.library import load_starter_library
from tests.browser import DESKTOP, PASSWORD, PHONE, enter, log_in
from tests.factories import make_case, make_clinic, make_template, make_user
from tests.staff import give_app

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> User:
    load_starter_library()
    clinic = make_clinic(name="Riverside", timezone="Europe/Amsterdam", simulated=True)
    owner = make_user("olivia@example.org", Role.OWNER, clinic, password=PASSWORD, name="Olivia Owner")
    give_app(owner)
    return owner


@pytest.fixture
def problems(page: Page) -> list[str]:
    """What the browser complains about; each test ends with none."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def take_on(page: Page, url: str) -> None:
    page.goto(url + reverse("admin:patients_patient_add"))
    page.get_by_label("Given name").fill("Mira")
    for name, value in {"diagnosis": "pfp", "index_side": "left", "running_track": "still_running"}.items():
        page.locator(f"[name={name}]").select_option(value)
    page.get_by_role("button", name="Add the patient").click()
    expect(page.get_by_text("Case 1001", exact=True)).to_be_visible()


def assess(page: Page) -> None:
    page.get_by_role("link", name="Record assessment").click()
    page.get_by_role("tab", name="Pain").click()
    page.locator("[name=worst_pain]").fill("6.5")
    page.get_by_role("tab", name="Strength").click()
    page.get_by_label("Hip abductors, left", exact=True).fill("118")
    save(page)
    expect(page.get_by_role("button", name="Prepare and adjust").first).to_be_visible()


def clear_red_flag(page: Page) -> None:
    banner = page.get_by_role("alert")
    expect(banner.get_by_role("heading", name="Red flag: the program is on hold")).to_be_visible()
    banner.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("Acknowledged.", exact=True)).to_be_visible()
    page.get_by_role("alert").get_by_role("link", name="Clear with a finding").click()
    page.get_by_label("Finding").fill("Stable knee, no effusion")
    page.get_by_role("button", name="Clear, and end the hold").click()
    expect(page.get_by_text("The red flag is cleared and the hold is over.")).to_be_visible()


def test_from_a_new_patient_to_a_cleared_red_flag(
    page: Page, live_server: Any, owner: User, problems: list[str]
) -> None:
    log_in(page, live_server.url, owner)
    expect(page.get_by_text("Simulated clinic", exact=True)).to_be_visible()
    take_on(page, live_server.url)
    assess(page)
    assert Assessment.objects.get().strength_tests.count() == 1

    page.get_by_role("button", name="Prepare and adjust").first.click()
    expect(page.get_by_text("Wall sit").first).to_be_visible()
    page.locator("summary", has_text="Change the dose").first.click()
    page.locator("input[name$=-sets]").first.fill("4")
    page.get_by_role("button", name="Save the dose").first.click()
    expect(page.get_by_text("1 change from the template")).to_be_visible()
    assert not Program.objects.exists()
    page.get_by_role("link", name="Send to patient").click()
    page.get_by_role("button", name="Send to the patient").click()
    expect(page.get_by_text("Not reviewed yet", exact=True)).to_be_visible()
    program = Program.objects.get()
    assert program.stages.get(number=1).doses.order_by("position", "pk")[0].sets == 4

    page.get_by_role("link", name="Record assessment").click()
    page.get_by_label("Knee locks").check()
    save(page)
    expect(page.get_by_text("Refer first: no program is suggested")).to_be_visible()
    assert Hold.objects.get().cleared_at is None
    page.get_by_role("link", name="Mira").click()
    clear_red_flag(page)
    assert Alert.objects.get().outcome == "Stable knee, no effusion"
    assert problems == []


PAGES = [
    "admin:index",
    "admin:patients_patient_changelist",
    "admin:patients_patient_add",
    "admin:call-list",
    "admin:programs_alert_changelist",
    "admin:patients_assessment_changelist",
    "admin:programs_template_changelist",
    "admin:programs_exercise_changelist",
    "admin:clinic_membership_changelist",
    "admin:clinic_clinicpolicy_changelist",
    "admin:clinic_outboxmessage_changelist",
    "admin:clinic_sweeprun_changelist",
]


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_no_page_is_blank_or_wider_than_the_screen(
    page: Page, live_server: Any, owner: User, problems: list[str], size: str
) -> None:
    """A minor release of the admin's theme has blanked pages before."""
    if size == "phone":
        page.set_viewport_size(PHONE)
    SweepRun.objects.create(name="review_cases", started_at="2026-03-02T09:00:00Z")
    enter(page, live_server.url, owner)

    for name in PAGES:
        page.goto(live_server.url + reverse(name))
        assert page.locator("#content").inner_text().strip(), name
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    assert problems == []


INSIDE = """boxes => boxes.every(box => {
    const {left, right} = box.getBoundingClientRect();
    return left >= 0 && right <= window.innerWidth && box.scrollWidth <= box.clientWidth;
})"""


@pytest.mark.parametrize(
    ("name", "title", "labels"),
    [
        ("admin:clinic_membership_changelist", "Staff", {"E-mail", "Role", "Works here"}),
        ("admin:patients_patient_changelist", "Patients", {"Case", "State", "Suggested action", "Clinician"}),
    ],
)
def test_on_a_phone_a_list_shows_all_of_each_row_and_its_whole_title(
    page: Page, live_server: Any, owner: User, problems: list[str], name: str, title: str, labels: set[str]
) -> None:
    page.set_viewport_size(PHONE)
    make_case(owner.active_memberships[0].clinic, clinician=owner)
    enter(page, live_server.url, owner)
    page.goto(live_server.url + reverse(name))

    cells = page.locator("#result_list tr.data-row > *")
    assert cells.evaluate_all(INSIDE)
    told = cells.evaluate_all("cells => cells.map(cell => getComputedStyle(cell, '::before').content)")
    assert labels <= {label.strip('"') for label in told}
    heading = page.locator("#header-inner h1")
    assert heading.inner_text().strip() == title
    assert heading.evaluate_all(INSIDE)
    assert problems == []


def test_the_chart_and_the_actions_fit_a_phone(
    page: Page, live_server: Any, owner: User, problems: list[str]
) -> None:
    page.set_viewport_size(PHONE)
    enter(page, live_server.url, owner)
    take_on(page, live_server.url)
    case = Episode.objects.get()
    page.goto(f"{live_server.url}{reverse('admin:do', args=['assign', case.pk])}")
    page.get_by_role("link", name="Runner's knee, four stages").click()
    page.get_by_role("button", name="Prepare and adjust").click()
    page.get_by_role("link", name="Send to patient").click()
    page.get_by_role("button", name="Send to the patient").click()
    page.goto(live_server.url + reverse("admin:patients_patient_change", args=[case.patient_id]))

    expect(page.locator(".tl-narrow")).to_be_visible()
    expect(page.locator(".tl-wide")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert problems == []


def test_the_description_of_the_api_is_shown_without_a_complaint(
    page: Page, live_server: Any, problems: list[str]
) -> None:
    page.goto(live_server.url + "/api/v1/docs/")
    expect(page.get_by_text("Log in and out, one token per device.")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px"
    assert problems == []


def open_doses(page: Page, url: str, owner: User) -> Any:
    """The table of a stage's exercises, one row filled in and one more added."""
    template = make_template(stages=1, clinic=owner.active_memberships[0].clinic)
    page.goto(url + reverse("admin:programs_template_change", args=[template.pk]))
    page.get_by_role("link", name="Add another Exercise").click()
    expect(page.locator("[name=stages-0-doses-1-sets]")).to_be_visible()
    return page.locator("table#stages-0-doses-data")


TABLES = {"doses": open_doses}
LABELS = {
    "doses": {
        *("Drawing", "Exercise", "Sets", "Reps", "To", "Seconds", "Per side", "A week", "Tempo", "Note"),
        "Source",
    },
}
CELLS = "tbody:not(.empty-form) tr.form-row td.field-tabular"


@pytest.mark.parametrize("table", list(TABLES))
def test_on_a_phone_each_row_is_a_card_whose_fields_say_what_they_are(
    page: Page, live_server: Any, owner: User, problems: list[str], table: str
) -> None:
    page.set_viewport_size(PHONE)
    enter(page, live_server.url, owner)
    rows = TABLES[table](page, live_server.url, owner)

    cells = rows.locator(CELLS)
    labels = cells.evaluate_all("cells => cells.map(cell => getComputedStyle(cell, '::before').content)")
    assert {label.strip('"') for label in labels} == LABELS[table]
    fields = rows.locator(f"{CELLS} :is(input:not([type=hidden]), select)")
    assert fields.evaluate_all("fields => fields.every(field => field.getAttribute('aria-label'))")
    assert fields.evaluate_all(
        "fields => fields.every(f => f.getBoundingClientRect().left >= 0"
        " && f.getBoundingClientRect().right <= window.innerWidth && f.getBoundingClientRect().width >= 28)"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert problems == []


@pytest.mark.parametrize("table", list(TABLES))
def test_on_a_desktop_no_row_is_cut(
    page: Page, live_server: Any, owner: User, problems: list[str], table: str
) -> None:
    page.set_viewport_size(DESKTOP)
    enter(page, live_server.url, owner)
    rows = TABLES[table](page, live_server.url, owner)

    assert rows.locator("xpath=..").evaluate("box => box.scrollWidth <= box.clientWidth")
    selects = rows.locator(f"{CELLS} select")
    assert selects.evaluate_all(
        """fields => fields.every(field => {
            const style = getComputedStyle(field), pen = document.createElement("canvas").getContext("2d");
            pen.font = style.font;
            const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
            return pen.measureText(field.selectedOptions[0].text).width <= room;
        })"""
    )
    assert problems == []
