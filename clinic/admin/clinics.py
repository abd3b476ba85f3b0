"""Clinics: an owner keeps the contact data, an operator sees which there are."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import Field
from django.http import HttpRequest

from clinic.admin.base import RoleAdmin, clinics_where, is_operator
from clinic.admin.forms import zone_field
from clinic.models import Clinic, User
from clinic.roles import Capability


@admin.register(Clinic)
class ClinicAdmin(RoleAdmin):
    view_needs = change_needs = history_needs = Capability.MANAGE_CLINIC
    list_display = ("name", "timezone", "phone", "is_active", "simulated")
    fields = ("name", "phone", "emergency_number", "timezone", "country", "is_active", "simulated")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        if is_operator(request):
            return Clinic.objects.all()
        return super().get_queryset(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if is_operator(request):
            return ("phone", "emergency_number", "timezone", "country", "simulated")
        return ("is_active", "simulated")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Field | None:
        if db_field.name == "timezone":
            field = zone_field(help_text=db_field.help_text)
            field.widget.attrs["class"] = "kc-select"
            return field
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[no-any-return]

    def _may(self, request: HttpRequest, capability: Capability | None, obj: Any) -> bool:
        user = request.user
        if not isinstance(user, User) or capability is None:
            return False
        if user.is_operator and user.is_active:
            return True
        allowed = clinics_where(user, capability)
        return obj.pk in allowed if isinstance(obj, Model) else bool(allowed)
