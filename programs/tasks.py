"""What beat wakes up. Each looks for what is due in rows, so a lost or doubled wake-up changes nothing.

Time limits are the settings' (CELERY_TASK_SOFT_TIME_LIMIT): below the broker's visibility timeout.
"""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from clinic import sweeps
from clinic.models import Clinic
from clinic.row_security import Tenant, acting_for
from patients.services import forget_expired
from programs.rules.schedule import local_date
from programs.services import checkins, digests, mail, red_flags, retention, reviews, watches
from programs.services.rounds import each_clinic

MAILS_A_SWEEP = 500


@shared_task(name="programs.tasks.send_outbox")
def send_outbox() -> None:
    now = timezone.now()
    lease = timedelta(seconds=settings.SEND_LEASE_SECONDS)
    # The carrier sees every clinic's e-mails, so that the most urgent goes first, and no record.
    with sweeps.record("send_outbox", now) as counts, acting_for(Tenant(platform=True)):
        counts.update(mail.send_due(now=now, batch=MAILS_A_SWEEP, lease=lease))


@shared_task(name="programs.tasks.ask_check_ins")
def ask_check_ins() -> None:
    now = timezone.now()
    with sweeps.record("ask_check_ins", now) as counts:
        counts["asked"] = 0
        each_clinic(lambda _, left: {"asked": checkins.ask_due(now=now, limit=left)}, counts)


@shared_task(name="programs.tasks.ask_watches")
def ask_watches() -> None:
    now = timezone.now()
    with sweeps.record("ask_watches", now) as counts:
        counts["asked"] = 0
        each_clinic(lambda _, left: {"asked": watches.ask_due(now=now, limit=left)}, counts)


@shared_task(name="programs.tasks.remind_check_ins")
def remind_check_ins() -> None:
    now = timezone.now()
    with sweeps.record("remind_check_ins", now) as counts:
        counts["reminded"] = 0
        each_clinic(lambda _, left: {"reminded": checkins.remind_due(now=now, limit=left)}, counts)


@shared_task(name="programs.tasks.mark_missed")
def mark_missed() -> None:
    now = timezone.now()

    def sweep(clinic: Clinic, left: timedelta) -> dict[str, int]:
        return {"missed": checkins.mark_missed(now=now), "expired_deleted": forget_expired(now=now)}

    with sweeps.record("mark_missed", now) as counts:
        counts["missed"] = 0
        each_clinic(sweep, counts)


@shared_task(name="programs.tasks.apply_retention")
def apply_retention() -> None:
    now = timezone.now()

    def sweep(clinic: Clinic, left: timedelta) -> dict[str, int]:
        return retention.forget_of_clinic(now=now, today=local_date(now, clinic.timezone))

    with sweeps.record("apply_retention", now) as counts:
        with acting_for(Tenant(platform=True)):
            counts.update(retention.forget_of_platform(now=now))
        each_clinic(sweep, counts)


@shared_task(name="programs.tasks.keep_ledger")
def keep_ledger() -> None:
    """By itself: a file that can't be written keeps nothing from being forgotten, and is told."""
    now = timezone.now()
    with sweeps.record("keep_ledger", now) as counts, acting_for(Tenant(platform=True)):
        counts["erasures"] = retention.write_ledger(settings.ERASURE_LEDGER)


@shared_task(name="programs.tasks.review_cases")
def review_cases() -> None:
    now = timezone.now()
    with sweeps.record("review_cases", now) as counts:
        counts["reviewed"] = 0
        each_clinic(lambda _, left: reviews.review_due(now=now, limit=left), counts)


@shared_task(name="programs.tasks.send_digests")
def send_digests() -> None:
    now = timezone.now()
    with sweeps.record("send_digests", now) as counts:
        counts["written"] = 0
        each_clinic(lambda clinic, left: digests.send_due(now=now, clinic=clinic, limit=left), counts)


@shared_task(name="programs.tasks.escalate_red_flags")
def escalate_red_flags() -> None:
    now = timezone.now()
    with sweeps.record("escalate_red_flags", now) as counts:
        counts["escalated"] = 0
        each_clinic(lambda _, left: {"escalated": red_flags.escalate_due(now=now, limit=left)}, counts)
