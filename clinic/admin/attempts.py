"""Rows that a sweep could not handle: which, how often it was tried, why, and when it is tried again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import display

from clinic.admin.base import RoleAdmin, is_operator
from clinic.admin.forms import moment
from clinic.admin.sweeps import LABELS
from clinic.attempts import try_again
from clinic.models import RowAttempt
from clinic.roles import Capability

STATES = {"Given up": "danger", "Will be tried again": "warning"}


@admin.register(RowAttempt)
class RowAttemptAdmin(RoleAdmin):
    """For owners and operators: numbers of rows, nothing of what is in them."""

    view_needs = history_needs = Capability.MANAGE_CLINIC
    list_display = ("what", "key", "clinic", "state", "attempts", "began", "next_try", "error")
    list_display_links = None
    nothing_yet = "Nothing is in trouble"
    nothing_yet_hint = "What a job fails to handle is listed here until it has worked."
    list_select_related = ("clinic",)
    actions = ("try_now",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request) or super().has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        if is_operator(request):
            return RowAttempt.objects.select_related("clinic")
        return super().get_queryset(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """There is no page of a single row: the table holds all there is to know."""
        return HttpResponseRedirect(reverse("admin:clinic_rowattempt_changelist"))

    @admin.action(description="Try again now", permissions=["view"])
    def try_now(self, request: HttpRequest, rows: QuerySet[RowAttempt]) -> None:
        number = try_again(rows=rows)
        rows_are = "1 row is" if number == 1 else f"{number} rows are"
        messages.success(request, f"{rows_are} tried again with the next sweep.")

    @display(description="Job", ordering="sweep")
    def what(self, row: RowAttempt) -> str:
        return LABELS.get(row.sweep, row.sweep)

    @display(description="State", label=STATES)
    def state(self, row: RowAttempt) -> str:
        return "Will be tried again" if row.next_at else "Given up"

    @display(description="Last try", ordering="began_at")
    def began(self, row: RowAttempt) -> str:
        return moment(row.began_at)

    @display(description="Next try", ordering="next_at")
    def next_try(self, row: RowAttempt) -> str:
        return moment(row.next_at)
