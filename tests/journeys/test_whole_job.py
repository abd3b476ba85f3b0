"""A physio's whole job in a browser: assess, match, adjust, send, see who stalls, act, write the letter."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import User
from clinic.roles import Role
from patients.models import Assessment, Episode
from programs.models import Alert, Letter, Program
from programs.services.library import load_starter_library
from programs.services.reviews import review_due
from tests.browser import PASSWORD, log_in
from tests.factories import make_case, make_clinic, make_patient, make_user
from tests.journeys.hands import Hands
from tests.programs.services.recorded import flat_case
from tests.staff import give_app

pytestmark = pytest.mark.django_db(transaction=True)

DOCS = Path(__file__).resolve().parents[2] / "docs"
STRENGTH = [("178", "231"), ("96", "121"), ("150", "158"), ("412", "498"), ("0", "0"), ("240", "251")]


@pytest.fixture
def physio() -> User:
    load_starter_library()
    clinic = make_clinic(name="Riverside", timezone="Europe/Amsterdam", simulated=True)
    make_user("olivia@example.org", Role.OWNER, clinic)
    physio = make_user("pia@example.org", Role.PHYSIO, clinic, password=PASSWORD, name="Pia Physio")
    give_app(physio)
    return physio


@pytest.fixture
def newcomer(physio: User) -> Episode:
    """Just taken on."""
    clinic = physio.active_memberships[0].clinic
    return make_case(clinic, clinician=physio, patient=make_patient(clinic, given_name="Mira"))


@pytest.fixture
def stalled(physio: User) -> Episode:
    """Nine weeks on a program that changed nothing."""
    clinic = physio.active_memberships[0].clinic
    start = timezone.localdate() - timedelta(weeks=9)
    patient = make_patient(clinic, given_name="Rosa")
    case = make_case(clinic, clinician=physio, patient=patient, opened_on=start)
    flat_case(started_on=start, weeks=9, episode=case)
    review_due(now=timezone.now())
    return case


def assess(hands: Hands, url: str, case: Episode) -> None:
    page = hands.page
    page.goto(url + reverse("admin:patients_patient_change", args=[case.patient_id]))
    hands.click(page.get_by_role("link", name="Record assessment").first)
    part = lambda name: hands.click(page.get_by_role("tab", name=name))  # noqa: E731
    put = lambda name, text: hands.type(page.locator(f"[name={name}]"), text)  # noqa: E731
    tick = lambda name: hands.check(page.locator(f"[name={name}]"))  # noqa: E731

    part("Pain")
    hands.click(page.locator(".in-knee.in-index [data-code=retropatellar]"))
    for name, text in {"worst_pain": "6", "usual_pain": "3", "pain_now": "1", "worst_pain_week": "7"}.items():
        put(name, text)
    part("Activities")
    for n, (activity, pain, ability) in enumerate([("Stairs down", "6", "4"), ("Run over 5 km", "7", "2")]):
        put(f"a{n}-activity", activity)
        put(f"a{n}-pain", pain)
        put(f"a{n}-ability", ability)
    for name in ("pain_stairs_down", "pain_squat", "pain_sitting", "other_causes_excluded"):
        tick(name)
    part("Strength")
    put("body_mass_kg", "64")
    for n, (left, right) in enumerate(STRENGTH):
        if left != "0":
            put(f"s{n}-left", left)
            put(f"s{n}-right", right)
    part("Mobility")
    put("q0-left", "17")
    put("q0-right", "16")
    part("Movement")
    for side in ("left", "right"):
        for item in ("arm", "trunk", "pelvis", "knee", "steady_stance"):
            hands.check(page.locator(f"[name=d-{side}-{item}][value='{int(side == 'left')}']"))
    put("cadence_spm", "158")
    part("Load")
    put("weekly_km_now", "18")
    put("weekly_km_before", "35")
    part("Questionnaires")
    put("o-akps-total", "71")
    hands.click(page.get_by_role("button", name="Save and sign"))


def send_program(hands: Hands) -> None:
    page = hands.page
    expect(page.get_by_text("best fit", exact=True)).to_be_visible()
    expect(page.get_by_text("Hip abductors")).not_to_have_count(0)
    hands.click(page.get_by_role("button", name="Prepare and adjust").first)
    hands.click(page.get_by_text("Change the dose").first)
    hands.type(page.locator("[name$=sets]").first, "4")
    hands.click(page.get_by_role("button", name="Save the dose").first)
    expect(page.get_by_text("1 change from the template")).to_be_visible()
    hands.click(page.get_by_role("link", name="Send to patient"))
    for reason in page.locator("[name^=reason_]").all():
        hands.type(reason, "Later, once she runs again")
    hands.click(page.get_by_role("button", name="Send to the patient"))
    page.wait_for_url("**/change/**")


def read_why(hands: Hands, url: str) -> None:
    page = hands.page
    page.goto(url + reverse("admin:index"))
    row = page.locator("li.kc-case").filter(has_text="Rosa")
    expect(row).to_contain_text("week 9")
    hands.click(row.locator("a.kc-name"))
    expect(page.get_by_text("No session was ever logged").first).to_be_visible()


def resolve(hands: Hands) -> None:
    page = hands.page
    hands.click(page.get_by_role("link", name="Resolve").first)
    hands.choose(page.locator("[name=came_of]"), Alert.CameOf.REFERRED)
    hands.type(page.locator("[name=outcome]"), "Sports medicine, by letter")
    hands.click(page.get_by_role("button", name="Resolve"))
    page.wait_for_url("**/change/**")


def write_letter(hands: Hands, url: str) -> Any:
    """The made letter, as the browser would show it."""
    page = hands.page
    hands.click(page.get_by_role("link", name="Write a letter").first)
    hands.type(page.locator("[name=recipient]"), "Dr. A. Meer, Sports Medicine")
    hands.click(page.get_by_role("button", name="Make the letter"))
    link = page.locator("#letters td a").first
    expect(link).to_be_visible()
    return page.request.get(url + (link.get_attribute("href") or ""))


@pytest.mark.parametrize("width", [1440, 1024])
def test_a_physio_does_the_whole_job(
    page: Page, live_server: Any, physio: User, newcomer: Episode, stalled: Episode, width: int
) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.set_viewport_size({"width": width, "height": 800})
    hands, url = Hands(page), live_server.url
    with hands.doing("sign in with a second factor", clicks=5, keys=len(physio.email + PASSWORD) + 6):
        log_in(page, url, physio)
    with hands.doing("a full intake, signed"):
        assess(hands, url, newcomer)
        page.wait_for_url("**/suggestions/**")
    with hands.doing("match, adjust, send"):
        send_program(hands)
    with hands.doing("who needs me, and why"):
        read_why(hands, url)
    with hands.doing("act on it"):
        resolve(hands)
    with hands.doing("write and print the letter"):
        letter = write_letter(hands, url)

    assessment = Assessment.objects.get(episode=newcomer)
    assert (assessment.signed_by, assessment.strength_tests.count()) == (physio, 10)
    assert Program.objects.get(episode=newcomer).is_active
    assert Alert.objects.get(episode=stalled).state == Alert.State.RESOLVED
    assert Letter.objects.get(episode=stalled).made_by == physio
    assert letter.headers["content-type"] == "application/pdf"
    assert letter.body().startswith(b"%PDF")
    assert problems == []
    if os.environ.get("WRITE_DOCS"):
        (DOCS / f"whole-job-{width}.md").write_text(hands.table() + "\n")
