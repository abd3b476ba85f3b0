"""One data key per patient: what is written about them opens with it, and with it gone, nowhere any more.

The keys lie wrapped by the master key (ENCRYPTION_KEYS): changing that one re-wraps the keys and re-writes
nothing else. What is read in one transaction asks for its keys in one query.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from django.db import connection, models
from django.db.models.functions import Now

from clinic import secrets
from clinic.row_security import current
from clinic.tenancy import ClinicRow, Scope

SERVICE = UUID(int=0)
"""Whose text is no patient's, such as a digest's: it is sealed with the master key itself."""


class ErasedError(Exception):
    """The key is gone, and what it sealed with it; or it is another tenant's."""


class DataKey(ClinicRow):
    """The key of a patient, or of a record put away at its erasure; ``owner`` is the id of either."""

    scope = Scope(patient="owner")

    owner = models.UUIDField(primary_key=True, editable=False)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"Data key of {self.owner}"


def seal(text: str, owner: UUID, clinic_id: int) -> bytes:
    """What only the owner's key opens; its first 16 bytes name the owner. Makes the key if there is none."""
    if owner == SERVICE:
        return owner.bytes + secrets.encrypt(text)
    return owner.bytes + (_find(owner) or _make(owner, clinic_id)).opened.encrypt(text.encode())


def prepare(owners: Mapping[UUID, int]) -> None:
    """Before many rows are written at once: the keys of all, each with its clinic, in three queries."""
    _remembered("expected keys", set).update(owners)
    missing = {owner: clinic for owner, clinic in owners.items() if _find(owner) is None}
    _make_all(missing)


def make_sure(owner: UUID, clinic_id: int) -> None:
    """There is a key. It costs the same whether there was one or not: the time it takes tells nothing."""
    _make(owner, clinic_id)


def unseal(sealed: bytes) -> str:
    """The text, or why there is none.

    Raises:
        ErasedError: there is no such key any more, or none for this tenant.
        SecretLostError: there is one, but no key of ENCRYPTION_KEYS opens it: that is no erasure.
    """
    owner, token = owner_of(sealed), sealed[16:]
    if owner == SERVICE:
        return secrets.decrypt(token)
    if (key := _find(owner)) is None:
        raise ErasedError
    try:
        return key.opened.decrypt(token).decode()
    except InvalidToken:  # sealed with a key that was destroyed: this one was made after it
        raise ErasedError from None


def owner_of(sealed: bytes) -> UUID:
    return UUID(bytes=sealed[:16])


def expect(sealed: bytes) -> None:
    """It was read and may be opened: its key is fetched with those of all others read so far."""
    _remembered("expected keys", set).add(owner_of(sealed))


def destroy(*owners: UUID) -> None:
    """What they sealed is unreadable from now on, wherever there are copies of it."""
    DataKey.objects.filter(pk__in=owners).delete()
    _remembered("keys", dict).clear()


def rewrap(*, batch: int = 500) -> int:
    """Wrap the keys of the present tenant anew, with the first master key; how many they were."""
    pks = list(DataKey.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(pks), batch):
        rows = list(DataKey.objects.select_for_update().filter(pk__in=pks[start : start + batch]))
        for row in rows:
            row.wrapped = secrets.rewrap(row.wrapped)
        DataKey.objects.bulk_update(rows, ["wrapped"])
    return len(pks)


class _Key:
    """As it is stored, opened when it is needed: one that can't be opened stands in no other's way.

    ``opened`` raises SecretLostError.
    """

    def __init__(self, wrapped: bytes) -> None:
        self._wrapped = wrapped

    @cached_property
    def opened(self) -> Fernet:
        return Fernet(secrets.decrypt(self._wrapped))


def _find(owner: UUID) -> _Key | None:
    keys, tenant = _remembered("keys", dict), current()
    here = tuple(connection.savepoint_ids)

    def known(one: UUID) -> bool:
        """What was read under a savepoint that is over may have been undone with it."""
        _, savepoints = keys.get((tenant, one), (None, None))
        return savepoints is not None and here[: len(savepoints)] == savepoints

    if not known(owner):
        wanted = {one for one in {owner, *_remembered("expected keys", set)} - {SERVICE} if not known(one)}
        found = dict(DataKey.objects.filter(pk__in=wanted).values_list("pk", "wrapped"))
        keys.update({(tenant, one): (_Key(found[one]) if one in found else None, here) for one in wanted})
    key: _Key | None = keys[tenant, owner][0]
    return key


def _make(owner: UUID, clinic_id: int) -> _Key:
    _make_all({owner: clinic_id})
    key = _find(owner)
    assert key is not None, "the key was just made"
    return key


def _make_all(owners: Mapping[UUID, int]) -> None:
    """Whoever comes first makes a key; the others take theirs."""
    rows = [
        DataKey(owner=owner, clinic_id=clinic, wrapped=secrets.encrypt(Fernet.generate_key().decode()))
        for owner, clinic in owners.items()
    ]
    DataKey.objects.bulk_create(rows, ignore_conflicts=True)
    for owner in owners:
        _remembered("keys", dict).pop((current(), owner), None)
    _remembered("expected keys", set).update(owners)


def _remembered(name: str, kind: type) -> Any:
    """Until the transaction ends; outside of one, nothing is."""
    return connection.memory.setdefault(name, kind()) if connection.in_atomic_block else kind()
