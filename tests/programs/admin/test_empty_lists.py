"""An empty list says what to do; the way to a page is said once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from tests.factories import make_case

pytestmark = pytest.mark.django_db

PATIENTS = "admin:patients_patient_changelist"


def shown(staff: Any, name: str, user: Any = None, **asked: str) -> str:
    html = staff.client(user or staff.owner).get(reverse(name), asked).content.decode()
    return re.sub(r"\s+", " ", html)


def test_a_list_that_has_nothing_yet_says_so_and_how_to_begin(staff: Any) -> None:
    page = shown(staff, PATIENTS)
    assert "No patient yet" in page
    assert page.count("</span> Add patient</a>") == 2  # above every list, and here
    assert "yielded" not in page


def test_who_may_not_add_is_offered_no_button_for_it(staff: Any) -> None:
    assert "</span> Add assessment</a>" in shown(staff, "admin:patients_assessment_changelist")
    alerts = shown(staff, "admin:programs_alert_changelist")
    assert "No alert is open" in alerts
    assert "</span> Add" not in alerts


@pytest.mark.parametrize(
    ("asked", "hint"),
    [({"q": "nobody"}, "Check the spelling, or search for less."), ({"state": "paused"}, "Other filters")],
)
def test_a_list_that_is_narrowed_to_nothing_says_how_to_see_more(
    staff: Any, asked: dict[str, str], hint: str
) -> None:
    make_case(staff.clinic, clinician=staff.physio)
    page = shown(staff, PATIENTS, **asked)
    assert "No patient matches" in page
    assert hint in page
    assert '<a href="?"' in page
    assert page.count("Add patient</a>") == 1


@pytest.mark.parametrize("name", ["clinic_rowattempt", "clinic_breakglass", "clinic_outboxmessage"])
def test_the_lists_of_the_owner_have_a_sentence_of_their_own(staff: Any, name: str) -> None:
    page = shown(staff, f"admin:{name}_changelist")
    assert "Nothing here yet" not in page
    assert "yielded" not in page


def way_to(page: str) -> list[str]:
    """The words of the breadcrumbs at the top."""
    found = re.findall(r'leading-5 min-w-0 truncate tracking-tight"> ?(.*?) ?<', page)
    return [word for word in found if word]


def test_the_way_to_a_page_names_nothing_twice(staff: Any) -> None:
    assert way_to(shown(staff, PATIENTS)) == ["Patients"]
    assert way_to(shown(staff, "admin:programs_alert_changelist")) == ["Programs", "Alerts"]
