"""Who stands in for somebody away reads their cases with a tool too, on those days alone."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from clinic.models import Absence, ClinicPolicy, User
from patients.models import Episode
from tests.api import Tool
from tests.factories import make_user


def test_the_cases_of_who_is_away_are_seen_while_they_are(case: Episode, physio: User) -> None:
    ClinicPolicy.objects.filter(clinic=case.clinic).update(own_cases_only=True)
    piet = make_user(clinic=case.clinic)
    assert Tool(piet).get(f"cases/{case.pk}").status_code == 404

    today = timezone.localdate()
    days = {"starts_on": today - timedelta(days=2), "ends_on": today + timedelta(days=2)}
    by = {"set_by": physio, "set_at": timezone.now()}
    away = Absence.objects.create(clinic=case.clinic, clinician=physio, cover=piet, **days, **by)
    assert Tool(piet).get(f"cases/{case.pk}").status_code == 200

    Absence.objects.filter(pk=away.pk).update(ends_on=today - timedelta(days=2))
    assert Tool(piet).get(f"cases/{case.pk}").status_code == 404
