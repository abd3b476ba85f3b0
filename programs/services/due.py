"""When a case is looked at next: every change that matters has today's verdict made again."""

from __future__ import annotations

from datetime import datetime

from patients.models import Episode, Patient
from programs.models import Program
from programs.models.plan import ProgramQuerySet
from programs.rules.schedule import local_date


def review_again(*, episode: Episode, now: datetime, patient: Patient | None = None) -> None:
    """Have the next sweep judge the case again today, with what was just reported or decided.

    ``patient`` is the case's, where the caller has it at hand.
    """
    _on_the_day_of(Program.objects.active().filter(episode=episode), patient or episode.patient, now)


def review_patient_again(*, patient: Patient, now: datetime) -> None:
    """The same for each case of the patient: whether they can be reached has changed."""
    _on_the_day_of(Program.objects.active().filter(episode__patient=patient), patient, now)


def review_at_once(*, program: Program) -> None:
    """The same for this program, whatever day it is; a draft is judged by nobody."""
    Program.objects.active().filter(pk=program.pk).update(next_review_on=None)


def _on_the_day_of(programs: ProgramQuerySet, patient: Patient, now: datetime) -> None:
    today = local_date(now, patient.timezone)
    programs.filter(next_review_on__gt=today).update(next_review_on=today)
