"""The database keeps each tenant to its rows, whatever a query forgets: every table, as the real roles."""

from __future__ import annotations

import os
from datetime import timedelta
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import ProgrammingError, connection, models
from django.db.models import Q

from clinic import checks
from clinic.checks import protected_tables
from clinic.models import BreakGlass, Clinic, Factor, OutboxMessage, User
from clinic.row_security import NOBODY, Tenant
from clinic.row_security.exempt import EXEMPT
from clinic.tenancy import Scope
from patients.models import Episode
from programs import models as programs
from programs.models import Exercise
from tests.factories import (
    NOW,
    TODAY,
    make_case,
    make_clinic,
    make_template,
)
from tests.staff import give_app
from tests.whole_case import as_tenant, put, whole_case

HOUR = timedelta(hours=1)
STAFF_ONLY = {
    *("programs_digest", "clinic_outboxmessage", "clinic_breakglass", "clinic_rowattempt"),
    *("clinic_auditentry", "clinic_absence", "clinic_stafftoken", "clinic_apicreation"),
    *("patients_erasure", "patients_restrictedrecord", "patients_privacyevent"),
    "patients_assessmentdraft",
}
"""Tables of which a patient's login sees nothing, or only what was sent to them."""

OF_THE_CLINIC = {"programs_exercise", "programs_template", "programs_stage", "programs_dose"}
OF_THE_CLINIC |= {"programs_templateversion", "programs_clip"}
OF_THE_CLINIC |= {"clinic_clinic", "clinic_clinicpolicy", "clinic_membership"}
"""The clinic's own for each of its patients: its library, and who is mailed of a red flag by which rules."""

WITHOUT_CLINIC = {"programs_stage", "programs_dose", "programs_templateversion"}
WITHOUT_CLINIC |= {"clinic_clinic", "clinic_user"}
"""Tables without ``clinic_id``."""

OF_THE_PLATFORM = {"clinic_outboxmessage", "clinic_clinic", "clinic_clinicpolicy", "clinic_breakglass"}
OF_THE_PLATFORM |= {"clinic_user"}
"""What the operator and the mail carrier see: no record."""

OF_ONE_USER = {"clinic_factor"}
"""Seen by nobody but its user, whatever the tenant: see tests/clinic/accounts."""

PROTECTED = {
    model._meta.db_table: model
    for model in apps.get_models(include_auto_created=True)
    if model._meta.app_label in ("clinic", "patients", "programs")
    and model._meta.db_table not in {*EXEMPT, *OF_ONE_USER}
}


FOR_GOOD = {"patients_consent", "patients_privacyevent", "patients_addendum", "programs_letter"}
"""Tables whose rows nobody changes, their own clinic neither."""

WRITTEN = PROTECTED.keys() - WITHOUT_CLINIC - {"clinic_auditentry"}
"""Tables with a clinic to write rows of."""


@pytest.fixture(autouse=True)
def know_the_tests_own_policy(monkeypatch: Any) -> None:
    monkeypatch.setattr(checks, "KNOWN_POLICIES", [*checks.KNOWN_POLICIES, "tests"])


@pytest.fixture
def own(db: None) -> Clinic:
    return make_clinic(name="Own")


@pytest.fixture
def cases(own: Clinic) -> tuple[Episode, Episode, Episode]:
    """Two of the own clinic, one of another."""
    return whole_case(own), whole_case(own), whole_case(make_clinic(name="Other"))


def scope_of(model: Any) -> Any:
    return getattr(model, "scope", Scope(patient="patient"))


def rows_of(clinic: Clinic, model: Any) -> Any:
    if model is User:
        return User.objects.filter(Q(memberships__clinic=clinic) | Q(patients__clinic=clinic))
    return model._base_manager.filter(**{scope_of(model).clinic: clinic.pk})


def ids(model: type[models.Model]) -> set[Any]:
    return set(model._base_manager.values_list("pk", flat=True))


def patient_of(row: Any) -> Any:
    """The patient a row leads to by its scope."""
    for part in scope_of(type(row)).patient.split("__"):
        row = getattr(row, part)
    return getattr(row, "pk", row)


def test_the_rows_below_reach_every_protected_table(cases: Any) -> None:
    assert len(PROTECTED) == 56
    for table, model in PROTECTED.items():
        assert len(ids(model)) >= 2, table


def test_without_a_tenant_every_protected_table_is_empty(cases: Any) -> None:
    Exercise.objects.create(slug="global", name="Global", kind="strength")
    with as_tenant(NOBODY):
        seen = {table for table, model in PROTECTED.items() if ids(model)}
        assert seen == {"programs_exercise"}
        assert [exercise.slug for exercise in Exercise.objects.all()] == ["global"]


def test_a_clinic_sees_its_rows_and_no_others(own: Clinic, cases: Any) -> None:
    for table, model in PROTECTED.items():
        expected = set(rows_of(own, model).values_list("pk", flat=True))
        if table == "clinic_user":  # who opened the clinic's records is named to it
            expected |= set(BreakGlass.objects.filter(clinic=own).values_list("operator", flat=True))
        with as_tenant(Tenant((own.pk,))):
            assert ids(model) == expected != set(), table


def test_a_patient_sees_their_rows_and_no_others(own: Clinic, cases: Any) -> None:
    robin = cases[0].patient
    for table, model in PROTECTED.items():
        if table in STAFF_ONLY | OF_THE_CLINIC | {"clinic_user"}:
            continue
        expected = {row.pk for row in model._base_manager.all() if patient_of(row) == robin.pk}
        with as_tenant(Tenant((own.pk,), patient=robin.pk)):
            assert ids(model) == expected != set(), table


def test_a_patient_sees_the_library_and_what_was_sent_to_them(own: Clinic, cases: Any) -> None:
    robin = cases[0].patient
    with as_tenant(Tenant((own.pk,), patient=robin.pk)):
        assert {row.clinic_id for row in Exercise.objects.all()} == {own.pk}
        assert not ids(programs.Digest)
        assert [message.patient_key for message in OutboxMessage.objects.all()] == [robin.pk]


@pytest.mark.parametrize("who", ["nobody", "the clinic", "the patient"])
def test_rows_of_another_clinic_are_neither_changed_nor_deleted(own: Clinic, cases: Any, who: str) -> None:
    tenant = {
        "nobody": NOBODY,
        "the clinic": Tenant((own.pk,)),
        "the patient": Tenant((own.pk,), patient=cases[0].patient_id),
    }[who]
    other = cases[2].clinic_id
    for table in sorted(WRITTEN):
        rows: Any = PROTECTED[table]._base_manager.filter(clinic=other)
        before = rows.count()
        with as_tenant(tenant):
            assert rows.update(clinic=own if who != "nobody" else other) == 0, table
            assert rows._raw_delete("default") == 0, table
        assert rows.count() == before > 0, table


def test_a_row_can_not_be_moved_to_another_clinic(own: Clinic, cases: Any) -> None:
    for table in sorted(WRITTEN - FOR_GOOD - {"clinic_breakglass"}):
        manager: Any = PROTECTED[table]._base_manager
        with (
            pytest.raises(ProgrammingError, match=f'row-level security policy for table "{table}"'),
            as_tenant(Tenant((own.pk,))),
        ):
            manager.filter(clinic=own).update(clinic=cases[2].clinic_id)


@pytest.mark.parametrize("as_patient", [False, True])
def test_a_row_of_another_clinic_is_not_added(own: Clinic, cases: Any, as_patient: bool) -> None:
    """Word for word a row that is there: without its policy it fails as a second copy, or gets in."""
    patient = cases[0].patient_id if as_patient else None
    for table in sorted(PROTECTED.keys() - {"clinic_auditentry"}):
        row = raw(rows_of(cases[2].clinic, PROTECTED[table]).first())
        with (
            pytest.raises(ProgrammingError, match=f'row-level security policy for table "{table}"'),
            as_tenant(Tenant((own.pk,), patient=patient)),
        ):
            add(table, row)


def test_second_factors_are_seen_and_written_by_their_user_only(cases: Any) -> None:
    give_app(cases[0].clinician)
    give_app(cases[1].clinician)
    mine, theirs = Factor.objects.order_by("pk")
    me = Tenant((cases[0].clinic_id,), user=cases[0].clinician_id)
    with as_tenant(me):
        assert ids(Factor) == {mine.pk}
    row = raw(theirs)
    with pytest.raises(ProgrammingError, match="row-level security policy"), as_tenant(me):
        add("clinic_factor", row)


def test_an_entry_in_the_admins_log_is_written_in_ones_own_name(own: Clinic, cases: Any) -> None:
    physio, colleague = cases[0].clinician, cases[1].clinician
    LogEntry.objects.log_actions(colleague.pk, [cases[1].patient], CHANGE)
    row = raw(LogEntry.objects.get())
    with (
        pytest.raises(ProgrammingError, match="row-level security policy"),
        as_tenant(Tenant((own.pk,), user=physio.pk)),
    ):
        add("django_admin_log", row)


def raw(row: Any) -> str:
    """The row as JSON, as the database has it."""
    table, key = row._meta.db_table, row._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_jsonb(one)::text FROM {table} AS one WHERE {key} = %s", [row.pk])
        return str(cursor.fetchone()[0])


def add(table: str, row: str) -> None:
    """Without asking for anything back, as the policy on reading would then refuse it as well."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, %s::jsonb)).*",
            [row],
        )


def test_a_patient_can_not_write_into_another_record(own: Clinic, cases: Any) -> None:
    robin, other = cases[0], cases[1]
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        as_tenant(Tenant((own.pk,), patient=robin.patient_id)),
    ):
        programs.ContactLog.objects.create(
            clinic=own, episode_id=other.pk, kind="call", at=NOW, by_id=other.clinician_id
        )


def test_no_row_is_written_below_another_clinics(own: Clinic, cases: Any) -> None:
    """It would stand in the way of the other clinic's own, which can't see it."""
    other = cases[2]
    program = programs.Program.objects.get(episode=other)
    rows = [
        programs.ContactLog(clinic=own, episode=other, kind="call", at=NOW, by=other.clinician),
        programs.CheckInRequest(
            clinic=own,
            program=program,
            local_date=TODAY + timedelta(days=1),
            due_at=NOW,
            missed_at=NOW + HOUR,
        ),
        programs.Answer(
            clinic=own,
            patient=cases[0].patient,
            episode=other,
            client_id=uuid4(),
            occurred_at=NOW,
            local_date=TODAY,
            worst_left=3,
        ),
        Episode(
            clinic=own,
            patient=other.patient,
            case_number="9999",
            clinician=other.clinician,
            index_side="left",
            opened_on=TODAY,
        ),
    ]
    for row in rows:
        with pytest.raises(ProgrammingError, match="row-level security"), as_tenant(Tenant((own.pk,))):
            row.save(force_insert=True)


def test_a_patients_red_flag_mails_the_staff_unread(own: Clinic, cases: Any) -> None:
    with as_tenant(Tenant((own.pk,), patient=cases[0].patient_id)):
        put(own, None, dedupe_key="to staff", to_email="physio@example.org")
        assert not OutboxMessage.objects.filter(dedupe_key="to staff").exists()
    assert OutboxMessage.objects.filter(dedupe_key="to staff", clinic=own).exists()


def test_the_platform_sees_every_outbox_and_no_record(cases: Any) -> None:
    with as_tenant(Tenant(platform=True)):
        seen = {table for table, model in PROTECTED.items() if ids(model)}
        assert seen == OF_THE_PLATFORM | {"patients_erasure", "clinic_rowattempt"}
        assert OutboxMessage.objects.count() == 3


def test_an_operator_reads_an_opened_clinic_and_writes_nothing(own: Clinic, cases: Any) -> None:
    """Every table of records; tokens, codes and invitations are none, and what is put away stays put away."""
    Exercise.objects.create(slug="global", name="Global", kind="strength")
    secrets = {f"patients_{name}" for name in ("invitation", "logincode", "devicetoken")}
    secrets |= {"clinic_stafftoken", "clinic_apicreation"}
    closed = {f"patients_{name}" for name in ("erasure", "restrictedrecord", "privacyevent")}
    other = {f"clinic_{name}" for name in ("outboxmessage", "breakglass", "rowattempt", "auditentry")}
    opened = Tenant(platform=True, reads=(own.pk,))
    for table, model in PROTECTED.items():
        if table in other | closed | secrets | WITHOUT_CLINIC:
            continue
        rows: Any = model._base_manager
        expected = set(rows.filter(clinic=own).values_list("pk", flat=True))
        with as_tenant(opened):
            assert set(rows.filter(clinic=own).values_list("pk", flat=True)) == expected != set(), table
            if table not in OF_THE_PLATFORM:
                assert not rows.exclude(clinic=own).exclude(clinic=None).exists(), table
            assert rows.filter(clinic=own).update(clinic=own) == 0, table
            assert rows.filter(clinic=own)._raw_delete("default") == 0, table
    with pytest.raises(ProgrammingError, match="row-level security"), as_tenant(opened):
        programs.ContactLog.objects.create(
            clinic=own, episode=cases[0], kind="call", at=NOW, by=cases[0].clinician
        )


def test_only_the_platform_writes_the_starter_library(own: Clinic) -> None:
    with as_tenant(Tenant(platform=True)):
        make_template(clinic=None, stages=1)
    with pytest.raises(ProgrammingError, match="row-level security"), as_tenant(Tenant((own.pk,))):
        Exercise.objects.create(clinic=None, slug="mine", name="Mine", kind="strength")
    with as_tenant(Tenant((own.pk,))):
        assert Exercise.objects.filter(clinic=None).update(name="Changed") == 0
        assert programs.Dose.objects.all()._raw_delete("default") == 0
    assert programs.Dose.objects.count() == 1


def test_a_patient_sees_the_logins_of_the_staff_and_their_own(own: Clinic, cases: Any) -> None:
    robin = cases[0].patient
    staff = set(User.objects.filter(memberships__clinic=own).values_list("pk", flat=True))
    with as_tenant(Tenant((own.pk,), patient=robin.pk)):
        assert ids(User) == staff | {robin.user_id}


def test_a_login_alone_sees_itself_and_changes_itself_only(own: Clinic, cases: Any) -> None:
    physio, colleague = cases[0].clinician, cases[1].clinician
    with as_tenant(Tenant(user=physio.pk)):
        assert {table for table, model in PROTECTED.items() if ids(model)} == {"clinic_user"}
        assert User.objects.update(name="Changed") == 1
    with (
        pytest.raises(ProgrammingError, match='row-level security policy for table "clinic_user"'),
        as_tenant(Tenant((own.pk,), user=physio.pk)),
    ):
        User.objects.filter(pk=colleague.pk).update(password="taken")
    assert User.objects.filter(name="Changed").get() == physio
    assert User.objects.get(pk=colleague.pk).password == colleague.password


def test_nobody_makes_a_login_past_its_function(own: Clinic, cases: Any) -> None:
    for tenant in (NOBODY, Tenant((own.pk,), user=cases[0].clinician_id)):
        with pytest.raises(ProgrammingError, match="row-level security"), as_tenant(tenant):
            User.objects.create_superuser("mallory@example.org", "a password")
    assert not User.objects.filter(email="mallory@example.org").exists()


def test_the_admins_log_is_shown_to_who_wrote_it_only(own: Clinic, cases: Any) -> None:
    physio, colleague = cases[0].clinician, cases[1].clinician
    with as_tenant(Tenant((own.pk,), user=physio.pk)):
        LogEntry.objects.log_actions(physio.pk, [cases[0].patient], CHANGE)
        assert LogEntry.objects.count() == 1
    for tenant in (NOBODY, Tenant((own.pk,), user=colleague.pk), Tenant(platform=True)):
        with as_tenant(tenant):
            assert not LogEntry.objects.exists()


def test_names_that_the_admins_log_held_went_with_a_migration(cases: Any) -> None:
    LogEntry.objects.log_actions(cases[0].clinician_id, [cases[0].patient], CHANGE)
    forget = import_module("clinic.migrations.0009_admin_log").Migration.operations[0]
    with connection.cursor() as cursor:
        cursor.execute(forget.sql)
    assert not LogEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_even_who_may_insert_into_the_trail_does_it_for_their_clinic_only() -> None:
    """The application may not; this is the second lock."""
    own, other = make_clinic(name="Own"), make_clinic(name="Other")
    entry = (
        "INSERT INTO clinic_auditentry (clinic_id, who, route, action, table_name, row_id, why, patients)"
        " VALUES (%s, '', '', 'insert', 'patients_episode', '1', '', '{}')"
    )
    with owner() as database:
        database.execute("GRANT INSERT ON clinic_auditentry TO PUBLIC")
    try:
        with as_tenant(Tenant((own.pk,))), connection.cursor() as cursor:
            cursor.execute(entry, [own.pk])
        with (
            pytest.raises(ProgrammingError, match="row-level security policy"),
            as_tenant(Tenant((own.pk,))),
            connection.cursor() as cursor,
        ):
            cursor.execute(entry, [other.pk])
    finally:
        with owner() as database:
            database.execute("REVOKE INSERT ON clinic_auditentry FROM PUBLIC")


def test_every_table_is_protected_or_exempt_with_a_reason(db: None) -> None:
    assert protected_tables(["default"]) == []
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    assert tables - set(EXEMPT) - OF_ONE_USER == set(PROTECTED) | {"django_admin_log"}
    assert all(len(reason) > 20 for reason in EXEMPT.values())


LEAKS = {
    "ALTER TABLE programs_digest NO FORCE ROW LEVEL SECURITY": (
        "ALTER TABLE programs_digest FORCE ROW LEVEL SECURITY"
    ),
    "ALTER TABLE programs_digest DISABLE ROW LEVEL SECURITY": (
        "ALTER TABLE programs_digest ENABLE ROW LEVEL SECURITY"
    ),
    "CREATE POLICY all_see ON programs_digest USING (true)": "DROP POLICY all_see ON programs_digest",
    "ALTER POLICY migration ON programs_digest TO PUBLIC": (
        "ALTER POLICY migration ON programs_digest TO CURRENT_USER"
    ),
    "CREATE VIEW programs_digest_view AS TABLE programs_digest": "DROP VIEW programs_digest_view",
    "CREATE MATERIALIZED VIEW programs_digest_view AS TABLE programs_digest": (
        "DROP MATERIALIZED VIEW programs_digest_view"
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("leak", LEAKS)
def test_a_table_or_view_that_leaks_stops_the_start(leak: str) -> None:
    with owner() as database:
        database.execute(leak.encode())
        try:
            found = [error.msg for error in protected_tables(["default"])]
        finally:
            database.execute(LEAKS[leak].encode())
    assert len(found) == 1
    assert found[0].startswith("programs_digest")
    assert protected_tables(["default"]) == []


@pytest.mark.django_db(transaction=True)
def test_a_view_that_asks_as_its_reader_is_fine() -> None:
    with owner() as database:
        database.execute("CREATE VIEW asks WITH (security_invoker = true) AS TABLE programs_digest")
        try:
            assert protected_tables(["default"]) == []
        finally:
            database.execute("DROP VIEW asks")


@pytest.mark.django_db(transaction=True)
def test_the_owner_is_bound_too_and_migrates_every_row() -> None:
    """By policy, not by bypassing: a data migration sees every row."""
    make_case()
    with owner() as database:
        assert database.execute("SELECT row_security_active('patients_episode')").fetchone() == (True,)
        assert database.execute("SELECT count(*) FROM patients_episode").fetchone() == (1,)
        assert database.execute("UPDATE patients_episode SET case_number = 'moved'").rowcount == 1


def owner() -> psycopg.Connection[Any]:
    """As the role that migrates, in this test's database."""
    url = urlsplit(os.environ["DATABASE_OWNER_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return psycopg.connect(urlunsplit(url), autocommit=True)
