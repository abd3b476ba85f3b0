"""The local SMTP sink, with a mail that it keeps but does not answer for: then the sender is in mid-send.

While ``hold`` lies in the folder, the next mail of a new Message-ID is kept, ``held`` tells the sender's
port, and the answer waits until ``held`` is taken away.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

from clinic.smtp_sink import MailFolder

ANSWER_SECONDS = 0.01
HOLD_SECONDS = 3


class HoldingFolder(MailFolder):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, self._look)
        self.seen: set[str] = set()
        self.is_new = False

    def _look(self, message: Any, _envelope: Envelope) -> None:
        self.is_new = message["Message-ID"] not in self.seen
        self.seen.add(message["Message-ID"])

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        if self.is_new and (self.folder / "hold").exists():
            (self.folder / "hold").unlink()
            await self._hold(str(session.peer[1]))
        await asyncio.sleep(ANSWER_SECONDS)
        return answer

    async def _hold(self, port: str) -> None:
        draft, held = self.folder / "held.new", self.folder / "held"
        draft.write_text(port)
        draft.rename(held)
        for _ in range(HOLD_SECONDS * 100):
            if not held.exists():
                return
            await asyncio.sleep(0.01)
        held.unlink(missing_ok=True)


async def serve(port: int, folder: Path) -> None:
    handler = HoldingFolder(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, enable_SMTPUTF8=True), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.folder))
