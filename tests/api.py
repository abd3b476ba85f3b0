"""A patient's device, as tests use it: a real token in the header, JSON both ways."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils import timezone
from knox.models import get_digest_token

from clinic.accounts.tokens import make_token
from clinic.models import Clinic, Membership, User
from clinic.row_security import Tenant, acting_for
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


def give_token(user: User, clinic: Clinic | None = None, **wanted: Any) -> str:
    """A token of a member of staff for the API of their clinic, that may write."""
    membership = Membership.objects.filter(user=user, **({"clinic": clinic} if clinic else {})).get()
    now = timezone.now()
    values = {"name": f"Tool {uuid4()}", "writes": True, "days": 90, "address": "203.0.113.9", **wanted}
    with acting_for(Tenant((membership.clinic_id,), user=user.pk)):
        _, text = make_token(membership=membership, now=now, **values)
    return text


class Tool(Device):
    """Calls the staff's API, with a token of the member."""

    def __init__(self, user: User | None = None, **token: Any) -> None:
        super().__init__()
        if user is not None:
            self.headers = {"Authorization": f"Token {give_token(user, **token)}"}

    def patch(self, path: str, body: Any = None, **kwargs: Any) -> Any:
        return self._send("PATCH", path, body, **kwargs)

    def delete(self, path: str) -> Any:
        return self._send("DELETE", path, None)

    def etag(self, path: str) -> dict[str, str]:
        """The header that says which version an edit is of."""
        return {"If-Match": self.get(path)["ETag"]}


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
