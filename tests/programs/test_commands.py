from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command, load_command_class

from clinic.models import Clinic, User
from patients.models import Episode
from programs.models import Alert, Digest, Review
from tests.factories import make_clinic, make_template, make_user
from tests.programs.services.recorded import day, flat_case

pytestmark = pytest.mark.django_db

START = date(2026, 8, 31)
WEEKS = [START + timedelta(days=7 * number) for number in range(9)]
ROWS = "".join(f"FLAT,{week},6\nBETTER,{week},{9 - number}\n" for number, week in enumerate(WEEKS))
DIARY = f"case,date,worst_pain\n{ROWS}GONE,2026-08-31,6\n"


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic(slug="riverside", timezone="Europe/Amsterdam")


@pytest.fixture
def physio(clinic: Clinic) -> User:
    return make_user("anna@example.org", clinic=clinic)


@pytest.fixture(autouse=True)
def _template(db: None) -> None:
    make_template(slug="runners-knee")


def run(name: str, *args: Any, **options: Any) -> str:
    out = StringIO()
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=UTC), tick=False):
        call_command(name, *args, stdout=out, **options)
    return out.getvalue()


def refused(name: str, *args: Any, **options: Any) -> list[str]:
    """What a person reads: each problem, then the last line."""
    err = StringIO()
    with pytest.raises(CommandError) as error:
        run(name, *args, stderr=err, **options)
    return [*err.getvalue().splitlines(), str(error.value)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "diary.csv"
    path.write_text(DIARY)
    return path


IMPORT = {
    "clinic": "riverside",
    "clinician": "anna@example.org",
    "template": "runners-knee",
    "every": 7,
}


# --- the import


def test_import_says_what_came_in_and_what_was_new(physio: User, file: Path) -> None:
    assert run("import_diary", file, **IMPORT) == "3 cases and 19 scores; new: 3 cases and 19 scores.\n"
    assert run("import_diary", file, **IMPORT) == "3 cases and 19 scores; new: 0 cases and 0 scores.\n"


def test_import_refuses_a_bad_row_with_its_line_and_skips_it_if_told(physio: User, file: Path) -> None:
    file.write_text(DIARY + "FLAT,2026-11-01,10.1\nC9,soon,3\n")
    first = "line 21, worst_pain: expected 0 to 10 with at most one decimal, got '10.1'"
    second = "line 22, date: expected a date like 2026-08-31, from 2016-11-01 to 2026-11-02, got 'soon'"

    assert refused("import_diary", file, **IMPORT) == [
        first,
        second,
        f"Nothing was imported from {file}.",
    ]
    assert not Episode.objects.exists()

    out = run("import_diary", file, **IMPORT, skip_invalid=True).splitlines()
    assert out[:2] == [f"Left out: {first}", f"Left out: {second}"]
    assert out[2].startswith("3 cases and 19 scores")


def test_import_names_the_option_that_is_wrong(physio: User, file: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.csv"
    for arguments, line in (
        ({"clinic": "nowhere"}, "--clinic: there is no active clinic 'nowhere'."),
        (
            {"clinician": "bo@b.org"},
            "--clinician: bo@b.org does not treat patients in riverside.",
        ),
        ({"template": "none"}, "--template: there is no template 'none' in the library of riverside."),
        ({"every": 0}, "--every: expected 1 to 28 days, got 0"),
    ):
        assert line in refused("import_diary", file, **{**IMPORT, **arguments})
    assert refused("import_diary", missing, **IMPORT) == [f"{missing}: No such file or directory."]
    assert refused("import_diary", tmp_path, **IMPORT) == [f"{tmp_path}: Is a directory."]
    file.write_bytes(b"\xff")
    assert refused("import_diary", file, **IMPORT)[0].startswith("line 1, byte 1: expected UTF-8")
    assert not Episode.objects.exists()


# --- the review


def test_review_prints_one_json_object_a_case(physio: User, file: Path) -> None:
    run("import_diary", file, **IMPORT)

    lines = run("review_cases", on="2026-10-26", as_json=True).splitlines()

    found = {case["case"]: case for case in map(json.loads, lines)}
    assert list(found) == ["BETTER", "FLAT", "GONE"]
    keys = ["case", "week", "state", "trend", "reason", "reasons", "baseline", "now", "evidence", "action"]
    assert all(list(case) == keys for case in found.values())
    assert found["BETTER"]["state"] == "on_track"
    assert found["BETTER"]["reason"] is None
    assert found["BETTER"]["reasons"] is None
    assert found["BETTER"]["action"] is None
    flat = found["FLAT"]
    assert (flat["week"], flat["state"], flat["trend"]) == (8, "stalled", "flat")
    assert (flat["reason"], flat["baseline"], flat["now"]) == ("adherence_unknown", 6.0, 6.0)
    assert flat["action"] == "Ask how often the exercises were done"
    assert found["GONE"]["now"] is None
    assert Review.objects.count() == 3
    assert not Alert.objects.exists()  # they sleep


def test_review_prints_a_table_and_counts(physio: User, file: Path) -> None:
    run("import_diary", file, **IMPORT)

    lines = run("review_cases", on="2026-10-26", clinic="riverside", dry_run=True).splitlines()

    assert lines[0].split()[:4] == ["case", "week", "state", "trend"]
    assert lines[2].split()[:8] == ["FLAT", "8", "stalled", "flat", "adherence_unknown", "6.0", "to", "6.0"]
    assert lines[-1] == "3 cases: 1 on_track, 1 stalled, 1 insufficient_data"
    assert not Review.objects.exists()


def test_review_without_a_program_says_so() -> None:
    assert run("review_cases", on="2026-10-26") == "No program was under way.\n"


def test_review_refuses_to_look_back_and_ahead_unless_dry(physio: User, file: Path) -> None:
    run("import_diary", file, **IMPORT)
    run("review_cases", on="2026-10-26")

    (back,) = refused("review_cases", on="2026-10-12")
    (ahead,) = refused("review_cases", on="2027-01-01")

    assert back.startswith("--on: 3 cases have a review newer than 2026-10-12")
    assert ahead.startswith("--on: 2027-01-01 lies ahead")
    assert Review.objects.count() == 3
    assert run("review_cases", on="2026-10-12", dry_run=True)


@pytest.mark.parametrize("on", ["soon", "2026-13-01", "26-10-2026", ""])
def test_review_wants_a_date(on: str) -> None:
    (line,) = refused("review_cases", on=on)
    assert line == f"--on: expected a date like 2026-10-12, got {on!r}."


def test_review_wants_a_clinic_that_there_is(clinic: Clinic) -> None:
    assert refused("review_cases", on="2026-10-12", clinic="nowhere") == [
        "--clinic: there is no active clinic 'nowhere'."
    ]


# --- the digests


def test_digests_go_out_once_for_an_instant(clinic: Clinic) -> None:
    program = flat_case(started_on=START, weeks=8)
    type(program.clinic).objects.filter(pk=program.clinic_id).update(slug="hillside")
    run("review_cases", on=str(day(program, 56)))
    monday = "2026-10-26T08:00:00+01:00"

    out = run("send_digests", now=monday, clinic="hillside")
    assert out.startswith("1 digests written; 0 clinicians have nothing to be told")
    again = run("send_digests", now=monday)
    assert again.startswith("0 digests written")
    assert Digest.objects.count() == 1


@pytest.mark.parametrize("now", ["soon", "2026-10-26T08:00:00", "2026-10-26"])
def test_digests_want_an_instant_with_its_offset(now: str) -> None:
    (line,) = refused("send_digests", now=now)
    assert line.startswith(f"--now: expected an instant like 2026-10-12T07:00:00+02:00, got {now!r}")


# --- all of them


@pytest.mark.parametrize(
    ("app", "name"),
    [
        ("clinic", "create_clinic"),
        ("programs", "import_diary"),
        ("programs", "review_cases"),
        ("programs", "send_digests"),
    ],
)
def test_help_ends_with_an_example(app: str, name: str) -> None:
    text = load_command_class(app, name).create_parser("manage.py", name).format_help()

    assert f"\n  manage.py {name} --" in text or f"\n  manage.py {name} diary.csv --" in text
