"""``manage.py verify_audit``: prove that the audit trail is whole."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from clinic.audit import chain
from clinic.management.teaching import TeachingCommand


class Command(TeachingCommand):
    help = (
        "Recompute the hash chain of the audit trail, and say which entry was removed, changed or inserted. "
        "Ends with 1 if the chain is broken. Entries of the last minute are not sealed yet: they are "
        "counted, and nothing can be said of them. Whoever owns the database could rewrite the whole chain: "
        "keep the head that is printed somewhere else, and see whether a later run with --expect finds it."
    )
    example = (
        "example:\n"
        "  manage.py verify_audit\n"
        "  manage.py verify_audit --json | jq .problems\n"
        "  manage.py verify_audit --expect 1042:6fa1..."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
        parser.add_argument(
            "--expect",
            metavar="HEAD",
            default="",
            help="the head of an earlier run, which must be there",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            found = chain.verify(expect=options["expect"])
        except ValueError:
            raise self.refuse("--expect: expected the head that an earlier run printed.") from None
        if options["json"]:
            report = {"ok": not found.problems, **asdict(found)}
            self.stdout.write(json.dumps(report, default=str))
        else:
            self.stdout.write(f"{found.sealed} entries are sealed. Head: {found.head}")
            since = f", the oldest of {found.unsealed_since:%Y-%m-%d %H:%M:%S %Z}" if found.unsealed else ""
            self.stdout.write(f"{found.unsealed} are not sealed yet{since}.")
        if found.problems:
            lines = [f"position {p.position}: {p.kind}: {p.detail}" for p in found.problems]
            raise self.refuse(f"The audit trail is broken: {len(lines)} problems.", lines)
