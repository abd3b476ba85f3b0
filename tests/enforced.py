"""Row-level security in tests: off for what a test sets up and asserts, on for what it does as a user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection
from django.http import HttpRequest, HttpResponseBase
from psycopg.pq import TransactionStatus

SET = "SELECT set_config('tests.everything', %s, true)"


@contextmanager
def enforced() -> Iterator[None]:
    """Hold what happens inside to the policies; call it in a transaction."""
    _set("off")
    try:
        yield
    finally:
        _set("on")


def _set(value: str) -> None:
    """Past Django's cursor, which counts; and not where a transaction failed or its connection was lost."""
    if connection.connection.info.transaction_status in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
        connection.connection.execute(SET, [value])


class Enforced:
    """Every request of a test client is held to the policies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not connection.in_atomic_block:  # a page that needs no database
            return self.get_response(request)
        with enforced():
            return self.get_response(request)
