"""How often something may be tried. Counted in PostgreSQL: a dead or flushed cache must not let anybody
guess, and nobody signs in without the database anyway.

A try is counted before it is judged, in one statement that holds the row until the request ends: fifty at
once are judged one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.db import connection
from django.db.models import F
from django.utils.crypto import salted_hmac

from clinic import security_events
from clinic.accounts.models import Tally
from clinic.security_events import Event

COUNT = """
    INSERT INTO clinic_tally AS tally (key, count, since) VALUES (%(key)s, 1, %(now)s)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN tally.since <= %(over)s THEN 1 ELSE least(tally.count, %(most)s) + 1 END,
        since = CASE WHEN tally.since <= %(over)s OR tally.count + 1 = %(most)s THEN %(now)s
                     ELSE tally.since END
    RETURNING count, since
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """``most`` tries; from the last of them on, none for a ``window``."""

    name: str
    most: int
    window: timedelta


class LimitedError(Exception):
    """Tried too often; ``seconds`` until the next try is judged."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many tries. Wait {ceil(seconds / 60)} min, then try again.")
        self.seconds = seconds


def count_try(limit: Limit, who: str, *, now: datetime) -> bool:
    """Count a try of ``who``; true if it is the last one for a while.

    Raises:
        LimitedError: there were too many; this one is not to be judged.
    """
    values: dict[str, Any] = {
        "key": _key(limit, who),
        "now": now,
        "over": now - limit.window,
        "most": limit.most,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNT, values)
        count, since = cursor.fetchone()
    if count > limit.most:
        security_events.log(Event.LIMITED, security_events.of_address(who))
        raise LimitedError(max(1, ceil((since + limit.window - now).total_seconds())))
    return bool(count == limit.most)


def forget_tries(limit: Limit, who: str) -> None:
    """The right answer was given: count from nothing again."""
    Tally.objects.filter(pk=_key(limit, who)).delete()


def take_back(limit: Limit, who: str) -> None:
    """The right answer was given: this try does not count, those before do."""
    Tally.objects.filter(pk=_key(limit, who), count__gt=0).update(count=F("count") - 1)


def forget_old_tallies(*, now: datetime) -> int:
    """Delete what no limit looks at any more."""
    deleted, _ = Tally.objects.filter(since__lt=now - timedelta(days=1)).delete()
    return deleted


def _key(limit: Limit, who: str) -> str:
    return salted_hmac("clinic.tally", f"{limit.name}:{who}", algorithm="sha256").hexdigest()
