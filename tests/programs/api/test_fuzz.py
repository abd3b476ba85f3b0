"""What the OpenAPI document promises, tried with cases made from it: every operation, as each role.

``FUZZ_CASES`` says how many in total (``make fuzz``: 20,000); the suite tries one of each sort.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from clinic.roles import Role
from config.wsgi import application
from programs.models import Program
from tests.api import give_token, log_in
from tests.factories import NOW, make_case, make_user

FEW = 1
CASES = int(os.environ.get("FUZZ_CASES", FEW))
A_ROUND = FEW if CASES == FEW else 100
"""Cases of each sort, before the next round."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ROLES = ["anonymous", "patient", "patient without a program", "owner", "assistant"]


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """The test's transaction outlives requests, which end here as on a real server."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def headers(role: str, program: Program) -> dict[str, str]:
    if role == "anonymous":
        return {}
    if role in STAFF:
        return {"Authorization": f"Token {give_token(make_user(role=Role(role), clinic=program.clinic))}"}
    patient = program.episode.patient
    if role == "patient without a program":
        patient = make_case(program.clinic).patient
    return {"Authorization": f"Token {log_in(patient)}"}


STAFF = tuple(Role)


def sorts_of_cases(role: str) -> list[tuple[Any, GenerationMode]]:
    """As the document allows, and, where there is something to get wrong, as it does not."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", application)
    every = [found.ok() for found in schema.get_all_operations()]
    operations = [found for found in every if is_for_staff(found) == (role in STAFF)]
    takes_input = [found for found in operations if found.body or found.path_parameters or found.query]
    positive = [(operation, GenerationMode.POSITIVE) for operation in operations]
    return positive + [(operation, GenerationMode.NEGATIVE) for operation in takes_input]


def is_for_staff(operation: Any) -> bool:
    """Those need another token; who has none or a patient's is refused by all (tests/access)."""
    return {"staffToken": []} in operation.definition.raw.get("security", [])


@pytest.mark.usefixtures("kept_connection")
@pytest.mark.parametrize("role", ROLES)
def test_every_operation_keeps_what_the_document_promises(role: str, program: Program) -> None:
    sorts, sent = sorts_of_cases(role), headers(role, program)
    dose = program.stages.first().doses.first().pk
    tried = 0
    while tried < CASES / len(ROLES):  # an operation without input is soon exhausted
        tried += sum(assert_promises_kept(operation, mode, sent, dose) for operation, mode in sorts)
    print(f"{role}: {tried} cases")  # noqa: T201 - what `make fuzz` is asked for


def assert_promises_kept(operation: Any, mode: GenerationMode, sent: dict[str, str], dose: int) -> int:
    """No answer breaks one of ``CHECKS``; says how many cases were tried. Each is undone, so that the last
    one meets the same rows as the first.
    """
    tried = 0

    @settings(
        max_examples=A_ROUND,
        derandomize=CASES == FEW,  # the suite tries the same cases every time
        phases=[Phase.generate],
        database=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(case=operation.as_strategy(generation_mode=mode), plausible=st.booleans())
    def send(case: Any, plausible: bool) -> None:
        nonlocal tried
        tried += 1
        cache.clear()
        if plausible and mode is GenerationMode.POSITIVE and isinstance(case.body, dict):
            case.body = plausibly(case.body, dose)
        with transaction.atomic():
            case.call_and_validate(headers=sent, checks=[*CHECKS, *refusals(case)])
            transaction.set_rollback(True)

    send()
    return tried


def refusals(case: Any) -> list[Any]:
    """A wrong body must be refused. What is wrong elsewhere may be gone by then: the token that we add, a
    query that can't be written down."""
    body = case.meta.components.get(ParameterLocation.BODY)
    return [negative_data_rejection] if body and body.mode is GenerationMode.NEGATIVE else []


def plausibly(body: dict[str, Any], dose: int) -> dict[str, Any]:
    """With a time and a dose that exist, so that the case comes further than to the first refusal."""
    real = {"occurred_at": NOW.isoformat(), "exercises": [{"dose": dose, "sets_done": 3}]}
    return body | {name: value for name, value in real.items() if name in body}
