"""Thresholds of one case alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from clinic.thresholds import as_json
from patients.models import Episode
from tests.factories import make_case

pytestmark = pytest.mark.django_db


def page_of(case: Episode) -> str:
    return reverse("admin:do", args=["thresholds", case.pk])


def save(client: Any, case: Episode, **changes: str) -> Any:
    """The form posted back as it is in force, but for ``changes``."""
    in_force = as_json(case.thresholds)
    asked = client.get(page_of(case)).context["form"].fields
    kept = {key: in_force[key] for key in asked if in_force[key] is not False}
    return client.post(page_of(case), kept | changes)


def test_a_case_gets_thresholds_of_its_own_and_the_page_says_so(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    client = staff.client(staff.physio)

    answer = save(client, case, stalled_week="10")

    assert answer.status_code == 302
    case.refresh_from_db()
    assert case.policy_overrides == {"stalled_week": 10}
    html = client.get(answer.url).content.decode()
    assert "Stalled from week: 10 weeks (clinic 8)" in html

    save(client, case, stalled_week="8")
    case.refresh_from_db()
    assert case.policy_overrides == {}
    assert "Thresholds of this case" not in client.get(answer.url).content.decode()


def test_a_cases_red_flag_digest_and_matching_thresholds_are_the_clinics(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)

    form = staff.client(staff.physio).get(page_of(case)).context["form"]

    groups = {group for group, _ in form.groups()}
    assert "Stall" in groups
    assert not groups & {"Red flags", "Weekly digest", "Matching"}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("stalled_week", "99", "must be between 1 and 52"),
        ("stalled_week", "5", "must be above 'Stalling from week'"),
        ("success_drop", "NaN", "Enter a number."),
    ],
)
def test_a_cases_threshold_out_of_range_or_order_is_refused_beside_its_field(
    staff: Any, key: str, value: str, message: str
) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)

    answer = save(staff.client(staff.physio), case, **{key: value})

    assert message in answer.context["form"].errors[key][0]
    case.refresh_from_db()
    assert case.policy_overrides == {}
