"""With real transactions: a transaction is told its tenant, and leaves nothing over for the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import InternalError, ProgrammingError, connection, transaction

from clinic.row_security import NOBODY, Tenant, acting_for, enter
from patients.models import Episode
from tests.factories import make_case


@pytest.mark.django_db(transaction=True)
class TestWhatATransactionIsTold:
    """With real transactions: nothing is left over for the next user of the connection."""

    @pytest.fixture(autouse=True)
    def two(self) -> Iterator[None]:
        self.first, self.second = make_case(), make_case()
        with connection.cursor() as cursor:
            cursor.execute("SET tests.everything = 'off'")
        yield
        connection.close()

    def seen(self) -> list[int]:
        return sorted(Episode.objects.values_list("pk", flat=True))

    def test_a_statement_outside_of_a_transaction_is_told_too(self) -> None:
        with acting_for(Tenant((self.first.clinic_id,))):
            assert self.seen() == [self.first.pk]
        assert self.seen() == []

    def test_a_transaction_begun_later_is_told(self) -> None:
        with acting_for(Tenant((self.second.clinic_id,))), transaction.atomic():
            assert self.seen() == [self.second.pk]
        with transaction.atomic():
            assert self.seen() == []

    def test_an_open_transaction_is_told_and_told_back(self) -> None:
        with transaction.atomic():
            with acting_for(Tenant((self.first.clinic_id,))):
                with acting_for(Tenant((self.second.clinic_id,))):
                    assert self.seen() == [self.second.pk]
                assert self.seen() == [self.first.pk]
            assert self.seen() == []

    def test_an_error_inside_is_not_hidden_and_leaves_nothing_behind(self) -> None:
        with (
            pytest.raises(ProgrammingError, match="no_such_table"),
            transaction.atomic(),
            acting_for(Tenant((self.first.clinic_id,))),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT * FROM no_such_table")
        assert self.seen() == []

    def test_a_rolled_back_savepoint_keeps_what_was_told_before(self) -> None:
        with transaction.atomic(), acting_for(Tenant((self.first.clinic_id,))):
            with pytest.raises(InternalError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'XX000'; END $$")
            assert self.seen() == [self.first.pk]

    def test_entering_ends_with_the_request(self) -> None:
        with acting_for(NOBODY), transaction.atomic():
            enter(Tenant((self.first.clinic_id,)))
            assert self.seen() == [self.first.pk]
        with transaction.atomic():
            assert self.seen() == []
