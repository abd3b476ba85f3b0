"""Who is logged in: the patient, their clinic and case, their devices."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from clinic.models import Clinic
from patients.models import DeviceToken, Patient
from programs.api.outputs.reports import AdviceSerializer
from programs.services.record import CaseState


class SignedInSerializer(serializers.Serializer[Any]):
    """The token of this device. It is shown once: keep it."""

    token = serializers.CharField(help_text="Send it as `Authorization: Token <token>`.")
    expires_at = serializers.DateTimeField(source="device.expiry")
    name = serializers.CharField(source="patient.full_name")
    clinic = serializers.CharField(source="patient.clinic.name")


class CodeSentSerializer(serializers.Serializer[Any]):
    """The same for every address."""

    detail = serializers.CharField()


class ClinicSerializer(serializers.ModelSerializer[Clinic]):
    emergency_number = serializers.CharField(source="emergency")

    class Meta:
        model = Clinic
        fields = ("name", "phone", "emergency_number", "simulated")


class CaseSerializer(serializers.Serializer[Any]):
    """The present case: the one with a program, else the last."""

    number = serializers.CharField(source="case_number")
    index_side = serializers.CharField(help_text="The knee that the questions are mainly about.")
    opened_on = serializers.DateField()
    closed_on = serializers.DateField(allow_null=True)


class DeviceSerializer(serializers.ModelSerializer[DeviceToken]):
    """A device that is logged in."""

    name = serializers.CharField(source="device_name")
    logged_in_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry")
    current = serializers.SerializerMethodField(help_text="This is the device that asks.")

    class Meta:
        model = DeviceToken
        fields = ("name", "logged_in_at", "expires_at", "current")

    def get_current(self, device: DeviceToken) -> bool:
        return bool(device.pk == self.context["device"].pk)


class PatientSerializer(serializers.ModelSerializer[Patient]):
    class Meta:
        model = Patient
        fields = ("given_name", "family_name", "email", "timezone")


class WatchSerializer(serializers.Serializer[Any]):
    """The monthly check-in after discharge, which `DELETE me/relapse-watch` ends."""

    ends_on = serializers.DateField()
    next_ask_at = serializers.DateTimeField()


class AccountSerializer(serializers.Serializer[Any]):
    """The patient, their clinic and case, what to read first, and their devices."""

    patient = PatientSerializer()
    clinic = ClinicSerializer(source="patient.clinic")
    state = serializers.ChoiceField(choices=[state.value for state in CaseState])
    case = CaseSerializer(source="episode", allow_null=True)
    advice = AdviceSerializer(allow_null=True, help_text="Set while a red flag is open.")
    relapse_watch = WatchSerializer(source="watch", allow_null=True)
    devices = DeviceSerializer(many=True)
