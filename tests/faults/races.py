"""Many at once: the same answer put 50 times, the same login code used 20 times. Exactly one may win.

    ROUNDS=200 python -m tests.faults.races

The last line is one JSON object; the exit code is 1 if in any round not exactly one won.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.faults.alone import alone
from tests.faults.cluster import Cluster

PUTS, USES = 50, 20
CODE = "482913"


class Race:
    """The service with a patient who has a token, and a code before each round."""

    def __init__(self, cluster: Cluster, token: str) -> None:
        self.cluster, self.token = cluster, token
        call = f"from tests.faults.filling import hash_of_code; hash_of_code({CODE!r})"
        self.code_hash = cluster.shell(call).splitlines()[-1]
        self.threads = ThreadPoolExecutor(PUTS)

    def put(self) -> Counter[int]:
        """The same body under the same UUID, at once: one is new, the others find it."""
        at = datetime.now(UTC).isoformat()
        body, path = {"occurred_at": at, "worst_left": 3}, f"me/answers/{uuid4()}"
        return self._at_once(PUTS, lambda: self._call("PUT", path, body, self.token))

    def use_code(self) -> Counter[int]:
        """The same code, at once."""
        self.cluster.query("DELETE FROM patients_logincode")
        self.cluster.query(
            "INSERT INTO patients_logincode (clinic_id, patient_id, code_hash, expires_at, attempts)"
            " SELECT clinic_id, id, %s, now() + interval '10 minutes', 0 FROM patients_patient"
            " WHERE email = 'patient0@chaos.example'",
            self.code_hash,
        )
        body = {"email": "patient0@chaos.example", "code": CODE, "device_name": "Phone"}
        return self._at_once(USES, lambda: self._call("POST", "auth/token", body))

    def _at_once(self, number: int, call: Callable[[], int]) -> Counter[int]:
        return Counter(self.threads.map(lambda _: call(), range(number)))

    def _call(self, method: str, path: str, body: dict[str, Any], token: str = "") -> int:
        request = urllib.request.Request(
            f"{self.cluster.url}/api/v1/{path}", json.dumps(body).encode(), method=method
        )
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Token {token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


UNLIMITED = (
    "CREATE FUNCTION race_unlimited() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN NEW.count := 1; RETURN NEW; END'",
    "CREATE TRIGGER race_unlimited BEFORE INSERT OR UPDATE ON clinic_tally"
    " FOR EACH ROW EXECUTE FUNCTION race_unlimited()",
)


@contextmanager
def unlimited(cluster: Cluster) -> Iterator[None]:
    """The rate limits, which are counted in the database, stay at the first try."""
    for statement in UNLIMITED:
        cluster.query(statement)
    try:
        yield
    finally:
        cluster.query("DROP FUNCTION race_unlimited CASCADE")


def run(cluster: Cluster, token: str, rounds: int) -> dict[str, Any]:
    """``rounds`` of each; each count must equal them."""
    started, race = time.monotonic(), Race(cluster, token)
    tables = ("programs_answer", "patients_devicetoken")
    answers, tokens = (f"SELECT count(*) FROM {table}" for table in tables)
    before = [cluster.query(statement)[0][0] for statement in (answers, tokens)]
    puts = [race.put() for _ in range(rounds)]
    with unlimited(cluster):  # the rows alone must hold
        uses = [race.use_code() for _ in range(rounds)]
    after = [cluster.query(statement)[0][0] for statement in (answers, tokens)]
    return {
        "rounds": rounds,
        "puts_won_once": sum(found == {201: 1, 200: PUTS - 1} for found in puts),
        "answers_stored": after[0] - before[0],
        "codes_won_once": sum(found == {201: 1, 400: USES - 1} for found in uses),
        "tokens_given": after[1] - before[1],
        "seconds": round(time.monotonic() - started, 1),
    }


def is_fair(result: dict[str, Any]) -> bool:
    counts = ("puts_won_once", "answers_stored", "codes_won_once", "tokens_given")
    return all(result[count] == result["rounds"] for count in counts)


def main() -> int:
    with alone(web_threads=20) as (cluster, token):
        result = run(cluster, token, int(os.environ.get("ROUNDS") or 200))
    print(json.dumps(result))  # noqa: T201
    return 0 if is_fair(result) else 1


if __name__ == "__main__":
    sys.exit(main())
