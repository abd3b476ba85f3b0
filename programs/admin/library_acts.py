"""What is done to the library: copy, take out as a file, link to a film of the clinic's own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.urls import reverse

from clinic.admin.actions import Act
from clinic.admin.base import clinics_where
from clinic.models import Clinic, User
from clinic.roles import Capability
from programs.models import Clip, Exercise, Template
from programs.services.library import copy_exercise, copy_template, export_template, set_clip


class LibraryAct(Act):
    """On a row of the starter library, or of a clinic where the user treats."""

    needs = Capability.WRITE_CLINICAL

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        own = clinics_where(user, Capability.WRITE_CLINICAL)
        return cls.model._default_manager.filter(Q(clinic=None) | Q(clinic__in=own))

    @property
    def clinic(self) -> Clinic:
        """Whose library is written: the row's, else the one where the user treats."""
        clinics = clinics_where(self.by, Capability.WRITE_CLINICAL)
        return self.target.clinic or Clinic.objects.get(pk=clinics[0])

    def next_url(self) -> str:
        return page_of(self.target)


def page_of(row: Exercise | Template) -> str:
    return reverse(f"admin:programs_{row._meta.model_name}_change", args=[row.pk])


class CopyTemplate(LibraryAct):
    model = Template
    title = "Copy to our library"
    submit = "Copy"
    intro = "The copy is yours to edit. Programs that patients have stay as they are."

    def perform(self) -> str:
        self.target = copy_template(template=self.target, clinic=self.clinic, by=self.by)
        return f"{self.target} is in your library."


class CopyExercise(LibraryAct):
    model = Exercise
    title = "Copy to our library"
    submit = "Copy"
    intro = "The copy is yours to edit, and has no drawing. Programs go on using the exercise they have."

    def perform(self) -> str:
        self.target = copy_exercise(exercise=self.target, clinic=self.clinic, by=self.by)
        return f"{self.target} is in your library."


class ExportTemplate(LibraryAct):
    model = Template
    title = "Save as a file"
    submit = "Save"
    intro = "One YAML file with its stages and exercises, for a colleague of another clinic."
    downloads = True

    def perform(self) -> str:
        self.answer = HttpResponse(
            export_template(template=self.target),
            content_type="application/yaml; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{self.target.slug}.yaml"'},
        )
        return "Saved."


class SetClip(LibraryAct):
    model = Exercise
    title = "Our own clip"
    intro = "Patients of your clinic see the link beside the exercise. Empty: no link."

    url = forms.CharField(label="Address of the clip", max_length=500, required=False)

    def prepare(self) -> None:
        clip = Clip.objects.filter(clinic=self.clinic, exercise=self.target).first()
        self.initial.setdefault("url", clip.url if clip else "https://")

    def perform(self) -> str:
        url = self.cleaned_data["url"]
        clip = set_clip(
            exercise=self.target, clinic=self.clinic, url="" if url == "https://" else url, by=self.by
        )
        return "The clip is linked." if clip else "No clip is linked."
