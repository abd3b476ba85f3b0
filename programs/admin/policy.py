"""The clinic's policy, and what its values would have done to the last weeks, before they are saved."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from clinic.admin.base import RoleAdmin, clinics_where, rows_where
from clinic.admin.policy import PolicyForm
from clinic.models import Clinic, ClinicPolicy, User
from clinic.roles import Capability
from clinic.thresholds import PolicyError
from patients.models import Episode
from programs.admin.caseload import page_url
from programs.admin.wording import own_thresholds
from programs.services.policy import change_policy
from programs.services.policy_trial import Trial, try_policy

TRY = "_try"


@admin.register(ClinicPolicy)
class ClinicPolicyAdmin(RoleAdmin):
    """One page a clinic, named by the clinic: the row itself appears with the first change."""

    view_needs = change_needs = Capability.MANAGE_CLINIC

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        owned = (
            clinics_where(request.user, Capability.MANAGE_CLINIC) if isinstance(request.user, User) else []
        )
        if not owned:
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:clinic_clinicpolicy_change", args=[owned[0]]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        user = request.user
        if not isinstance(user, User) or not user.may(Capability.MANAGE_CLINIC):
            raise PermissionDenied
        clinic = self._clinic(user, object_id)
        form = PolicyForm(request.POST if request.method == "POST" else None, clinic=clinic)
        trial = None
        if form.is_bound and form.is_valid():
            if TRY in request.POST:
                trial = _tried(form, clinic, user)
            elif _saved(form, clinic, user):
                messages.success(request, "Policy saved. It counts from the next review on.")
                return HttpResponseRedirect(request.path)
        others = [
            m.clinic for m in user.active_memberships if user.may(Capability.MANAGE_CLINIC, m.clinic_id)
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": "Policy",
            "clinic": clinic,
            "clinics": others if len(others) > 1 else [],
            "form": form,
            "trial": trial,
            "own": _cases_with_their_own(user, clinic),
        }
        return TemplateResponse(request, "admin/programs/policy.html", context)

    def _clinic(self, user: User, object_id: str) -> Clinic:
        owned = clinics_where(user, Capability.MANAGE_CLINIC)
        if not object_id.isdecimal() or int(object_id) not in owned:
            raise Http404
        return Clinic.objects.select_related("policy").get(pk=int(object_id))


def _cases_with_their_own(user: User, clinic: Clinic) -> list[tuple[Episode, str, list[str]]]:
    """Open cases with thresholds of their own: case, address and both values in words."""
    cases = rows_where(user, Capability.MANAGE_CLINIC, Episode.objects.open().with_own_thresholds())
    found = cases.filter(clinic=clinic).select_related("patient", "clinic__policy").order_by("case_number")
    return [(case, page_url(case), own_thresholds(case)) for case in found]


def _saved(form: PolicyForm, clinic: Clinic, user: User) -> bool:
    """Values out of order are shown beside the field."""
    own_only = form.cleaned_data["own_cases_only"]
    try:
        change_policy(clinic=clinic, by=user, values=form.values, own_cases_only=own_only)
    except PolicyError as error:
        form.add_error(error.key, error.message)
        return False
    return True


def _tried(form: PolicyForm, clinic: Clinic, user: User) -> Trial | None:
    """None if the values are out of order: that is shown beside the field."""
    try:
        today = timezone.localdate()  # on the clock of the clinic: see ``config.middleware``
        return try_policy(clinic=clinic, by=user, values=form.values, today=today)
    except PolicyError as error:
        form.add_error(error.key, error.message)
        return None
