"""Staff with the cases they treat."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from clinic.admin.actions import Act
from clinic.admin.forms import text_area
from clinic.admin.staff import ChangeMember, MembershipAdmin
from clinic.models import Membership, User
from clinic.roles import CLINICIAN_ROLES, Capability
from patients.models import Episode
from programs.services import staff
from programs.services.hand_overs import WHY_LENGTH, cases_in_hands_of, reassign_caseload


class ChangeClinician(ChangeMember):
    """Who treats cases hands them over when they stop."""

    hand_over_to = forms.ModelChoiceField(
        User.objects.none(), required=False, empty_label="Choose", label="Hand their cases to"
    )
    field_order = ("role", "is_active", "hand_over_to", "cover", "digest_weekday", "digest_time")

    def prepare(self) -> None:
        super().prepare()
        number = cases_in_hands_of(self.target).count()
        if not number:
            del self.fields["hand_over_to"]
            return
        field: Any = self.fields["hand_over_to"]
        others = Membership.objects.clinicians().arrived().filter(clinic=self.target.clinic)
        field.queryset = User.objects.filter(memberships__in=others.exclude(pk=self.target.pk))
        cases = "1 open case" if number == 1 else f"{number} open cases"
        field.help_text = f"{cases}. Needed when they stop working or treating here; else nothing moves."

    def context(self) -> dict[str, Any]:
        return {**super().context(), "open_cases": cases_in_hands_of(self.target).count()}

    def perform(self) -> str:
        member: Membership = self.target
        covering = member.clinic.memberships.filter(cover=member.user_id).select_related("user")
        covered = [str(other.user) for other in covering]
        data = self.cleaned_data
        staff.change_member(membership=member, by=self.by, now=self.now, **data)
        said = [f"Saved: {member.user}."]
        if not (data["is_active"] and data["role"] in CLINICIAN_ROLES):
            if data.get("hand_over_to"):
                said.append(f"{data['hand_over_to']} treats their cases now.")
            said += [f"{name} has no cover any more: choose another one." for name in covered]
        return " ".join(said)


class HandOverCaseload(Act):
    """All at once, of somebody who stays: who leaves hands over in ``ChangeClinician``."""

    model = Membership
    needs = Capability.MANAGE_CLINIC
    title = "Hand over all cases"
    submit = "Hand them over"
    danger = True
    renamed: ClassVar[dict[str, str]] = {"hand_over_to": "to", "clinician": "to"}

    to = forms.ModelChoiceField(User.objects.none(), empty_label="Choose", label="To")
    why = forms.CharField(
        label="Why, or what to know", max_length=WHY_LENGTH, required=False, widget=text_area()
    )

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return super().rows(user).select_related("user", "clinic")

    def prepare(self) -> None:
        others = Membership.objects.clinicians().arrived().filter(clinic=self.target.clinic)
        field: Any = self.fields["to"]
        field.queryset = User.objects.filter(memberships__in=others.exclude(pk=self.target.pk))
        number = cases_in_hands_of(self.target).count()
        field.help_text = f"{number} case{'' if number == 1 else 's'}, with all their alerts."

    def about(self) -> str:
        return str(self.target)

    def perform(self) -> str:
        number = reassign_caseload(membership=self.target, by=self.by, now=self.now, **self.cleaned_data)
        cases = "1 case is" if number == 1 else f"{number} cases are"
        return f"{cases} handed to {self.cleaned_data['to']}, who is told by e-mail."

    def next_url(self) -> str:
        return reverse("admin:clinic_membership_change", args=[self.target.pk])


@admin.register(Membership)
class StaffAdmin(MembershipAdmin):
    change_act = ChangeClinician
    list_display = ("person", "email", "role_name", "works_here", "open_cases", "cover", "digest")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        theirs = Episode.objects.open().filter(clinic=OuterRef("clinic"), clinician=OuterRef("user"))
        number = theirs.order_by().values("clinician").annotate(number=Count("pk")).values("number")
        counted = Coalesce(Subquery(number), 0, output_field=IntegerField())
        return super().get_queryset(request).annotate(case_count=counted)

    @display(description="Open cases")
    def open_cases(self, member: Any) -> SafeString | int:
        treats = member.is_active and member.user.is_active and member.role in CLINICIAN_ROLES
        if treats or not member.case_count:
            return int(member.case_count)
        return format_html(
            '{} <span class="kc-bounced">nobody treats {}</span>',
            member.case_count,
            "it" if member.case_count == 1 else "them",
        )
