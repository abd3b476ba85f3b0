"""E-mails to staff about one patient: initials and case number only, details behind the login."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from clinic.emails import Email, render
from clinic.models import Membership, User
from patients.models import Episode
from programs.emails import links
from programs.models import Alert
from programs.rules.red_flags import Symptom, Tier, told

_SUBJECTS = {Tier.ONE: "Urgent: red flag reported, act now", Tier.TWO: "Red flag reported: act today"}
_TOLD = {
    Tier.ONE: "Tier 1: the patient was told to stop and to get urgent care now. Call them.",
    Tier.TWO: "Tier 2: see or call the patient today. They were told to pause and to call the clinic.",
}
_TO_TELL = {
    Tier.ONE: "Tier 1: call the patient. Tell them to stop and to get urgent care now",
    Tier.TWO: "Tier 2: see or call the patient today. Tell them to pause exercises and running",
}


def red_flag(*, alert: Alert, recipient: User, now: datetime, stands_in_for: User | None = None) -> Email:
    """What was reported, to the clinician, their cover, whoever stands in while one of them is away, or an
    owner where nobody treats the case.
    """
    subject = _SUBJECTS[Tier(alert.level)]
    return _about(alert, recipient, now, template="red_flag", subject=subject, stands_in_for=stands_in_for)


def escalation(*, alert: Alert, recipient: User, now: datetime, stands_in_for: User | None = None) -> Email:
    """The same to an owner or who stands in for one: nobody has acknowledged it, or nobody was reached."""
    subject = f"Not acknowledged. {_SUBJECTS[Tier(alert.level)]}"
    return _about(alert, recipient, now, template="escalation", subject=subject, stands_in_for=stands_in_for)


def handed_over(*, cases: Sequence[Episode], alerts: Sequence[Alert], by: User, why: str) -> Email:
    """That cases are theirs now. One case is named as in any mail to staff, of several only their number is:
    the mail is about no single patient, and outlives the record of each.
    """
    first = cases[0]
    context = {
        "only": first if len(cases) == 1 else None,
        "count": len(cases),
        "labels": [alert.get_kind_display() for alert in alerts] if len(cases) == 1 else [],
        "red_flags": sum(alert.kind == Alert.Kind.RED_FLAG for alert in alerts),
        "open_alerts": len(alerts),
        "by": by,
        "why": why,
        "link": links.case_page(first) if len(cases) == 1 else links.caseload_page(),
    }
    what = "a case" if len(cases) == 1 else f"{len(cases)} cases"
    return render("handed_over", subject=f"{by} handed you {what}", clinic=first.clinic, context=context)


def _about(
    alert: Alert, recipient: User, now: datetime, *, template: str, subject: str, stands_in_for: User | None
) -> Email:
    episode, zone = alert.episode, ZoneInfo(alert.clinic.timezone)
    clinician = episode.clinician
    context = {
        "initials": episode.patient.initials,
        "case_number": episode.case_number,
        "clinician": clinician,
        "is_own_case": recipient.pk == clinician.pk,
        "gone": _gone(alert),
        "stands_in_for": stands_in_for,
        "has_account": episode.patient.user_id is not None,
        "symptoms": _symptoms(alert),
        "tier_one": Tier(alert.level) is Tier.ONE,
        "action": _action(alert),
        "opened_at": alert.opened_at.astimezone(zone),
        "sent_at": now.astimezone(zone),
        "link": links.case_page(episode),
    }
    return render(template, subject=subject, clinic=alert.clinic, context=context)


def _action(alert: Alert) -> str:
    """What to do, and whether the patient knows: only what they reported in the app was answered there."""
    tier = Tier(alert.level)
    if told(alert.evidence) is tier:
        return _TOLD[tier]
    if alert.episode.patient.user_id is None:
        return f"{_TO_TELL[tier]}: they have no account."
    return f"{_TO_TELL[tier]}: the app has not told them yet, it does when they open it."


def _gone(alert: Alert) -> str:
    """Why nobody treats the case, as what its clinician does not do any more; empty while they treat it."""
    here = Membership.objects.filter(clinic=alert.clinic_id, user=alert.episode.clinician_id)
    if here.clinicians().exists():
        return ""
    works = here.filter(is_active=True, user__is_active=True).exists()
    return "treats patients here" if works else "works here"


def _symptoms(alert: Alert) -> list[dict[str, Any]]:
    """Each symptom once, most urgent first, with where it was last reported."""
    sources = {entry["code"]: entry["source"] for entry in alert.evidence}
    return [{"label": s.label, "source": sources[s]} for s in Symptom if s in sources]
