"""What these tests ask for and count."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from clinic.models import User
from patients.models import Episode, Erasure
from programs.services import privacy
from programs.services.patient_data import tables
from tests.factories import (
    NOW,
    TODAY,
)

YEAR = timedelta(days=366)


def erase(case: Episode, by: User, **changes: Any) -> Erasure:
    asked = {"case_number": case.case_number, "reason": "Asked for by letter", **changes}
    return privacy.erase_patient(patient=case.patient, by=by, now=NOW, today=TODAY, **asked)


def everything(patient_key: Any) -> dict[str, int]:
    """How many rows each table has of the patient."""
    counts = {
        model._meta.db_table: model._base_manager.filter(**{model.scope.patient: patient_key}).count()
        for model in tables()
    }
    return {table: count for table, count in counts.items() if count}
