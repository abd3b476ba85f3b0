"""Which text a patient agreed to, who was erased, and who took data out and why."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from clinic.sealed import EncryptedTextField
from clinic.tenancy import ClinicRow, Scope
from patients.models.people import Patient


class Consent(ClinicRow):
    """A patient, or a guardian for them, agreed to a version of the text (``patients/consents``). For good:
    the database refuses to change a row.
    """

    scope = Scope(clinician="patient__episodes__clinician", patient="patient")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="consents")
    version = models.PositiveSmallIntegerField()
    text_hash = models.CharField(max_length=64, help_text="SHA-256 of the text as it was shown.")
    accepted_at = models.DateTimeField()
    guardian_consented_on = models.DateField(
        null=True, blank=True, help_text="Under 18: noted by the clinic."
    )

    class Meta:
        ordering = ("-version",)
        constraints = [models.UniqueConstraint(fields=["patient", "version"], name="consent_once_a_version")]

    def __str__(self) -> str:
        return f"Version {self.version}, {self.accepted_at:%-d %b %Y}"


class Erasure(ClinicRow):
    """The ledger: a patient whose record was erased, by an opaque key. It is kept outside of every backup,
    and applied again after a restore.
    """

    scope = Scope()

    patient_key = models.UUIDField(primary_key=True)
    erased_at = models.DateTimeField()
    keep_until = models.DateField(help_text="The legal term of what is put away.")
    purged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-erased_at",)

    def __str__(self) -> str:
        return f"Erased on {self.erased_at:%-d %b %Y}"


class RestrictedRecord(ClinicRow):
    """The clinical record of someone erased: out of daily work until the law lets go of it. It holds no
    contact data, and opens with a key of its own, for an owner who says why.
    """

    scope = Scope()

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    erasure = models.OneToOneField(Erasure, on_delete=models.PROTECT, related_name="record")
    case_numbers = ArrayField(models.CharField(max_length=40))
    content = EncryptedTextField(owner="id")

    class Meta:
        verbose_name = "erased record"

    def __str__(self) -> str:
        return (
            f"Record of case {', '.join(self.case_numbers)}" if self.case_numbers else "Record without a case"
        )


class PrivacyEvent(ClinicRow):
    """Data of a patient were taken out, put away or looked up after that: who, when, why. For good."""

    class What(models.TextChoices):
        EXPORTED = "exported", "Data exported"
        ERASED = "erased", "Record erased"
        OPENED = "opened", "Restricted record opened"

    scope = Scope()

    patient_key = models.UUIDField()
    what = models.CharField(max_length=10, choices=What.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-at",)
        indexes = [models.Index(fields=["patient_key"], name="privacy_event_by_patient")]  # the patient page

    def __str__(self) -> str:
        return f"{self.get_what_display()} on {self.at:%-d %b %Y}"
