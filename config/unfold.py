"""The admin's looks and its menu: what a role may open is what it sees."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

from clinic.roles import Capability

PRIMARY = {
    "50": "#eefaf8",
    "100": "#d3f1ec",
    "200": "#a8e2da",
    "300": "#73ccc2",
    "400": "#43b0a6",
    "500": "#27948b",
    "600": "#187770",
    "700": "#16605b",
    "800": "#154d4a",
    "900": "#14403e",
    "950": "#072524",
}


def favicon(request: HttpRequest) -> str:
    return static("programs/favicon.svg")


def stylesheet(request: HttpRequest) -> str:
    return static("programs/admin.css")


def script(request: HttpRequest) -> str:
    return static("programs/admin.js")


def environment(request: HttpRequest) -> list[str] | None:
    """Invented data is marked on every page."""
    if getattr(request.user, "glass", None):
        return ["Break-glass", "danger"]
    memberships = getattr(request.user, "active_memberships", [])
    simulated = any(membership.clinic.simulated for membership in memberships)
    return ["Simulated clinic", "warning"] if simulated else None


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """Cover and digest belong to a membership: an operator has none. Unfold's own link to the password
    gives way to these.
    """
    links = [
        {"title": "Sign-in and security", "link": reverse_lazy("account")},
        {"title": "Change password", "link": reverse_lazy("admin:password_change")},
    ]
    if getattr(request.user, "active_memberships", []):
        links.insert(0, {"title": "Cover and digest", "link": reverse_lazy("admin:clinic_membership_me")})
    return links


def treats(request: HttpRequest) -> bool:
    return _may(request, Capability.READ_CLINICAL)


def knows_states(request: HttpRequest) -> bool:
    return _may(request, Capability.READ_STATE)


def keeps_contact(request: HttpRequest) -> bool:
    return _may(request, Capability.WRITE_CONTACT)


def owns(request: HttpRequest) -> bool:
    return _may(request, Capability.MANAGE_CLINIC)


def owns_or_operates(request: HttpRequest) -> bool:
    return owns(request) or bool(getattr(request.user, "is_operator", False))


def shows_history(request: HttpRequest) -> bool:
    """The audit trail is closed to operators: see ``clinic.admin.base.NOT_FOR_OPERATORS``."""
    return not getattr(request.user, "is_operator", False)


def _may(request: HttpRequest, capability: Capability) -> bool:
    may = getattr(request.user, "may", None)
    return bool(may and may(capability))


def _item(title: str, icon: str, link: str, permission: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{link}"),
        "permission": f"config.unfold.{permission}",
    }


UNFOLD = {
    "SITE_SYMBOL": "directions_run",
    "SITE_URL": None,
    "SHOW_HISTORY": "config.unfold.shows_history",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "config.unfold.environment",
    "DASHBOARD_CALLBACK": "config.dashboard.dashboard",
    "STYLES": [stylesheet],
    "SCRIPTS": [script],
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": favicon}],
    "COLORS": {"primary": PRIMARY},
    "ACCOUNT": {
        "navigation": account_links,
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Patients",
                "items": [
                    {"title": "Today", "icon": "today", "link": reverse_lazy("admin:index")},
                    _item("Patients", "groups", "patients_patient_changelist", "knows_states"),
                    _item("Call list", "call", "call-list", "keeps_contact"),
                    _item("Alerts", "notifications", "programs_alert_changelist", "treats"),
                    _item("Assessments", "assignment", "patients_assessment_changelist", "treats"),
                ],
            },
            {
                "title": "Library",
                "items": [
                    _item("Programs", "view_timeline", "programs_template_changelist", "treats"),
                    _item("Exercises", "exercise", "programs_exercise_changelist", "treats"),
                ],
            },
            {
                "title": "Clinic",
                "items": [
                    _item("Staff", "badge", "clinic_membership_changelist", "owns"),
                    _item("Policy", "tune", "clinic_clinicpolicy_changelist", "owns"),
                    _item("Clinics", "apartment", "clinic_clinic_changelist", "owns_or_operates"),
                    _item("E-mails", "outbox", "clinic_outboxmessage_changelist", "owns_or_operates"),
                    _item("Erased records", "lock", "patients_restrictedrecord_changelist", "owns"),
                    _item("Operator access", "key", "clinic_breakglass_changelist", "owns_or_operates"),
                    _item("Periodic jobs", "schedule", "clinic_sweeprun_changelist", "owns_or_operates"),
                    _item("Rows in trouble", "error", "clinic_rowattempt_changelist", "owns_or_operates"),
                ],
            },
        ],
    },
}
