"""Who treats: clinics, users, their roles, the clinic's policy, and the outbox of its e-mails."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import UUID7, Lower, Now
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property

from clinic.absence_models import Absence
from clinic.accounts.models import ApiCreation, BreakGlass, Factor, StaffToken, Tally
from clinic.audit import seen
from clinic.audit.models import AuditEntry, AuditSeal
from clinic.data_keys import DataKey
from clinic.emergency import number_of
from clinic.job_models import RowAttempt, SweepRun
from clinic.legal_terms import TERMS
from clinic.roles import CAPABILITIES, CLINICIAN_ROLES, READING, Capability, Role
from clinic.row_security import Tenant
from clinic.sealed import EncryptedTextField
from clinic.tenancy import ClinicRow, Scope, ScopedQuerySet
from clinic.thresholds import PolicyError, Thresholds, with_overrides
from clinic.zones import validate_zone

__all__ = [
    "Absence",
    "ApiCreation",
    "AuditEntry",
    "AuditSeal",
    "BreakGlass",
    "Clinic",
    "ClinicPolicy",
    "DataKey",
    "Factor",
    "Membership",
    "MembershipQuerySet",
    "OutboxMessage",
    "RowAttempt",
    "StaffToken",
    "SweepRun",
    "Tally",
    "User",
    "UserManager",
]


class Clinic(models.Model):
    """A practice. ``simulated`` marks invented data wherever it is shown."""

    scope = Scope(clinic="pk")

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])
    phone = models.CharField(max_length=40, blank=True, help_text="Shown to a patient with a red flag.")
    emergency_number = models.CharField(
        max_length=20, blank=True, default="", help_text="Empty: that of the country, else 112."
    )
    country = models.CharField(
        max_length=2,
        blank=True,
        db_default="",
        choices=[(code, term.country) for code, term in sorted(TERMS.items())],
        help_text="Whose law says how long records are kept. Empty: as long as the strictest does.",
    )
    case_number = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="The highest one of a record that is destroyed."
    )
    simulated = models.BooleanField(default=False, help_text="Invented patients, for trying things out.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return f"{self.name} (simulated)" if self.simulated else self.name

    @property
    def emergency(self) -> str:
        """What is called in an emergency."""
        return self.emergency_number or number_of(self.country)

    def thresholds(self, *layers: dict[str, Any]) -> Thresholds:
        """The thresholds in force here; ``layers`` are a case's own overrides."""
        return with_overrides(self.policy.overrides, *layers)


class UserManager(BaseUserManager["User"]):
    """Users log in by e-mail, in any case. Who asks for a login by name need not know the tenant yet."""

    def get_by_natural_key(self, username: str | None) -> User:
        found = self.by_email(username or "")
        if found is None:
            raise self.model.DoesNotExist
        return found

    def join(self, email: str, *, name: str = "", is_staff: bool = False) -> User:
        """The login of this e-mail, made without a password if there is none. Who has one keeps it, name and
        password included, and whoever asks does not learn which it was: a stranger's costs the same.

        Raises:
            ValidationError: the e-mail or the name is not valid.
        """
        new = self.model(email=email, name=name, is_staff=is_staff)
        new.set_unusable_password()
        new.full_clean(exclude=["password"], validate_unique=False, validate_constraints=False)
        query = "SELECT * FROM join_login(%s, %s, %s, %s)"
        found = self._first(query, [new.email, name, new.password, is_staff])
        assert found is not None
        return found

    def by_email(self, email: str) -> User | None:
        """The login with exactly this e-mail, whoever asks."""
        return self._first("SELECT * FROM login_by_email(%s)", [email.strip()])

    def of_session(self, pk: int) -> User | None:
        """Whose session it is, and in the same statement where they work, as what."""
        return self._first(
            "SELECT login.*, clinics_of_staff(login.id) AS clinic_ids, roles_of_staff(login.id) AS roles "
            "FROM login_by_id(%s) AS login",
            [pk],
        )

    def _first(self, query: str, values: list[Any]) -> User | None:
        return next(iter(self.raw(query, values)), None)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A platform operator: clinics, health, outbox states; no patient data."""
        return self.create_user(email, password, is_staff=True, is_operator=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in: staff of one or more clinics, a patient, or a platform operator."""

    email = models.EmailField(max_length=254, unique=True, error_messages={"unique": "This e-mail is taken."})
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May open the admin.")
    is_operator = models.BooleanField(
        default=False, help_text="Runs the platform: clinics, health, outbox states; no patient data."
    )
    date_joined = models.DateTimeField(db_default=Now(), editable=False)
    session_round = models.PositiveIntegerField(
        db_default=0, default=0, editable=False, help_text="One more ends every session."
    )

    objects: ClassVar[UserManager] = UserManager()

    glass: BreakGlass | None = None
    """The records an operator has opened, at the time of this request: set by its edge."""

    stands_in: Callable[[], Mapping[int, Collection[int]]] | None = None
    """Tells by clinic for whom the user stands in, at the time of this request: set by its edge."""

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ("email",)
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower_case"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        self.email = self.email.strip().lower()

    def get_full_name(self) -> str:
        return self.name or self.email

    @cached_property
    def active_memberships(self) -> list[Membership]:
        """Memberships that count now; cached for the life of this object, one request."""
        if not self.is_active:
            return []
        return list(
            self.memberships.filter(is_active=True, clinic__is_active=True).select_related("clinic__policy")
        )

    @cached_property
    def clinic_ids(self) -> list[int]:
        """Of the active clinics where the user works; asked before the database knows the tenant."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT clinics_of_staff(%s)", [self.pk])
            (found,) = cursor.fetchone()
        return list(found)

    @property
    def tenant(self) -> Tenant:
        """What the database lets the user's requests see: the clinics they work for, or the platform."""
        reads = (self.glass.clinic_id,) if self.glass else ()
        platform = self.is_operator and self.is_active
        return Tenant(tuple(self.clinic_ids), user=self.pk, platform=platform, reads=reads)

    @property
    def seen_clinic_ids(self) -> list[int]:
        """The clinics of which the user sees something: where they work, or what they opened."""
        return [*self.clinic_ids, *([self.glass.clinic_id] if self.glass else [])]

    @cached_property
    def roles(self) -> list[str]:
        """Clinic and role where the user works, such as "7:physio"; asked as ``clinic_ids``."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT roles_of_staff(%s)", [self.pk])
            (found,) = cursor.fetchone()
        return list(found)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session is tied to. It ends at the next request when the password, the standing with the
        platform or any membership changes, by whatever way, or when all sessions are ended.
        """
        tied = (self.password, self.session_round, self.is_staff, self.is_operator, list(self.roles))
        return salted_hmac("clinic.session", repr(tied), secret=secret, algorithm="sha256").hexdigest()

    @cached_property
    def covered(self) -> Mapping[int, Collection[int]]:
        """By clinic, the ids of those for whom the user stands in."""
        return self.stands_in() if self.stands_in else {}

    def clinics_by_reach(self) -> tuple[list[int], list[int]]:
        """Ids of the clinics seen whole, and of those where only one's own cases are seen."""
        everything: list[int] = [self.glass.clinic_id] if self.glass else []
        own_only: list[int] = []
        for membership in self.active_memberships:
            limited = membership.role == Role.PHYSIO and membership.clinic.policy.own_cases_only
            (own_only if limited else everything).append(membership.clinic_id)
        return everything, own_only

    def may(self, capability: Capability, clinic_id: int | None = None) -> bool:
        """Whether the user has the capability in that clinic, or in any if none is named."""
        if self.glass and capability in READING and clinic_id in (None, self.glass.clinic_id):
            return True
        return any(
            capability in CAPABILITIES[Role(membership.role)]
            for membership in self.active_memberships
            if clinic_id is None or membership.clinic_id == clinic_id
        )


class MembershipQuerySet(ScopedQuerySet):
    """Filters on staff."""

    def clinicians(self) -> MembershipQuerySet:
        """Active members who treat: an owner is a clinician too."""
        return self.filter(is_active=True, user__is_active=True, role__in=CLINICIAN_ROLES)

    def arrived(self) -> MembershipQuerySet:
        """Who has signed in since they were added: until then nobody knows whether they want to work here."""
        return self.filter(arrived_at__isnull=False)

    def owners(self) -> MembershipQuerySet:
        return self.filter(is_active=True, user__is_active=True, role=Role.OWNER)


class Membership(ClinicRow):
    """A user's role in a clinic, their cover, and when they want the digest."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=[(role.value, role.label) for role in Role])
    is_active = models.BooleanField(default=True)
    cover = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="covers",
        help_text="Told of red flags at the same time.",
    )
    digest_weekday = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Monday = 1. Empty: as the clinic."
    )
    digest_time = models.TimeField(null=True, blank=True, help_text="Local time. Empty: as the clinic.")
    next_digest_at = models.DateTimeField(null=True, blank=True, editable=False)
    arrived_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="First sign-in after they were added."
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "member of staff"
        verbose_name_plural = "staff"
        ordering = ("user__name", "user__email")
        constraints = [
            models.UniqueConstraint(fields=["user", "clinic"], name="membership_once_per_clinic"),
            models.CheckConstraint(
                condition=Q(role__in=[role.value for role in Role]), name="membership_role_known"
            ),
            models.CheckConstraint(
                condition=Q(digest_weekday=None) | Q(digest_weekday__range=(1, 7)),
                name="membership_digest_weekday_range",
                violation_error_message="Digest weekday: 1 (Monday) to 7 (Sunday).",
            ),
        ]
        indexes = [
            # The digest sweep: whose next digest is due.
            models.Index(
                fields=["next_digest_at"], name="membership_digest_due", condition=Q(is_active=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()}, {self.clinic})"


class ClinicPolicy(ClinicRow):
    """What a clinic changed: thresholds that differ from the defaults, and who sees whose cases."""

    clinic = models.OneToOneField(Clinic, on_delete=models.PROTECT, related_name="policy")
    overrides = models.JSONField(default=dict, blank=True)
    own_cases_only = models.BooleanField(
        default=False, help_text="A physio sees only the cases they treat. The owner sees all."
    )
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name_plural = "clinic policies"

    def __str__(self) -> str:
        return f"Policy of {self.clinic}"

    def clean(self) -> None:
        try:
            with_overrides(self.overrides)
        except PolicyError as error:
            raise ValidationError({"overrides": str(error)}) from error


class OutboxMessage(models.Model):
    """An e-mail as a row, written in the transaction of its cause and sent later, once.

    ``patient_key`` is the patient's id as a plain UUID, so that a bounce finds the patient.
    ``secret`` is what must not be stored readable (a code, a token): encrypted, erased once sent.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        DEAD = "dead", "Given up"

    scope = Scope(patient="patient_key")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    clinic = models.ForeignKey(Clinic, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    dedupe_key = models.CharField(max_length=200, unique=True)
    patient_key = models.UUIDField(null=True, blank=True)
    to_email = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    text = EncryptedTextField()
    html = EncryptedTextField(blank=True)
    images = models.JSONField(default=dict, blank=True, help_text="Content-id to base64 PNG.")
    secret = models.BinaryField(null=True, blank=True, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)
    bounced = models.BooleanField(default=False, help_text="The address was refused for good.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "e-mail"
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at=None)),
                name="outbox_sent_has_time",
            ),
        ]
        indexes = [
            # The claim: what is due, oldest first. A message being sent is due again when its lease ends.
            models.Index(
                fields=["next_attempt_at"], name="outbox_due", condition=Q(state__in=["pending", "sending"])
            ),
            models.Index(fields=["clinic", "created_at"], name="outbox_by_age"),  # what is over its term
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}"

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> OutboxMessage:
        message = super().from_db(*args, **kwargs)
        seen.see(message.__dict__.get("patient_key"), message.__dict__.get("clinic_id"))
        return message
