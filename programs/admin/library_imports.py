"""Files into the clinic's own library: pasted or read by the page's script, looked at, then written."""

from __future__ import annotations

from abc import abstractmethod
from hashlib import sha256
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from clinic.admin.actions import Act, act_on
from clinic.admin.base import clinics_where
from clinic.admin.forms import text_area
from clinic.models import Clinic, User
from clinic.roles import Capability
from programs.admin.library_acts import page_of
from programs.services.library import (
    Choice,
    NotReadable,
    import_exercises,
    import_template,
    preview_exercises,
    preview_import,
)

CHOICES = [(Choice.OURS, "Use ours"), (Choice.COPY, "Add the file's beside ours")]


class ImportAct(Act):
    """What was looked at is what is written: ``looked`` is the sum of the text that was shown."""

    model = Clinic
    needs = Capability.WRITE_CLINICAL
    submit = "Look at it"
    list_name: ClassVar[str]
    accept: ClassVar[str]

    text = forms.CharField(label="The file's text", strip=False, widget=text_area(14))
    looked = forms.CharField(required=False, widget=forms.HiddenInput)

    def prepare(self) -> None:
        """Read the text before the fields are: what it holds decides what is asked."""
        self.preview: Any = None
        self.mistakes: list[str] = []
        text = self.data.get("text", "")
        self.is_confirmed = bool(text) and self.data.get("looked") == text_sum(text)
        if not text.strip():
            return
        try:
            self.preview = self.look(text)
        except NotReadable as error:
            self.mistakes = error.mistakes
            return
        data: Any = self.data
        self.data = data.copy()
        self.data["looked"] = text_sum(text)  # type: ignore[index]
        self.submit = "Import"  # type: ignore[misc]  # of this form: the next press writes
        self.ask()

    @abstractmethod
    def look(self, text: str) -> Any:
        """What would be written, to be shown; nothing is.

        Raises:
            NotReadable: with every mistake in it.
        """

    def ask(self) -> None:
        """Add the fields that the preview needs."""

    def clean(self) -> dict[str, Any]:
        for mistake in self.mistakes:
            self.add_error("text", f"{mistake[0].upper()}{mistake[1:]}.")
        return super().clean() or {}

    def attempt(self) -> str | None:
        """The first time the preview is shown."""
        return super().attempt() if self.is_confirmed else None

    def about(self) -> str:
        return self.target.name

    def next_url(self) -> str:
        return reverse(self.list_name)


class ImportTemplate(ImportAct):
    template = "admin/programs/import_template.html"
    title = "Import a program from a file"
    intro = (
        "A YAML file that a colleague saved from their library. Nothing is written before you have seen it."
    )
    list_name = "admin:programs_template_changelist"
    accept = ".yaml,.yml"

    def look(self, text: str) -> Any:
        return preview_import(text=text, clinic=self.target, by=self.by)

    def ask(self) -> None:
        self.fields["name"] = forms.CharField(
            label="Call it", max_length=120, required=False, help_text=f"Empty: {self.preview.name}."
        )
        if self.preview.clash:
            self.fields["replace_ours"] = forms.BooleanField(
                label=f"Replace our {self.preview.clash}: this becomes its next version", required=False
            )
        for incoming in self.preview.asks:
            self.fields[f"choice-{incoming.data.slug}"] = forms.ChoiceField(
                label=f"Our {incoming.ours} differs: {', '.join(incoming.differs)}",
                choices=[("", "Choose"), *CHOICES],
                required=self.is_confirmed,
            )

    def perform(self) -> str:
        data = self.cleaned_data
        self.made = import_template(
            text=data["text"],
            clinic=self.target,
            by=self.by,
            name=data["name"],
            replace_ours=data.get("replace_ours", False),
            choices={
                incoming.data.slug: Choice(data[f"choice-{incoming.data.slug}"])
                for incoming in self.preview.asks
            },
        )
        return f"{self.made} is in your library."

    def next_url(self) -> str:
        return page_of(self.made) if hasattr(self, "made") else super().next_url()


class ImportExercises(ImportAct):
    template = "admin/programs/import_exercises.html"
    title = "Import exercises"
    intro = (
        "From the public-domain Free Exercise DB (JSON). Choose its file and narrow it down, or paste a "
        "part. Nothing is written before you have seen it."
    )
    list_name = "admin:programs_exercise_changelist"
    accept = ".json"

    take = forms.MultipleChoiceField(required=False, widget=forms.MultipleHiddenInput)

    def look(self, text: str) -> Any:
        return preview_exercises(text=text, clinic=self.target, by=self.by)

    def ask(self) -> None:
        """All are ticked at first."""
        addable = [candidate.slug for candidate in self.preview if not candidate.skipped]
        self.fields["take"].choices = [(slug, slug) for slug in addable]  # type: ignore[attr-defined]
        data: Any = self.data
        self.ticked = data.getlist("take") if self.is_confirmed else addable

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if self.is_confirmed and not data.get("take"):
            self.add_error(None, "Tick at least one exercise.")
        return data

    def perform(self) -> str:
        found = import_exercises(
            text=self.cleaned_data["text"],
            clinic=self.target,
            by=self.by,
            chosen=set(self.cleaned_data["take"]),
        )
        added = sum(not candidate.skipped for candidate in found)
        return f"{added} exercise{'' if added == 1 else 's'} added to your library."


def import_page(request: HttpRequest, kind: type[ImportAct], site: admin.AdminSite) -> HttpResponse:
    """Into the library of the clinic where the user treats."""
    user = request.user
    clinics = clinics_where(user, Capability.WRITE_CLINICAL) if isinstance(user, User) else []
    if not clinics:
        raise PermissionDenied
    return act_on(request, kind, request.GET.get("clinic", str(clinics[0])), site)


def text_sum(text: str) -> str:
    """The same whatever line ends a browser makes of it."""
    return sha256("\n".join(text.strip().splitlines()).encode()).hexdigest()
