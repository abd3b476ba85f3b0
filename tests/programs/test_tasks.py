"""What beat wakes up: every task of the schedule exists, takes nothing, and records its run."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from clinic.models import OutboxMessage, SweepRun
from config.celery import app
from patients.models import Erasure, LoginCode
from programs import tasks
from programs.models import CheckInRequest
from programs.services import checkins
from tests.factories import make_case, make_clinic, make_patient, make_program

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)

app.loader.import_default_modules()  # as a worker does when it starts


@pytest.mark.parametrize("name", sorted(settings.BEAT_INTERVALS))
def test_each_task_of_the_schedule_runs_on_an_empty_service_and_is_recorded(
    name: str, smtp_sink: Any
) -> None:
    before = timezone.now()
    app.tasks[name].run()

    run = SweepRun.objects.get(name=name.rpartition(".")[2])
    assert run.succeeded_at is not None
    assert before <= run.started_at <= run.succeeded_at <= timezone.now() + timedelta(seconds=1)
    assert run.error == ""
    assert not any(run.result.values())  # nothing to report
    assert run.result  # and says so


def test_the_worker_knows_no_other_sweep() -> None:
    ours = {name for name in app.tasks if name.startswith(("programs.", "clinic.", "patients."))}

    assert ours == set(settings.BEAT_INTERVALS)


def test_a_tasks_time_limit_ends_before_the_broker_hands_it_out_again() -> None:
    visible_again = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]

    assert settings.CELERY_TASK_SOFT_TIME_LIMIT < settings.CELERY_TASK_TIME_LIMIT < visible_again
    assert settings.SEND_LEASE_SECONDS < settings.CELERY_TASK_SOFT_TIME_LIMIT


def test_from_the_question_to_the_mailbox(smtp_sink: Any) -> None:
    program = make_program(make_case())
    now = timezone.now()
    checkins.schedule_next(program=program, now=now - timedelta(days=8))
    tasks.ask_check_ins()
    tasks.send_outbox()

    request = CheckInRequest.objects.get(state=CheckInRequest.State.OPEN)
    [mail] = smtp_sink.to(program.episode.patient.email)
    assert f"/check-ins/{request.pk}" in mail.get_body(("plain",)).get_content()
    assert SweepRun.objects.get(name="ask_check_ins").result == {"asked": 1}
    assert SweepRun.objects.get(name="send_outbox").result["sent"] == 1
    assert OutboxMessage.objects.get().state == OutboxMessage.State.SENT


def test_the_sweep_of_what_is_past_its_time_forgets_expired_codes() -> None:
    patient, now = make_patient(), timezone.now()
    LoginCode.objects.create(clinic=patient.clinic, patient=patient, code_hash="-", expires_at=now)

    tasks.mark_missed()

    assert not LoginCode.objects.exists()
    assert SweepRun.objects.get(name="mark_missed").result == {"missed": 0, "expired_deleted": 1}


def test_a_ledger_that_can_not_be_written_is_told_and_keeps_nothing_from_being_forgotten(
    settings: Any, tmp_path: Path
) -> None:
    now = timezone.now()
    clinic = make_clinic()
    Erasure.objects.create(clinic=clinic, patient_key=uuid4(), erased_at=now, keep_until=now.date() - DAY)
    (tmp_path / "file").touch()
    settings.ERASURE_LEDGER = tmp_path / "file" / "erasures.jsonl"
    with pytest.raises(FileExistsError):
        tasks.keep_ledger()
    tasks.apply_retention()

    assert "FileExistsError" in SweepRun.objects.get(name="keep_ledger").error
    assert SweepRun.objects.get(name="apply_retention").result["records_purged"] == 1


def test_a_ledger_that_says_all_is_not_written_again(settings: Any, tmp_path: Path) -> None:
    settings.ERASURE_LEDGER = tmp_path / "erasures.jsonl"
    now = timezone.now()
    Erasure.objects.create(clinic=make_clinic(), patient_key=uuid4(), erased_at=now, keep_until=now.date())
    tasks.keep_ledger()
    written = settings.ERASURE_LEDGER.stat().st_ino
    tasks.keep_ledger()
    assert settings.ERASURE_LEDGER.stat().st_ino == written


def test_what_is_over_its_term_is_looked_for_once_an_hour_and_the_ledger_kept_at_every_sweep() -> None:
    seconds = {name.rpartition(".")[2]: every for name, every in settings.BEAT_INTERVALS.items()}
    assert seconds["apply_retention"] == seconds["forget_sign_ins"] == 3600
    assert seconds["keep_ledger"] == settings.SWEEP_SECONDS


def test_a_sweep_that_breaks_is_recorded_as_broken(settings: Any, free_port: Any) -> None:
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": free_port(), "timeout": 5},
        }
    }
    program = make_program(make_case())
    checkins.schedule_next(program=program, now=timezone.now() - timedelta(days=8))
    tasks.ask_check_ins()
    with pytest.raises(Exception, match="mail server"):
        tasks.send_outbox()

    run = SweepRun.objects.get(name="send_outbox")
    assert "refused" in run.error
    assert run.succeeded_at is None
