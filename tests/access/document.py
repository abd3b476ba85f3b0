"""docs/access.md, from the tables. ``python -m tests.access.document`` writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.access import table, work
from tests.access.table import Row

DOCUMENT = Path(__file__).parents[2] / "docs" / "access.md"

HEAD = """# Who may do what

Made from the table that the tests hold the service to (`tests/access/`): each address is tried as each role,
with each method, on the clinic's own rows, on another clinic's and on none. Change the table, then write this
file with `python -m tests.access.document`. A new address, action, e-mail, task or command that is not in the
table fails the build by its name.

- **Another clinic's row answers exactly as one that does not exist**: "not found". So does another patient's
  in the patient's app, and a colleague's case where the policy says "own cases only".
- **Acts** means that the role may change something there; **sees** that it may look.
- An **operator** runs the platform: clinics, periodic jobs, states of e-mails, and no patient's data. Who
  opens a clinic's records (break-glass: for an hour, with a reason that the owner reads) sees them and
  changes nothing.
- Who is **not logged in**, whose login is switched off, and a patient are sent from the staff's pages to the
  login. A member of staff whom no clinic employs any more sees an empty first page.
- Nobody deletes a record here: Django's pages for it are closed to all.
- Beneath all this the database itself gives no row of another clinic or patient (`docs/row-security.md`).
"""

ROLES = (table.OWNER, table.PHYSIO, table.ASSISTANT, table.OPERATOR, table.GLASS)
SHOWN = (200, 405)  # a page, or a button without one


def document() -> str:
    return "\n".join([HEAD, *_staff(), *_tools(), *_patients(), *_open(), *_work()]) + "\n"


def _staff() -> Iterator[str]:
    yield "## Staff, in the admin\n"
    yield f"| what | {' | '.join(ROLES)} |"
    yield f"|---|{'---|' * len(ROLES)}"
    rows = (row for row in table.ADMIN.values() if row.sees and row.opened in SHOWN)
    for row in rows:
        yield f"| {row.what} | {' | '.join(_may(row, role) for role in ROLES)} |"
    closed = [row.what for row in table.ADMIN.values() if not row.sees]
    yield f"\nNobody: {_listed(closed)}.\n"


def _tools() -> Iterator[str]:
    yield "## Staff's own tools, with a member's API token: one clinic, as the member\n"
    yield f"| what | address | {' | '.join(table.TEAM)} |"
    yield f"|---|---|{'---|' * len(table.TEAM)}"
    for route, row in table.TOOLS.items():
        yield f"| {row.what} | `{route}` | {' | '.join(_may(row, role) for role in table.TEAM)} |"
    yield "\nNobody else has such a token; one that only reads acts nowhere.\n"


def _may(row: Row, role: str) -> str:
    if role in row.does:
        return "acts"
    return "sees" if role in row.sees else ""


def _patients() -> Iterator[str]:
    yield "## Patients, with the app's token: the own record\n"
    yield from _addresses(table.API)


def _open() -> Iterator[str]:
    yield "## Anybody: nothing of any clinic stands there\n"
    yield from _addresses(table.OPEN)


def _addresses(rows: Mapping[str, Row]) -> Iterator[str]:
    yield "| what | address |"
    yield "|---|---|"
    yield from (f"| {row.what} | `{route}` |" for route, row in rows.items())
    yield ""


def _work() -> Iterator[str]:
    yield "## E-mails\n"
    yield "| kind | to | what it tells of the patient |"
    yield "|---|---|---|"
    yield from (f"| {kind} | {mail.to} | {mail.tells} |" for kind, mail in work.EMAILS.items())
    yield "\n## Tasks and commands: whose rows they see\n"
    yield "| name | whose |"
    yield "|---|---|"
    yield from (f"| task `{name}` | {whose} |" for name, whose in work.TASKS.items())
    yield from (f"| command `{name}` | {whose} |" for name, whose in work.COMMANDS.items())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name[0].lower() + name[1:] for name in names)


if __name__ == "__main__":
    DOCUMENT.write_text(document())
