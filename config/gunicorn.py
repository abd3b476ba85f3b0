"""How gunicorn serves: threads, no control socket, our log lines instead of its access log."""

import os
import socket
import struct
from typing import Any

from clinic import logs

STALLED_SECONDS = 10

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
wsgi_app = "config.wsgi:application"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 60
graceful_timeout = 20
max_requests = 10_000
max_requests_jitter = 1_000
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a heartbeat, no data
logconfig_dict = logs.configuration()


def when_ready(server: Any) -> None:
    """A client that stalls in mid-request, or takes no answer, gives its thread back. Accepted connections
    inherit this from the listener."""
    limit = struct.pack("ll", STALLED_SECONDS, 0)
    for listener in server.LISTENERS:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.sock.setsockopt(socket.SOL_SOCKET, option, limit)
