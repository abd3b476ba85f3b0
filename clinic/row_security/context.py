"""For whom the present request or task works. The database is told with each transaction, and obeys.

What is told ends with the transaction: a pooled connection carries nothing over to its next user. Where
nobody was named, every protected table is empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

from clinic.audit import origin
from clinic.audit.origin import Origin

TELL = (
    "SELECT set_config('tenant.clinics', %s, true), set_config('tenant.patient', %s, true), "
    "set_config('tenant.user', %s, true), set_config('tenant.platform', %s, true), "
    "set_config('tenant.reads', %s, true), set_config('audit.origin', %s, true)"
)


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose rows may be seen and written.

    ``clinics`` are ids. With ``patient`` only that patient's rows count, beside the clinic's library.
    ``user`` is whose login it is: of their own login they see and write what nobody else does.
    ``platform`` stands for the operator and the mail carrier: every clinic, its outbox, and no record.
    ``reads`` are clinics whose records may be read and not written: those opened by break-glass.
    """

    clinics: tuple[int, ...] = ()
    patient: UUID | None = None
    user: int | None = None
    platform: bool = False
    reads: tuple[int, ...] = ()

    def told(self) -> tuple[str, ...]:
        """As the database reads it."""
        platform, user = "true" if self.platform else "", str(self.user or "")
        return _array(self.clinics), str(self.patient or ""), user, platform, _array(self.reads)


def _array(ids: tuple[int, ...]) -> str:
    return f"{{{','.join(map(str, ids))}}}" if ids else ""


NOBODY = Tenant()
_current: ContextVar[Tenant] = ContextVar("tenant", default=NOBODY)


def current() -> Tenant:
    return _current.get()


@contextmanager
def acting_for(tenant: Tenant, by: Origin | None = None) -> Iterator[None]:
    """Work for this tenant inside the block, also in the transaction that is open already.

    ``by`` says who does, for the audit trail; whoever did before, if nothing is said.
    """
    before, by_before = _current.set(tenant), origin.assume(by or origin.current())
    _tell_open_transaction()
    try:
        yield
    finally:
        _current.reset(before)
        origin.forget(by_before)
        _tell_open_transaction()


def enter(tenant: Tenant, who: str = "", why: str = "") -> None:
    """Work for this tenant until the enclosing ``acting_for`` ends: the request has shown whose it is.

    ``who`` asks, in the words of ``clinic.audit.origin``; ``why``, where a reason had to be given.
    """
    _current.set(tenant)
    if who:
        origin.identify(who, why)
    _tell_open_transaction()


def explain(why: str) -> None:
    """The reason that was given for what is read and written until the enclosing ``acting_for`` ends."""
    origin.identify(origin.current().who, why)
    _tell_open_transaction()


def tell(database: BaseDatabaseWrapper) -> None:
    """Tell the transaction that has just begun."""
    if _current.get() != NOBODY or origin.current() != origin.UNKNOWN:
        _execute(database)


def _tell_open_transaction() -> None:
    """One that failed takes no statement; what it was told ends when it is rolled back."""
    if connection.in_atomic_block and connection.connection is not None:
        status = connection.connection.info.transaction_status
        if status in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
            _execute(connection)


def _execute(database: BaseDatabaseWrapper) -> None:
    """Past Django's cursor: it is no statement of the request's."""
    assert database.connection is not None
    with database.wrap_database_errors:
        database.connection.execute(TELL, [*_current.get().told(), origin.current().told()])
