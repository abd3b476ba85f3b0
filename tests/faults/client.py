"""A client that keeps a journal: its intent before it sends, the acknowledgement once it has one.

It retries as the app does: the same body under the same UUID, until it is told that the row is stored.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

THREADS = 6
RETRY_SECONDS = 0.3
GIVE_UP_SECONDS = 240
STORED = (200, 201)
RED_FLAG = "knee_locks"


@dataclass(frozen=True, slots=True)
class Report:
    """An answer that a patient gives, to be sent at ``after`` seconds at the earliest."""

    client_id: UUID
    token: str
    body: dict[str, Any]
    after: float


def reports(tokens: Sequence[str], number: int, *, seconds: float, chance: Random) -> list[Report]:
    """Answers in turn of each patient, spread over the time; the first of each carries a red flag."""
    now, made = datetime.now(UTC), []
    for index in range(number):
        at = now - timedelta(minutes=chance.randrange(1, 20 * 24 * 60))
        body: dict[str, Any] = {"occurred_at": at.isoformat(), "worst_left": chance.randrange(0, 101) / 10}
        if index < len(tokens):
            body |= {"red_flags": [RED_FLAG], "occurred_at": (now - timedelta(minutes=1)).isoformat()}
        client_id = UUID(int=chance.getrandbits(128), version=4)
        token = tokens[index % len(tokens)]
        made.append(Report(client_id, token, body, index * seconds / number))
    return made


class Client:
    def __init__(self, url: str, journal: Path) -> None:
        self.url = url
        self.journal = journal.open("a", buffering=1)
        self.retries = self.stored = 0
        self.refused: list[str] = []
        self._writing = threading.Lock()

    def send_all(self, sending: Iterable[Report]) -> None:
        started = time.monotonic()
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(lambda report: self._send(report, started), sending))

    def _send(self, report: Report, started: float) -> None:
        time.sleep(max(0.0, started + report.after - time.monotonic()))
        self._note({"intent": str(report.client_id), "body": report.body})
        until = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < until:
            status = self._put(report)
            if status in STORED:
                self._note({"acknowledged": str(report.client_id), "status": status})
                self.stored += 1
                return
            if 400 <= status < 500:
                self.refused.append(f"{report.client_id}: {status}")
                return
            self.retries += 1
            time.sleep(RETRY_SECONDS)

    def _put(self, report: Report) -> int:
        """The status, or 0 if there was no answer."""
        address = f"{self.url}/api/v1/me/answers/{report.client_id}"
        request = urllib.request.Request(address, json.dumps(report.body).encode(), method="PUT")
        request.add_header("Content-Type", "application/json")
        request.add_header("Authorization", f"Token {report.token}")
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def _note(self, line: dict[str, Any]) -> None:
        with self._writing:
            self.journal.write(json.dumps(line) + "\n")


def read(journal: Path) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """What the journal says was meant to be sent, by UUID, and which of it was acknowledged."""
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    intents = {line["intent"]: line["body"] for line in lines if "intent" in line}
    return intents, {line["acknowledged"] for line in lines if "acknowledged" in line}


class Phone:
    """One answer at a time, and what was said to it."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def answer(self, **fields: Any) -> tuple[int, dict[str, str]]:
        """Status and headers of a new answer, stored under ``client_id`` if one is given."""
        client_id = fields.pop("client_id", uuid4())
        body = {"occurred_at": datetime.now(UTC).isoformat(), "worst_left": 3} | fields
        request = urllib.request.Request(
            f"{self.url}/api/v1/me/answers/{client_id}", json.dumps(body).encode(), method="PUT"
        )
        request.add_header("Content-Type", "application/json")
        request.add_header("Authorization", f"Token {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, dict(answer.headers)
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers)
