"""Django's PostgreSQL backend, with each transaction told for whom it works (``context``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.backends.postgresql import base

from clinic.row_security import context


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.memory: dict[str, Any] = {}  # what was learnt in this transaction
        self.execute_wrappers.append(_in_a_transaction)

    def _set_autocommit(self, autocommit: bool) -> None:
        self.memory = {}
        super()._set_autocommit(autocommit)  # type: ignore[misc]  # not in the stubs
        if not autocommit:
            try:
                context.tell(self)
            except Exception:
                self.close()  # or the transaction that nobody was told of would go on
                raise


def _in_a_transaction(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, about: dict[str, Any]
) -> Any:
    """A statement outside of a transaction gets one of its own, which can be told."""
    database = about["connection"]
    if database.in_atomic_block or not database.get_autocommit() or context.current() == context.NOBODY:
        return execute(sql, params, many, about)
    with transaction.atomic(using=database.alias):
        return execute(sql, params, many, about)
