"""Alerts: who needs someone, why, since when, and what was done about it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from clinic.admin.base import RoleAdmin
from clinic.models import User
from clinic.roles import Capability
from programs.admin.alert_bulk import together
from programs.admin.caseload import local_today, page_url, place_of_alert
from programs.admin.patient_page import alert_card
from programs.admin.wording import ALERT_KINDS, ALERT_STATES, LEVELS, TIERS, evidence_texts
from programs.models import Alert, AlertEvent

KIND_LABELS = {Alert.Kind(kind).label: colour for kind, colour in ALERT_KINDS.items()}
RED_FLAGS = {level: f"{Alert.Kind.RED_FLAG.label}, {tier}" for level, tier in TIERS.items()}
KIND_LABELS |= dict.fromkeys(RED_FLAGS.values(), ALERT_KINDS[Alert.Kind.RED_FLAG])
STATE_LABELS = {Alert.State(state).label: colour for state, colour in ALERT_STATES.items()}


class UnresolvedFilter(admin.SimpleListFilter):
    """Unresolved ones unless asked otherwise."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "All"), *Alert.State.choices]

    def choices(self, changelist: Any) -> Any:
        yield {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": "Unresolved",
        }
        for value, label in self.lookup_choices:
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset.exclude(state=Alert.State.RESOLVED)
        return queryset if self.value() == "all" else queryset.filter(state=self.value())


class ClinicianFilter(admin.SimpleListFilter):
    title = "clinician"
    parameter_name = "clinician"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        treating = Alert.objects.scoped(request.user).order_by().values("episode__clinician")
        return [(str(user.pk), str(user)) for user in User.objects.filter(pk__in=treating)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(episode__clinician=int(value)) if value and value.isdecimal() else queryset


@admin.register(Alert)
class AlertAdmin(RoleAdmin):
    view_needs = Capability.READ_CLINICAL
    actions = ("together",)
    list_display = ("patient", "kind_label", "state_label", "age", "why", "action_text", "clinician")
    list_filter = (UnresolvedFilter, "kind", ClinicianFilter)
    list_select_related = ("episode__patient", "episode__clinician")
    search_fields = ("episode__case_number", "episode__patient__given_name", "episode__patient__family_name")
    sortable_by = ("kind_label", "state_label", "age")
    nothing_yet = "No alert is open"
    nothing_yet_hint = "Alerts open by themselves. Those that were resolved are under another state."

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One alert with its evidence, thresholds and history."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        alert = self.get_object(request, object_id)
        if alert is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        user: User = request.user  # type: ignore[assignment]
        patient = alert.episode.patient
        context = {
            **self.admin_site.each_context(request),
            "title": f"{alert.get_kind_display()}: {patient}",
            "card": alert_card(alert, local_today(patient, timezone.now())),
            "level": LEVELS.get(alert.level, ""),
            "patient": patient,
            "page_url": page_url(alert.episode),
            "events": _steps(alert),
            "may_treat": user.may(Capability.WRITE_CLINICAL, alert.clinic_id),
        }
        return TemplateResponse(request, "admin/programs/alert.html", context)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [path("together/", view(self.several), name="alerts-together"), *super().get_urls()]

    def has_treat_permission(self, request: HttpRequest) -> bool:
        return self._may(request, Capability.WRITE_CLINICAL, None)

    @admin.action(description="Acknowledge, snooze, resolve or hand over ...", permissions=["treat"])
    def together(self, request: HttpRequest, rows: QuerySet[Alert]) -> HttpResponse:
        chosen = ",".join(str(pk) for pk in rows.order_by("pk").values_list("pk", flat=True))
        return HttpResponseRedirect(f"{reverse('admin:alerts-together')}?chosen={chosen}")

    def several(self, request: HttpRequest) -> HttpResponse:
        return together(request, self.admin_site)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).with_bars()
        return rows.select_related("episode__patient", "episode__clinician")  # type: ignore[no-any-return]

    def get_ordering(self, request: HttpRequest) -> Any:
        """What waits as Today has it: tier 1 first, then by kind, the unseen first, then the oldest. With the
        resolved ones the newest first: that is history.
        """
        if request.GET.get("state") in ("all", Alert.State.RESOLVED):
            return super().get_ordering(request)
        aside = When(state=Alert.State.SNOOZED, then=Value(1))
        seen = When(state=Alert.State.OPEN, then=Value(0))
        return [
            Case(aside, default=Value(0)).asc(),
            place_of_alert().asc(),
            Case(seen, default=Value(1)).asc(),
            "opened_on",
            "pk",
        ]

    @display(description="Patient", ordering="episode__patient__family_name", header=True)
    def patient(self, alert: Alert) -> list[str]:
        return [str(alert.episode.patient), f"Case {alert.episode.case_number}"]

    @display(description="Alert", ordering="kind", label=KIND_LABELS)
    def kind_label(self, alert: Alert) -> str:
        return RED_FLAGS.get(alert.level) or alert.get_kind_display()

    @display(description="State", ordering="state", label=STATE_LABELS)
    def state_label(self, alert: Alert) -> str:
        return alert.get_state_display()

    @display(description="Age", ordering="-opened_on")
    def age(self, alert: Alert) -> str:
        end = alert.resolved_on or local_today(alert.episode.patient, timezone.now())
        days = (end - alert.opened_on).days
        return f"{days} day{'' if days == 1 else 's'}"

    @display(description="Why")
    def why(self, alert: Alert) -> SafeString:
        return format_html('<span class="kc-wrap">{}</span>', alert.finding)

    @display(description="Suggested action")
    def action_text(self, alert: Alert) -> SafeString:
        return format_html('<span class="kc-wrap">{}</span>', alert.action_now)

    @display(description="Clinician")
    def clinician(self, alert: Alert) -> str:
        return str(alert.episode.clinician)


def _steps(alert: Alert) -> list[tuple[AlertEvent, list[str]]]:
    """The alert's history, each step with the evidence it rested on."""
    events = AlertEvent.objects.filter(alert=alert).select_related("by")
    return [(event, evidence_texts(event.evidence)) for event in events]
