"""Free text about a patient, as model fields: in memory a ``str``, in the database sealed with their key.

It can be set, read and saved like any text, and compared with "" in a query; with nothing else, and no
``update()`` writes it: a row says whose it is.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.lookups import Exact
from django.db.models.query_utils import DeferredAttribute

from clinic.data_keys import SERVICE, ErasedError, expect, seal, unseal

ERASED = "[erased]"
_SOME_TEXT = b"\0"
"""Stands for any text where a check constraint only asks whether there is one."""


class Sealed:
    """Text as it is stored, opened when somebody reads it."""

    __slots__ = ("opened", "stored")

    def __init__(self, stored: bytes) -> None:
        self.stored = stored
        self.opened: str | None = None if stored else ""

    def __eq__(self, other: object) -> bool:
        return self.stored == other.stored if isinstance(other, Sealed) else str(self) == other

    def __hash__(self) -> int:
        return hash(self.stored)

    def __str__(self) -> str:
        if self.opened is None:
            try:
                self.opened = unseal(self.stored)
            except ErasedError:
                return ERASED
        return self.opened


class _Text(DeferredAttribute):
    """Reads as text. Text set again as it was stays as it is stored, an erased one too."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        return str(value) if isinstance(value, Sealed) else value

    def __set__(self, instance: Any, value: Any) -> None:
        held = instance.__dict__.get(self.field.attname)
        if not (isinstance(held, Sealed) and isinstance(value, str) and value == str(held)):
            instance.__dict__[self.field.attname] = value


class _IsEmpty(Exact):
    """The only question the database can answer about sealed text."""

    def get_prep_lookup(self) -> Any:
        if self.rhs not in ("", None):
            raise FieldError("Encrypted text can't be searched: compare it with '' only.")
        return super().get_prep_lookup()


class _Encrypted(models.Field):  # type: ignore[type-arg]  # a mixin of text fields
    """``owner`` is the path to the patient's id where the model's scope does not say it."""

    descriptor_class = _Text

    def __init__(self, *args: Any, owner: str = "", **kwargs: Any) -> None:
        self.owner = owner
        super().__init__(*args, **kwargs)

    def db_type(self, connection: Any) -> str:
        return "bytea"

    def get_attname_column(self) -> tuple[str, str]:
        attname, _ = super().get_attname_column()
        return attname, self.db_column or f"{attname}_sealed"

    def get_lookup(self, lookup_name: str) -> Any:
        return {"exact": _IsEmpty, "isnull": super().get_lookup("isnull")}.get(lookup_name)

    def from_db_value(self, value: bytes | None, *_: Any) -> Sealed | None:
        if value is None:
            return None
        stored = bytes(value)
        if stored:
            expect(stored)
        return Sealed(stored)

    def pre_save(self, model_instance: Any, add: bool) -> bytes:
        held = model_instance.__dict__.get(self.attname)
        if isinstance(held, Sealed):
            return held.stored
        if not held:
            return b""
        clinic = model_instance.clinic_id
        return seal(held, self._owner_of(model_instance) if clinic else SERVICE, clinic)

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            return value.stored
        return value if isinstance(value, bytes) else _SOME_TEXT if value else b""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return value if prepared else self.get_prep_value(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, str) and value:
            raise FieldError(f"{self.name} is encrypted: set it on the row and save that.")
        return self.get_prep_value(value)

    def _owner_of(self, row: Any) -> UUID:
        *parents, last = (self.owner or row.scope.patient).split("__")
        for parent in parents:
            row = getattr(row, parent)
        return getattr(row, row._meta.get_field(last).attname) or SERVICE


class EncryptedTextField(_Encrypted, models.TextField):  # type: ignore[type-arg]
    """A text of any length."""


class EncryptedCharField(_Encrypted, models.CharField):  # type: ignore[type-arg]
    """One line."""
