"""Versions: a template's number rises when its content changes, and what it held before is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, F

from clinic.models import User
from programs.models import Exercise, Program, Template, TemplateVersion
from programs.rules.library import changes, template_as_plain
from programs.services.library.content import template_data


@contextmanager
def changing_template(template: Template, *, by: User | None) -> Iterator[None]:
    """Change the template's row, stages and doses inside: one version more, if its content did change.

    ``by`` is None for the starter library. The row is locked, so that two edits make two versions.
    """
    with transaction.atomic():
        held = hold_template(template)
        yield
        keep_version(held, by=by)
    template.version = held.template.version


@dataclass(slots=True)
class Held:
    """A locked template and what it held when it was locked."""

    template: Template
    content: dict[str, Any]


def hold_template(template: Template) -> Held:
    """Lock the row and look at its content before a change, inside a transaction; then ``keep_version``."""
    row = Template.objects.select_for_update(no_key=True).get(pk=template.pk)
    return Held(row, template_as_plain(template_data(row)))


def keep_version(held: Held, *, by: User | None) -> bool:
    """After the change: keep the former content and raise the number; False if nothing has changed."""
    row = Template.objects.get(pk=held.template.pk)
    if template_as_plain(template_data(row)) == held.content:
        return False
    TemplateVersion.objects.create(
        template=row, number=held.template.version, content=held.content, replaced_by=by
    )
    held.template.version += 1
    Template.objects.filter(pk=row.pk).update(version=held.template.version)
    return True


def raise_exercise_version(exercise: Exercise) -> None:
    """An exercise's content has changed."""
    Exercise.objects.filter(pk=exercise.pk).update(version=F("version") + 1)
    exercise.refresh_from_db(fields=["version"])


def changes_since(template: Template, number: int) -> list[str]:
    """What changed in the template since that version, in words; of a version nobody kept, nothing."""
    kept = TemplateVersion.objects.filter(template=template, number=number).first()
    if kept is None:
        return []
    now = template_as_plain(template_data(Template.objects.get(pk=template.pk)))
    return changes(kept.content, now, _names((kept.content, now), template))


def _names(contents: Sequence[dict[str, Any]], template: Template) -> dict[str, str]:
    slugs = {
        dose["exercise"]
        for content in contents
        for stage in content.get("stages", [])
        for dose in stage.get("exercises", [])
    }
    rows = Exercise.objects.usable_by(template.clinic_id).filter(slug__in=slugs)
    return dict(rows.order_by(F("clinic").asc(nulls_first=True)).values_list("slug", "name"))


@dataclass(frozen=True, slots=True)
class OnVersion:
    """How many patients have an active program from that version of a template."""

    number: int
    patients: int

    def __str__(self) -> str:
        return f"{self.patients} patient{'' if self.patients == 1 else 's'} on version {self.number}"


def patients_by_version(
    templates: Collection[Template], *, clinics: Collection[int]
) -> dict[int, list[OnVersion]]:
    """By template, the newest version first: patients of these clinics. One query."""
    rows = (
        Program.objects.active()
        .filter(template__in=templates, clinic__in=clinics)
        .order_by("template", "-template_version")
        .values("template", "template_version")
        .annotate(patients=Count("episode__patient", distinct=True))
    )
    found: dict[int, list[OnVersion]] = defaultdict(list)
    for row in rows:
        found[row["template"]].append(OnVersion(row["template_version"], row["patients"]))
    return dict(found)


def copied_from(row: Template | Exercise) -> Any:
    """The row of the starter library this is a copy of, if it is one that still exists."""
    if not row.copied_from:
        return None
    return type(row)._default_manager.filter(clinic=None, slug=row.copied_from).first()
