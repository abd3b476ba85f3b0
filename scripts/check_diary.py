"""Import a pain diary into a throw-away bundled database, review it, and compare with an independent count.

    python scripts/check_diary.py diary.csv

The count below shares no code with the service: it applies the same rule, for what a diary can hold (no
sessions, no pauses, no AKPS), in its own words. Ends with 0 if everything agrees, with 1 otherwise.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from statistics import median

PROJECT = Path(__file__).resolve().parent.parent
EVERY = 7
WEEKS = (4, 6, 8)
CLINIC, OWNER, TEMPLATE = "check", "check@example.org", "runners-knee"

# The counts that were published for one diary of 255 cases and 1,721 scores.
PUBLISHED = {
    (255, 1721): [
        {"watch": 103, "on_track": 65, "insufficient_data": 86, "too_early": 1},
        {"stalling": 68, "on_track": 87, "insufficient_data": 100},
        {"stalled": 50, "on_track": 90, "insufficient_data": 115},
    ]
}


@dataclass
class Diary:
    """The valid scores of each case by date, and the numbers of the other lines."""

    scores: dict[str, dict[date, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    invalid: list[int] = field(default_factory=list)

    @property
    def dates(self) -> list[date]:
        return [day for days in self.scores.values() for day in days]


def read(file: Path) -> Diary:
    diary = Diary()
    with file.open(newline="", encoding="utf-8-sig") as opened:
        for line, row in enumerate(csv.DictReader(opened), start=2):
            try:
                day, score = date.fromisoformat(row["date"]), Decimal(row["worst_pain"])
            except (ValueError, InvalidOperation):
                diary.invalid.append(line)
                continue
            if not 0 <= score <= 10 or day in diary.scores[row["case"]]:
                diary.invalid.append(line)
            else:
                diary.scores[row["case"]][day] = score
    return diary


def judge(days: dict[date, Decimal], last: date, on: date) -> str:
    """The state of one case: its first score is the intake, the others are answers."""
    start, *_ = sorted(days)
    age = (on - start).days
    if age < 28:
        return "too_early"
    answers = {day: score for day, score in days.items() if start < day <= on}
    first_week = [score for day, score in answers.items() if (day - start).days < 7]
    before = median(first_week) if len(first_week) > 1 else days[start]
    recent = [score for day, score in answers.items() if (on - day).days < 14]
    if len(recent) < 2 or not half_answered(start, list(answers), last, on):
        return "insufficient_data"
    now = median(recent)
    down = before - now
    if now < 2 or (down >= 2 if before >= 3 else down >= before * 3 / 10):
        return "on_track"
    return "stalled" if age >= 56 else "stalling" if age >= 42 else "watch"


def half_answered(start: date, answers: list[date], last: date, on: date) -> bool:
    """Of the requests of the last 14 days: due is what was answered, or is two days old."""
    due = answered = 0
    asked = start + timedelta(days=EVERY)
    while asked <= min(last, on):
        if (on - asked).days < 14:
            got = any(asked <= day < asked + timedelta(days=EVERY) for day in answers)
            answered += got
            due += got or (on - asked).days >= 2
        asked += timedelta(days=EVERY)
    return 2 * answered >= due


class Check:
    """Runs the commands on their own data folder; counts what did not agree."""

    def __init__(self, data: Path) -> None:
        servers = {"DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SWEEP_URL", "REDIS_URL"}
        self.environment = {key: value for key, value in os.environ.items() if key not in servers}
        self.environment["DATA_DIR"] = str(data)
        self.failures = 0

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(PROJECT / "manage.py"), *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def tell(self, agrees: bool, text: str) -> None:
        self.failures += not agrees
        print(f"{'PASS' if agrees else 'FAIL'}  {text}", flush=True)

    def importing(self, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
        known = ("--clinic", CLINIC, "--clinician", OWNER, "--template", TEMPLATE, "--every", str(EVERY))
        return self.manage("import_diary", str(file), *known, *options)


def check_import(check: Check, file: Path, diary: Diary) -> None:
    done = check.importing(file)
    named = [int(number) for number in re.findall(r"^line (\d+)", done.stderr, re.MULTILINE)]
    if diary.invalid:
        same = done.returncode == 1 and named == diary.invalid
        check.tell(same, f"refused as it is: lines {', '.join(map(str, named)) or 'none named'}")
        nothing = check.manage("review_cases", "--on", str(max(diary.dates)), "--dry-run").stdout
        check.tell(nothing == "No program was under way.\n", "nothing was written by the refused import")
    cases, scores = len(diary.scores), len(diary.dates)
    for new in ((cases, scores), (0, 0)) if diary.invalid else ((0, 0),):
        out = (check.importing(file, "--skip-invalid").stdout.splitlines() or ["no answer"])[-1]
        expected = f"{cases} cases and {scores} scores; new: {new[0]} cases and {new[1]} scores."
        check.tell(out == expected, f"--skip-invalid: {out}")


def check_reviews(check: Check, diary: Diary) -> None:
    first, last = min(diary.dates), max(diary.dates)
    published = PUBLISHED.get((len(diary.scores), len(diary.dates)), [])
    for number, week in enumerate(WEEKS):
        on = first + timedelta(weeks=week)
        out = check.manage("review_cases", "--on", str(on), "--json").stdout
        found = {case["case"]: case for case in map(json.loads, out.splitlines())}
        states = {case: line["state"] for case, line in found.items()}
        expected = {case: judge(days, last, on) for case, days in diary.scores.items() if min(days) <= on}
        counts = Counter(states.values())
        text = ", ".join(f"{count} {state}" for state, count in counts.most_common())
        check.tell(states == expected, f"{on}: {text or 'no case'}; as counted independently")
        for case in sorted(case for case in expected if states.get(case) != expected[case]):
            print(f"      {case}: {states.get(case)} instead of {expected[case]}: {found.get(case)}")
        if published:
            check.tell(counts == published[number], f"{on}: as published")
        reasons = {line["reason"] for line in found.values() if line["state"] == "stalled"}
        check.tell(reasons <= {"adherence_unknown"}, f"{on}: every stalled case says adherence_unknown")


def main(file: Path) -> int:
    diary = read(file)
    data = Path(tempfile.mkdtemp(prefix="check-diary-"))
    data.chmod(0o755)  # as root the servers run as another user
    check = Check(data)
    try:
        options = ("--slug", CLINIC, "--name", "Check", "--owner", OWNER)
        created = check.manage("create_clinic", *options)
        if created.returncode:
            print(created.stderr.strip())
            return 1
        check_import(check, file, diary)
        check_reviews(check, diary)
    finally:
        shutil.rmtree(data, ignore_errors=True)
    print(f"{check.failures} differences" if check.failures else "All agree.")
    return 1 if check.failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        sys.exit("Usage: python scripts/check_diary.py diary.csv")
    sys.exit(main(Path(sys.argv[1])))
