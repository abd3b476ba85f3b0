"""A web process on servers of its own with a filled clinic, for the runs that are ``make`` targets."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.cluster import Cluster, prepare


@contextmanager
def alone(*, web_threads: int) -> Iterator[tuple[Cluster, str]]:
    """The web process, and the token of a patient."""
    folder = Path(tempfile.mkdtemp(prefix="knee-faults-", dir="/tmp"))
    folder.chmod(0o755)
    ports = {"port": free_port(), "smtp_port": free_port()}
    try:
        prepare(folder / "data")
        with Cluster(folder / "data", **ports, workers=0, beats=0, WEB_THREADS=web_threads) as cluster:
            yield cluster, first_token(cluster)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def first_token(cluster: Cluster, *, asked: int = 20, slug: str = "chaos") -> str:
    """Of patient0, the first in a new clinic; their questions are due in the far future."""
    call = f"fill(asked={asked}, answering=1, seconds=86400 * 300, slug={slug!r})"
    said = cluster.shell(f"from tests.faults.filling import fill; {call}")
    return str(json.loads(said.splitlines()[-1])[0])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
