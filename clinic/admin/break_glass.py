"""Records opened by an operator: the form that opens them, and the list that the clinic's owner sees."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display

from clinic.accounts import break_glass as service
from clinic.admin.actions import Act, act_on
from clinic.admin.base import RoleAdmin, is_operator
from clinic.admin.forms import moment, text_area
from clinic.models import BreakGlass, Clinic, User
from clinic.roles import Capability


class OpenRecords(Act):
    model = Clinic
    needs = None
    title = "Open the records of a clinic"
    submit = "Open for one hour"
    danger = True
    intro = (
        "You may read, and change nothing. The clinic's owners get an e-mail with your name and your reason "
        "at once, and what you read is on record."
    )

    reason = forms.CharField(
        max_length=500, widget=text_area(), help_text="Who asked for it, and what for. The owner reads this."
    )

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return Clinic.objects.filter(is_active=True)

    def perform(self) -> str:
        service.open_records(clinic=self.target, by=self.by, now=self.now, **self.cleaned_data)
        return f"The records of {self.target} are open to you."

    def next_url(self) -> str:
        return reverse("admin:index")


def _open(request: HttpRequest, pk: str) -> HttpResponse:
    if not is_operator(request):
        raise Http404
    return act_on(request, OpenRecords, pk, admin.site)


def _close(request: HttpRequest) -> HttpResponse:
    user = request.user
    if not isinstance(user, User) or not is_operator(request):
        raise Http404
    service.close_records(by=user, now=timezone.now())
    messages.success(request, "The records are closed again.")
    return HttpResponseRedirect(reverse("admin:index"))


break_glass = admin.site.admin_view(_open)
close = require_POST(admin.site.admin_view(_close))


@admin.register(BreakGlass)
class BreakGlassAdmin(RoleAdmin):
    view_needs = history_needs = Capability.MANAGE_CLINIC
    list_display = ("began", "ended", "who", "clinic_name", "reason")
    list_select_related = ("clinic", "operator")
    list_display_links = None
    sortable_by = ("began", "ended")
    nothing_yet = "No operator has opened a record"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request) or super().has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        if is_operator(request):
            return BreakGlass.objects.all()
        return super().get_queryset(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The list holds all there is to know."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:clinic_breakglass_changelist"))

    @display(description="From", ordering="started_at")
    def began(self, row: BreakGlass) -> str:
        return moment(row.started_at)

    @display(description="Until", ordering="ends_at")
    def ended(self, row: BreakGlass) -> str:
        return moment(row.ends_at)

    @display(description="Operator")
    def who(self, row: BreakGlass) -> str:
        return row.operator.get_full_name()

    @display(description="Clinic")
    def clinic_name(self, row: BreakGlass) -> str:
        return str(row.clinic)
