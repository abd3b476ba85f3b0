"""What an account has beside its password: second factors, API tokens, counted tries, opened records."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from clinic.tenancy import Scope, ScopedQuerySet


class Factor(models.Model):
    """Something a member of staff has: an authenticator app, a passkey, or one unused recovery code.

    ``secret`` is encrypted for an app, and only a hash for a recovery code. The row of a passkey holds its
    public key.
    """

    class Kind(models.TextChoices):
        TOTP = "totp", "Authenticator app"
        PASSKEY = "passkey", "Passkey"
        RECOVERY = "recovery", "Recovery code"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="factors")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    label = models.CharField(max_length=60, blank=True)
    secret = models.BinaryField()
    last_step = models.BigIntegerField(default=0, help_text="Of an app: the time step of its last code.")
    for_demo = models.BooleanField(default=False, help_text="`demo_code` tells its code.")
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("created_at", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["totp", "passkey", "recovery"]), name="factor_kind_known"
            ),
            models.UniqueConstraint(fields=["user", "kind", "secret"], name="factor_once"),
        ]

    def __str__(self) -> str:
        return self.label or self.get_kind_display()


class Tally(models.Model):
    """How often something was tried since a moment. Named by a keyed hash: it tells no address or e-mail."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "tallies"
        # The clean-up: what is over.
        indexes = [models.Index(fields=["since"], name="tally_since")]

    def __str__(self) -> str:
        return f"{self.count} since {self.since}"


class BreakGlassQuerySet(ScopedQuerySet):
    def open_at(self, now: datetime) -> BreakGlassQuerySet:
        return self.filter(started_at__lte=now, ends_at__gt=now)


class BreakGlass(models.Model):
    """An operator opened a clinic's records to read them: why, and for how long."""

    scope = Scope()

    clinic = models.ForeignKey("clinic.Clinic", on_delete=models.PROTECT, related_name="+")
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    objects = BreakGlassQuerySet.as_manager()

    class Meta:
        verbose_name = "access by the operator"
        verbose_name_plural = "access by the operator"
        ordering = ("-started_at", "-pk")
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="break_glass_has_reason"),
            models.CheckConstraint(condition=Q(ends_at__gte=F("started_at")), name="break_glass_ends_later"),
        ]
        indexes = [
            # Each request of an operator: what is open now.
            models.Index(fields=["operator", "ends_at"], name="break_glass_open"),
        ]

    def __str__(self) -> str:
        return f"{self.operator} at {self.clinic}"


class StaffToken(models.Model):
    """A member's key to one clinic's API, for a tool of theirs. Only its hash is kept.

    ``tied`` is what it was made for (``clinic.accounts.tokens``): it ends when that changes.
    """

    scope = Scope()

    clinic = models.ForeignKey("clinic.Clinic", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=128, unique=True)
    tied = models.CharField(max_length=64)
    writes = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "API token"
        ordering = ("-created_at", "-pk")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="staff_token_has_name"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="staff_token_expires_later"
            ),
        ]
        indexes = [models.Index(fields=["user", "clinic"], name="staff_token_of_member")]  # the own account

    def __str__(self) -> str:
        return self.name


class ApiCreation(models.Model):
    """What a request or form with an idempotency key created: sent again, it creates no twin.

    ``row_key`` names the row, ``body_hash`` tells a retry from another body under the same key.
    """

    scope = Scope()

    clinic = models.ForeignKey("clinic.Clinic", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    route = models.CharField(max_length=80)
    key = models.CharField(max_length=64)
    body_hash = models.CharField(max_length=64)
    row_key = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "user", "route", "key"], name="api_creation_once")
        ]
        indexes = [models.Index(fields=["created_at"], name="api_creation_by_age")]  # what is over its term

    def __str__(self) -> str:
        return f"{self.route}: {self.row_key}"
