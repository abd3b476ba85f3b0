"""The clinic's policy: each threshold with its default, unit, source and the positions it decides between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from itertools import groupby
from typing import Any

from django import forms

from clinic.admin.forms import WEEKDAYS, CodesField, dress
from clinic.models import Clinic
from clinic.thresholds import DEFAULTS, FIELDS, TOPICS, PolicyError, Thresholds, Topic, parse


@dataclass(frozen=True, slots=True)
class Row:
    """One threshold as the page shows it."""

    field: forms.BoundField
    label: str
    unit: str
    usual: str
    source: str
    conflict: str
    changed: bool


class ThresholdFields(forms.Form):
    """One field a threshold. Ranges, types and order are judged by ``clinic.thresholds`` alone."""

    def offer(self, keys: Iterable[str], *, in_force: Thresholds, usual: Thresholds) -> None:
        """Ask for these thresholds; ``usual`` are the values that hold where nothing is changed."""
        self.keys, self.in_force, self.usual = list(keys), in_force, usual
        for key in self.keys:
            self.fields[key] = _form_field(key, getattr(in_force, key))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for key in self.keys:
            if key in data:
                try:
                    parse(key, data[key])
                except PolicyError as error:
                    self.add_error(key, error.message)
        return data

    def groups(self) -> Iterator[tuple[str, list[Row]]]:
        """The thresholds by topic, in the order of the table."""
        for group, keys in groupby(self.keys, key=lambda key: FIELDS[key].metadata["group"]):
            yield group, [self._row(key) for key in keys]

    def _row(self, key: str) -> Row:
        about, usual = FIELDS[key].metadata, getattr(self.usual, key)
        return Row(
            field=self[key],
            label=about["label"],
            unit=about["unit"],
            usual=as_text(usual),
            source=about["source"],
            conflict=about["conflict"],
            changed=getattr(self.in_force, key) != usual,
        )


class PolicyForm(ThresholdFields):
    """The thresholds of a clinic, and who sees whose cases."""

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        policy = getattr(clinic, "policy", None)
        super().__init__(*args, **kwargs)
        self.offer(FIELDS, in_force=clinic.thresholds(), usual=DEFAULTS)
        self.fields["own_cases_only"] = forms.BooleanField(
            label="A physio sees only the cases they treat. The owner sees all.",
            required=False,
            initial=bool(policy and policy.own_cases_only),
        )
        dress(self)

    def topics(self) -> list[tuple[Topic, list[tuple[str, str]]]]:
        """Where the sources disagree, each with key and label of the thresholds that decide it."""
        return [
            (topic, [(key, FIELDS[key].metadata["label"]) for key in topic.decided_by]) for topic in TOPICS
        ]

    @property
    def values(self) -> dict[str, Any]:
        """The thresholds as they were filled in; once valid."""
        return {key: self.cleaned_data[key] for key in FIELDS}


def _form_field(key: str, value: Any) -> forms.Field:
    about, default = FIELDS[key].metadata, FIELDS[key].default
    label = about["label"]
    if isinstance(default, bool):
        return forms.BooleanField(label=label, initial=value, required=False)
    if isinstance(default, time):
        return forms.TimeField(label=label, initial=value.strftime("%H:%M"))
    if isinstance(default, tuple):
        return CodesField(WEEKDAYS, coerce=int, label=label, initial=list(value))
    if key.endswith("_weekday"):
        return forms.TypedChoiceField(label=label, choices=WEEKDAYS, coerce=int, initial=value)
    if isinstance(default, Decimal):
        return forms.DecimalField(label=label, initial=as_text(value), max_digits=8, decimal_places=2)
    return forms.IntegerField(label=label, initial=value)


def as_text(value: Any) -> str:
    """A threshold's value as a page shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, tuple):
        return ", ".join(dict(WEEKDAYS)[day][:3] for day in value)
    return str(value)
