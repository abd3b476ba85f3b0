"""In which group of a clinician's list a case stands: the groups follow each other in this order."""

from __future__ import annotations

from enum import IntEnum


class Group(IntEnum):
    RED_FLAGS = 0
    OWN = 1
    COLLEAGUES = 2
    NOTHING = 3


def group_of(*, red_flag: bool, mine: bool, asks: bool) -> Group:
    """A red flag comes first, whoever's case it is; who needs nothing comes last, one's own case too."""
    if red_flag:
        return Group.RED_FLAGS
    if not asks:
        return Group.NOTHING
    return Group.OWN if mine else Group.COLLEAGUES
