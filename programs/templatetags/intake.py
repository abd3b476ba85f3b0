"""A field of the intake form with what is derived from it, and what is wrong with it or asked."""

from __future__ import annotations

from typing import Any

from django import forms, template

from clinic.models import User
from clinic.roles import Capability
from clinic.tenancy import rows_where
from patients.models import Episode
from programs.services import assessment_drafts

register = template.Library()


@register.inclusion_tag("admin/programs/intake/cell.html")
def cell(form: Any, *parts: Any, label: str | None = None) -> dict[str, Any]:
    """The field whose name the ``parts`` make; ``label=""`` where a heading says it."""
    name = "".join(str(part) for part in parts)
    bound = form[name]
    return {
        "field": bound,
        "label": bound.label if label is None else label,
        "is_check": isinstance(bound.field, forms.BooleanField),
        "derived": form.derived.get(name),
        "error": form.said.get(name, ""),
        "questions": form.asked.get(name, ()),
        "confirmed": form.confirmed(),
    }


@register.simple_tag
def ticked(form: Any, name: str, code: str) -> bool:
    return code in form.data.getlist(name)


@register.inclusion_tag("admin/programs/intake/flagged.html")
def flagged_drafts(episode: Episode) -> dict[str, Any]:
    """Red flags that somebody ticked and has not saved: everybody who opens the patient is told."""
    return {"flagged": assessment_drafts.flagged_drafts([episode])}


@register.inclusion_tag("admin/programs/intake/flagged.html")
def flagged_drafts_for(user: User) -> dict[str, Any]:
    """Of all cases whose findings the user may read."""
    cases = rows_where(user, Capability.READ_CLINICAL, Episode.objects.all())
    return {"flagged": assessment_drafts.flagged_drafts(cases)}
