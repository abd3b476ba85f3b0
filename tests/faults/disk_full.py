"""The disk that holds everything, PostgreSQL's rows and log too, gets full and is then freed.

    python -m tests.faults.disk_full

The disk is a small tmpfs in a mount namespace of this process alone: nobody else sees it, and it ends with
the process. Root may make one, and an ordinary user in a user namespace. The last line is one JSON object;
the exit code is 1 if an acknowledged answer is lost or the service did not come back by itself.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import psycopg

from tests.faults.alone import first_token, free_port
from tests.faults.client import RED_FLAG, Phone
from tests.faults.cluster import Cluster, prepare

ROOM = 96 << 20
"""What is free at first. PostgreSQL's log takes 16 MB at a time."""

BEFORE = 20
TRIES = 300
REFUSED_ENOUGH = 5
DOWN_SECONDS = 3
BACK_SECONDS = 60
STORED = (200, 201)
NOTE = "It hurt on the stairs. " * 80
MS_REC, MS_PRIVATE, MNT_DETACH = 0x4000, 0x40000, 2


def alone_with_mounts() -> None:
    """What this process mounts from now on, nobody else sees."""
    user, group = os.geteuid(), os.getegid()
    os.unshare(os.CLONE_NEWNS | (os.CLONE_NEWUSER if user else 0))
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount("none", Path("/"), "", MS_REC | MS_PRIVATE, "")


def _mount(source: str, target: Path, kind: str, flags: int, options: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), bytes(target), kind.encode(), flags, options.encode()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(target))


def small_disk(folder: Path, prepared: Path | None) -> Path:
    """A data folder on a disk of its own with ``ROOM``; the e-mails that were received lie elsewhere. For the
    keeper's log there is no room from the start.
    """
    if prepared is None:
        prepare(prepared := folder / "prepared")
    used = sum(path.lstat().st_blocks * 512 for path in prepared.rglob("*"))
    data, mails = folder / "data", folder / "mails"
    data.mkdir()
    mails.mkdir()
    _mount("tmpfs", data, "tmpfs", 0, f"size={used + ROOM},mode=0711")
    subprocess.run(["cp", "-a", f"{prepared}/.", str(data)], check=True)
    (data / "mails").symlink_to(mails)
    (data / "log" / "keeper.log").unlink(missing_ok=True)
    (data / "log" / "keeper.log").symlink_to("/dev/full")
    return data


class Disk:
    def __init__(self, folder: Path) -> None:
        self.ballast = folder / "ballast"

    def fill(self) -> None:
        """To the last page, and again whenever PostgreSQL has let go of something."""
        with self.ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096):
                with suppress(OSError):
                    while file.write(bytes(size)):
                        pass

    def free(self) -> None:
        self.ballast.unlink()


class Answers:
    """What a patient sent, and what was last said to it: stored, or to be sent again."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.said: dict[UUID, int] = {}
        self.otherwise = 0

    def send(self, client_id: UUID | None = None, **fields: Any) -> int:
        key = client_id or uuid4()
        status, headers = self.phone.answer(client_id=key, note=NOTE, **fields)
        self.said[key] = status
        self.otherwise += status not in STORED and (status, headers.get("Retry-After")) != (503, "30")
        return status

    def stored(self) -> set[UUID]:
        return {key for key, status in self.said.items() if status in STORED}

    def refused(self) -> list[UUID]:
        return [key for key, status in self.said.items() if status not in STORED]


def run(cluster: Cluster, disk: Disk, token: str) -> dict[str, Any]:
    answers = Answers(Phone(cluster.url, token))
    for _ in range(BEFORE):
        answers.send()
    flagged = uuid4()
    fill_until_refused(disk, answers, flagged)
    for_rows = len(answers.refused())
    end_for_want_of_log(cluster)
    disk.fill()
    time.sleep(DOWN_SECONDS)
    answers.send()
    acknowledged, refused = answers.stored(), answers.refused()
    disk.free()
    freed = time.monotonic()
    cluster.wait_for(lambda: answers.send(flagged, red_flags=[RED_FLAG]) in STORED, seconds=BACK_SECONDS)
    back = time.monotonic()
    lost = acknowledged - {key for (key,) in cluster.query("SELECT client_id FROM programs_answer")}
    cluster.wait_for((cluster.mails / "index.jsonl").exists, seconds=BACK_SECONDS)
    mailed = time.monotonic()
    for client_id in refused:
        if client_id != flagged:
            answers.send(client_id)
    rows = [key for (key,) in cluster.query("SELECT client_id FROM programs_answer")]
    return {
        "acknowledged": len(acknowledged),
        "refused_for_rows": for_rows,
        "refused": len(refused),
        "refused_otherwise_than_503": answers.otherwise,
        "lost": len(lost),
        "sent_again_and_stored": len(answers.said) - len(answers.refused()) - len(acknowledged),
        "duplicate_rows": len(rows) - len(answers.said),
        "answers_after_seconds": round(back - freed, 1),
        "mails_after_seconds": round(mailed - freed, 1),
    }


def fill_until_refused(disk: Disk, answers: Answers, flagged: UUID) -> None:
    """The last of them carries a red flag: its alert's e-mail has to go out later."""
    for _ in range(TRIES):
        disk.fill()
        answers.send()
        if len(answers.refused()) >= REFUSED_ENOUGH:
            break
    answers.send(flagged, red_flags=[RED_FLAG])


def end_for_want_of_log(cluster: Cluster) -> None:
    """With no room for the next piece of its log PostgreSQL ends, and can't start again either."""
    pid = cluster.server_pid("postgres")
    with suppress(psycopg.Error):
        for _ in range(ROOM >> 24):
            cluster.query("SELECT pg_switch_wal(), txid_current()")
    assert cluster.wait_for(lambda: not psutil.pid_exists(pid), seconds=BACK_SECONDS)


def is_kept(result: dict[str, Any]) -> bool:
    again = result["refused"] == result["sent_again_and_stored"]
    broken = ("lost", "duplicate_rows", "refused_otherwise_than_503")
    return again and result["refused_for_rows"] > 0 and not any(result[name] for name in broken)


def main() -> int:
    """Of the prepared data folder named, or of one made for it."""
    alone_with_mounts()
    folder = Path(tempfile.mkdtemp(prefix="knee-disk-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        data = small_disk(folder, Path(sys.argv[1]) if len(sys.argv) > 1 else None)
        ports = {"port": free_port(), "smtp_port": free_port()}
        with Cluster(data, **ports, SWEEP_SECONDS=1, SEND_SECONDS=1) as cluster:
            result = run(cluster, Disk(data), first_token(cluster))
    finally:
        ctypes.CDLL(None).umount2(bytes(folder / "data"), MNT_DETACH)
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result))  # noqa: T201
    return 0 if is_kept(result) else 1


if __name__ == "__main__":
    sys.exit(main())
