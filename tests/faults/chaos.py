"""Kill the real processes at random while patients answer and e-mails go out; then count.

    SEED=1 KILLS=100 CHECK_INS=5000 MAILS=1000 python -m tests.faults.chaos

The last line is one JSON object; the exit code is 1 if a promise was broken: no acknowledged answer lost, no
row twice, no e-mail lost, no more extra copies than sends cut off, never more than two copies.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Thread

import psutil

from tests.faults import client
from tests.faults.alone import free_port
from tests.faults.client import Client
from tests.faults.cluster import Cluster, prepare

SPLIT = {"worker": 60, "beat": 15, "valkey": 10, "postgres": 15}
"""Of 100 kills; a third of the workers' are aimed at one in mid-send."""

SECONDS_A_KILL = 2.8
WORKERS = 2
LEASE_SECONDS = 15
DRAIN_SECONDS = 1200
"""A row that was hit by three kills waits a quarter of an hour for its next try: it is late, not lost."""

MIN_AGE = 4.0
"""A process is left alone for so long, else none would ever get to work."""


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    kills: int
    check_ins: int
    mails: int

    @property
    def red_flags(self) -> int:
        """Answers that each make an alert and its e-mail; the other e-mails ask for a check-in."""
        return max(1, self.mails // 10)

    @property
    def seconds(self) -> float:
        return self.kills * SECONDS_A_KILL

    def victims(self, chance: Random) -> list[str]:
        counts = {name: max(1, round(self.kills * share / 100)) for name, share in SPLIT.items()}
        counts["worker"] = self.kills - sum(number for name, number in counts.items() if name != "worker")
        counts["sender"] = counts["worker"] // 3
        counts["worker"] -= counts["sender"]
        found = [name for name, number in counts.items() for _ in range(number)]
        chance.shuffle(found)
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """The last line. ``kills_mid_send`` are sends that a kill cut off: claimed and not brought to an end."""

    kills: int
    acknowledged: int
    lost: int
    duplicate_rows: int
    mails: int
    mails_lost: int
    extra_copies: int
    max_copies: int
    kills_mid_send: int
    seconds: float

    def broken(self, plan: Plan) -> list[str]:
        checks = {
            "an acknowledged answer is lost": self.lost,
            "not every answer was acknowledged": self.acknowledged != plan.check_ins,
            "a row is there twice": self.duplicate_rows,
            "an e-mail is lost": self.mails_lost,
            "more extra copies than sends cut off": self.extra_copies > self.kills_mid_send,
            "more than two copies of an e-mail": self.max_copies > 2,
            "fewer kills than asked for": self.kills < plan.kills,
        }
        return [promise for promise, is_broken in checks.items() if is_broken]


class Monkey:
    """Kills, one at a time, what the plan says, spread over all of the answers."""

    def __init__(
        self, cluster: Cluster, plan: Plan, chance: Random, phones: Client, say: Callable[[str], None]
    ) -> None:
        self.cluster, self.plan, self.chance, self.phones, self.say = cluster, plan, chance, phones, say
        self.killed: Counter[str] = Counter()

    def run(self) -> None:
        for number, victim in enumerate(self.plan.victims(self.chance), start=1):
            self._wait_for_answers((number - 1) / self.plan.kills)
            pause = SECONDS_A_KILL * self.chance.uniform(0.5, 1.5)
            until = time.monotonic() + pause
            self._kill(victim)
            self.killed[victim] += 1
            if number % 10 == 0:
                self.say(f"{number} kills: {dict(self.killed)}")
            time.sleep(max(0.0, until - time.monotonic()))

    def _wait_for_answers(self, share: float) -> None:
        """On a busy machine the kills must not be over long before the answers are in."""
        with suppress(AssertionError):
            self.cluster.wait_for(lambda: self.phones.stored >= share * self.plan.check_ins)

    def _kill(self, victim: str) -> None:
        if victim in ("postgres", "valkey"):
            self.cluster.kill_server(victim)
        elif victim == "sender" and (name := self._in_mid_send()):
            self.cluster.kill(name)
        else:
            self.cluster.kill(self._grown("worker" if victim == "sender" else victim))
        (self.cluster.mails / "held").unlink(missing_ok=True)

    def _grown(self, kind: str) -> str:
        """One of that kind, by chance, that has run for a while."""
        parts = [part for part in self.cluster.parts.values() if part.name.startswith(kind)]
        return self.chance.choice(
            self.cluster.wait_for(lambda: [part.name for part in parts if part.runs and part.age > MIN_AGE])
        )

    def _in_mid_send(self) -> str:
        """The worker whose mail the sink has kept and not answered for; empty if none sends."""
        hold, held = self.cluster.mails / "hold", self.cluster.mails / "held"
        hold.touch()
        with suppress(AssertionError):
            self.cluster.wait_for(held.exists, seconds=5)
            return self._owner_of(int(held.read_text()))
        hold.unlink(missing_ok=True)
        return ""

    def _owner_of(self, port: int) -> str:
        for part in self.cluster.parts.values():
            if part.name.startswith("worker") and part.process:
                with suppress(psutil.NoSuchProcess):
                    head = psutil.Process(part.process.pid)
                    if any(_speaks_on(process, port) for process in (head, *head.children())):
                        return part.name
        return ""


def _speaks_on(process: psutil.Process, port: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return any(link.laddr.port == port for link in process.net_connections("tcp") if link.laddr)
    return False


def run(plan: Plan, folder: Path, say: Callable[[str], None]) -> Outcome:
    chance, started = Random(plan.seed), time.monotonic()
    if not (folder / "data").exists():
        prepare(folder / "data")
    cluster = Cluster(
        folder / "data",
        port=free_port(),
        smtp_port=free_port(),
        workers=WORKERS,
        sink=("-m", "tests.faults.sink"),
        SWEEP_SECONDS=3,
        SEND_SECONDS=1,
        SEND_LEASE_SECONDS=LEASE_SECONDS,
    )
    journal = folder / "journal.jsonl"
    with cluster:
        tokens = _fill(cluster, plan)
        phones = Client(cluster.url, journal)
        sending = client.reports(tokens, plan.check_ins, seconds=plan.seconds, chance=chance)
        answering = Thread(target=phones.send_all, args=[sending])
        answering.start()
        say("killing begins")
        monkey = Monkey(cluster, plan, chance, phones, say)
        monkey.run()
        answering.join()
        say(f"all answers are in, after {phones.retries} retries; waiting for the e-mails")
        _wait_until_idle(cluster, plan)
        time.sleep(3)  # whatever would send twice has the time to
        outcome = _count(cluster, plan, journal, sum(monkey.killed.values()), time.monotonic() - started)
    for line in phones.refused:
        say(f"refused: {line}")
    return outcome


def _fill(cluster: Cluster, plan: Plan) -> list[str]:
    asked = plan.mails - plan.red_flags
    call = f"fill(asked={asked}, answering={plan.red_flags}, seconds={plan.seconds})"
    said = cluster.shell(f"from tests.faults.filling import fill; {call}")
    tokens: list[str] = json.loads(said.splitlines()[-1])
    return tokens


def _wait_until_idle(cluster: Cluster, plan: Plan) -> None:
    """Every question asked and every e-mail sent, as the rows tell; what never is, counts as lost."""
    waiting = "SELECT count(*) FROM clinic_outboxmessage WHERE state IN ('pending', 'sending')"
    asked = "SELECT count(DISTINCT program_id) FROM programs_checkinrequest"
    expected = plan.mails - plan.red_flags
    with suppress(AssertionError):
        cluster.wait_for(
            lambda: cluster.query(asked)[0][0] >= expected and cluster.query(waiting)[0][0] == 0,
            seconds=DRAIN_SECONDS,
        )


DUPLICATES = {
    "programs_answer": "patient_id, client_id",
    "programs_checkinrequest": "program_id, local_date",
    "programs_review": "program_id, day",
    "programs_digest": "clinician_id, iso_year, iso_week",
    "programs_alert": "episode_id, kind",
    "clinic_outboxmessage": "dedupe_key",
}
"""What a row is the only one of. No alert is resolved here: one a case and kind."""


def _count(cluster: Cluster, plan: Plan, journal: Path, kills: int, seconds: float) -> Outcome:
    intents, acknowledged = client.read(journal)
    stored = dict(cluster.query("SELECT client_id::text, worst_left::float FROM programs_answer"))
    lost = [key for key in acknowledged if stored.get(key) != intents[key]["worst_left"]]
    strangers = len(set(stored) - set(intents))
    doubled = sum(
        cluster.query(f"SELECT count(*) - count(DISTINCT ({key})) FROM {table}")[0][0]
        for table, key in DUPLICATES.items()
    )
    rows = cluster.query("SELECT id::text, kind, attempts FROM clinic_outboxmessage")
    copies = _copies(cluster)
    kinds = Counter(kind for _, kind, _ in rows)
    never_written = max(0, plan.mails - plan.red_flags - kinds["check_in"])
    never_written += max(0, plan.red_flags - kinds["red_flag"])
    return Outcome(
        kills=kills,
        acknowledged=len(acknowledged),
        lost=len(lost),
        duplicate_rows=doubled + strangers,
        mails=len(rows),
        mails_lost=never_written + sum(not copies[key] for key, _, _ in rows),
        extra_copies=sum(copies.values()) - sum(key in copies for key, _, _ in rows),
        max_copies=max(copies.values(), default=0),
        kills_mid_send=sum(max(0, attempts - 1) for _, _, attempts in rows),
        seconds=round(seconds, 1),
    )


def _copies(cluster: Cluster) -> Counter[str]:
    """How often the sink received each message, by the row's id, which is in its Message-ID."""
    lines = (cluster.mails / "index.jsonl").read_text().splitlines()
    return Counter(json.loads(line)["message_id"].strip("<>").partition("@")[0] for line in lines)


def from_environment() -> Plan:
    numbers = {"SEED": 1, "KILLS": 100, "CHECK_INS": 5000, "MAILS": 1000}
    return Plan(*(int(os.environ.get(name) or default) for name, default in numbers.items()))


def main() -> int:
    plan, started = from_environment(), time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {text}", flush=True)  # noqa: T201

    folder = Path(tempfile.mkdtemp(prefix="knee-chaos-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        outcome = run(plan, folder, say)
    finally:
        if os.environ.get("KEEP") != "1":
            shutil.rmtree(folder, ignore_errors=True)
    broken = outcome.broken(plan)
    for promise in broken:
        say(f"BROKEN: {promise}")
    fields = {name: getattr(outcome, name) for name in Outcome.__slots__}
    print(json.dumps(fields))  # noqa: T201
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
