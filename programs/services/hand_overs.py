"""Cases handed from one clinician to another, with all their open alerts.

An alert is handed over with its case: of an alert apart from its case, each of two people would believe that
the other one acts. Who only stands in for somebody needs no hand-over: see ``clinic.absences``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from clinic import outbox
from clinic.models import Membership, User
from clinic.roles import Capability, require
from clinic.services import StaffError
from patients import services as patients
from patients.models import Episode
from patients.models.people import EpisodeQuerySet
from programs import emails
from programs.models import Alert, AlertEvent
from programs.services import red_flags
from programs.services.alerts import AlertError, add_event

KIND = "handed_over"
WHY_LENGTH = 300


@transaction.atomic
def hand_over_alert(*, alert: Alert, to: User, by: User, now: datetime, why: str = "") -> Alert:
    """Hand the alert to a colleague, with its case and whatever else is open there.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AlertError: the alert is resolved, they treat the case already, or the reason is too long.
        CaseError: they do not treat in this clinic, or have not signed in yet.
    """
    require(by, Capability.WRITE_CLINICAL, alert.clinic_id)
    episode = Episode.objects.select_for_update(of=("self",), no_key=True).get(pk=alert.episode_id)
    alert = Alert.objects.select_related("episode__patient", "clinic").get(pk=alert.pk)
    if alert.state == Alert.State.RESOLVED:
        raise AlertError("alert", "This alert is already resolved.")
    if episode.clinician_id == to.pk:
        raise AlertError("to", f"{to} treats this case already.")
    if len(why) > WHY_LENGTH:
        raise AlertError("why", f"At most {WHY_LENGTH} characters.")
    hand_over_cases(cases=[episode], to=to, by=by, now=now, why=why)
    return alert


@transaction.atomic
def reassign_caseload(
    *, membership: Membership, to: User | None, by: User, now: datetime, why: str = ""
) -> int:
    """Hand all cases of a member to one colleague, who is told in one e-mail; how many there were.

    Raises:
        Denied: ``by`` is not an owner here.
        StaffError: cases, and nobody to take them; or the member themselves.
        CaseError: the colleague does not treat in this clinic, or has not signed in yet.
    """
    require(by, Capability.MANAGE_CLINIC, membership.clinic_id)
    cases = list(cases_in_hands_of(membership).order_by("pk"))
    if not cases:
        return 0
    if to is None:
        number = "1 open case" if len(cases) == 1 else f"{len(cases)} open cases"
        raise StaffError("hand_over_to", f"{number}: choose who treats them from now on.")
    patients.require_clinician(to, membership.clinic_id)
    if to.pk == membership.user_id:
        raise StaffError("hand_over_to", "They treat these cases already: choose a colleague.")
    hand_over_cases(cases=cases, to=to, by=by, now=now, why=why)
    return len(cases)


@transaction.atomic
def hand_over_cases(*, cases: Sequence[Episode], to: User, by: User, now: datetime, why: str = "") -> None:
    """Hand the cases to a colleague, who is told in one e-mail; of open red flags everybody in charge is.

    Of what they treat already nobody is told again.

    Raises:
        Denied: ``by`` may do no clinical work here.
        CaseError: the colleague does not treat in this clinic, or has not signed in yet.
    """
    before = _in_other_hands(cases, to)
    for episode in cases:
        patients.hand_over(episode=episode, clinician=to, by=by)
    cases = [case for case in cases if case.pk in before]
    if not cases:
        return
    alerts = (
        Alert.objects.unresolved()
        .filter(episode__in=cases)
        .select_related("episode__patient", "episode__clinician", "clinic__policy")
        .order_by("pk")
    )
    told = list(alerts)
    for alert in told:
        note = f"From {before[alert.episode_id]} to {to}. {why}".strip()
        event = add_event(alert=alert, what=AlertEvent.What.HANDED_OVER, at=now, by=by, note=note)
        if alert.kind == Alert.Kind.RED_FLAG:
            red_flags.tell(alert=alert, event=event, now=now)
    if to.pk != by.pk:
        _tell(cases, told, to=to, by=by, now=now, why=why)


def _in_other_hands(cases: Sequence[Episode], to: User) -> dict[int, User]:
    """Who treats each of the cases that are not in the hands of ``to``, as it stands now, locked."""
    locked = Episode.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    others = locked.filter(pk__in=[case.pk for case in cases]).exclude(clinician=to)
    return {case.pk: case.clinician for case in others.select_related("clinician")}


def cases_in_hands_of(membership: Membership) -> EpisodeQuerySet:
    """The cases somebody must answer for: open ones, and closed ones whose red flag nobody has cleared."""
    flags = Alert.objects.unresolved().filter(episode=OuterRef("pk"), kind=Alert.Kind.RED_FLAG)
    cases: EpisodeQuerySet = Episode.objects.filter(
        Q(closed_on=None) | Exists(flags), clinic=membership.clinic_id, clinician=membership.user_id
    )
    return cases


def _tell(
    cases: Sequence[Episode], alerts: Sequence[Alert], *, to: User, by: User, now: datetime, why: str
) -> None:
    """One e-mail for all of them. Of several cases it names none: the caseload does, behind the login."""
    first = cases[0]
    email = emails.handed_over(cases=cases, alerts=alerts, by=by, why=why)
    outbox.put(
        clinic=first.clinic,
        kind=KIND,
        dedupe_key=f"{KIND}:{first.pk}:{to.pk}:{now.isoformat()}",
        to_email=to.email,
        patient_key=first.patient_id if len(cases) == 1 else None,
        subject=email.subject,
        text=email.text,
        html=email.html,
        now=now,
    )
