"""Finding cases by what they are: a finding finds nothing for who may not read it."""

from __future__ import annotations

import pytest

from patients.models import Episode
from tests.api import Tool


@pytest.mark.parametrize("diagnosis", ["pfp", "patellar_tendinopathy"])
def test_an_assistant_learns_no_diagnosis_by_asking_for_it(
    assistant: Tool, tool: Tool, case: Episode, diagnosis: str
) -> None:
    def found(by: Tool) -> list[int]:
        return [row["id"] for row in by.get(f"cases?diagnosis={diagnosis}").json()["results"]]

    assert found(assistant) == []
    assert found(tool) == ([case.pk] if diagnosis == case.diagnosis else [])
    assert [row["id"] for row in assistant.get("cases").json()["results"]] == [case.pk]
