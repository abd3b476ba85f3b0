"""What beat wakes up in the clinic's own tables."""

from __future__ import annotations

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from clinic import sweeps
from clinic.accounts.limits import forget_old_tallies
from clinic.audit import chain


@shared_task(name="clinic.tasks.seal_audit")
def seal_audit() -> None:
    with sweeps.record("seal_audit", timezone.now()) as counts:
        counts["sealed"] = chain.seal()


@shared_task(name="clinic.tasks.forget_sign_ins")
def forget_sign_ins() -> None:
    now = timezone.now()
    with sweeps.record("forget_sign_ins", now) as counts:
        SessionStore.clear_expired()
        counts["tallies_deleted"] = forget_old_tallies(now=now)
