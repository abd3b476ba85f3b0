"""A short form of ``make chaos``: the same processes, killed by the same hand, for about half a minute."""

from __future__ import annotations

import pytest

from tests.faults import chaos
from tests.faults.chaos import SPLIT, Outcome, Plan
from tests.faults.conftest import prepared_copy


def test_nothing_acknowledged_is_lost_and_no_mail_either_whatever_is_killed() -> None:
    plan = Plan(seed=7, kills=8, check_ins=200, mails=50)
    assert set(plan.victims(chaos.Random(plan.seed))) == {*SPLIT, "sender"}
    outcome = chaos.run(plan, prepared_copy(), print)

    assert outcome.broken(plan) == [], outcome
    assert outcome.kills == 8


def test_the_kills_are_split_as_promised() -> None:
    from_hundred = Plan(seed=1, kills=100, check_ins=1, mails=1).victims(chaos.Random(1))

    counts = {name: from_hundred.count(name) for name in ("beat", "valkey", "postgres")}
    assert counts == {"beat": 15, "valkey": 10, "postgres": 15}
    assert from_hundred.count("worker") + from_hundred.count("sender") == 60


GOOD = {
    "kills": 10,
    "acknowledged": 250,
    "lost": 0,
    "duplicate_rows": 0,
    "mails": 60,
    "mails_lost": 0,
    "extra_copies": 2,
    "max_copies": 2,
    "kills_mid_send": 2,
    "seconds": 1.0,
}


@pytest.mark.parametrize(
    "change",
    [
        {"lost": 1},
        {"acknowledged": 249},
        {"duplicate_rows": 1},
        {"mails_lost": 1},
        {"extra_copies": 3},
        {"max_copies": 3},
        {"kills": 9},
    ],
    ids=str,
)
def test_each_broken_promise_is_told(change: dict[str, int]) -> None:
    plan = Plan(seed=7, kills=10, check_ins=250, mails=60)

    assert Outcome(**GOOD).broken(plan) == []
    assert len(Outcome(**GOOD | change).broken(plan)) == 1
