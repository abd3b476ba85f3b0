"""One set of real processes for the tests of this folder: three beats, two workers, each killed at will."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import prepared_folder
from tests.faults.alone import first_token
from tests.faults.cluster import Cluster


@pytest.fixture(scope="session")
def folder() -> Path:
    """Holds ``data``, a data folder of its own with tables and the starter library."""
    return prepared_copy()


def prepared_copy() -> Path:
    prepared, _said = prepared_folder()
    made = prepared.parent / uuid4().hex[:8]
    made.mkdir(mode=0o755)
    subprocess.run(["cp", "-a", str(prepared), str(made / "data")], check=True)
    return made


@pytest.fixture(scope="package")
def cluster(folder: Path, free_port: Callable[[], int]) -> Iterator[Cluster]:
    made = Cluster(
        folder / "data",
        port=free_port(),
        smtp_port=free_port(),
        workers=2,
        beats=3,
        sink=("-m", "tests.faults.sink"),
        SWEEP_SECONDS=3,
        SEND_SECONDS=1,
        SEND_LEASE_SECONDS=5,
        WEB_THREADS=20,
    )
    with made:
        yield made


@pytest.fixture(scope="package")
def token(cluster: Cluster) -> str:
    """Of patient0, the first of 20 in the clinic."""
    return first_token(cluster)
