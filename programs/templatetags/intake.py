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


@register.inclusion_tag("admin/programs/intake/flagged.html", takes_context=True)
def flagged_drafts(context: Any, episode: Episode) -> dict[str, Any]:
    """Red flags that somebody ticked and has not saved: everybody who opens the patient is told."""
    return _flagged(context["request"].user, [episode])


@register.inclusion_tag("admin/programs/intake/flagged.html")
def flagged_drafts_for(user: User) -> dict[str, Any]:
    """Of all cases whose findings the user may read."""
    cases = rows_where(user, Capability.READ_CLINICAL, Episode.objects.all())
    return _flagged(user, cases)


def _flagged(user: User, cases: Any) -> dict[str, Any]:
    """Each with whether the user may raise it, and whether the draft is their own, to be gone on with."""
    found = assessment_drafts.flagged_drafts(cases)
    may = {item.draft.clinic_id: user.may(Capability.WRITE_CLINICAL, item.draft.clinic_id) for item in found}
    return {"flagged": [(item, may[item.draft.clinic_id], item.draft.author_id == user.pk) for item in found]}
