"""axe-core on the main screens, light and dark: no serious finding."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from clinic.models import Membership, User
from clinic.roles import Role
from patients.models import Assessment, Episode
from programs.models import Alert, Program
from programs.rules.red_flags import Tier
from programs.services.library import load_starter_library
from tests.browser import DESKTOP, PASSWORD, enter, serious_findings
from tests.factories import make_clinic, make_user
from tests.staff import give_app
from tests.whole_case import whole_case

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def case() -> Episode:
    """With a row in every table, so that each section shows something."""
    load_starter_library()
    case = whole_case(make_clinic(name="Riverside", timezone="Europe/Amsterdam"))
    Alert.objects.filter(episode=case, kind=Alert.Kind.RED_FLAG).update(level=Tier.ONE.value)
    return case


@pytest.fixture
def owner(case: Episode) -> User:
    owner = make_user("olivia@example.org", Role.OWNER, case.clinic, password=PASSWORD, name="Olivia Owner")
    Membership.objects.filter(user=owner).update(arrived_at=case.patient.created_at)
    give_app(owner)
    return owner


def screens(case: Episode) -> list[str]:
    """Addresses of the main screens."""
    return [
        *(
            reverse(f"admin:{name}")
            for name in (
                "index",
                "patients_patient_changelist",
                "patients_patient_add",
                "call-list",
                "programs_alert_changelist",
                "patients_assessment_changelist",
                "programs_template_changelist",
                "programs_exercise_changelist",
                "clinic_clinicpolicy_changelist",
                "clinic_membership_changelist",
            )
        ),
        reverse("admin:patients_patient_change", args=[case.patient_id]),
        reverse("admin:patients_assessment_change", args=[Assessment.objects.get(episode=case).pk]),
        reverse("admin:suggestions", args=[Assessment.objects.get(episode=case).pk]),
        reverse("admin:programs_program_change", args=[Program.objects.get(episode=case).pk]),
        reverse("admin:programs_alert_change", args=[Alert.objects.filter(episode=case)[0].pk]),
        reverse("admin:do", args=["discharge", case.pk]),
    ]


def show(page: Page, theme: str) -> None:
    """The open page in that theme, as by the admin's own switch."""
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.evaluate("theme => { Alpine.$data(document.documentElement).adminTheme = theme }", theme)
    expect(page.locator("html")).to_have_class(re.compile(rf"\b{theme}\b"))
    page.evaluate("Promise.allSettled(document.getAnimations().map(moving => moving.finished))")


def test_no_main_screen_has_a_serious_finding(
    page: Page, live_server: Any, owner: User, case: Episode
) -> None:
    """Each screen is opened once, and shown in both themes."""
    page.set_viewport_size(DESKTOP)
    enter(page, live_server.url, owner)

    found: list[str] = []
    for path in screens(case):
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")
        for theme in ("light", "dark"):
            show(page, theme)
            found += [f"{path}, {theme}: {finding}" for finding in serious_findings(page)]
    assert not found, "\n".join(found)
