"""The intake page as a browser fills and sends it."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from tests.access.bodies import FieldsOf

ADD = "admin:patients_assessment_add"


STRENGTH = {
    "s-method": "handheld_dynamometer",
    "s-unit": "N",
    "s-position": "side-lying",
    "s-lever": "0.38",
    "s0-left": "118",
    "s0-right": "162",
}
"""Line 0 are the hip abductors."""


FULL: dict[str, Any] = {
    **STRENGTH,
    "q0-position": "supine",
    "q0-quadriceps": "relaxed",
    "q0-left": "17",
    "a0-activity": "Stairs down",
    "a0-pain": "6",
    "a0-ability": "4",
    "f-itb-left-tight": "yes",
    "p-left": "7",
    "d-left-arm": "1",
    "d-left-trunk": "1",
    "o-akps-total": "70",
    "body_mass_kg": "64",
    "risk_factors": ["earlier_clot"],
    "load_changes": ["hills"],
}


def form(episode: Any, **fields: Any) -> dict[str, Any]:
    """What the browser posts."""
    return {
        "episode": episode.pk,
        "kind": "intake",
        "assessed_on": "2026-03-02",
        "worst_pain": "6.5",
        "locations": ["retropatellar"],
        **fields,
    }


def add(staff: Any, episode: Any, **fields: Any) -> Any:
    return staff.client(staff.physio).post(reverse(ADD), form(episode, **fields))


def change_url(assessment: Any) -> str:
    return reverse("admin:patients_assessment_change", args=[assessment.pk])


def opened(client: Any, url: str) -> dict[str, Any]:
    """The fields of the page as a browser would send them back."""
    return FieldsOf(client.get(url).content.decode()).held


def values(staff: Any, case: Any, **fields: Any) -> Any:
    url = reverse("admin:patients_assessment_values", args=[case.pk])
    return staff.client(staff.physio).post(url, form(case, **fields))


def keep(staff: Any, case: Any, by: Any = None, **fields: Any) -> Any:
    url = reverse("admin:patients_assessment_draft", args=[case.pk])
    return staff.client(by or staff.physio).post(url, form(case, **fields))
