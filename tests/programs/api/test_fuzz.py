"""What the OpenAPI document promises, tried with cases made from it: every operation, as each role.

``FUZZ_CASES`` says how many in total (``make fuzz``: 20,000); the suite runs a few of each kind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from programs.models import Program
from tests.api import Device, log_in
from tests.factories import NOW, make_case, make_patient

CASES = int(os.environ.get("FUZZ_CASES", "400"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """The test's transaction outlives requests, which end here as on a real server."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def roles(program: Program) -> dict[str, dict[str, str]]:
    """The headers of each: nobody, a patient with a program, and one whose case has none."""
    without = make_patient(program.clinic)
    make_case(patient=without)
    return {
        "anonymous": {},
        "patient": {"Authorization": f"Token {log_in(program.episode.patient)}"},
        "patient without program": {"Authorization": f"Token {log_in(without)}"},
    }


@pytest.mark.usefixtures("kept_connection")
def test_every_operation_keeps_what_the_document_promises(
    roles: dict[str, dict[str, str]], program: Program
) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", application)
    operations = [found.ok() for found in schema.get_all_operations()]
    sorts = list(product(operations, MODES, roles))
    each = -(-CASES // len(sorts))
    dose = program.stages.first().doses.first().pk
    tried = 0

    for operation, mode, role in sorts:
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.path_parameters or operation.query):
            mode = GenerationMode.POSITIVE

        @settings(max_examples=each, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode), plausible=st.booleans())
        def send(case: Any, plausible: bool) -> None:
            nonlocal tried
            tried += 1
            cache.clear()
            if plausible and isinstance(case.body, dict):
                if isinstance(case.body.get("occurred_at"), str): case.body["occurred_at"] = NOW.isoformat()
            with transaction.atomic():
                case.call_and_validate(headers=roles[role], checks=CHECKS)
                transaction.set_rollback(True)

        try:
            send()
        except BaseException as e:
            print("#####", operation.label, mode, role, type(e).__name__, str(e)[:900])
    print("tried", tried, each, len(sorts))
    assert 0
