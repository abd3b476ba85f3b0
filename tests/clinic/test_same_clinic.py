"""What belongs together is of one clinic: each foreign key between two rows of a clinic says so itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.apps import apps
from django.db import IntegrityError, ProgrammingError, connection, models, transaction
from django.test.utils import isolate_apps

from clinic.models import Clinic
from clinic.row_security import Tenant, acting_for
from clinic.row_security.keys import has_clinic_key, same_clinic_name
from clinic.tenancy import ClinicRow
from patients.models import Episode
from programs.models import Alert, AlertEvent, Exercise, Program, ProgramDose, ProgramStage, Template
from tests.enforced import enforced
from tests.factories import NOW, TODAY, make_case, make_exercise, make_program, make_template

pytestmark = pytest.mark.django_db

FROM_THE_LIBRARY = {
    ("programs_program", "template_id"): "The template may be of the starter library, which has no clinic.",
    ("programs_clip", "exercise_id"): "The exercise may be of the starter library.",
    ("programs_programdose", "exercise_id"): "The exercise may be of the starter library.",
}
"""Links that no foreign key can hold to one clinic; their policies do (see below)."""

KEY = "FOREIGN KEY (clinic_id, {column}) REFERENCES {parent}(clinic_id, {key}) DEFERRABLE INITIALLY DEFERRED"

Link = tuple[str, str, str]


def has_clinic(model: type[models.Model]) -> bool:
    return any(field.column == "clinic_id" for field in model._meta.concrete_fields)


def links(found: list[type[models.Model]]) -> Iterator[Link]:
    """Every foreign key, as table, column and parent, between two tables that carry their clinic."""
    for model in filter(has_clinic, found):
        for field in model._meta.concrete_fields:
            parent = field.related_model
            if isinstance(parent, type) and issubclass(parent, models.Model) and has_clinic(parent):
                yield model._meta.db_table, field.column, parent._meta.db_table


def held() -> set[Link]:
    """The links whose clinic the database compares: validated, and checked when Django's own are."""
    keys = {model._meta.db_table: model._meta.pk.column for model in apps.get_models()}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT conrelid::regclass::text, conname, confrelid::regclass::text, pg_get_constraintdef(oid)
            FROM pg_constraint WHERE contype = 'f' AND convalidated
            """
        )
        return {
            (child, column, parent)
            for child, name, parent, definition in cursor.fetchall()
            for column in [name.removeprefix(f"{child}_").removesuffix("_same_clinic")]
            if name == same_clinic_name(child, column)
            and definition == KEY.format(column=column, parent=parent, key=keys.get(parent))
        }


def test_each_link_between_rows_of_a_clinic_is_held_to_one() -> None:
    expected = set(links(list(apps.get_models(include_auto_created=True))))
    assert len(expected) >= 42
    assert {link for link in expected - held() if link[:2] not in FROM_THE_LIBRARY} == set()
    assert FROM_THE_LIBRARY.keys() <= {link[:2] for link in expected}


def test_an_index_that_was_broken_off_is_built_anew() -> None:
    url = urlsplit(os.environ["DATABASE_OWNER_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    with psycopg.connect(urlunsplit(url), autocommit=True) as owner:
        owner.execute("CREATE TABLE parent AS SELECT 1 AS clinic_id, 1 AS id FROM generate_series(1, 2)")
        try:
            with pytest.raises(psycopg.errors.UniqueViolation):
                build_key(owner)
            assert not is_valid(owner)
            owner.execute("DELETE FROM parent WHERE ctid = '(0,2)'")
            build_key(owner)
            assert is_valid(owner)
            build_key(owner)
        finally:
            owner.execute("DROP TABLE parent")


def build_key(owner: psycopg.Connection[Any]) -> None:
    for statement in has_clinic_key("parent").sql:
        owner.execute(statement)


def is_valid(owner: psycopg.Connection[Any]) -> bool:
    query = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('parent_in_clinic')"
    return owner.execute(query).fetchone() == (True,)


@isolate_apps("programs")
def test_a_new_model_without_its_key_would_be_found() -> None:
    class Forgotten(ClinicRow):
        episode = models.ForeignKey(Episode, on_delete=models.PROTECT)

        class Meta:
            app_label = "programs"

    assert set(links([Forgotten])) - held() == {
        ("programs_forgotten", "episode_id", "patients_episode"),
    }


@pytest.fixture
def cases() -> tuple[Episode, Episode]:
    """Of two clinics."""
    return make_case(), make_case()


def test_whoever_writes_no_row_is_linked_to_another_clinics(cases: Any) -> None:
    """The migrating role, too: nothing but the key keeps it from that."""
    own, other = cases
    make_program(own)
    alert = Alert.objects.create(
        clinic=own.clinic, episode=own, kind="red_flag", summary="", opened_on=TODAY, opened_at=NOW
    )
    event = AlertEvent.objects.create(clinic=own.clinic, alert=alert, what="opened", at=NOW)
    moves: list[tuple[Any, dict[str, Any]]] = [
        (own, {"patient": other.patient}),
        (own, {"clinic": other.clinic}),
        (own.patient, {"clinic": other.clinic}),
        (Program.objects.get(), {"episode": other}),
        (event, {"clinic": other.clinic}),
    ]
    for row, change in moves:
        with pytest.raises(IntegrityError, match="_same_clinic"):
            move(row, change)


def move(row: Any, change: dict[str, Any]) -> None:
    with transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(**change)
        connection.check_constraints()


def use(case: Episode, template: Template | None, exercise: Exercise) -> None:
    """As the clinic's staff, who also work in every other: assign a template and dose an exercise."""
    clinics = tuple(Clinic.objects.values_list("pk", flat=True))
    with transaction.atomic(), enforced(), acting_for(Tenant(clinics)):
        of_clinic: dict[str, Any] = {"clinic": case.clinic, "name": "Runner's knee"}
        began = {"started_on": TODAY, "stage_started_on": TODAY, "ended_on": TODAY}
        program = Program.objects.create(
            **of_clinic, **began, episode=case, template=template, assigned_by=case.clinician
        )
        stage = ProgramStage.objects.create(**of_clinic, program=program, number=1, min_days=7)
        ProgramDose.objects.create(clinic=case.clinic, stage=stage, exercise=exercise, sets=3, reps_low=10)


def test_a_program_uses_the_starter_library_and_its_own_clinics(cases: Any) -> None:
    own, other = cases
    ours, theirs = make_template(clinic=own.clinic), make_template(clinic=other.clinic)
    starter, our_exercise = make_exercise(), make_exercise(clinic=own.clinic)
    use(own, ours, our_exercise)
    use(own, None, starter)
    use(own, make_template(), starter)
    stored = Program.objects.count()
    for template, exercise in ((theirs, starter), (ours, make_exercise(clinic=other.clinic))):
        with pytest.raises(ProgrammingError, match="row-level security"):
            use(own, template, exercise)
    assert Program.objects.count() == stored == 3
