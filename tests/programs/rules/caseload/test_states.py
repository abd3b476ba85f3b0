"""The state a case shows: the first that holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from programs.rules.caseload import Standing, state_of

UNDER_WAY = Standing(
    is_open=True,
    red_flag=False,
    relapse=False,
    has_program=True,
    held=False,
    paused=False,
    asleep=False,
    review_state="stalled",
)


@pytest.mark.parametrize(
    ("differs", "state"),
    [
        ({}, "stalled"),
        ({"is_open": False}, "closed"),
        ({"is_open": False, "relapse": True}, "closed_relapsed"),
        ({"is_open": False, "red_flag": True}, "closed_not_cleared"),
        ({"red_flag": True, "paused": True}, "on_hold"),
        ({"held": True}, "on_hold"),
        ({"has_program": False, "review_state": ""}, "no_program"),
        ({"paused": True}, "paused"),
        ({"asleep": True, "review_state": ""}, "asleep"),
        ({"asleep": True}, "stalled"),
        ({"review_state": ""}, "not_reviewed"),
        ({"review_state": "on_hold"}, "review_due"),
        ({"review_state": "paused"}, "review_due"),
        ({"review_state": "paused", "paused": True}, "paused"),
    ],
)
def test_a_case_shows_the_first_state_that_holds(differs, state) -> None:
    assert state_of(replace(UNDER_WAY, **differs)) == state
