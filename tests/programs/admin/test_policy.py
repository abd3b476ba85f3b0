"""Values of the policy are tried on the last weeks before they are saved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from clinic.models import ClinicPolicy
from clinic.thresholds import DEFAULTS, TOPICS
from tests.factories import make_case, make_clinic
from tests.programs.services.recorded import flat_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(staff: Any) -> str:
    return reverse("admin:clinic_clinicpolicy_change", args=[staff.clinic.pk])


def form(client: Any, page: str, **changes: Any) -> dict[str, Any]:
    """The page as the browser would post it back."""
    shown = client.get(page).context["form"]
    data = {name: shown[name].value() for name in shown.fields}
    return {name: value for name, value in data.items() if value not in (False, None)} | changes


def test_a_try_names_the_cases_and_saves_nothing(staff: Any, page: str) -> None:
    start = timezone.localdate() - timedelta(weeks=7)
    case = make_case(staff.clinic, clinician=staff.physio, opened_on=start)
    flat_case(started_on=start, weeks=7, episode=case)
    client = staff.client(staff.owner)

    answer = client.post(page, form(client, page, stalling_week="8", stalled_week="9", _try="1"))

    html = answer.content.decode()
    assert answer.status_code == 200
    assert "0 alerts more, 1 fewer, 0 on another day, 0 the same" in html
    assert "Not saved yet. 1 program reviewed anew" in html
    assert f"{case.patient}</a>" in html
    assert 'name="stalling_week" value="8"' in html
    assert ClinicPolicy.objects.get(clinic=staff.clinic).overrides == {}


def test_the_present_values_make_no_difference(staff: Any, page: str) -> None:
    client = staff.client(staff.owner)
    html = client.post(page, form(client, page, _try="1")).content.decode()
    assert "Nothing would have been different: 0 alerts either way" in html


def test_values_out_of_order_are_named_beside_their_field(staff: Any, page: str) -> None:
    client = staff.client(staff.owner)
    weeks = {"stalling_week": str(DEFAULTS.stalled_week + 1), "_try": "1"}
    answer = client.post(page, form(client, page, **weeks))
    assert answer.status_code == 200
    assert answer.context["trial"] is None
    assert answer.context["form"].errors


@pytest.mark.parametrize("button", ["_try", "_save"])
def test_a_case_whose_own_thresholds_are_in_the_way_is_named_beside_the_field(
    staff: Any, page: str, button: str
) -> None:
    make_case(staff.clinic, clinician=staff.physio, case_number="77", policy_overrides={"stalled_week": 7})
    client = staff.client(staff.owner)
    answer = client.post(page, form(client, page, stalling_week="8", stalled_week="10", **{button: "1"}))
    assert "case 77 has of its own" in answer.context["form"].errors["stalled_week"][0]
    assert client.get(page).status_code == 200
    assert ClinicPolicy.objects.get(clinic=staff.clinic).overrides == {}


def test_who_is_no_owner_tries_nothing(staff: Any, page: str) -> None:
    assert staff.client(staff.physio).post(page, {"_try": "1"}).status_code == 403


def test_cases_with_thresholds_of_their_own_are_named_with_both_values(staff: Any, page: str) -> None:
    make_case(staff.clinic, clinician=staff.physio, case_number="77", policy_overrides={"stalled_week": 10})
    make_case(staff.clinic, clinician=staff.physio, case_number="78")
    make_case(make_clinic(), case_number="79", policy_overrides={"stalled_week": 10})

    html = staff.client(staff.owner).get(page).content.decode()

    assert "case 77: Stalled from week: 10 weeks (clinic 8)" in html
    assert "case 78" not in html
    assert "case 79" not in html


def test_each_disagreement_of_the_sources_links_to_what_decides_it(staff: Any, page: str) -> None:
    html = staff.client(staff.owner).get(page).content.decode()
    for topic in TOPICS:
        assert escape(topic.positions) in html
        assert all(f'href="#row-{key}"' in html and f'id="row-{key}"' in html for key in topic.decided_by)
