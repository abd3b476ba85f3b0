"""A large clinic: one real case per course of pain, and copies of its rows made in the database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone
from psycopg import sql

from clinic.models import User
from clinic.roles import Role
from patients.models import Episode, Patient
from programs.models import Alert, Answer, CheckInRequest, Program, Review, Session
from programs.services.reviews import review_as_of
from tests.factories import make_case, make_clinic, make_user
from tests.programs.services.recorded import diary, running_case, session

CLINICIANS = 12
COPIED = (Answer, CheckInRequest, Session, Review)
AUDITED = ("patients_patient", "patients_episode", "programs_program", "programs_alert")


def large_clinic(*, patients: int, weeks: int) -> User:
    """As many patients with as many weeks of answers, sessions and daily reviews; one of their physios."""
    today = timezone.localdate()
    started_on = today - timedelta(weeks=weeks)
    clinic = make_clinic(name="Large clinic")
    staff = [make_user(role=Role.OWNER, clinic=clinic)]
    staff += [make_user(clinic=clinic) for _ in range(CLINICIANS - 1)]
    model = _model_case(make_case(clinic, clinician=staff[1], opened_on=started_on), started_on, weeks)
    _trail(on=False)
    _programs(model, staff, patients - 1, started_on)
    for table in COPIED:
        _copy(table, model)
    _review_daily(started_on, weeks)
    _stand(model, today)
    _trail(on=True)
    return staff[1]


def _model_case(episode: Episode, started_on: date, weeks: int) -> Program:
    """Recorded and reviewed as any: its rows are what the others' are copied from."""
    program = running_case(started_on=started_on, episode=episode)
    diary(program, dict.fromkeys(range(0, 7 * weeks, 2), "5"))
    for day in range(0, 7 * weeks, 3):
        session(program, day)
    review_as_of(on=program.started_on, now=timezone.now(), clinic=episode.clinic)
    review_as_of(on=started_on + timedelta(weeks=weeks), now=timezone.now(), clinic=episode.clinic)
    return program


def _programs(model: Program, staff: list[User], count: int, started_on: date) -> list[Program]:
    clinic = model.clinic
    people = Patient.objects.bulk_create(
        Patient(
            clinic=clinic, given_name=f"Robin{n % 97}", family_name=f"Runner{n}", timezone="Europe/Amsterdam"
        )
        for n in range(count)
    )
    cases = Episode.objects.bulk_create(
        Episode(
            clinic=clinic,
            patient=patient,
            clinician=staff[n % len(staff)],
            case_number=f"L{n:05}",
            index_side="left",
            opened_on=started_on,
        )
        for n, patient in enumerate(people)
    )
    return Program.objects.bulk_create(
        Program(
            clinic=clinic,
            episode=case,
            assigned_by=case.clinician,
            name="Runner's knee",
            started_on=started_on,
            stage_started_on=started_on,
            current_stage=1 + n % 4,
        )
        for n, case in enumerate(cases)
    )


def _copy(table: Any, model: Program) -> None:
    """The model's rows once more for each of the other programs."""
    name = table._meta.db_table
    own: Mapping[str, str] = {
        "program_id": "program.id",
        "episode_id": "program.episode_id",
        "patient_id": "episode.patient_id",
        "client_id": "gen_random_uuid()",
        "request_id": "NULL",
    }
    columns = [field.column for field in table._meta.concrete_fields if not field.primary_key]
    chosen = ", ".join(own.get(column, f"row.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {name} ({', '.join(columns)}) SELECT {chosen} FROM {name} AS row"
            " JOIN programs_program AS program ON program.id <> row.program_id"
            " JOIN patients_episode AS episode ON episode.id = program.episode_id"
            " WHERE row.program_id = %s",
            [model.pk],
        )


def _review_daily(started_on: date, weeks: int) -> None:
    """The last verdict stands for all days before it."""
    columns = [field.column for field in Review._meta.concrete_fields if field.column not in ("id", "day")]
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO programs_review (day, {names})"
            f" SELECT %s::date + n, {names} FROM programs_review CROSS JOIN generate_series(1, %s) AS n"
            " WHERE day = %s",
            [started_on, 7 * weeks - 1, started_on],
        )


def _stand(model: Program, today: date) -> None:
    """A third on track, a third stalled with an alert, the others in between, as the reviews left them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE programs_program SET reviewed_on = %s, review_week = 12, review_trend = 'flat',"
            " review_state = (ARRAY['on_track', 'stalled', 'watch', 'insufficient_data'])[1 + id %% 4],"
            " sessions_done = 6 + id %% 7, sessions_due = 12, success_week = 4 + id %% 8,"
            " succeeded_on = CASE WHEN id %% 4 = 0 THEN %s::date - (id %% 80)::int END,"
            " gate_open_since = CASE WHEN id %% 9 = 0 THEN %s::date END,"
            " akps_due_since = CASE WHEN id %% 5 = 0 THEN %s::date END,"
            " looked_at = CASE WHEN id %% 3 = 0 THEN now() END",
            [today] * 4,
        )
    kinds = [
        ("stall", "stalled", "not_doing"),
        ("silent", "", ""),
        ("worsening", "", ""),
        ("overload", "", ""),
    ]
    reasons = ["not_doing", "relapsed", "adherent_but_flat", "flare"]
    rows = []
    for program in Program.objects.exclude(pk=model.pk).only("pk", "episode_id", "clinic_id"):
        n = program.pk
        kind, level, reason = kinds[n // 4 % len(kinds)] if n % 4 in (1, 3) else ("", "", "")
        if n % 400 == 2:
            kind, level, reason = "red_flag", "tier_2", ""
        if kind:
            rows.append(
                Alert(
                    clinic_id=program.clinic_id,
                    episode_id=program.episode_id,
                    kind=kind,
                    level=level,
                    reason=reasons[n % 4] if kind == "stall" else reason,
                    summary="Week 12, stalled, flat. Worst pain 5.0 in the first week, 5.0 now",
                    action="Simplify the program, ask what gets in the way",
                    opened_on=today - timedelta(days=n % 40),
                    opened_at=timezone.now(),
                )
            )
    Alert.objects.bulk_create(rows)


def as_in_production() -> None:
    """The policy by which tests see every row would be judged for each row that a page reads."""
    with _owner() as owner:
        found = owner.execute("SELECT tablename FROM pg_policies WHERE policyname = 'tests'").fetchall()
        for (table,) in found:
            owner.execute(sql.SQL("DROP POLICY tests ON {}").format(sql.Identifier(table)))


def _owner() -> psycopg.Connection:
    return psycopg.connect(os.environ["DATABASE_OWNER_URL"], dbname=connection.settings_dict["NAME"])


def _trail(*, on: bool) -> None:
    """What is built here is no one's doing: without the trail it takes a tenth of the time."""
    with _owner() as owner:
        for table in (*AUDITED, *(model._meta.db_table for model in COPIED)):
            owner.execute(f"ALTER TABLE {table} {'ENABLE' if on else 'DISABLE'} TRIGGER USER")
        if on:
            owner.execute("ANALYZE")
