"""Who answers for somebody's cases while they are away: always somebody, if anybody is there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.stand_ins import Roster

ANNA, PIET, ZOE, OWNER, SECOND = 1, 2, 3, 4, 5
ALL = (ANNA, PIET, ZOE, OWNER, SECOND)


type Links = dict[int, int | None]


def roster(away: Links, standing: Links | None = None) -> Roster:
    return Roster(treating=ALL, owners=(OWNER, SECOND), away=away, standing=standing or {})


@pytest.mark.parametrize(
    ("away", "standing", "expected"),
    [
        ({}, {}, ()),
        ({PIET: ANNA}, {}, ()),
        ({ANNA: PIET}, {}, (PIET,)),
        ({ANNA: PIET}, {ANNA: ZOE}, (PIET,)),
        ({ANNA: None}, {ANNA: ZOE}, (ZOE,)),
        ({ANNA: None}, {ANNA: None}, (OWNER, SECOND)),
        ({ANNA: PIET, PIET: ZOE}, {}, (ZOE,)),
        ({ANNA: PIET, PIET: None}, {PIET: ZOE}, (ZOE,)),
        ({ANNA: PIET, PIET: None}, {}, (OWNER, SECOND)),
        ({ANNA: PIET, PIET: ANNA}, {}, (OWNER, SECOND)),
        ({ANNA: None, OWNER: None}, {}, (SECOND,)),
        ({ANNA: None, OWNER: None, SECOND: None}, {}, ()),
        ({ANNA: 99}, {}, (OWNER, SECOND)),
    ],
    ids=[
        *("there", "another is away", "named", "named before standing", "standing", "nobody named"),
        *("cover away", "cover's standing cover", "cover away without one", "in a circle"),
        *("an owner away", "nobody left", "cover treats no more"),
    ],
)
def test_who_stands_in(away: Links, standing: Links, expected: object) -> None:
    assert roster(away, standing).stand_ins(ANNA) == expected


def test_one_person_reads_what_is_meant_for_them() -> None:
    assert roster({ANNA: None}).reader(ANNA) == OWNER
    assert roster({}).reader(ANNA) == ANNA
    assert roster({ANNA: None, OWNER: None, SECOND: None}).reader(ANNA) == ANNA


LINKS = st.dictionaries(st.sampled_from(ALL), st.one_of(st.none(), st.sampled_from(ALL)))


@given(LINKS, LINKS)
def test_nobody_who_is_away_stands_in_and_an_owner_who_is_there_is_never_passed_over(
    away: Links, standing: Links
) -> None:
    there = roster(away, standing)
    for clinician in ALL:
        found = there.stand_ins(clinician)
        assert not set(found) & set(away)
        if clinician in away and {OWNER, SECOND} - set(away):
            assert found
