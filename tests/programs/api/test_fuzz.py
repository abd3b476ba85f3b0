"""Random JSON in every field of every body: refused or stored, never a server error."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from programs.api.inputs import (
    AnswerInput,
    CodeInput,
    CodeRequestInput,
    InvitationInput,
    NextMorningInput,
    RunInput,
    SessionInput,
)
from programs.models import Program
from tests.api import Device
from tests.factories import NOW

BODIES = {
    "me/answers/{}": AnswerInput,
    "me/sessions/{}": SessionInput,
    "me/runs/{}": RunInput,
    "me/runs/{}/next-morning": NextMorningInput,
    "auth/invitation": InvitationInput,
    "auth/code": CodeRequestInput,
    "auth/token": CodeInput,
}
PLAUSIBLE = [
    NOW.isoformat(),
    "2026-03-01T08:00:00Z",
    0,
    3,
    2.5,
    10,
    "4.5",
    [],
    ["knee_locks"],
    "lateral",
    True,
    "a@example.org",
]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(PLAUSIBLE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("path", BODIES)
def test_random_bodies_are_never_a_server_error(path: str, device: Device, program: Program) -> None:
    dose = program.stages.first().doses.first().pk
    likely = {
        "occurred_at": st.just(NOW.isoformat()),
        "exercises": st.just([{"dose": dose, "sets_done": 3}]),
        "distance_km": st.just(5),
        "device_name": st.just("Phone"),
    }
    fields = {name: likely.get(name, values) | values for name in BODIES[path]().fields}

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(body=st.fixed_dictionaries({}, optional=fields))
    def send(body: dict[str, Any]) -> None:
        cache.clear()
        method = device.put if path.startswith("me/") else device.post
        response = method(path.format(uuid4()), json.dumps(body))
        assert response.status_code < 500, response.content[:300]

    send()
