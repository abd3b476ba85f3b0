"""Fields of the intake form. Ranges are the service's: here a value only has to be readable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.db import models
from django.utils.text import capfirst

from clinic.admin.forms import CodesField
from patients.models import Assessment
from patients.scoring import STEP_DOWN_ITEMS
from patients.vocabulary import (
    AssessmentKind,
    LoadChange,
    MuscleGroup,
    PainLocation,
    QAnglePosition,
    QAngleQuadriceps,
    RiskFactor,
    Side,
    StrengthMethod,
    StrengthUnit,
    TightStructure,
)
from programs.rules.red_flags import Symptom, Tier
from programs.services.assessment_data import COLUMNS, QUESTIONNAIRES
from programs.services.retests import WHEN_IT_HURTS

type Fields = dict[str, forms.Field]

SIDES = tuple(side.value for side in Side)
GROUPS = tuple(group.value for group in MuscleGroup)
AS_ABOVE = ("", "as above")
NOT_TESTED = ("", "not tested")
ACTIVITIES, ANGLES, SPARE_TESTS, MOST_LINES = 4, 2, 2, 40

RED_FLAG_CHOICES = [
    (heading, [(s.value, s.label) for s in Symptom if s.tier == tier])
    for tier, heading in (
        (Tier.ONE, "Tier 1: the patient acts now"),
        (Tier.TWO, "Tier 2: seen the same working day"),
    )
]
CODES: Mapping[str, tuple[Any, str]] = {
    "red_flags": (RED_FLAG_CHOICES, "Red flags"),
    "risk_factors": (RiskFactor.choices(), "Risk factors"),
    "locations": (PainLocation.choices(), "Where the index knee hurts"),
    "other_knee_locations": (PainLocation.choices(), "Where the other knee hurts"),
    "load_changes": (LoadChange.choices(), "What changed before the pain"),
}


class NumberField(forms.DecimalField):
    """A number typed by hand, with a point or a comma; how far it may go is not said here."""

    def __init__(self, label: str, *, places: int = 1, **kwargs: Any) -> None:
        mode = "decimal" if places else "numeric"
        attrs = {"class": "in-num", "inputmode": mode, "autocomplete": "off", "aria-label": label}
        super().__init__(
            label=label,
            required=False,
            max_digits=8,
            decimal_places=places,
            widget=forms.TextInput(attrs=attrs),
            **kwargs,
        )

    def to_python(self, value: Any) -> Decimal | None:
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)


def text(label: str, *, most: int = 100, **attrs: Any) -> forms.CharField:
    attrs = {"aria-label": label, "autocomplete": "off", **attrs}
    return forms.CharField(label=label, required=False, max_length=most, widget=forms.TextInput(attrs=attrs))


def choice(label: str, choices: Iterable[tuple[Any, str]]) -> forms.ChoiceField:
    widget = forms.Select(attrs={"aria-label": label})
    return forms.ChoiceField(label=label, choices=list(choices), required=False, widget=widget)


def points(label: str, offered: Iterable[int]) -> forms.TypedChoiceField:
    """Points to choose from, as a row of buttons."""
    choices = [(str(value), str(value)) for value in offered]
    return forms.TypedChoiceField(
        label=label,
        choices=choices,
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )


def columns() -> Fields:
    """One field a column of the assessment."""
    return {name: _column(Assessment._meta.get_field(name)) for name in COLUMNS}


def _column(field: Any) -> forms.Field:
    label = WHEN_IT_HURTS.get(field.name, capfirst(str(field.verbose_name)))
    if field.name in CODES:
        choices, label = CODES[field.name]
        return CodesField(choices, label=label, required=False)
    if isinstance(field, models.BooleanField):
        return forms.BooleanField(label=label, required=False)
    if isinstance(field, models.DecimalField):
        return NumberField(label, places=field.decimal_places)
    if isinstance(field, models.IntegerField):
        return NumberField(label, places=0)
    if isinstance(field, models.DateField):
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        return forms.DateField(label="Assessed on", required=False, widget=widget)
    if field.choices:
        return choice(label, AssessmentKind.choices())
    return forms.CharField(
        label=label, required=False, widget=forms.Textarea(attrs={"rows": 3, "aria-label": label})
    )


def strength(lines: int) -> Fields:
    """What is chosen once, then a line for each muscle group, and some to add."""
    found: Fields = {
        "s-method": choice("Method", StrengthMethod.choices()),
        "s-unit": choice("Unit", StrengthUnit.choices()),
        "s-position": text("Position"),
        "s-lever": NumberField("Lever arm (m)", places=2),
        "s-fixation": text("Fixation"),
    }
    for n in range(lines):
        name = MuscleGroup(GROUPS[n]).label if n < len(GROUPS) else f"Another test {n - len(GROUPS) + 1}"
        found |= {
            f"s{n}-left": NumberField(f"{name}, left"),
            f"s{n}-right": NumberField(f"{name}, right"),
            f"s{n}-method": choice(f"{name}, method", [AS_ABOVE, *StrengthMethod.choices()]),
            f"s{n}-unit": choice(f"{name}, unit", [AS_ABOVE, *StrengthUnit.choices()]),
            f"s{n}-position": text(f"{name}, position", placeholder="as above"),
            f"s{n}-lever": NumberField(f"{name}, lever arm (m)", places=2),
            f"s{n}-fixation": text(f"{name}, fixation", placeholder="as above"),
        }
        if n >= len(GROUPS):
            found[f"s{n}-group"] = choice(f"{name}, muscle group", [("", "Choose"), *MuscleGroup.choices()])
    return found


def mobility(angles: int) -> Fields:
    found: Fields = {}
    for n in range(angles):
        name = "Q-angle" if n == 0 else f"Q-angle {n + 1}"
        found |= {
            f"q{n}-position": choice(f"{name}, position", QAnglePosition.choices()),
            f"q{n}-quadriceps": choice(f"{name}, quadriceps", QAngleQuadriceps.choices()),
            f"q{n}-left": NumberField(f"{name}, left"),
            f"q{n}-right": NumberField(f"{name}, right"),
            f"q{n}-notes": text(f"{name}, notes", most=1000),
        }
    tight = [NOT_TESTED, ("no", "not tight"), ("yes", "tight")]
    for structure in TightStructure:
        for side in SIDES:
            found[f"f-{structure}-{side}-tight"] = choice(f"{structure.label}, {side}", tight)
            found[f"f-{structure}-{side}-degrees"] = NumberField(f"{structure.label}, {side}, degrees")
    return found | {f"p-{side}": NumberField(f"FPI-6, {side}", places=0) for side in SIDES}


def movement() -> Fields:
    found: Fields = {}
    for side in SIDES:
        for item, most in STEP_DOWN_ITEMS.items():
            label = "unsteady stance" if item == "steady_stance" else item
            found[f"d-{side}-{item}"] = points(f"{capfirst(label)}, {side}", range(most + 1))
        found[f"k-{side}-grade"] = text(f"Single-leg squat, {side}", most=50)
    return found | {"k-rubric": text("Rubric")}


def activities(lines: int) -> Fields:
    found: Fields = {}
    for n in range(lines):
        name = f"Activity {n + 1}"
        found |= {
            f"a{n}-activity": text(name, most=200),
            f"a{n}-pain": NumberField(f"{name}, pain 0-10"),
            f"a{n}-minutes": NumberField(f"{name}, minutes until it hurts", places=0),
            f"a{n}-ability": NumberField(f"{name}, ability 0-10 (PSFS)"),
        }
    return found


def questionnaires() -> Fields:
    found: Fields = {}
    for measure, items in QUESTIONNAIRES.items():
        for code, item in items.items():
            found[f"o-{measure}-{code}"] = points(item.label, item.points)
        if measure != "groc":
            found[f"o-{measure}-total"] = NumberField(f"{measure.upper().replace('_', '-')}, total only")
    return found
