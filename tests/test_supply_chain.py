"""What we are made of, and whether the documents about safety point at something."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts import asvs
from scripts.audit_dependencies import main as audit
from scripts.audit_dependencies import pinned
from scripts.guards import of_source

PROJECT = Path(__file__).resolve().parent.parent
ADVISORY = """
id: PYSEC-2026-1
modified: 2026-11-20T10:00:00Z
affected:
- package: {ecosystem: PyPI, name: Some_Package}
  ranges:
  - type: ECOSYSTEM
    events: [{introduced: "1.0"}, {fixed: "1.4.2"}, {introduced: "2.0"}, {last_affected: "2.1"}]
"""
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_bill_of_materials_names_every_pinned_package_with_its_hashes(tmp_path: Path) -> None:
    made = tmp_path / "sbom.json"
    recipe = re.search(r"cyclonedx-py (.+) --output-file", (PROJECT / "Makefile").read_text())
    assert recipe
    program = Path(sys.executable).with_name("cyclonedx-py")
    command = [str(program), *recipe[1].split(), "--no-validate", "--output-file", str(made)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    bill = json.loads(made.read_text())
    listed = {part["name"]: part["version"] for part in bill["components"]}
    assert listed == pinned([PROJECT / "requirements.txt"])
    assert all(part["externalReferences"][0]["hashes"] for part in bill["components"])
    assert not {"serialNumber", "timestamp"} & (bill.keys() | bill["metadata"].keys())
    # All parts are alike: two stand for them, each costs a tenth of a second.
    few = json.dumps(bill | {"components": bill["components"][:2]})
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(few) is None


@pytest.fixture
def advisories(tmp_path: Path) -> Path:
    folder = tmp_path / "vulns" / "some-package"
    folder.mkdir(parents=True)
    (folder / "PYSEC-2026-1.yaml").write_text(ADVISORY)
    return tmp_path


@pytest.mark.parametrize(
    ("version", "code"),
    [("0.9", 0), ("1.0", 1), ("1.4.1", 1), ("1.4.2", 0), ("1.9", 0), ("2.1", 1), ("2.1.1", 0)],
)
def test_a_package_is_vulnerable_from_introduced_to_fixed(
    advisories: Path, version: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    pins = advisories / "pins.txt"
    pins.write_text(f"some-package=={version} \\\n    --hash=sha256:00\nother==1.0\n")
    assert audit(["--advisories", str(advisories), str(pins)], now=NOW) == code
    said = capsys.readouterr().out
    assert (f"some-package=={version}: PYSEC-2026-1" in said) is bool(code)
    assert "2 packages looked up in advisories of 2026-11-20" in said


@pytest.mark.parametrize("arguments", [["--advisories", "/nowhere"], ["--osv", "http://127.0.0.1:1/"]])
def test_an_audit_that_could_not_look_is_no_success(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(arguments, now=NOW) == 2
    assert capsys.readouterr().err.startswith("NOT AUDITED: ")


def test_advisories_of_long_ago_are_no_success(advisories: Path) -> None:
    pins = advisories / "pins.txt"
    pins.write_text("other==1.0\n")
    assert audit(["--advisories", str(advisories), str(pins)], now=datetime(2027, 1, 1, tzinfo=UTC)) == 2


def test_the_verification_standard_is_answered_item_by_item() -> None:
    table = asvs.rows()
    assert len({row["item"] for row in table}) == len(table)
    assert [sum(row["level"] == level for row in table) for level in "12"] == [70, 183]
    assert {row["status"] for row in table} <= set(asvs.STATES)
    assert all(row["evidence"] for row in table)
    assert asvs.broken_links(table) == []
    assert asvs.PAGE.read_text() == asvs.page(table), "make asvs"


def test_every_test_that_the_threat_model_names_exists() -> None:
    named = re.findall(r"`(tests/\S+::\w+)`", (PROJECT / "docs/threat-model.md").read_text())
    assert len(named) > 20
    rows = [{"item": test, "status": "test", "evidence": test} for test in named]
    assert asvs.broken_links(rows) == []


GUARDED = '''
class Limit(Throttle):
    rate = "5/hour"

class Page:
    throttle_classes = (Limit, Other)

    def rows(self, user):
        """Überall."""
        rows = Row.objects.scoped(user).filter(lease=1, x=2)
        return (
            rows.select_for_update(of=("self",))
            .first()
        )
'''


def test_guards_are_found_in_the_code_and_taken_away_one_at_a_time() -> None:
    found = {f"{guard.place} {guard.change}": guard for guard in of_source(GUARDED, "page.py")}
    changed = {name: _changed_line(guard.text) for name, guard in found.items()}
    assert changed == {
        "page.py:Limit rate is None": "rate = None",
        "page.py:Page without Limit": "throttle_classes = (Other, )",
        "page.py:Page without Other": "throttle_classes = (Limit, )",
        "page.py:Page.rows scoped() is all()": "rows = Row.objects.all().filter(lease=1, x=2)",
        "page.py:Page.rows without lease": "rows = Row.objects.scoped(user).filter( x=2)",
        "page.py:Page.rows select_for_update() is all()": "rows.all()",
    }
    assert {guard.function for guard in found.values()} == {"", "Page.rows"}


def _changed_line(text: str) -> str:
    pairs = zip(GUARDED.splitlines(), text.splitlines(), strict=True)
    (changed,) = (after.strip() for before, after in pairs if before != after)
    return changed
