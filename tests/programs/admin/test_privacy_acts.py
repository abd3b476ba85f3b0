"""A record is taken out, erased, opened again: what the page says first, and what stays on record."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.models import AuditEntry, Clinic
from tests.factories import (
    make_case,
    make_patient,
)
from tests.programs.admin.acting import act, case_of, erased_case

pytestmark = pytest.mark.django_db


def test_who_opens_what_is_left_of_someone_erased_is_on_record(staff: Any) -> None:
    case = case_of(staff)
    owner, taken = staff.client(staff.owner), AuditEntry.objects.filter(action="exported")

    assert act(owner, "open-record", case, reason=" ").status_code == 200
    assert not taken.exists()
    assert "attachment" in act(owner, "open-record", case).headers["Content-Disposition"]
    [entry] = taken
    assert (entry.patients, entry.clinic_id) == ([case.record.erasure_id], staff.clinic.pk)
    assert (entry.who, entry.why) == (f"user:{staff.owner.pk}", "A claim")


@pytest.mark.parametrize(
    ("number", "name"),
    [("C 17/3", "case-C-17-3.json"), ("Ü4", "utf-8''case-%C3%9C4.json"), ("..", "{pk}.json")],
)
def test_an_export_is_a_file_called_like_the_case(staff: Any, number: str, name: str) -> None:
    case = case_of(staff)
    case.episode.case_number = number
    case.episode.save()
    told = act(staff.client(staff.owner), "export", case).headers["Content-Disposition"]
    assert told.startswith("attachment; ")
    assert name.format(pk=case.episode.patient_id) in told


def test_before_erasing_it_says_how_long_the_record_is_kept_and_why(staff: Any) -> None:
    case = make_case(staff.clinic)
    Clinic.objects.filter(pk=staff.clinic.pk).update(country="DE")
    client, address = staff.client(staff.owner), reverse("admin:do", args=["erase", case.patient_id])
    page = client.get(address).content.decode()
    until = timezone.localdate(timezone=ZoneInfo(case.patient.timezone))
    assert f"put away until {until:%-d %b} {until.year + 10}" in page
    assert "Germany: 10 years after the last treatment (Civil Code (BGB) section 630f (3))" in page
    assert f'class="kc-button" href="{reverse("admin:do", args=["export", case.patient_id])}"' in page
    Clinic.objects.filter(pk=staff.clinic.pk).update(country="")
    assert "no country" in client.get(address).content.decode()
    nobody = make_patient(staff.clinic)
    assert "Nothing has to be kept" in (
        client.get(reverse("admin:do", args=["erase", nobody.pk])).content.decode()
    )


def test_the_page_shows_who_took_what_out_before_and_why(staff: Any) -> None:
    record, patient = erased_case(staff.clinic), make_case(staff.clinic).patient
    client = staff.client(staff.owner)
    for name, pk, body in (
        ("open-record", record.pk, {"reason": "A claim by letter"}),
        ("export", patient.pk, {"reason": "Asked for at the desk", "content": "json"}),
    ):
        address = reverse("admin:do", args=[name, pk])
        assert body["reason"] not in client.get(address).content.decode()
        assert client.post(address, body).status_code == 200
        page = client.get(address).content.decode()
        assert body["reason"] in page
        assert staff.owner.name in page
        assert "data-download" in page
