"""One ``Authorization: Token ...`` per device: hashed, expiring, revocable at once."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed

from clinic import row_security
from clinic.models import User
from patients.models import DeviceToken, Patient


class DeviceTokenAuthentication(TokenAuthentication):
    """The patient's user and the device's token; from then on the request works for this patient only.

    A token that is unknown, expired or revoked, of a disabled login or of a closed clinic: one answer, so
    that nothing is learnt from it.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, DeviceToken]:
        device = (
            DeviceToken.objects.select_related("user")
            .filter(
                digest=hash_token(token.decode("utf-8", "replace")),
                expiry__gt=timezone.now(),
                user__is_active=True,
                clinic__is_active=True,
            )
            .first()
        )
        if device is None:
            raise AuthenticationFailed("This token is not valid. Log in again.")
        tenant = row_security.Tenant((device.clinic_id,), patient=device.patient_id)
        row_security.enter(tenant, f"patient:{device.patient_id}")
        device.patient = Patient.objects.select_related("clinic__policy").get(pk=device.patient_id)
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
