"""What ``check --deploy`` says of a machine."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import checks


def found() -> list[Any]:
    return [one for one in checks.run_checks(include_deployment_checks=True) if "Pango" in str(one)]


def test_a_machine_that_can_set_letters_passes() -> None:
    assert found() == []


@pytest.mark.usefixtures("no_pango")
def test_a_machine_without_pango_is_told_what_to_install() -> None:
    [warning] = found()
    assert (warning.id, "apt.txt" in warning.hint) == ("programs.W001", True)
