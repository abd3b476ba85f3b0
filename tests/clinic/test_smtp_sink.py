"""The local SMTP sink keeps what it is sent, readable by people and programs."""

from __future__ import annotations

import json
from pathlib import Path

from django.core.mail import EmailMessage

from tests.conftest import Sink


def test_a_mail_sent_through_django_arrives_whole(smtp_sink: Sink, tmp_path: Path) -> None:
    EmailMessage("Wie geht's dem Knie? 😀", "Body ü", "a@clinic.example", ["p@x.example"]).send()

    (message,) = smtp_sink.to("p@x.example")
    assert message["Subject"] == "Wie geht's dem Knie? 😀"
    assert message.get_content().strip() == "Body ü"
    (line,) = (tmp_path / "mails" / "index.jsonl").read_text().splitlines()
    entry = json.loads(line)
    assert entry["recipients"] == ["p@x.example"]
    assert entry["subject"] == "Wie geht's dem Knie? 😀"
    assert (tmp_path / "mails" / entry["file"]).read_bytes().startswith(b"Content-Type")


def test_mails_are_kept_in_the_order_of_their_arrival(smtp_sink: Sink) -> None:
    for number in range(3):
        EmailMessage(f"{number}", "", "a@clinic.example", ["p@x.example"]).send()
    assert [message["Subject"] for message in smtp_sink.messages] == ["0", "1", "2"]
