"""Log in and out: by invitation, by a code sent by e-mail; one token per device."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.problems import Conflict
from clinic.api.throttles import AddressThrottle, EmailThrottle
from patients.services import InvitationError, revoke_devices
from programs.api.base import ApiView, PatientView, instant, problems
from programs.api.inputs import CodeInput, CodeRequestInput, InvitationInput
from programs.api.outputs.account import CodeSentSerializer, SignedInSerializer
from programs.services import access
from programs.services.consents import ConsentError, StaleVersion

CODE_SENT = "If this address belongs to a patient, a code is on its way. It is good for {} minutes."


class OpenView(ApiView):
    """Needs no token, so it is limited by address and e-mail."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (AddressThrottle, EmailThrottle)


class InvitationView(OpenView):
    @extend_schema(
        tags=["auth"],
        summary="Accept an invitation",
        description="The token stands in the link of the invitation e-mail, behind the #. It works once.",
        request=InvitationInput,
        responses={201: SignedInSerializer, **problems(400, 409, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        body = InvitationInput(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            signed_in = access.sign_in_by_invitation(**body.validated_data, now=instant())
        except InvitationError as error:
            raise exceptions.ValidationError({"token": str(error)}) from None
        except StaleVersion as error:
            raise Conflict({"consent_version": error.message}) from None
        except ConsentError as error:
            raise exceptions.ValidationError({error.field: error.message}) from None
        return Response(SignedInSerializer(signed_in).data, status=status.HTTP_201_CREATED)


class CodeView(OpenView):
    @extend_schema(
        tags=["auth"],
        summary="Ask for a code by e-mail",
        description=(
            "The answer is the same for every address. Who is treated in two clinics gets a code from each: "
            "the code chooses the record. A new code replaces the one before."
        ),
        request=CodeRequestInput,
        responses={202: CodeSentSerializer, **problems(400, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        body = CodeRequestInput(data=request.data)
        body.is_valid(raise_exception=True)
        access.send_codes(**body.validated_data, now=instant())
        detail = CODE_SENT.format(access.CODE_MINUTES)
        return Response(CodeSentSerializer({"detail": detail}).data, status=status.HTTP_202_ACCEPTED)


class TokenView(OpenView):
    @extend_schema(
        tags=["auth"],
        summary="Exchange a code for a token",
        description="A code works once, for 10 minutes, and for 5 tries.",
        request=CodeInput,
        responses={201: SignedInSerializer, **problems(400, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        body = CodeInput(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            signed_in = access.sign_in_by_code(**body.validated_data, now=instant())
        except access.CodeError as error:
            raise exceptions.ValidationError({"code": str(error)}) from None
        return Response(SignedInSerializer(signed_in).data, status=status.HTTP_201_CREATED)


class LogoutView(PatientView):
    @extend_schema(
        tags=["auth"],
        summary="Log out this device",
        request=None,
        responses={204: None, **problems(401)},
    )
    def post(self, request: Request) -> Response:
        access.sign_out(device=self.device)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogoutAllView(PatientView):
    @extend_schema(
        tags=["auth"],
        summary="Log out every device",
        request=None,
        responses={204: None, **problems(401)},
    )
    def post(self, request: Request) -> Response:
        revoke_devices(patient=self.patient)
        return Response(status=status.HTTP_204_NO_CONTENT)
