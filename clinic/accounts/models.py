"""What an account has beside its password: second factors, counted tries, records opened by break-glass."""

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
