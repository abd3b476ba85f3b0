"""Who is away, from when to when, and who stands in: planned by the one who goes, or by an owner."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse

from clinic import absences
from clinic.admin.actions import Act
from clinic.admin.base import clinics_where
from clinic.models import Absence, Membership, User
from clinic.roles import Capability


def _own_or_owned(user: User, own: str) -> Q:
    return Q(**{own: user}) | Q(clinic__in=clinics_where(user, Capability.MANAGE_CLINIC))


class PlanAbsence(Act):
    model = Membership
    needs = Capability.WRITE_CLINICAL
    title = "Plan an absence"
    intro = (
        "It begins and ends by itself, on the clinic's calendar. Meanwhile the colleague gets the "
        "weekly digest and the red flags, and sees the cases."
    )

    starts_on = forms.DateField(label="First day away")
    ends_on = forms.DateField(label="Last day away")
    cover = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        label="Who stands in",
        empty_label="The usual cover, else the owners",
    )
    renamed = {"absence": "starts_on"}

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return super().rows(user).filter(_own_or_owned(user, "user")).select_related("user", "clinic")

    def prepare(self) -> None:
        members = Membership.objects.clinicians().arrived().filter(clinic=self.target.clinic)
        others = User.objects.filter(memberships__in=members.exclude(pk=self.target.pk))
        self.fields["cover"].queryset = others  # type: ignore[attr-defined]
        self.initial.setdefault("cover", self.target.cover_id)
        self.initial.setdefault("starts_on", self.today.isoformat())

    def about(self) -> str:
        return f"{self.target.user}, {self.target.clinic}"

    def perform(self) -> str:
        absence = absences.set_absence(membership=self.target, by=self.by, now=self.now, **self.cleaned_data)
        return f"Away {absence.days}."

    def next_url(self) -> str:
        return _settings_of(self.by, self.target)


class EndAbsence(Act):
    model = Absence
    needs = Capability.WRITE_CLINICAL
    title = "End the absence"
    submit = "Back from today"
    intro = "From today on digest and red flags go to them again. One that has not begun is taken back."

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        rows = super().rows(user).filter(_own_or_owned(user, "clinician"))
        return rows.select_related("clinician", "clinic")

    def perform(self) -> str:
        absences.end_absence(absence=self.target, by=self.by, now=self.now)
        return f"{self.target.clinician} is back."

    def next_url(self) -> str:
        member = Membership.objects.get(clinic=self.target.clinic_id, user=self.target.clinician_id)
        return _settings_of(self.by, member)


def _settings_of(by: User, member: Membership) -> str:
    if member.user_id == by.pk:
        return f"{reverse('admin:clinic_membership_me')}?member={member.pk}"
    return reverse("admin:clinic_membership_change", args=[member.pk])
