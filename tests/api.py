"""A patient's device, as tests use it: a real token in the header, JSON both ways."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone
from knox.models import get_digest_token

from clinic.models import User
from patients.models import DeviceToken, Patient

API = "/api/v1/"


class Device:
    """Calls the API, with a token of the patient or without."""

    def __init__(self, patient: Patient | None = None, name: str = "Phone", **token: Any) -> None:
        self.http = Client(raise_request_exception=False)
        self.headers: dict[str, str] = {}
        if patient is not None:
            self.headers = {"Authorization": f"Token {log_in(patient, name, **token)}"}

    def get(self, path: str, **headers: str) -> Any:
        return self.http.get(API + path, headers={**self.headers, **headers})

    def put(self, path: str, body: Any = None, **kwargs: Any) -> Any:
        return self._send("PUT", path, body, **kwargs)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> Any:
        return self._send("POST", path, body, **kwargs)

    def _send(
        self,
        method: str,
        path: str,
        body: Any,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> Any:
        raw = body if isinstance(body, bytes | str) else json.dumps(body)
        headers = {**self.headers, **(headers or {})}
        return self.http.generic(method, API + path, raw, content_type, headers=headers, **extra)


def log_in(patient: Patient, name: str = "Phone", **fields: Any) -> str:
    """A token for a device of the patient, who gets a login if they had none."""
    if patient.user is None:
        patient.user = User.objects.create_user(patient.email)
        patient.save()
    digest, token = get_digest_token()
    values = {"expiry": timezone.now() + timedelta(days=180), "device_name": name, **fields}
    DeviceToken(
        digest=digest,
        token_key=token[:15],
        user=patient.user,
        clinic=patient.clinic,
        patient=patient,
        **values,
    ).save()
    return str(token)


def bare(response: Any) -> bytes:
    """The body without the request's id: what must be the same for a foreign row and for none."""
    body: bytes = response.content
    return body.replace(response["X-Request-ID"].encode(), b"")


def problem_of(response: Any) -> dict[str, Any]:
    """The problem in the response, which must be one; its fields and messages under ``errors``."""
    assert response["Content-Type"] == "application/problem+json", response.content[:300]
    body: dict[str, Any] = response.json()
    assert body["status"] == response.status_code
    assert body["title"]
    assert body["detail"]
    return body


def fields_of(response: Any) -> list[str | None]:
    """The fields that a problem blames."""
    return [error.get("field") for error in problem_of(response)["errors"]]
