"""The outbox: every e-mail with its state. The owner reads bodies, masked; an operator states only."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display

from clinic import outbox
from clinic.admin.base import RoleAdmin, is_operator
from clinic.admin.forms import moment
from clinic.models import OutboxMessage, User
from clinic.outbox import masked_preview
from clinic.roles import Capability

STATE_COLOURS = {
    "Waiting": "info",
    "Being sent": "info",
    "Sent": "success",
    "Given up": "danger",
    "Bounced": "danger",
}
ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")

FOR_OPERATOR = ("what", "clinic_name", "state_label", "attempts", "problem", "written", "sent")
FOR_OWNER = ("what", "recipient", "subject", "state_label", "attempts", "problem", "written", "sent")


def kind_label(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


class KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kinds = model_admin.get_queryset(request).order_by("kind").values_list("kind", flat=True).distinct()
        return [(kind, kind_label(kind)) for kind in kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(OutboxMessage)
class OutboxAdmin(RoleAdmin):
    view_needs = Capability.MANAGE_CLINIC
    list_filter = ("state", "bounced", KindFilter)
    list_select_related = ("clinic",)
    sortable_by = ("written", "sent", "attempts")
    nothing_yet = "No e-mail yet"
    nothing_yet_hint = "Each e-mail of the service is listed here, with what became of it."

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request) or super().has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        if is_operator(request):
            return OutboxMessage.objects.select_related("clinic").order_by("-created_at")
        return super().get_queryset(request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """An operator reads the states in the list: a single message is called by its subject."""
        return None if is_operator(request) else super().get_object(request, object_id, from_field)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return FOR_OPERATOR if is_operator(request) else FOR_OWNER

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        return None if is_operator(request) else ("what",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return () if is_operator(request) else ("kind", "to_email", "subject")

    def get_urls(self) -> list[URLPattern]:
        again = require_POST(self.admin_site.admin_view(self.send_again))
        return [path("<uuid:pk>/again/", again, name="clinic_outboxmessage_again"), *super().get_urls()]

    def send_again(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        if not (isinstance(request.user, User) and request.user.may(Capability.MANAGE_CLINIC)):
            raise PermissionDenied
        message = self.get_object(request, str(pk))
        if message is None:
            raise Http404
        try:
            outbox.send_again(message=message, by=request.user, now=timezone.now())
            messages.success(request, f"The e-mail to {message.to_email} is tried again.")
        except outbox.SendAgainError as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:clinic_outboxmessage_change", args=[pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The message as the recipient sees it, codes and links masked. Not for operators."""
        message = self.get_object(request, object_id)
        if message is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": kind_label(message.kind),
            "message_row": message,
            "preview": masked_preview(message),
            "given_up": message.state == OutboxMessage.State.DEAD,
            "why_not_again": outbox.why_not_again(message),
            "state": self.state_label(message),
            "state_variant": STATE_COLOURS[self.state_label(message)],
        }
        return TemplateResponse(request, "admin/clinic/outbox_message.html", context)

    @display(description="E-mail", ordering="kind")
    def what(self, message: OutboxMessage) -> str:
        return kind_label(message.kind)

    @display(description="To", ordering="to_email")
    def recipient(self, message: OutboxMessage) -> str:
        return message.to_email

    @display(description="Clinic", ordering="clinic__name")
    def clinic_name(self, message: OutboxMessage) -> str:
        return str(message.clinic or "The platform")

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_label(self, message: OutboxMessage) -> str:
        return "Bounced" if message.bounced else message.get_state_display()

    @display(description="Written", ordering="created_at")
    def written(self, message: OutboxMessage) -> str:
        return moment(message.created_at)

    @display(description="Sent", ordering="sent_at")
    def sent(self, message: OutboxMessage) -> str:
        return moment(message.sent_at)

    @display(description="Last error")
    def problem(self, message: OutboxMessage) -> str:
        """Without addresses: an operator reads this too."""
        return ADDRESS.sub("[address]", message.last_error)
