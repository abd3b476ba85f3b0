"""The world of the matrix, made once; what a request changes is undone after it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.access.asking import Asking
from tests.access.world import World


@pytest.fixture(scope="package")
def asking(django_db_setup: None, django_db_blocker: Any) -> Iterator[Asking]:
    logging.disable(logging.WARNING)  # thousands of refusals, each with a line
    try:
        with django_db_blocker.unblock(), transaction.atomic():
            yield Asking(World())
            transaction.set_rollback(True)
    finally:
        logging.disable(logging.NOTSET)
