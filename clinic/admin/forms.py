"""Form fields and widgets that look like the rest of the admin."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils import timezone
from unfold import widgets

WEEKDAYS = [
    (number, name)
    for number, name in enumerate(
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), start=1
    )
]

WIDGETS: dict[type[forms.Field], type[forms.Widget]] = {
    forms.BooleanField: widgets.UnfoldBooleanSwitchWidget,
    forms.ChoiceField: widgets.UnfoldAdminSelectWidget,
    forms.TypedChoiceField: widgets.UnfoldAdminSelectWidget,
    forms.ModelChoiceField: widgets.UnfoldAdminSelectWidget,
    forms.IntegerField: widgets.UnfoldAdminIntegerFieldWidget,
    forms.DecimalField: widgets.UnfoldAdminDecimalFieldWidget,
    forms.EmailField: widgets.UnfoldAdminEmailInputWidget,
    forms.CharField: widgets.UnfoldAdminTextInputWidget,
}
NATIVE_INPUTS: dict[type[forms.Field], str] = {forms.DateField: "date", forms.TimeField: "time"}


PLAIN_WORDS = {
    "min_value": "At least %(limit_value)s.",
    "max_value": "At most %(limit_value)s.",
    "max_length": "At most %(limit_value)d characters.",
    "max_digits": "At most %(max)s digits.",
    "max_decimal_places": "At most %(max)s decimal places.",
    "max_whole_digits": "At most %(max)s digits before the point.",
}
"""Instead of Django's "Ensure this value is less than or equal to 10." A form's words go before a model's."""


class CheckboxList(forms.CheckboxSelectMultiple):
    """Checkboxes under each other, with their groups' headings."""

    template_name = "admin/clinic/checkbox_list.html"


class CodesField(forms.TypedMultipleChoiceField):
    """A list of codes (an ``ArrayField``), chosen from their labels."""

    widget = CheckboxList

    def __init__(self, choices: Iterable[Any], *, coerce: Any = str, **kwargs: Any) -> None:
        super().__init__(choices=list(choices), coerce=coerce, empty_value=[], **kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(initial or [], data or [])


class LinesField(forms.CharField):
    """A list of short texts, one a line."""

    def __init__(self, *, max_length_each: int, **kwargs: Any) -> None:
        self.max_length_each = max_length_each
        kwargs.setdefault("widget", widgets.UnfoldAdminTextareaWidget)
        kwargs.setdefault("help_text", "One a line.")
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = [line.strip() for line in (value or "").splitlines()]
        return [line for line in lines if line]

    def validate(self, value: Any) -> None:
        super().validate(value)
        for line in value:
            if len(line) > self.max_length_each:
                raise forms.ValidationError(
                    f"At most {self.max_length_each} characters a line: {line[:40]}..."
                )

    def run_validators(self, value: Any) -> None:
        """The validators of a text don't apply to a list."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != self.to_python(data)


def dress(form: forms.BaseForm) -> None:
    """Give a plain form's fields the admin's widgets; fields with a widget of their own keep it."""
    for field in form.fields.values():
        say_plainly(field)
        usual = type(field).widget
        if type(field.widget) is not usual:
            continue
        kind = type(field)
        if kind in NATIVE_INPUTS:
            field.widget = native_picker(NATIVE_INPUTS[kind])
        elif kind in WIDGETS:
            _replace(field, WIDGETS[kind])


def say_plainly(field: forms.Field) -> None:
    """Unless the field has words of its own."""
    field.error_messages = PLAIN_WORDS | field.error_messages


def native_picker(kind: str) -> forms.Widget:
    """The browser's own picker of a date or time: it works on a phone, in the reader's own format."""
    return widgets.UnfoldAdminTextInputWidget(attrs={"type": kind})


def text_area(rows: int = 3) -> forms.Widget:
    return widgets.UnfoldAdminTextareaWidget(attrs={"rows": rows})


def zone_field(**kwargs: Any) -> forms.ChoiceField:
    """The IANA time zones, to search by typing."""
    names = sorted(name for name in available_timezones() if "/" in name or name == "UTC")
    return forms.ChoiceField(choices=[(name, name.replace("_", " ")) for name in names], **kwargs)


def age_text(since: datetime | None, now: datetime) -> str:
    """How long ago, as short as a list needs it: "12 s", "5 min", "3 h", "2 days"."""
    if since is None:
        return "never"
    age = max(now - since, timedelta())
    if age < timedelta(minutes=1):
        return f"{age.seconds} s ago"
    if age < timedelta(hours=1):
        return f"{age.seconds // 60} min ago"
    if age < timedelta(days=1):
        return f"{age.seconds // 3600} h ago"
    return f"{age.days} day{'s' if age.days > 1 else ''} ago"


def moment(at: datetime | None) -> str:
    """A point in time on the reader's clock: "22 Nov 2026 09:51"."""
    return f"{timezone.localtime(at):%-d %b %Y %H:%M}" if at else ""


def _replace(field: forms.Field, kind: type[forms.Widget]) -> None:
    choices = getattr(field, "choices", None)
    field.widget = kind()
    field.widget.is_required = field.required
    if choices is not None:
        field.widget.choices = field.choices  # type: ignore[attr-defined]
    field.widget.attrs.update(field.widget_attrs(field.widget))
