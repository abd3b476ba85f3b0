"""One ``Authorization: Token ...`` per device: hashed, expiring, revocable at once."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from clinic import row_security
from clinic.models import User
from patients.models import DeviceToken, Patient
from patients.services import device_of


class DeviceTokenAuthentication(TokenAuthentication):
    """The patient's user and the device's token; from then on the request works for this patient only.

    A token that is unknown, expired or revoked, of a disabled login or of a closed clinic: one answer, so
    that nothing is learnt from it.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, DeviceToken]:
        device = device_of(token=token.decode("utf-8", "replace"), now=timezone.now())
        if device is None:
            raise AuthenticationFailed("This token is not valid. Log in again.")
        tenant = row_security.Tenant((device.clinic_id,), patient=device.patient_id, user=device.user_id)
        row_security.enter(tenant, f"patient:{device.patient_id}")
        patient = Patient.objects.select_related("clinic__policy", "user").get(pk=device.patient_id)
        device.patient, device.user = patient, patient.user
        return device.user, device


class DeviceTokenScheme(OpenApiAuthenticationExtension):
    """How the schema describes it."""

    target_class = DeviceTokenAuthentication
    name = "deviceToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <token>`, as `POST auth/invitation` or `POST auth/token` gave it out.",
        }
