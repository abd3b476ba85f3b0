"""One thing done to many alerts: chosen in the list, asked about once; of each is said what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from clinic.admin.base import rows_where
from clinic.admin.forms import dress, text_area
from clinic.errors import FieldError
from clinic.models import Membership, User
from clinic.roles import Capability, Denied
from programs.admin.alert_acts import SNOOZE_DAYS
from programs.admin.wording import evidence_texts, kind_badge
from programs.models import Alert
from programs.services import bulk_alerts
from programs.services.bulk_alerts import MOST, Done

WHATS = [
    ("acknowledge", "Acknowledge: I have read them"),
    ("snooze", "Snooze until a day"),
    ("resolve", "Resolve with an outcome"),
    ("hand-over", "Hand over, each with its case"),
]
NEEDED = {"snooze": ("until",), "resolve": ("came_of",), "hand-over": ("to",)}


class Together(forms.Form):
    """What to do; of the other fields only those of the chosen one count."""

    what = forms.ChoiceField(label="Do", choices=WHATS)
    until = forms.DateField(label="Snooze until", required=False)
    came_of = forms.ChoiceField(
        label="Outcome", required=False, choices=[("", "Choose"), *Alert.CameOf.choices]
    )
    to = forms.ModelChoiceField(User.objects.none(), label="Hand to", required=False, empty_label="Choose")
    note = forms.CharField(label="In words", required=False, max_length=300, widget=text_area())

    def __init__(self, *args: Any, alerts: Sequence[Alert], now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = Membership.objects.clinicians().arrived()
        members = members.filter(clinic__in={alert.clinic_id for alert in alerts})
        self.fields["to"].queryset = User.objects.filter(memberships__in=members).distinct()  # type: ignore[attr-defined]
        self.initial.setdefault("until", (timezone.localdate(now) + timedelta(days=SNOOZE_DAYS)).isoformat())
        dress(self)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in NEEDED.get(data.get("what", ""), ()):
            if not data.get(name) and name not in self.errors:
                self.add_error(name, "Needed for this.")
        return data

    def perform(self, alerts: Sequence[Alert], by: User, now: datetime, seen: dict[int, int]) -> list[Done]:
        data = self.cleaned_data
        on: dict[str, Any] = {"alerts": alerts, "by": by, "now": now}
        if data["what"] == "snooze":
            return bulk_alerts.snooze_many(**on, until=data["until"], note=data["note"])
        if data["what"] == "resolve":
            return bulk_alerts.resolve_many(**on, came_of=data["came_of"], outcome=data["note"])
        if data["what"] == "hand-over":
            return bulk_alerts.hand_over_many(**on, to=data["to"], why=data["note"])
        return bulk_alerts.acknowledge_many(**on, note=data["note"], seen=seen)


def together(request: HttpRequest, site: admin.AdminSite) -> HttpResponse:
    """The page of the alerts chosen in the list (``?chosen=1,2``): asks, then says what became of each."""
    user = request.user
    if not (isinstance(user, User) and user.may(Capability.WRITE_CLINICAL)):
        raise PermissionDenied
    alerts, now = _chosen(request, user), timezone.now()
    form = Together(
        request.POST if request.method == "POST" else None, initial=request.GET.dict(), alerts=alerts, now=now
    )
    done: list[Done] = []
    if form.is_bound and form.is_valid():
        try:
            done = form.perform(alerts, user, now, _seen(request))
        except Denied as error:
            raise PermissionDenied(str(error)) from error
        except FieldError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    context = {
        **site.each_context(request),
        "title": "Several alerts at once",
        "form": form,
        "rows": [(alert, kind_badge(alert), evidence_texts(alert.evidence)) for alert in alerts],
        "done": done,
        "number_done": sum(one.done for one in done),
    }
    return TemplateResponse(request, "admin/programs/alerts_together.html", context)


def _chosen(request: HttpRequest, user: User) -> list[Alert]:
    """Those the user may treat; an id of another clinic's chooses nothing."""
    typed = request.GET.get("chosen", "").split(",")[: MOST + 1]
    ids = [int(one) for one in typed if one.isascii() and one.isdecimal() and len(one) < 19]
    rows = rows_where(user, Capability.WRITE_CLINICAL, Alert.objects.filter(pk__in=ids))
    return list(
        rows.select_related("episode__patient", "episode__clinician", "clinic__policy").order_by("pk")
    )


def _seen(request: HttpRequest) -> dict[int, int]:
    """How many rows of evidence of each alert were on the screen."""
    pairs = [value.partition(":") for value in request.POST.getlist("seen")]
    return {int(pk): int(n) for pk, _, n in pairs if pk.isdecimal() and n.isdecimal() and len(pk + n) < 19}
