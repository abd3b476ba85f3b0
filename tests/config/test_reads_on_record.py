"""Every page and endpoint that shows a patient's data leaves an entry; generated from the addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from clinic.audit.models import AuditEntry
from clinic.models import OutboxMessage, User
from clinic.roles import Role
from patients.models import Assessment, Episode, Patient
from programs.admin.acts import ACTS
from programs.models import Alert, Answer, Letter, Program, Run, Session
from tests.api import Device, Tool
from tests.factories import NOW, make_case, make_clinic, make_user
from tests.staff import sign_in
from tests.whole_case import whole_case

NAME, NUMBER, EMAIL = "Quillfeather", "ZQ-77", "quill@example.org"
SHOWN_AT_LEAST = {
    *("admin:index", "admin:call-list", "admin:suggestions", "admin:do", "admin:adjust", "admin:letter"),
    *("admin:patients_patient_changelist", "admin:patients_patient_change", "admin:patients_patient_contact"),
    *("admin:patients_patient_history", "admin:patients_patient_readers", "admin:patients_episode_change"),
    *("admin:patients_assessment_changelist", "admin:patients_assessment_change"),
    *(
        "admin:programs_alert_changelist",
        "admin:programs_alert_change",
        "admin:clinic_outboxmessage_changelist",
    ),
}
"""Pages known to name the patient: else this test could pass by looking at nothing."""

NOT_PAGES = {"admin:autocomplete", "admin:jsi18n", "admin:view_on_site", "admin:logout", "schema", "docs"}


def routes(patterns: list[Any], namespace: str = "") -> Iterator[tuple[str, set[str]]]:
    """The name of each address, and the names of its parts to fill in."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield f"{namespace}{pattern.name}", set(pattern.pattern.regex.groupindex)


ROUTES = dict(routes(get_resolver().url_patterns))
MODELS = {f"admin:{m._meta.app_label}_{m._meta.model_name}_": m for m in admin.site._registry}
CLIENT_ROWS = {"me-answer": Answer, "me-session": Session, "me-run": Run}


@pytest.fixture
def case(db: None) -> Episode:
    clinic = make_clinic()
    episode = whole_case(clinic)
    Alert.objects.update(level="tier_2")
    Patient.objects.filter(pk=episode.patient_id).update(family_name=NAME, email_bounced_at=NOW)
    Episode.objects.filter(pk=episode.pk).update(case_number=NUMBER)
    OutboxMessage.objects.update(to_email=EMAIL)
    return Episode.objects.select_related("patient").get(pk=episode.pk)


@pytest.fixture
def owner(case: Episode) -> User:
    return make_user(role=Role.OWNER, clinic=case.clinic)


def addresses(name: str, parts: set[str], owner: User) -> list[str]:
    """The address for each row that it can be about; a part that is not known here fails."""
    if name == "admin:do":
        rows = {act: kind.rows(owner).first() for act, kind in ACTS.items()}
        return [reverse(name, args=[act, row.pk]) for act, row in rows.items() if row]
    if name == "admin:search":
        return [f"{reverse(name)}?s={NAME}"]
    if name == "admin:suggestions":
        return [reverse(name, args=[Assessment.objects.get().pk])]
    if name == "admin:adjust":
        return [reverse(name, args=[Program.objects.get().pk])]
    if name == "admin:letter":
        return [reverse(name, args=[Letter.objects.get().pk])]
    if name == "admin:app_list":
        return [reverse(name, args=[label]) for label in ("clinic", "patients", "programs")]
    if not parts:
        return [reverse(name)]
    model: type[Model] | None = next((found for at, found in MODELS.items() if name.startswith(at)), None)
    assert model, f"say here how to fill in {parts} of {name}"
    assert parts in ({"object_id"}, {"pk"}), f"say here how to fill in {parts} of {name}"
    row = model._base_manager.first()
    return [reverse(name, args=[quote(str(row.pk))])] if row else []


def read_since(last: int, patient: Patient) -> list[AuditEntry]:
    return list(AuditEntry.objects.readings().filter(id__gt=last).of_patient(patient))


def last_entry() -> int:
    return AuditEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0


def names_the_patient(response: Any) -> bool:
    if response["Content-Type"] == "application/pdf":  # a letter: its text is packed
        return True
    text = response.content.decode()
    return any(word in text for word in (NAME, NUMBER, EMAIL))


def test_every_admin_page_that_names_a_patient_is_on_record(case: Episode, owner: User) -> None:
    client = Client()
    sign_in(client, owner)
    shown = set()
    for name, parts in ROUTES.items():
        if not name.startswith("admin:") or name in NOT_PAGES:
            continue
        for address in addresses(name, parts, owner):
            before = last_entry()
            response = client.get(address, headers={"x-forwarded-for": "203.0.113.9"})
            if response.status_code != 200 or not names_the_patient(response):
                continue
            shown.add(name)
            [entry] = read_since(before, case.patient)
            assert (entry.who, entry.route) == (f"user:{owner.pk}", name)
            assert (entry.clinic_id, entry.address) == (case.clinic_id, "127.0.0.1")
    assert shown >= SHOWN_AT_LEAST


def test_every_endpoint_of_a_patient_is_on_record(case: Episode) -> None:
    device = Device(case.patient)
    names = {name for name in ROUTES if name.startswith("me")}
    assert len(names) >= 10
    for name in sorted(names):
        row = CLIENT_ROWS[name].objects.get() if name in CLIENT_ROWS else None  # type: ignore[attr-defined]
        parts = ROUTES[name]
        if parts and row is None:  # of the next morning: it is only written
            continue
        before = last_entry()
        response = device.http.get(reverse(name, args=[row.client_id] if row else []), headers=device.headers)
        if response.status_code == 405:
            continue
        assert response.status_code == 200, name
        [entry] = read_since(before, case.patient)
        assert (entry.who, entry.route) == (f"patient:{case.patient_id}", name)
        assert entry.patients == [case.patient_id]


TOOL_ROWS = {
    "api-assessment": Assessment,
    "api-assessment-draft": Assessment,
    "api-assessment-suggestions": Assessment,
    "api-patient": Patient,
    "api-patient-consent": Patient,
    "api-patient-readers": Patient,
    "api-case": Episode,
    "api-case-answers": Episode,
    "api-case-contacts": Episode,
    "api-case-draft": Episode,
    "api-case-drafts": Episode,
    "api-case-reviews": Episode,
    "api-case-thresholds": Episode,
    "api-case-timeline": Episode,
    "api-case-outcomes": Episode,
    "api-case-prognosis": Episode,
    "api-case-re-tests": Episode,
    "api-case-monitoring": Episode,
    "api-case-watch": Episode,
    "api-case-letters": Episode,
    "api-case-letters-proposed": Episode,
    "api-letter": Letter,
    "api-letter-pdf": Letter,
    "api-program": Program,
    "api-program-differences": Program,
    "api-program-gate": Program,
    "api-program-running": Program,
    "api-program-proposal": Program,
    "api-program-coverage": Program,
    "api-alert": Alert,
    "api-export-case": Episode,
}
NAMES_NOBODY = {
    *("api-template-yaml", "api-program-dose", "api-assessments-check", "api-program-replace", "api-clinic"),
    *("api-program-plan-stage", "api-program-pause-edit", "api-program-pause-cancel"),
    *("api-token", "api-staff", "api-member", "api-policy", "api-absences", "api-caseload-figures"),
    *("api-exercises", "api-exercise", "api-exercise-clip", "api-exercises-preview"),
    *("api-templates", "api-template", "api-templates-preview"),
}


def test_every_endpoint_of_the_staff_is_on_record(case: Episode, owner: User) -> None:
    tool, tried = Tool(owner), set()
    for name, parts in ROUTES.items():
        if not name.startswith("api-") or name in NAMES_NOBODY:
            continue
        if parts and name not in TOOL_ROWS:
            path = reverse(name, args=[0])
            assert tool.http.get(path, headers=tool.headers).status_code == 405, f"say here whose {name} is"
            continue
        row = TOOL_ROWS[name]._base_manager.first() if parts else None  # type: ignore[attr-defined]
        before = last_entry()
        response = tool.http.get(reverse(name, args=[row.pk] if row else []), headers=tool.headers)
        if response.status_code == 405:
            continue
        tried.add(name)
        assert response.status_code == 200, name
        entries = read_since(before, case.patient)
        assert len(entries) == 1, name
        entry = entries[0]
        assert (entry.who, entry.route) == (f"user:{owner.pk}", name)
        assert entry.why.startswith(("API token: Tool", "CSV of ")), name
    assert tried >= set(TOOL_ROWS)


def test_what_is_not_shown_is_not_on_record(case: Episode, owner: User) -> None:
    stranger = make_case()
    client = Client(raise_request_exception=False)
    sign_in(client, owner)
    assert client.get(reverse("admin:patients_patient_change", args=[stranger.patient_id])).status_code == 404
    redirect = client.get(reverse("admin:patients_episode_changelist"))
    assert redirect.status_code == 302
    assert not AuditEntry.objects.readings().exists()
