"""What beat wakes up in the clinic's own tables."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from clinic import sweeps
from clinic.audit import chain


@shared_task(name="clinic.tasks.seal_audit")
def seal_audit() -> None:
    with sweeps.record("seal_audit", timezone.now()) as counts:
        counts["sealed"] = chain.seal()
