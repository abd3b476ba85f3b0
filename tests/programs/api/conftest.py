"""The patient's API on a Monday morning: a case four weeks old, with an active program."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache

from programs.models import Program
from tests.api import Device
from tests.factories import NOW, TODAY, make_case, make_program


@pytest.fixture(autouse=True)
def clock(db: None) -> Iterator[time_machine.Traveller]:
    """Stands at ``NOW``; rate limits start from nothing."""
    cache.clear()
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def program() -> Program:
    start = TODAY - timedelta(days=28)
    return make_program(make_case(opened_on=start), started_on=start, stage_started_on=start)


@pytest.fixture
def device(program: Program) -> Device:
    return Device(program.episode.patient)
