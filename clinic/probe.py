"""Health checks of the containers: ``python -m clinic.probe web`` (or ``beat``), exit code 0 or 1.

The worker's is Celery's own: ``celery --app config inspect ping``.
"""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

BEAT_SECONDS = 330  # beat sleeps at most 300 s between two ticks


def web_is_ready(port: int, host: str) -> bool:
    """Whether the web process on this machine reaches its database and cache.

    What is late is no fault of this process: to end it would help nobody. ``host`` is one of ALLOWED_HOSTS.
    """
    request = urllib.request.Request(f"http://127.0.0.1:{port}/health/ready", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        return b'"status": "late"' in error.read()
    except OSError:
        return False


def beat_ticks(heartbeat: Path, now: float) -> bool:
    return heartbeat.exists() and now - heartbeat.stat().st_mtime < BEAT_SECONDS


def main(arguments: list[str]) -> int:
    if arguments == ["web"]:
        host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip()
        return not web_is_ready(int(os.environ.get("PORT", "8000")), host)
    if arguments == ["beat"]:
        return not beat_ticks(Path(os.environ["DATA_DIR"]) / "beat", time.time())
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
