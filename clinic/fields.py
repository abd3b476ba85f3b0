"""Column types shared by the apps, and the check constraints that go with them."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q


class PainField(models.DecimalField):
    """Pain on the 0-10 NPRS (or VAS in cm), one decimal. The database holds the range too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(max_digits=3, decimal_places=1)
        kwargs.setdefault("validators", [MinValueValidator(0), MaxValueValidator(10)])
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("max_digits", "decimal_places", "validators"):
            kwargs.pop(fixed, None)
        return name, path, list(args), kwargs


def between(model: str, low: int | str, high: int | str, *fields: str) -> models.CheckConstraint:
    """One check that each of the fields is empty or within the range, ends included."""
    condition = Q()
    for name in fields:
        condition &= Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": low, f"{name}__lte": high})
    return models.CheckConstraint(
        condition=condition,
        name=f"{model}_{fields[0]}_range"[:60],
        violation_error_message=f"{', '.join(fields)}: must be between {low} and {high}.",
    )
