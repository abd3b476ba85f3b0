"""The groups of a clinician's list."""

from __future__ import annotations

import pytest

from programs.rules.caseload import Group, group_of


@pytest.mark.parametrize(
    ("red_flag", "mine", "asks", "group"),
    [
        (True, False, True, Group.RED_FLAGS),
        (True, True, True, Group.RED_FLAGS),
        (False, True, True, Group.OWN),
        (False, False, True, Group.COLLEAGUES),
        (False, True, False, Group.NOTHING),
        (False, False, False, Group.NOTHING),
    ],
)
def test_own_work_comes_before_a_colleagues_and_a_colleagues_before_none(red_flag, mine, asks, group) -> None:
    assert group_of(red_flag=red_flag, mine=mine, asks=asks) is group
