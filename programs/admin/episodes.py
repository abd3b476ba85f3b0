"""What is known of the problem itself: the case data page, reached from the patient page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clinic.admin.base import RoleAdmin
from clinic.roles import Capability
from patients.models import Episode
from patients.services import CaseError, check_onset
from programs.admin.caseload import local_today, page_url
from programs.models import Program
from programs.services.due import review_again
from programs.services.edits import check_side

TRACK = "running_track"


class CaseForm(forms.ModelForm):
    def clean(self) -> None:
        super().clean()
        check_onset(
            self.cleaned_data.get("onset_on"), today=local_today(self.instance.patient, timezone.now())
        )

    def clean_index_side(self) -> str:
        side: str = self.cleaned_data["index_side"]
        try:
            check_side(episode=self.instance, side=side)
        except CaseError as error:
            raise ValidationError(error.message) from None
        return side


@admin.register(Episode)
class EpisodeAdmin(RoleAdmin):
    """The running track is chosen here until a program is under way; then with a reason, on its own page."""

    view_needs = change_needs = Capability.READ_CLINICAL
    form = CaseForm
    fields = ("diagnosis", ("index_side", "both_knees"), ("onset_on", "onset_kind"), TRACK)
    readonly_fields = ("running",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:patients_patient_changelist"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        closed = isinstance(obj, Episode) and not obj.is_open
        return not closed and self._may(request, Capability.WRITE_CLINICAL, obj)

    def get_fields(self, request: HttpRequest, obj: Episode | None = None) -> Any:
        if obj is None or _under_way(obj) is None:
            return self.fields
        return (*self.fields[:-1], "running")

    @admin.display(description="Running track")
    def running(self, case: Episode) -> str | SafeString:
        """As it is, with the way to the page on which it is switched."""
        program, track = _under_way(case), case.get_running_track_display()
        if program is None:
            return track
        return format_html(
            '{} <a class="kc-link" href="{}">Change running</a>',
            track,
            reverse("admin:do", args=["running", program.pk]),
        )

    def save_model(self, request: HttpRequest, obj: Episode, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        review_again(episode=obj, now=timezone.now())

    def response_change(self, request: HttpRequest, obj: Episode) -> HttpResponse:
        return HttpResponseRedirect(page_url(obj))


def _under_way(case: Episode) -> Program | None:
    program: Program | None = Program.objects.active().filter(episode=case).first()
    return program
