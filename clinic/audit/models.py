"""The rows of the audit trail. The database writes them (``triggers``); nobody changes them."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from clinic.audit.origin import WHY_MOST
from clinic.tenancy import Scope, ScopedQuerySet


class AuditQuerySet(ScopedQuerySet):
    """Filters on entries."""

    def of_patient(self, patient: Any) -> AuditQuerySet:
        return self.filter(patients__contains=[patient.pk])

    def readings(self) -> AuditQuerySet:
        return self.filter(action__in=[AuditEntry.Action.READ, AuditEntry.Action.EXPORTED])

    def changes(self) -> AuditQuerySet:
        return self.exclude(action__in=[AuditEntry.Action.READ, AuditEntry.Action.EXPORTED])


class AuditEntry(models.Model):
    """One change of a row, or one showing of records: who, what, of whom, when, from where, why.

    ``patients`` are keys and no references: an entry stays when what it speaks of is gone. ``changes`` maps a
    column to its old and new value, or to null where the value is kept out; when the record of someone erased
    is purged, only the digest is left. Sealed, an entry has its ``position`` in the chain, and the ``hash``
    over itself and all before it.
    """

    class Action(models.TextChoices):
        ADDED = "added", "Added"
        CHANGED = "changed", "Changed"
        DELETED = "deleted", "Deleted"
        READ = "read", "Read"
        EXPORTED = "exported", "Exported"

    class Kind(models.TextChoices):
        """How a record was shown."""

        RECORD = "record", "The record"
        LIST = "list", "A list"
        EXPORT = "export", "An export"

    scope = Scope()

    at = models.DateTimeField(db_default=Now())
    clinic = models.ForeignKey(
        "clinic.Clinic", null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    who = models.CharField(max_length=150)
    address = models.GenericIPAddressField(null=True)
    route = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=10, choices=Action.choices)
    table_name = models.CharField(max_length=63, blank=True)
    row_id = models.CharField(max_length=100, blank=True, help_text="Read: the object in the address.")
    patients = ArrayField(models.UUIDField(), default=list)
    why = models.CharField(max_length=WHY_MOST, blank=True)
    changes = models.JSONField(null=True)
    changes_digest = models.BinaryField(null=True, help_text="Of changes that are gone.")
    position = models.BigIntegerField(null=True, unique=True)
    hash = models.BinaryField(null=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["table_name", "row_id"], name="audit_by_row"),  # the history of a row
            GinIndex(fields=["patients"], name="audit_by_patient"),
            models.Index(fields=["clinic", "-id"], name="audit_by_clinic"),
            # The history of a row tells what was taken out below it.
            models.Index(fields=["table_name"], name="audit_deleted", condition=Q(action="deleted")),
            models.Index(fields=["id"], name="audit_unsealed", condition=Q(position=None)),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} by {self.who}"

    @property
    def kind(self) -> Kind:
        """Of a reading. The address of a list names no object."""
        if self.action == self.Action.EXPORTED:
            return self.Kind.EXPORT
        return self.Kind.RECORD if self.row_id else self.Kind.LIST


class AuditSeal(models.Model):
    """The end of the chain after a batch was sealed: without it the last entries could go unnoticed."""

    position = models.BigIntegerField(primary_key=True)
    hash = models.BinaryField()
    entries = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("position",)

    def __str__(self) -> str:
        return f"Sealed up to {self.position}"
