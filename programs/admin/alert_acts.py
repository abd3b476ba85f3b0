"""What a clinician does with an alert."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.urls import reverse

from clinic.admin.actions import Act
from clinic.admin.forms import text_area
from clinic.models import Membership, User
from clinic.roles import Capability
from programs.admin.caseload import page_url
from programs.admin.red_flag import reports_of
from programs.admin.wording import evidence_texts
from programs.models import Alert
from programs.services import alerts, red_flags
from programs.services.hand_overs import WHY_LENGTH, hand_over_alert

# What the form proposes, to be changed at will: a convenience of the page and no clinical threshold.
SNOOZE_DAYS = 14


class AlertAct(Act):
    """An action on an alert; today is the patient's."""

    model = Alert
    needs = Capability.WRITE_CLINICAL

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return super().rows(user).select_related("episode__patient", "clinic")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.target.episode.patient.timezone)

    def about(self) -> str:
        alert = self.target
        return f"{alert.episode.patient}, {alert.get_kind_display().lower()}: {alert.summary}"

    def next_url(self) -> str:
        return page_url(self.target.episode)


class ReadFirst(AlertAct):
    """An action that counts only for what was on the screen: ``seen`` rows of evidence.

    A refusal shows all there is now, and counts that as seen.
    """

    template = "admin/programs/read_first.html"

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("seen") is None:
            raise forms.ValidationError("Read what was reported before you go on.")
        return data

    def context(self) -> dict[str, Any]:
        evidence = self.target.evidence
        reads_anew = not self.is_bound or self.non_field_errors()
        return {
            "evidence": evidence_texts(evidence),
            "reports": reports_of(evidence) if self.target.kind == Alert.Kind.RED_FLAG else [],
            "phone": self.target.episode.patient.phone,
            "seen": len(evidence) if reads_anew else self.cleaned_data["seen"],
        }


class Acknowledge(ReadFirst):
    title = "Acknowledge"
    submit = "I have read it"

    note = forms.CharField(max_length=400, required=False, widget=text_area())

    def perform(self) -> str:
        alert = alerts.acknowledge(alert=self.target, by=self.by, now=self.now, **self.cleaned_data)
        first = alert.acknowledged_by
        if first is None or first == self.by:
            return "Acknowledged."
        kept = " Your note is kept." if self.cleaned_data["note"].strip() else ""
        return f"{first} had acknowledged it already, on {alert.acknowledged_at:%-d %b %Y}.{kept}"


class Snooze(AlertAct):
    title = "Snooze"
    submit = "Snooze"
    intro = "Out of the digest until that day. It stays on the caseload; silence closes nothing."

    until = forms.DateField()
    note = forms.CharField(label="Why", max_length=400, widget=text_area())

    def prepare(self) -> None:
        self.initial.setdefault("until", (self.today + timedelta(days=SNOOZE_DAYS)).isoformat())

    def perform(self) -> str:
        alerts.snooze(alert=self.target, by=self.by, now=self.now, today=self.today, **self.cleaned_data)
        return f"Snoozed until {self.cleaned_data['until']:%-d %b %Y}."


class Resolve(AlertAct):
    title = "Resolve"
    submit = "Resolve"
    intro = "The same kind opens again only after the days set in the policy, or for a new reason."

    came_of = forms.ChoiceField(label="Outcome", choices=[("", "Choose"), *Alert.CameOf.choices])
    outcome = forms.CharField(
        label="In words",
        max_length=400,
        required=False,
        widget=text_area(),
        help_text="Needed where the outcome is Other.",
    )

    def perform(self) -> str:
        alerts.resolve(alert=self.target, by=self.by, now=self.now, today=self.today, **self.cleaned_data)
        return "Resolved."


class HandOver(AlertAct):
    title = "Hand to a colleague"
    submit = "Hand over"
    intro = (
        "The case goes with it, and whatever else is open there: one person answers for one case. "
        "The colleague is told by e-mail."
    )
    renamed: ClassVar[dict[str, str]] = {"clinician": "to"}

    to = forms.ModelChoiceField(User.objects.none(), label="To", empty_label="Choose")
    why = forms.CharField(
        label="Why, or what to know", max_length=WHY_LENGTH, required=False, widget=text_area()
    )

    def prepare(self) -> None:
        episode = self.target.episode
        members = Membership.objects.clinicians().arrived().filter(clinic=episode.clinic_id)
        others = User.objects.filter(memberships__in=members).exclude(pk=episode.clinician_id)
        self.fields["to"].queryset = others  # type: ignore[attr-defined]

    def perform(self) -> str:
        hand_over_alert(alert=self.target, by=self.by, now=self.now, **self.cleaned_data)
        return f"{self.cleaned_data['to']} treats case {self.target.episode.case_number} now."

    def next_url(self) -> str:
        seen = self.model._default_manager.scoped(self.by)  # type: ignore[attr-defined]
        if seen.filter(pk=self.target.pk).exists():
            return super().next_url()
        return reverse("admin:programs_alert_changelist")


class Clear(ReadFirst):
    title = "Clear the red flag"
    submit = "Clear, and end the hold"
    danger = True
    intro = (
        "After the patient was examined. The program goes on; a cleared symptom raises again only if worse."
    )

    finding = forms.CharField(max_length=500, widget=text_area(5))

    def perform(self) -> str:
        red_flags.clear(alert=self.target, by=self.by, now=self.now, **self.cleaned_data)
        return "The red flag is cleared and the hold is over."
