"""The chain over the trail: nothing is passed over, and whatever is removed, changed or put in is found."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from clinic.audit import chain
from clinic.audit.models import AuditEntry, AuditSeal
from clinic.tasks import seal_audit
from tests.connections import wait_for_a_lock
from tests.factories import make_clinic, make_patient

UNGUARDED = "; ".join(
    f"ALTER TABLE {table} DISABLE TRIGGER refuse" for table in ("clinic_auditentry", "clinic_auditseal")
)
GUARDED = UNGUARDED.replace("DISABLE", "ENABLE")


CHANGED = {
    "at": "at + interval '1 microsecond'",
    "who": "'user:1'",
    "clinic_id": "0",
    "address": "'198.51.100.1'",
    "route": "'x'",
    "action": "'read'",
    "table_name": "'x'",
    "row_id": "'x'",
    "patients": "'{01a203db-d035-77c5-af36-c10e3608c4fb}'",
    "why": "'x'",
    "changes": "'{}'",
    "changes_digest": "'x'",
    "id": "id + 100000",
}
"""Each column of an entry, and another value for it."""


def as_owner(*statements: str) -> None:
    """On a connection of the role that owns the tables: the trail's last enemy."""
    url = urlsplit(os.environ["DATABASE_OWNER_URL"])
    own = urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))
    with psycopg.connect(own) as owner:
        for statement in statements:
            owner.execute(statement.encode())


def tamper(statement: str) -> None:
    as_owner(UNGUARDED, statement, GUARDED)


def write(number: int = 1) -> None:
    clinic = make_clinic()  # and its policy: two entries
    for _ in range(number - 2):
        make_patient(clinic)


def verify(*options: str) -> dict[str, Any]:
    output = StringIO()
    with suppress(CommandError):
        call_command("verify_audit", "--json", *options, stdout=output, stderr=StringIO())
    found: dict[str, Any] = json.loads(output.getvalue())
    return found


def problems(*options: str) -> list[tuple[str, int]]:
    return [(problem["kind"], problem["position"]) for problem in verify(*options)["problems"]]


@pytest.mark.django_db
class TestSealing:
    def test_what_was_written_is_sealed_in_batches_and_then_no_more(self) -> None:
        write(7)
        start = AuditEntry.objects.count()
        assert chain.seal(batch=3) == start
        assert list(AuditSeal.objects.values_list("entries", flat=True))[:2] == [3, 3]
        places = AuditEntry.objects.order_by("id").values_list("position", flat=True)
        assert list(places) == list(range(1, start + 1))
        assert chain.seal() == 0

    def test_a_backlog_is_left_for_the_next_round(self) -> None:
        write(7)
        assert chain.seal(batch=2, batches=2) == 4
        assert chain.seal(batch=2) == AuditEntry.objects.count() - 4

    def test_the_unsealed_tail_is_told(self) -> None:
        write(4)
        chain.seal()
        write(3)
        found = verify()
        assert (found["ok"], found["sealed"], found["unsealed"]) == (True, AuditEntry.objects.count() - 3, 3)
        assert found["unsealed_since"]
        assert found["head"].startswith(f"{found['sealed']}:")

    def test_beat_seals(self) -> None:
        write()
        seal_audit()
        assert not AuditEntry.objects.filter(position=None).exists()

    def test_the_command_says_it_in_words(self) -> None:
        write()
        chain.seal()
        output = StringIO()
        call_command("verify_audit", stdout=output)
        assert "entries are sealed. Head: " in output.getvalue()
        assert "0 are not sealed yet." in output.getvalue()
        with pytest.raises(CommandError, match="--expect"):
            call_command("verify_audit", "--expect", "nonsense", stdout=output)


@pytest.mark.django_db(transaction=True)
class TestTheOwnerOfTheTables:
    """Who may switch the triggers off is found by the chain."""

    @pytest.fixture(autouse=True)
    def sealed(self) -> Iterator[None]:
        write(14)
        while chain.seal(batch=5):
            pass
        assert verify()["ok"]
        yield
        as_owner("TRUNCATE clinic_auditentry, clinic_auditseal")

    def test_even_the_owner_is_refused_while_the_triggers_stand(self) -> None:
        for statement in (
            "UPDATE clinic_auditentry SET who = 'nobody'",
            "UPDATE clinic_auditentry SET hash = ''",
            "DELETE FROM clinic_auditentry",
            "UPDATE clinic_auditseal SET hash = ''",
            "DELETE FROM clinic_auditseal",
        ):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                as_owner(statement)
        for table in ("clinic_auditentry", "clinic_auditseal"):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                as_owner(f"ALTER TABLE {table} ENABLE TRIGGER refuse_truncate", f"TRUNCATE {table}")

    def test_emptying_a_table_is_on_record(self) -> None:
        with pytest.raises(psycopg.errors.RaiseException, match="deleted clinic_clinic role:"):
            as_owner(
                "ALTER TABLE clinic_clinic ENABLE TRIGGER audit_truncate",
                "TRUNCATE clinic_clinic CASCADE",
                """DO $$ DECLARE e clinic_auditentry; BEGIN
                    SELECT * INTO e FROM clinic_auditentry ORDER BY id DESC LIMIT 1;
                    RAISE EXCEPTION '% % %', e.action, e.table_name, e.who;
                END $$""",
            )

    def test_each_changed_row_is_named_whatever_was_changed(self) -> None:
        for place, (column, value) in enumerate(CHANGED.items(), start=2):
            tamper(f"UPDATE clinic_auditentry SET {column} = {value} WHERE position = {place}")
        found = verify()["problems"]
        assert [(problem["kind"], problem["position"]) for problem in found] == [
            ("changed", place) for place in range(2, 2 + len(CHANGED))
        ]
        assert found[0]["entry"] == AuditEntry.objects.get(position=2).pk

    def test_values_may_go_for_their_digest_and_for_nothing_else(self) -> None:
        digest = "audit_digest(changes)"
        for change in (
            "changes = NULL",
            "changes = NULL, changes_digest = 'x'",
            f"changes_digest = {digest}",
        ):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                as_owner(f"UPDATE clinic_auditentry SET {change} WHERE position = 2")
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            as_owner(f"UPDATE clinic_auditentry SET changes = NULL, changes_digest = {digest}, who = 'x'")
        as_owner(f"UPDATE clinic_auditentry SET changes = NULL, changes_digest = {digest} WHERE position = 2")
        assert verify()["ok"]
        tamper("UPDATE clinic_auditentry SET changes_digest = sha256('{}') WHERE position = 2")
        assert problems() == [("changed", 2)]

    def test_a_changed_row_with_a_hash_to_fit_breaks_the_next(self) -> None:
        tamper("UPDATE clinic_auditentry SET who = 'user:1', hash = sha256('x') WHERE position = 6")
        assert ("changed", 7) in problems()

    def test_a_removed_row_is_named(self) -> None:
        tamper("DELETE FROM clinic_auditentry WHERE position IN (5, 6)")
        assert problems() == [("removed", 5)]

    def test_the_last_rows_can_not_be_removed_unseen(self) -> None:
        tamper("DELETE FROM clinic_auditentry WHERE position > 8")
        assert problems() == [("removed", 9)]

    def test_a_row_put_in_is_named(self) -> None:
        last = AuditSeal.objects.latest("position").position
        tamper(
            "INSERT INTO clinic_auditentry"
            " (who, route, action, table_name, row_id, why, patients, position, hash) "
            f"VALUES ('user:1', '', 'read', '', '', '', '{{}}', {last + 1}, '')"
        )
        assert problems() == [("changed", last + 1), ("inserted", last + 1)]

    def test_a_chain_sealed_anew_is_found_by_an_earlier_head(self) -> None:
        head = verify()["head"]
        tamper(
            "UPDATE clinic_auditentry SET position = NULL, hash = NULL, who = 'user:1';"
            "DELETE FROM clinic_auditseal"
        )
        chain.seal()
        assert problems() == []
        assert problems("--expect", head) == [("changed", int(head.partition(":")[0]))]

    def test_who_commits_late_is_sealed_all_the_same(self) -> None:
        """The entry got its number before others that were sealed meanwhile."""
        late, sealed_others = threading.Event(), threading.Event()

        def slowly() -> None:
            with transaction.atomic():
                make_patient(given_name="Late")
                late.set()
                sealed_others.wait(20)
            connection.close()

        thread = threading.Thread(target=slowly)
        thread.start()
        assert late.wait(20)
        write()
        chain.seal()
        assert verify()["unsealed"] == 0
        sealed_others.set()
        thread.join(20)
        waiting = verify()["unsealed"]
        assert waiting > 0
        assert chain.seal() == waiting
        assert verify()["ok"]
        newest, first = AuditEntry.objects.order_by("-position")[0], AuditEntry.objects.order_by("-id")[0]
        assert newest.pk < first.pk

    def test_two_sealers_make_one_chain(self) -> None:
        write(6)

        def other() -> None:
            chain.seal()
            connection.close()

        thread = threading.Thread(target=other)
        with transaction.atomic():
            first = chain.seal(batch=3, batches=1)
            thread.start()
            wait_for_a_lock(thread)
            assert thread.is_alive()
        thread.join(20)
        assert first == 3
        assert verify()["ok"]
        assert verify()["unsealed"] == 0
