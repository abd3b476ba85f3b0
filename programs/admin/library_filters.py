"""What narrows the library down: whose it is, which muscle, what it needs."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from patients.vocabulary import MuscleGroup
from programs.models import Exercise

NOTHING = "nothing"
BETWEEN = re.compile(r", | or ")


class OwnerFilter(admin.SimpleListFilter):
    title = "library"
    parameter_name = "library"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("own", "Our own"), ("starter", "Starter library")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("own", "starter"):
            return queryset.filter(clinic__isnull=self.value() == "starter")
        return queryset


class MuscleFilter(admin.SimpleListFilter):
    title = "muscle"
    parameter_name = "muscle"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return MuscleGroup.choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(muscle_groups__contains=[chosen]) if chosen else queryset


class EquipmentFilter(admin.SimpleListFilter):
    title = "equipment"
    parameter_name = "equipment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Each thing once: "bench or chair, light dumbbells" are three."""
        said = Exercise.objects.scoped(request.user).values_list("equipment", flat=True).distinct()
        things = {thing for text in said for thing in BETWEEN.split(text) if thing[:1].isalpha()}
        named = sorted(things - {"none", "optional"}, key=str.casefold)
        return [(NOTHING, "Nothing"), *((thing, thing[:1].upper() + thing[1:]) for thing in named)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen == NOTHING:
            return queryset.filter(equipment__in=("", "none"))
        return queryset.filter(equipment__icontains=chosen) if chosen else queryset
