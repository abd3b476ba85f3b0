"""The warning that someone under 18 has no guardian's consent, where a program or invitation is near."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from patients.models import Patient
from patients.services import consent_missing
from programs.rules.schedule import local_date

register = template.Library()


@register.inclusion_tag("admin/programs/guardian.html")
def guardian_missing(patient: Patient) -> dict[str, Any]:
    today = local_date(timezone.now(), patient.timezone)
    return {"patient": patient, "refusal": consent_missing(patient, today=today)}
