"""Which rows a person may see: one ``scoped(user)`` for the API and the admin.

A model says in ``scope`` how a row reaches its clinic, its treating clinician and its patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from django.db import models
from django.db.models import Q

from clinic.roles import Capability


@dataclass(frozen=True, slots=True)
class Scope:
    """Look-up paths from a row; ``None`` where the row has no such link."""

    clinic: str = "clinic"
    clinician: str | None = None
    patient: str | None = None


class ScopedQuerySet(models.QuerySet[Any]):
    """Adds ``scoped``; every model that belongs to a clinic uses it."""

    def scoped(self, user: Any) -> Self:
        """Rows of the clinics where the user is staff; where policy says so only of their own cases, and of
        those for whom they stand in.

        An anonymous or disabled user, and an operator, gets none.
        """
        if not getattr(user, "is_authenticated", False) or not user.is_active:
            return self.none()
        scope: Scope = self.model.scope
        everything, own_only = user.clinics_by_reach()
        rows = Q(**{f"{scope.clinic}__in": everything})
        if own_only and scope.clinician:
            # By subquery: a path over many cases must not repeat the row.
            treated = Q(**{f"{scope.clinic}__in": own_only, scope.clinician: user.pk})
            for clinic, away in user.covered.items():
                if clinic in own_only:
                    treated |= Q(**{scope.clinic: clinic, f"{scope.clinician}__in": away})
            rows |= Q(pk__in=self.model._base_manager.filter(treated).values("pk"))
        elif own_only:
            rows |= Q(**{f"{scope.clinic}__in": own_only})
        return self.filter(rows)

    def of_patient(self, patient: Any) -> Self:
        """Rows of one patient, for a patient's own login."""
        scope: Scope = self.model.scope
        if scope.patient is None:
            return self.none()
        return self.filter(**{scope.patient: patient.pk})


def clinics_where(user: Any, capability: Capability) -> list[int]:
    """Ids of the clinics in which the user has the capability."""
    return [clinic_id for clinic_id in user.seen_clinic_ids if user.may(capability, clinic_id)]


def rows_where(user: Any, capability: Capability, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """The rows the user sees, of the clinics in which their role allows it: one role here, another there."""
    clinic = rows.model.scope.clinic
    return rows.scoped(user).filter(**{f"{clinic}__in": clinics_where(user, capability)})  # type: ignore[attr-defined]


class ClinicRow(models.Model):
    """A row about a patient or a clinic's work: it carries its clinic, and is never deleted with it."""

    scope = Scope()

    clinic = models.ForeignKey("clinic.Clinic", on_delete=models.PROTECT, related_name="+", editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True
