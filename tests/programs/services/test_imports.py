from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Clinic, User
from clinic.roles import Denied, Role
from patients.models import Assessment, Episode, Erasure, Patient, RestrictedRecord
from programs.models import Answer, CheckInRequest, Program, ProgramDose, Template
from programs.services import reviews
from programs.services.assign import wake
from programs.services.imports import DiaryFileError, Imported, ImportRefused, import_diary, read
from tests.factories import make_case, make_clinic, make_template, make_user

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
TODAY = NOW.date()

HEADER = "case,date,worst_pain\n"
DIARY = (
    HEADER
    + """C1,2026-08-31,7.5
C1,2026-09-07,6
C1,2026-09-23,5.5
C2,2026-09-14,10
C2,2026-10-05,0
"""
)

Run = Callable[..., Imported]


@pytest.fixture
def clinic(db: None) -> Clinic:
    return make_clinic(timezone="Europe/Amsterdam")


@pytest.fixture
def physio(clinic: Clinic) -> User:
    return make_user(clinic=clinic)


@pytest.fixture
def template(db: None) -> Template:
    return make_template(stages=4)


@pytest.fixture
def run(clinic: Clinic, physio: User, template: Template) -> Run:
    def imported(content: str | bytes = DIARY, **options: Any) -> Imported:
        values = {"clinic": clinic, "clinician": physio, "template": template, "every": 7, "now": NOW}
        encoded = content.encode() if isinstance(content, str) else content
        return import_diary(content=encoded, **{**values, **options})

    return imported


def snapshot() -> dict[str, list[Any]]:
    """Every row about a patient."""
    configs = (apps.get_app_config("patients"), apps.get_app_config("programs"))
    models = [model for config in configs for model in config.get_models()]
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models}


# --- what it makes


def test_a_case_becomes_a_patient_an_intake_a_sleeping_program_and_answers(
    run: Run, clinic: Clinic, physio: User, template: Template
) -> None:
    imported = run()

    assert imported == Imported(cases=2, scores=5, new_cases=2, new_scores=5, left_out=())
    episode = Episode.objects.get(case_number="C1")
    assert (episode.clinic, episode.clinician, episode.diagnosis) == (clinic, physio, "pfp")
    assert episode.opened_on == date(2026, 8, 31)
    assert episode.patient.timezone == "Europe/Amsterdam"
    intake = episode.assessments.get()
    assert (intake.kind, intake.assessed_on, intake.worst_pain) == (
        "intake",
        date(2026, 8, 31),
        Decimal("7.5"),
    )
    assert "recorded as the left one" in intake.notes
    program = episode.programs.get()
    assert (program.started_on, program.stage_started_on) == (date(2026, 8, 31), date(2026, 8, 31))
    assert program.asleep
    assert (program.next_check_in_at, program.next_review_on) == (None, None)
    assert program.template == template
    assert [stage.name for stage in program.stages.all()] == [stage.name for stage in template.stages.all()]
    assert ProgramDose.objects.filter(stage__program=program).count() == 4
    answers = episode.answers.order_by("local_date")
    assert [(a.local_date, a.worst_left) for a in answers] == [
        (date(2026, 9, 7), Decimal("6.0")),
        (date(2026, 9, 23), Decimal("5.5")),
    ]
    assert all(a.occurred_at.astimezone(UTC).hour == 16 for a in answers)  # 18:00 in Amsterdam


def test_requests_lie_every_so_many_days_until_the_last_date_of_the_file(run: Run) -> None:
    run(every=7)

    def states(case: str) -> list[tuple[str, str]]:
        requests = CheckInRequest.objects.filter(program__episode__case_number=case).order_by("local_date")
        return [(f"{request.local_date:%m-%d}", request.state) for request in requests]

    assert states("C1") == [
        ("09-07", "answered"),
        ("09-14", "missed"),
        ("09-21", "answered"),  # on the 23rd, before the next one
        ("09-28", "missed"),
        ("10-05", "missed"),
    ]
    assert states("C2") == [("09-21", "missed"), ("09-28", "missed"), ("10-05", "answered")]
    late = Answer.objects.get(local_date=date(2026, 9, 23))
    assert late.request is not None
    assert late.request.local_date == date(2026, 9, 21)
    assert late.request.answered_at == late.occurred_at
    assert not CheckInRequest.objects.exclude(remind_at=None).exists()


def test_a_request_that_is_not_missed_yet_is_open(run: Run) -> None:
    content = HEADER + "C1,2026-10-26,5\nC2,2026-11-02,5\n"

    run(content)

    assert CheckInRequest.objects.get().state == "open"


def test_the_order_of_rows_columns_and_a_byte_order_mark_do_not_matter(run: Run) -> None:
    rows = "\ufeffDate, note ,Worst_Pain,case\r\n2026-09-07,later,6,C1\r\n\r\n2026-08-31,first,7.5,C1\r\n"

    assert run(rows).scores == 2
    assert Program.objects.get().started_on == date(2026, 8, 31)


def test_importing_again_changes_nothing(run: Run) -> None:
    run()
    before = snapshot()

    again = run()

    assert again == Imported(cases=2, scores=5, new_cases=0, new_scores=0, left_out=())
    assert snapshot() == before


def test_a_longer_file_adds_what_is_new_and_answers_what_was_missed(run: Run) -> None:
    run()

    grown = run(DIARY + "C1,2026-10-01,4\nC2,2026-10-12,1\nC3,2026-10-12,3\n")

    assert (grown.new_cases, grown.new_scores) == (1, 3)
    requests = CheckInRequest.objects.filter(program__episode__case_number="C1")
    assert requests.get(local_date=date(2026, 9, 28)).state == "answered"
    assert requests.latest("local_date").local_date == date(2026, 10, 12)
    assert Answer.objects.get(local_date=date(2026, 10, 1)).request is not None


def test_the_same_case_numbers_in_two_clinics_are_different_cases(run: Run, physio: User) -> None:
    run()
    other = make_clinic()
    run(clinic=other, clinician=make_user(clinic=other))

    assert Patient.objects.count() == 4
    assert Answer.objects.count() == 6


def test_a_clinics_thresholds_say_when_a_check_in_is_missed(run: Run, clinic: Clinic) -> None:
    clinic.policy.overrides = {"missed_after_hours": 72, "check_in_time": "08:00"}
    clinic.policy.save()

    run()

    request = CheckInRequest.objects.get(program__episode__case_number="C2", state="answered")
    assert request.due_at == datetime(2026, 10, 5, 6, tzinfo=UTC)
    assert request.missed_at == datetime(2026, 10, 8, 6, tzinfo=UTC)


# --- what it refuses


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("C9,2026-09-14,10.1", "line 7, worst_pain: expected 0 to 10 with at most one decimal, got '10.1'"),
        ("C9,2026-09-14,-1", "line 7, worst_pain: expected 0 to 10 with at most one decimal, got '-1'"),
        ("C9,2026-09-14,7.25", "line 7, worst_pain: expected 0 to 10 with at most one decimal, got '7.25'"),
        ("C9,2026-09-14,", "line 7, worst_pain: expected 0 to 10 with at most one decimal, got ''"),
        ("C9,2026-09-14", "line 7, worst_pain: expected 0 to 10 with at most one decimal, got ''"),
        ("C9,2026-09-14,NaN", "line 7, worst_pain: expected 0 to 10 with at most one decimal, got 'NaN'"),
        ("C9,2026-09-14,1e1", "line 7, worst_pain: expected 0 to 10 with at most one decimal, got '1e1'"),
        ("C9,2026-09-14,٣", "line 7, worst_pain: expected 0 to 10 with at most one decimal, got '٣'"),
        ("C9,2026-09-14,7,5", "line 7: expected 3 values, got 4 (a decimal comma?)"),
        ("C9,2026-02-30,5", "line 7, date: expected a date like 2026-08-31, * got '2026-02-30'"),
        ("C9,14.09.2026,5", "line 7, date: expected a date like 2026-08-31, * got '14.09.2026'"),
        ("C9,20260914,5", "line 7, date: expected a date like 2026-08-31, * got '20260914'"),
        ("C9,2026-11-03,5", "line 7, date: *, from 2016-11-01 to 2026-11-02, got '2026-11-03'"),
        ("C9,9999-12-31,5", "line 7, date: *, from 2016-11-01 to 2026-11-02, got '9999-12-31'"),
        (",2026-09-14,5", "line 7, case: expected a case number of 1 to 40 characters, got ''"),
        ("C\x00,2026-09-14,5", "line 7, case: expected a case number of 1 to 40 characters, got 'C\\x00'"),
        (
            "C1,2026-09-07,6",
            "line 7, date: expected one row a day for case C1, got 2026-09-07 again (first on line 3)",
        ),
    ],
)
def test_a_row_that_is_not_valid_refuses_the_file_and_can_be_left_out(
    run: Run, row: str, problem: str
) -> None:
    content = f"{DIARY}{row}\nC3,2026-09-14,5\n"
    before = snapshot()

    with pytest.raises(ImportRefused) as refused:
        run(content)

    (found,) = refused.value.problems
    assert re.fullmatch(re.escape(problem).replace(r"\*", ".*"), str(found))
    assert snapshot() == before

    imported = run(content, skip_invalid=True)
    assert imported.left_out == (found,)
    assert (imported.cases, imported.scores) == (3, 6)


def test_every_problem_of_the_file_is_listed_by_line(run: Run) -> None:
    with pytest.raises(ImportRefused) as refused:
        run(DIARY + "C8,2026-09-14,11\nC9,soon,3\n")

    assert [(problem.line, problem.column) for problem in refused.value.problems] == [
        (7, "worst_pain"),
        (8, "date"),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "line 1: expected the header case,date,worst_pain, got an empty file"),
        (b"\n \n", "line 1: expected the header case,date,worst_pain, got an empty file"),
        (HEADER.encode(), "line 2: expected at least one row below the header"),
        (
            b"case,date,pain\nC1,2026-09-07,6\n",
            "line 1, worst_pain: expected this column once in the header, got case,date,pain",
        ),
        (
            b"case;date;worst_pain\nC1;2026-09-07;6\n",
            "line 1, case: expected this column once in the header, got case;date;worst_pain",
        ),
        (
            b"case,date,worst_pain,date\nC1,2026-09-07,6,2026-09-07\n",
            "line 1, date: expected this column once in the header, got case,date,worst_pain,date",
        ),
        (
            HEADER.encode() + b"C1,2026-09-07,6\nM\xfcller,2026-09-07,6\n",
            "line 3, byte 2: expected UTF-8, got the byte 0xfc (save the sheet as CSV UTF-8)",
        ),
        (HEADER.encode("utf-16"), "line 1, byte 1: expected UTF-8, got the byte 0xff *"),
        (HEADER.encode() + b'C1,2026-09-07,"6\n', "line 2: expected CSV: *"),
    ],
)
@pytest.mark.parametrize("skip_invalid", [False, True])
def test_a_file_that_is_no_diary_is_refused_even_when_rows_may_be_left_out(
    run: Run, content: bytes, problem: str, skip_invalid: bool
) -> None:
    before = snapshot()

    with pytest.raises(DiaryFileError) as refused:
        run(content, skip_invalid=skip_invalid)

    assert re.fullmatch(re.escape(problem).replace(r"\*", ".*"), str(refused.value))
    assert snapshot() == before


def test_a_score_that_was_imported_otherwise_is_not_overwritten(run: Run) -> None:
    run()
    before = snapshot()

    with pytest.raises(ImportRefused, match=r"line 3, worst_pain: expected 6\.0 as .* got 6\.5"):
        run(DIARY.replace("C1,2026-09-07,6", "C1,2026-09-07,6.5"))
    with pytest.raises(ImportRefused, match=r"line 2, worst_pain: expected 7\.5 as .* got 8\.0"):
        run(DIARY.replace("C1,2026-08-31,7.5", "C1,2026-08-31,8"))

    assert snapshot() == before


def test_a_row_before_the_start_of_a_known_case_is_refused(run: Run) -> None:
    run()

    with pytest.raises(ImportRefused, match="line 7, date: expected a date after 2026-08-31"):
        run(DIARY + "C1,2026-08-30,7\n")


def test_a_case_number_of_the_clinics_own_case_is_refused(run: Run, clinic: Clinic) -> None:
    make_case(clinic, case_number="C1")
    before = snapshot()

    with pytest.raises(ImportRefused, match="line 2, case: expected a new case number, C1 is a case"):
        run()
    assert snapshot() == before

    imported = run(skip_invalid=True)
    assert (imported.cases, len(imported.left_out)) == (1, 3)
    assert Episode.objects.filter(case_number="C1").count() == 1


def test_the_number_of_someone_erased_is_refused(run: Run, clinic: Clinic) -> None:
    erasure = Erasure.objects.create(clinic=clinic, patient_key=uuid4(), erased_at=NOW, keep_until=TODAY)
    RestrictedRecord.objects.create(clinic=clinic, erasure=erasure, case_numbers=["9", "C1"], content="{}")
    before = snapshot()
    with pytest.raises(ImportRefused, match="expected a new case number, C1 was that of someone erased"):
        run()
    assert snapshot() == before


def test_a_case_that_was_woken_takes_no_new_rows_but_the_old_ones_are_fine(run: Run, physio: User) -> None:
    run()
    program = Program.objects.get(episode__case_number="C1")
    wake(program=program, by=physio, now=NOW, today=TODAY)

    assert run().new_scores == 0
    with pytest.raises(ImportRefused, match="line 7, case: expected no new rows: case C1 was woken or ended"):
        run(DIARY + "C1,2026-10-12,4\n")


@pytest.mark.parametrize("every", [0, -7, 29])
def test_an_interval_out_of_range_is_refused(run: Run, every: int) -> None:
    with pytest.raises(ImportRefused, match=f"--every: expected 1 to 28 days, got {every}"):
        run(every=every)


def test_another_clinics_template_is_refused(run: Run) -> None:
    with pytest.raises(ImportRefused, match=r"--template: .* is not in this clinic's library"):
        run(template=make_template(clinic=make_clinic()))


def test_an_assistant_may_not_import(run: Run, clinic: Clinic) -> None:
    assistant = make_user(role=Role.ASSISTANT, clinic=clinic)
    before = snapshot()

    with pytest.raises(Denied):
        run(clinician=assistant)

    assert snapshot() == before


# --- in bulk


def test_the_queries_do_not_grow_with_the_cases_of_a_chunk(run: Run) -> None:
    def cost(prefix: str, cases: int) -> int:
        rows = "".join(f"{prefix}{n},2026-09-{day},5\n" for n in range(cases) for day in (14, 21, 28))
        with CaptureQueriesContext(connection) as queries:
            assert run(HEADER + rows).new_cases == cases
        return len(queries)

    cost("WARM", 1)  # the policy is read once
    assert (cost("A", 1), cost("B", 3), cost("C", 40)) == (25, 25, 25)


def test_imported_cases_are_judged_by_the_review(run: Run) -> None:
    weeks = [f"2026-{month:02}-{day:02}" for month, day in ((8, 31), (9, 7), (9, 14), (9, 21), (9, 28))]
    weeks += ["2026-10-05", "2026-10-12", "2026-10-19", "2026-10-26"]
    flat = "".join(f"FLAT,{week},6\n" for week in weeks)
    better = "".join(f"BETTER,{week},{score}\n" for week, score in zip(weeks, range(9, 0, -1), strict=True))
    run(HEADER + flat + better + "GONE,2026-08-31,6\n")

    found = reviews.review_as_of(on=date(2026, 10, 26), now=NOW, dry_run=True)

    assert {case.as_json()["case"]: (case.verdict.state, case.verdict.reason) for case in found}.keys() == {
        "BETTER",
        "FLAT",
        "GONE",
    }
    states = {case.as_json()["case"]: case.as_json() for case in found}
    assert states["BETTER"]["state"] == "on_track"
    assert (states["FLAT"]["state"], states["FLAT"]["reason"]) == ("stalled", "adherence_unknown")
    assert (states["GONE"]["state"], states["GONE"]["reason"]) == ("insufficient_data", "silent")


def test_reading_needs_no_database() -> None:
    diary = read(DIARY.encode(), today=TODAY)

    assert [row.line for row in diary.rows] == [2, 3, 4, 5, 6]
    assert diary.problems == ()


def test_the_intake_counts_as_a_score_and_is_no_answer(run: Run) -> None:
    run()

    assert Assessment.objects.count() + Answer.objects.count() == 5
