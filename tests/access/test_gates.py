"""Nothing new gets in unlisted: an address, an action on a list, an e-mail, a task, a command."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.contrib import admin
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from programs.admin.acts import ACTS
from tests.access import table, work
from tests.access.asking import Asking
from tests.access.document import DOCUMENT, document

OURS = ("clinic", "patients", "programs")
WRITES = re.compile(r"\boutbox\.put\(|\bnotify\(")
CARRIER = "clinic/accounts/notices.py"
"""Writes any kind of e-mail about an account, for whoever names the kind."""


def addresses(resolver: URLResolver, path: str = "/", space: str = "") -> Iterator[str]:
    """Each address by its name; one without a name by its pattern."""
    for pattern in resolver.url_patterns:
        here = path + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, here, f"{pattern.namespace}:" if pattern.namespace else space)
        elif isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}" if pattern.name else here


def listed() -> set[str]:
    every = table.ADMIN | table.API | table.TOOLS | table.OPEN | table.DOORS | table.NOWHERE
    variants = {route for route in every if " ?" in route} | set(table.ACTIONS.values())
    return set(every) - variants


def test_every_address_stands_in_the_table() -> None:
    found = set(addresses(get_resolver())) - {"admin:do", "admin:search"}
    found |= {f"admin:do {name}" for name in ACTS}
    assert sorted(found - listed()) == [], "Addresses without a row in tests/access/table.py."
    assert sorted(listed() - found) == [], "Rows of tests/access/table.py without an address."


def test_every_action_on_a_list_stands_in_the_table(asking: Asking) -> None:
    owner = asking.world.people["owner"]
    request = RequestFactory().get("/admin/")
    request.user = owner.user
    found = set()
    for model, page in admin.site._registry.items():
        names = {*page.get_actions(request), *page.actions_list, *page.actions_row, *page.actions_detail}
        found |= {f"{model._meta.model_name}.{name}" for name in names | set(page.actions_submit_line)}
    assert found == set(table.ACTIONS)


def test_every_admin_page_keeps_to_the_roles() -> None:
    """Permissions of Django's own, by row, are nobody's."""
    others = [page for page in admin.site._registry.values() if page.model._meta.app_label not in OURS]
    assert others == []


def test_every_kind_of_email_stands_in_the_table() -> None:
    """A kind is what its template is called; only the modules of the table write e-mails."""
    base = Path(settings.BASE_DIR)
    folders = [base / app / "templates" / "emails" for app in OURS]
    templates = {path.stem for folder in folders for path in folder.glob("*.txt")}
    assert {name for name in templates if not name.endswith("base")} == set(work.EMAILS)
    sources = {
        path.relative_to(base): path.read_text() for app in OURS for path in (base / app).rglob("*.py")
    }
    writing = {str(path): text for path, text in sources.items() if WRITES.search(text)}
    del writing[CARRIER]
    assert set(writing) == {path for mail in work.EMAILS.values() for path in mail.written_in}
    for path, text in writing.items():
        named = {kind for kind in work.EMAILS if f'"{kind}"' in text}
        assert named == {kind for kind, mail in work.EMAILS.items() if path in mail.written_in}, path


def test_every_command_stands_in_the_table() -> None:
    folders = [str(Path(settings.BASE_DIR, app, "management", "commands")) for app in OURS]
    assert {module.name for module in pkgutil.iter_modules(folders)} == set(work.COMMANDS)


def test_every_task_stands_in_the_table() -> None:
    current_app.loader.import_default_modules()
    found = {name for name in current_app.tasks if not name.startswith("celery.")}
    assert found == set(work.TASKS)


def test_the_document_says_what_the_table_says() -> None:
    assert DOCUMENT.read_text() == document(), "Write it anew: python -m tests.access.document"
