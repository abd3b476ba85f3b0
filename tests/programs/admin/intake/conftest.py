"""A case to assess."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import make_case


@pytest.fixture
def case(staff: Any) -> Any:
    return make_case(staff.clinic, clinician=staff.physio)
