"""All that the admin does, the API does, or a reason stands in its place."""

from __future__ import annotations

import re

from drf_spectacular.generators import SchemaGenerator

from programs.admin.adjusting.changes import CHANGES
from tests.access import coverage, table

ADMIN_ROWS = {route for route, row in table.ADMIN.items() if row.sees or row.does}


def operations() -> set[str]:
    """Of the staff's API, such as ``GET cases/{id}``."""
    schema = SchemaGenerator().get_schema(public=True)
    return {
        f"{method.upper()} {re.sub('{[a-z]+}', '{id}', path.removeprefix('/api/v1/'))}"
        for path, found in schema["paths"].items()
        for method, operation in found.items()
        if operation.get("security") == [{"staffToken": []}]
    }


def test_every_page_and_action_of_the_admin_has_an_operation_or_a_reason() -> None:
    listed = set(coverage.COVERED) - set(coverage.PARTS)
    assert sorted(ADMIN_ROWS - listed) == [], "Without a row in tests/access/coverage.py."
    assert sorted(listed - ADMIN_ROWS) == [], "Rows of tests/access/coverage.py that the admin has not."
    assert {f"admin:adjust {act}" for act in CHANGES} <= set(coverage.PARTS) <= set(coverage.COVERED)


def test_every_operation_is_there_and_none_does_what_the_admin_can_not(db: None) -> None:
    named = {one for found in coverage.COVERED.values() if not isinstance(found, str) for one in found}
    assert sorted(named - operations()) == [], "Operations that the API has not."
    assert sorted(operations() - named) == [], "Operations that no row names."


def test_the_document_says_what_the_table_says() -> None:
    assert coverage.DOCUMENT.read_text() == coverage.document(), "python -m tests.access.coverage"
    told = " ".join((coverage.DOCUMENT.parent / "api.md").read_text().lower().split())
    reasons = {why for why in coverage.COVERED.values() if isinstance(why, str) and why != coverage.LOOKS}
    missing = [why for why in reasons if why.removeprefix("Only the admin: ").lower() not in told]
    assert missing == [], "Reasons that docs/api.md does not give."
