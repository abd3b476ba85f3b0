"""Many at once: the same answer put 50 times, the same login code used 20 times. Exactly one may win.

    ROUNDS=200 python -m tests.faults.races

The last line is one JSON object; the exit code is 1 if in any round not exactly one won.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.faults.cluster import Cluster, prepare

PUTS, USES = 50, 20
CODE = "482913"


class Race:
    """The service with one patient who has a token, and a code before each round."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        call = "from tests.faults.filling import fill; fill(asked=1, answering=1, seconds=86400)"
        said = cluster.manage("shell", "--no-imports", "-c", call)
        self.token = json.loads(said.splitlines()[-1])[0]
        call = f"from tests.faults.filling import hash_of_code; hash_of_code({CODE!r})"
        self.code_hash = cluster.manage("shell", "--no-imports", "-c", call).splitlines()[-1]
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
            " SELECT clinic_id, id, %s, now() + interval '10 minutes', 0 FROM patients_patient",
            self.code_hash,
        )
        body = {"email": "patient0@example.org", "code": CODE, "device_name": "Phone"}
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


def run(rounds: int, folder: Path) -> dict[str, Any]:
    """``rounds`` of each; ``won_once`` and ``stored_once`` must equal them."""
    started = time.monotonic()
    if not (folder / "data").exists():
        prepare(folder / "data")
    cluster = Cluster(
        folder / "data", port=free_port(), smtp_port=free_port(), workers=0, beats=0, WEB_THREADS=20
    )
    with cluster:
        race = Race(cluster)
        puts = [race.put() for _ in range(rounds)]
        with cluster.without("valkey"):  # the rate limits let everything pass: the rows alone must hold
            uses = [race.use_code() for _ in range(rounds)]
        stored = cluster.query("SELECT count(*), count(DISTINCT client_id) FROM programs_answer")
        tokens = cluster.query("SELECT count(*) - 1 FROM patients_devicetoken")
    return {
        "rounds": rounds,
        "puts_won_once": sum(found == {201: 1, 200: PUTS - 1} for found in puts),
        "answers_stored": stored[0][0],
        "codes_won_once": sum(found == {201: 1, 400: USES - 1} for found in uses),
        "tokens_given": tokens[0][0],
        "seconds": round(time.monotonic() - started, 1),
    }


def is_fair(result: dict[str, Any]) -> bool:
    counts = ("puts_won_once", "answers_stored", "codes_won_once", "tokens_given")
    return all(result[count] == result["rounds"] for count in counts)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="knee-races-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        result = run(int(os.environ.get("ROUNDS") or 200), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result))  # noqa: T201
    return 0 if is_fair(result) else 1


if __name__ == "__main__":
    sys.exit(main())
