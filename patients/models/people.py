"""Patients, their episodes of care, invitations and devices."""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import UUID7, Lower, Now
from knox.models import AbstractAuthToken

from clinic.audit import seen
from clinic.models import Membership
from clinic.sealed import EncryptedTextField
from clinic.tenancy import ClinicRow, Scope, ScopedQuerySet
from clinic.thresholds import PolicyError, Thresholds, with_overrides
from clinic.zones import validate_zone
from patients.vocabulary import ADULT_AGE, Diagnosis, OnsetKind, RunningTrack, Sex, Side

logger = logging.getLogger(__name__)

EARLIEST_BIRTH = date(1900, 1, 1)
"""Nobody who is treated was born before."""


class Patient(ClinicRow):
    """A person treated in one clinic. The login, if any, is ``user``; contact data stays here."""

    scope = Scope(clinician="episodes__clinician", patient="pk")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="patients",
    )
    given_name = models.CharField(max_length=100)
    family_name = models.CharField(max_length=100, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    birth_date = models.DateField(
        null=True,
        blank=True,
        validators=[MinValueValidator(EARLIEST_BIRTH, f"Choose a day from {EARLIEST_BIRTH:%-d %b %Y} on.")],
    )
    sex = models.CharField(max_length=10, blank=True, choices=Sex.choices())
    timezone = models.CharField(
        max_length=64, validators=[validate_zone], help_text="Such as Europe/Amsterdam."
    )
    guardian_name = models.CharField(max_length=200, blank=True, help_text="Under 18: who consented.")
    guardian_consented_on = models.DateField(null=True, blank=True)
    email_bounced_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("family_name", "given_name", "id")
        constraints = [
            models.UniqueConstraint(
                "clinic",
                Lower("email"),
                condition=~Q(email=""),
                name="patient_email_once_per_clinic",
                violation_error_message="Another patient of this clinic has this e-mail.",
            ),
            # One login, one record a clinic: a token names exactly one patient.
            models.UniqueConstraint(fields=["clinic", "user"], name="patient_user_once_per_clinic"),
        ]
        indexes = [models.Index(Lower("email"), name="patient_by_email")]  # log-in by e-mail code

    def __str__(self) -> str:
        return self.full_name

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Patient:
        patient = super().from_db(*args, **kwargs)
        seen.see(patient.pk, patient.__dict__.get("clinic_id"))
        return patient

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def initials(self) -> str:
        return "".join(part[0].upper() for part in self.full_name.split() if part)[:3]

    def age_on(self, day: date) -> int | None:
        """Whole years on that day, None if the birth date is unknown."""
        if self.birth_date is None:
            return None
        had_birthday = (day.month, day.day) >= (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - (0 if had_birthday else 1)

    def is_minor_on(self, day: date) -> bool:
        """Under 18, as far as the birth date is known."""
        age = self.age_on(day)
        return age is not None and age < ADULT_AGE

    def missing_consent(self, day: date) -> tuple[str, ...]:
        """What is not noted of the guardian's consent that someone under 18 needs."""
        if not self.is_minor_on(day):
            return ()
        return tuple(name for name in ("guardian_name", "guardian_consented_on") if not getattr(self, name))


class EpisodeQuerySet(ScopedQuerySet):
    """Filters on cases."""

    def open(self) -> EpisodeQuerySet:
        return self.filter(closed_on=None)

    def following(self, *, closed_on: Any, **same: Any) -> EpisodeQuerySet:
        """Open ones of the same patient, diagnosis and index side (``same``), opened since."""
        return self.open().filter(opened_on__gte=closed_on, **same)

    def followed(self, *, by: date | None = None) -> EpisodeQuerySet:
        """Closed ones that have gone on as an open one, opened ``by`` that day if one is given."""
        names = ("patient", "diagnosis", "index_side", "closed_on")
        following = Episode.objects.following(**{name: OuterRef(name) for name in names})
        return self.filter(Exists(following.filter(opened_on__lte=by) if by else following))

    def with_own_thresholds(self) -> EpisodeQuerySet:
        return self.exclude(policy_overrides={})

    def untreated(self) -> EpisodeQuerySet:
        """Whose clinician does not treat in the clinic any more."""
        treating = Membership.objects.clinicians()
        return self.exclude(Exists(treating.filter(clinic=OuterRef("clinic"), user=OuterRef("clinician"))))


class Episode(ClinicRow):
    """An episode of care, the *case*: one problem, one treating clinician, from intake to discharge."""

    scope = Scope(clinician="clinician", patient="patient")

    class Outcome(models.TextChoices):
        RECOVERED = "recovered", "Recovered"
        IMPROVED = "improved", "Improved"
        UNCHANGED = "unchanged", "Unchanged"
        WORSE = "worse", "Worse"
        REFERRED = "referred", "Referred on"
        DROPPED_OUT = "dropped_out", "Dropped out"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="episodes")
    case_number = models.CharField(max_length=40)
    clinician = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="episodes")
    diagnosis = models.CharField(max_length=30, choices=Diagnosis.choices(), default=Diagnosis.PFP.value)
    index_side = models.CharField(
        "index knee", max_length=10, choices=Side.choices(), help_text="The worse one."
    )
    both_knees = models.BooleanField("both knees hurt", default=False)
    onset_on = models.DateField(null=True, blank=True)
    onset_kind = models.CharField(max_length=10, blank=True, choices=OnsetKind.choices())
    running_track = models.CharField(
        max_length=20, choices=RunningTrack.choices(), default=RunningTrack.STILL_RUNNING.value
    )
    opened_on = models.DateField()
    closed_on = models.DateField(null=True, blank=True, editable=False)
    outcome = models.CharField(max_length=20, blank=True, choices=Outcome.choices, editable=False)
    discharge_note = EncryptedTextField(blank=True, editable=False)
    policy_overrides = models.JSONField(
        default=dict, blank=True, help_text="Thresholds that differ for this case only."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = EpisodeQuerySet.as_manager()

    class Meta:
        verbose_name = "case"
        ordering = ("case_number",)
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "case_number"],
                name="episode_case_number_once_per_clinic",
                violation_error_message="This case number is taken.",
            ),
            models.CheckConstraint(
                condition=Q(closed_on=None) | Q(closed_on__gte=models.F("opened_on")),
                name="episode_closes_after_it_opens",
                violation_error_message="A case cannot close before it opened.",
            ),
            models.CheckConstraint(
                condition=Q(closed_on=None, outcome="") | (Q(closed_on__isnull=False) & ~Q(outcome="")),
                name="episode_closed_has_outcome",
            ),
        ]

    def __str__(self) -> str:
        return f"Case {self.case_number}"

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Episode:
        episode = super().from_db(*args, **kwargs)
        seen.see(episode.__dict__.get("patient_id"), episode.__dict__.get("clinic_id"))
        return episode

    def clean(self) -> None:
        try:
            with_overrides(self.policy_overrides)
        except PolicyError as error:
            raise ValidationError({"policy_overrides": str(error)}) from error

    @property
    def is_open(self) -> bool:
        return self.closed_on is None

    @property
    def thresholds(self) -> Thresholds:
        """The thresholds in force for this case: defaults, the clinic's, its own.

        Its own are left out where they do not go with the clinic's as these are now: a red flag that is
        reported gets through whatever somebody has set.
        """
        try:
            return self.clinic.thresholds(self.policy_overrides)
        except PolicyError:
            logger.error("case %s: its own thresholds do not go with the clinic's", self.pk)
            return self.clinic.thresholds()


class InvitationQuerySet(ScopedQuerySet):
    """Filters on invitations."""

    def live(self, now: datetime) -> InvitationQuerySet:
        """Whose link still opens an account."""
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=now)


class Invitation(ClinicRow):
    """A link by e-mail with which a patient opens their account. Only the token's hash is kept."""

    objects = InvitationQuerySet.as_manager()
    scope = Scope(clinician="patient__episodes__clinician", patient="patient")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="invitations")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(accepted_at=None, revoked_at=None), name="invitation_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"Invitation of {self.patient}"

    def is_live(self, now: datetime) -> bool:
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > now


class DeviceToken(AbstractAuthToken):
    """One access token per device of a patient: hashed, expiring, revocable at once."""

    scope = Scope(clinician="patient__episodes__clinician", patient="patient")

    clinic = models.ForeignKey("clinic.Clinic", on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="devices")
    device_name = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return f"{self.device_name or 'Device'} of {self.patient}"


class LoginCode(ClinicRow):
    """The e-mailed code a patient logs in with; a newer one replaces it. Only its keyed hash is kept."""

    scope = Scope(clinician="patient__episodes__clinician", patient="patient")

    patient = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="login_code")
    code_hash = models.CharField(max_length=64, editable=False)
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Wrong codes tried.")
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Login code of {self.patient}"
