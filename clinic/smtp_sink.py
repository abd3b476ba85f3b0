"""A local SMTP server that delivers nothing: each mail becomes a file. For the demo and the tests.

The folder then holds one ``.eml`` a mail and ``index.jsonl`` with a line each:
``{"file", "received_at", "sender", "recipients", "subject", "message_id"}``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiosmtpd.smtp import SMTP, Envelope


class MailFolder:
    """aiosmtpd's handler: writes each mail and hands it to ``tell``."""

    def __init__(self, folder: Path, tell: Callable[[EmailMessage, Envelope], None]) -> None:
        self.folder = folder
        self.tell = tell
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        received_at = datetime.now(UTC)
        file = self.folder / f"{received_at:%Y%m%dT%H%M%S.%f}-{uuid4().hex[:8]}.eml"
        file.write_bytes(content)
        entry = {
            "file": file.name,
            "received_at": received_at.isoformat(),
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "subject": str(message["Subject"] or ""),
            "message_id": str(message["Message-ID"] or ""),
        }
        with (self.folder / "index.jsonl").open("a") as index:
            index.write(json.dumps(entry) + "\n")
        self.tell(message, envelope)
        return "250 Kept"


async def serve(port: int, folder: Path) -> None:
    """Receive mail on 127.0.0.1 until SIGTERM or SIGINT."""

    def tell(message: EmailMessage, envelope: Envelope) -> None:
        print(f"{', '.join(envelope.rcpt_tos)}: {message['Subject']}", flush=True)

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    handler = MailFolder(folder, tell)
    server = await loop.create_server(lambda: SMTP(handler, enable_SMTPUTF8=True), "127.0.0.1", port)
    async with server:
        print(f"keeping mails in {folder}", flush=True)
        await stop.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port, arguments.folder))
    except OSError as error:
        print(f"The mail sink can't listen on port {arguments.port}: {error.strerror}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
