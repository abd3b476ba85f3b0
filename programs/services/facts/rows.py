"""The rows of many cases, read in one query a table and grouped by case. Corrected rows are left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from patients.models import Assessment, OutcomeScore
from patients.vocabulary import OutcomeMeasure, Side
from programs.models import (
    Alert,
    Answer,
    CheckInRequest,
    DayPain,
    Hold,
    Pause,
    Program,
    ProgramDose,
    ProgramStage,
    Run,
    Session,
    StageMove,
)

ByCase = dict[int, list[Any]]


@dataclass(frozen=True, slots=True)
class CaseRows:
    """Everything that was recorded for one case, of any date."""

    programs: list[Program]
    days: list[DayPain]
    placed: list[Answer]
    requests: list[CheckInRequest]
    pauses: list[Pause]
    holds: list[Hold]
    red_flags: list[Alert]
    assessments: list[Assessment]
    akps: list[OutcomeScore]
    sessions: list[Session]
    runs: list[Run]
    moves: list[StageMove]
    stages: list[ProgramStage]
    doses: list[ProgramDose]


def read(programs: Sequence[Program]) -> dict[int, CaseRows]:
    """The rows of each program's case, by episode id."""
    cases = [program.episode_id for program in programs]
    active = [program.pk for program in programs]
    tables = {
        "programs": _grouped(
            Program.objects.treating().filter(episode__in=cases).order_by("started_on", "pk")
        ),
        "days": daily_pain(cases),
        "placed": _grouped(_placed(cases)),
        "requests": _of_programs(CheckInRequest, cases),
        "pauses": _of_programs(Pause, cases),
        "holds": _of_programs(Hold, cases),
        "red_flags": _grouped(Alert.objects.filter(episode__in=cases, kind=Alert.Kind.RED_FLAG)),
        "assessments": _grouped(_assessments(cases)),
        "akps": _grouped(OutcomeScore.objects.filter(episode__in=cases, measure=OutcomeMeasure.AKPS)),
        "sessions": _grouped(Session.objects.current().filter(episode__in=cases)),
        "runs": _grouped(Run.objects.current().filter(episode__in=cases)),
        "moves": _grouped_by_program(StageMove.objects.filter(program__in=active), programs),
        "stages": _grouped_by_program(ProgramStage.objects.filter(program__in=active), programs),
        "doses": _doses(programs),
    }
    return {case: CaseRows(**{name: rows.get(case, []) for name, rows in tables.items()}) for case in cases}


def daily_pain(cases: Sequence[int]) -> dict[int, list[DayPain]]:
    """Each answered day of each case, in order."""
    found: dict[int, list[DayPain]] = defaultdict(list)
    for day in Answer.objects.filter(episode__in=cases).by_day():
        found[day.case].append(day)
    return found


def until(day: date, assessments: Iterable[Assessment]) -> list[Assessment]:
    """Assessments of that day or earlier, the latest last."""
    return [assessment for assessment in assessments if assessment.assessed_on <= day]


def other_side(side: str) -> Side:
    return Side.RIGHT if side == Side.LEFT else Side.LEFT


def _placed(cases: Sequence[int]) -> QuerySet[Answer]:
    """Answers that say where it hurts."""
    somewhere = ~Q(locations_left=[]) | ~Q(locations_right=[])
    return Answer.objects.current().filter(somewhere, episode__in=cases).order_by("occurred_at", "pk")


def _assessments(cases: Sequence[int]) -> QuerySet[Assessment]:
    return (
        Assessment.objects.filter(episode__in=cases)
        .order_by("assessed_on", "pk")
        .prefetch_related("strength_tests", "movement_tests")
    )


def _grouped(rows: Iterable[Any]) -> ByCase:
    found: ByCase = defaultdict(list)
    for row in rows:
        found[row.episode_id].append(row)
    return found


def _of_programs(model: Any, cases: Sequence[int]) -> ByCase:
    """Rows of all the programs a case ever had."""
    found: ByCase = defaultdict(list)
    for row in model.objects.filter(program__episode__in=cases).select_related("program"):
        found[row.program.episode_id].append(row)
    return found


def _grouped_by_program(rows: Iterable[Any], programs: Sequence[Program]) -> ByCase:
    """Rows of the program under review only."""
    case_of = {program.pk: program.episode_id for program in programs}
    found: ByCase = defaultdict(list)
    for row in rows:
        found[case_of[row.program_id]].append(row)
    return found


def _doses(programs: Sequence[Program]) -> ByCase:
    case_of = {program.pk: program.episode_id for program in programs}
    doses = ProgramDose.objects.filter(stage__program__in=list(case_of), is_active=True)
    found: ByCase = defaultdict(list)
    for dose in doses.select_related("exercise", "stage"):
        found[case_of[dose.stage.program_id]].append(dose)
    return found
