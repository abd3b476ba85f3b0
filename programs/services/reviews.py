"""The daily review: rows to facts, the stall rule, its verdict as a row, and what follows for the alerts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import batched, groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from django.db import transaction
from django.db.models import Q, QuerySet

from clinic import attempts
from clinic.errors import FieldError
from clinic.models import Clinic
from clinic.thresholds import as_json
from programs.models import Program, Review
from programs.rules import stall
from programs.rules.schedule import local_date
from programs.services import facts, review_alerts, standing
from programs.services.deadline import SWEEP_LIMIT, Deadline
from programs.services.facts import Case

logger = logging.getLogger(__name__)

SWEEP = "review_cases"
BATCH = 200
FURTHEST_ZONE = timedelta(hours=14)

LOCKED = ("self", "episode")
"""While a case is judged nobody changes it; what a patient sends in meanwhile may refer to it."""

VERDICT_FIELDS = (
    *("week", "state", "trend", "reason", "action", "baseline", "now"),
    *("sessions_done", "sessions_due", "verdict", "thresholds", "reviewed_at"),
)


class ReviewSweepError(Exception):
    """Some cases could not be reviewed (a broken setting, say); all the others were."""


class ReviewError(FieldError):
    """The review cannot be made as of that day."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A case and what the rule says of it."""

    case: Case
    verdict: stall.Verdict

    def as_json(self) -> dict[str, Any]:
        """One line of ``review_cases --json``."""
        found = stall.to_json(self.verdict)
        notes = [{"topic": "load_review", "text": note} for note in self.case.notes]
        found["evidence"] = [*(found["evidence"] or []), *notes] or None
        return {"case": self.case.program.episode.case_number, **found}


def review_due(*, now: datetime, batch: int = BATCH, limit: timedelta = SWEEP_LIMIT) -> dict[str, int]:
    """Review every awake program whose review day has come in the patient's zone; counts of what was done.

    Two sweeps at once do the same as one: each takes what the other has not locked. After ``limit`` the
    other programs wait for the next sweep.

    Raises:
        ReviewSweepError: a case could not be reviewed; raised after all the others were.
    """
    counts, failed, last, deadline = Counter[str](reviewed=0), list[int](), 0, Deadline(limit)
    while due := _due(now, last, batch):
        in_trouble = attempts.in_trouble(SWEEP, due)
        counts.update(_together([pk for pk in due if pk not in in_trouble], now, failed, deadline))
        counts.update(_each(sorted(in_trouble), now, failed, deadline))
        last = due[-1]
        if deadline.has_passed:
            break
    if failed:
        raise ReviewSweepError(f"{len(failed)} cases could not be reviewed, the first is program {failed[0]}")
    return dict(counts)


def review_as_of(
    *,
    on: date,
    now: datetime,
    clinic: Clinic | None = None,
    dry_run: bool = False,
    report: Callable[[int], object] = lambda done: None,
) -> list[Reviewed]:
    """Review every program that ran on that day, sleeping ones too, as of the day; by case number.

    Unless ``dry_run``, all verdicts are stored, or none; alerts follow for programs that are awake.
    ``report`` is told how many cases each chunk had.

    Raises:
        ReviewError: the day lies ahead, or a case has a newer review (a dry run may do both).
    """
    running = running_on(on, clinic)
    programs = _with_case(running).order_by("episode__case_number", "pk")
    reviewed: list[Reviewed] = []
    with transaction.atomic():
        if not dry_run:
            programs = programs.select_for_update(of=LOCKED, no_key=True)
            # Evaluated, and so locked, before the check: a review made meanwhile must be seen.
            len(programs)
            _check_newest(running, on, now)
        for chunk in batched(programs, BATCH, strict=False):
            found = _judge(chunk, {program.pk: on for program in chunk})
            if not dry_run:
                _store(found, now)
                review_alerts.apply([(r.case, r.verdict) for r in found if _alerts(r.case.program)], now=now)
            reviewed += found
            report(len(chunk))
    return reviewed


def running_on(on: date, clinic: Clinic | None = None) -> QuerySet[Program]:
    """Programs under way on that day: of one clinic, or of every active one."""
    programs = Program.objects.filter(Q(ended_on=None) | Q(ended_on__gt=on), started_on__lte=on)
    return programs.filter(clinic=clinic) if clinic else programs.filter(clinic__is_active=True)


def _check_newest(programs: QuerySet[Program], on: date, now: datetime) -> None:
    if on > (now + FURTHEST_ZONE).date():
        raise ReviewError("on", f"{on} lies ahead: what is still to come can only be a dry run.")
    newer = Review.objects.filter(program__in=programs, day__gt=on).order_by("-day")
    if latest := newer.select_related("episode").first():
        cases = newer.values("episode").distinct().count()
        raise ReviewError(
            "on",
            f"{cases} cases have a review newer than {on} (the newest, of {latest.day}: "
            f"case {latest.episode.case_number}); only a dry run may look back.",
        )


def _due(now: datetime, last: int, batch: int) -> list[int]:
    """Ids above ``last`` whose review day has come where the patient lives."""
    latest = (now + FURTHEST_ZONE).date()
    awake = Program.objects.awake().filter(Q(next_review_on=None) | Q(next_review_on__lte=latest))
    programs = attempts.to_try(SWEEP, awake, now)
    zones = programs.order_by().values_list("episode__patient__timezone", flat=True).distinct()
    local = sorted((_day_in(zone, now) or latest, zone) for zone in zones)
    come = Q(next_review_on=None)
    for today, found in groupby(local, key=itemgetter(0)):
        here = [zone for _, zone in found]
        come |= Q(next_review_on__lte=today, episode__patient__timezone__in=here)
    return list(programs.filter(come, pk__gt=last).order_by("pk").values_list("pk", flat=True)[:batch])


def _day_in(zone: str, now: datetime) -> date | None:
    """None for a zone that can't be read: its patient's review then fails by itself, and stops no other."""
    try:
        return local_date(now, zone)
    except (ValueError, ZoneInfoNotFoundError):
        return None


def _together(programs: Sequence[int], now: datetime, failed: list[int], deadline: Deadline) -> Counter[str]:
    """Review them in one transaction; if that fails, each by itself: one case does not stop the others.

    Whoever was among them when a worker died is in trouble, and comes alone the next time.
    """
    begun = attempts.begin(sweep=SWEEP, model=Program, keys=programs, now=now) if programs else []
    try:
        with transaction.atomic():
            counts = _review(begun, now)
            attempts.end(sweep=SWEEP, keys=begun)
    except Exception:
        logger.exception("a batch of %s reviews failed: now one by one", len(begun))
        attempts.end(sweep=SWEEP, keys=begun)
        return _each(begun, now, failed, deadline)
    return counts


def _each(programs: Sequence[int], now: datetime, failed: list[int], deadline: Deadline) -> Counter[str]:
    counts = Counter[str]()
    for pk in programs:
        work = partial(_review, [pk], now)
        try:
            found = attempts.attempt(sweep=SWEEP, model=Program, key=pk, now=now, work=work)
        except Exception:
            logger.exception("program %s could not be reviewed", pk)
            failed.append(pk)
        else:
            counts.update(found or {})
        if deadline.has_passed:
            break
    return counts


def _review(pks: Sequence[int], now: datetime) -> Counter[str]:
    """Review what no other sweep, and nobody who changes the case, holds at this moment."""
    free = Program.objects.awake().filter(pk__in=pks)
    locked = _with_case(free).select_for_update(of=LOCKED, skip_locked=True, no_key=True)
    programs = locked.order_by("pk")
    days = {program.pk: local_date(now, program.episode.patient.timezone) for program in programs}
    due = [p for p in programs if p.next_review_on is None or p.next_review_on <= days[p.pk]]
    if not due:
        return Counter()
    found = _judge(due, days)
    _store(found, now)
    for day in set(days.values()):
        today = [program.pk for program in due if days[program.pk] == day]
        Program.objects.filter(pk__in=today).update(next_review_on=day + timedelta(days=1))
    counts = review_alerts.apply([(r.case, r.verdict) for r in found if _alerts(r.case.program)], now=now)
    return counts + Counter(reviewed=len(found))


def _with_case(programs: QuerySet[Program]) -> QuerySet[Program]:
    return programs.select_related("episode__patient", "episode__clinic__policy")


def _judge(programs: Sequence[Program], days: dict[int, date]) -> list[Reviewed]:
    return [
        Reviewed(case, stall.review(case.facts, case.on, case.thresholds))
        for case in facts.load(programs, days)
    ]


def _alerts(program: Program) -> bool:
    """Whether alerts are for this case: it is treated now, and was woken if it was imported."""
    return program.is_active and not program.asleep and program.episode.is_open


def _store(found: Sequence[Reviewed], now: datetime) -> None:
    """One row a program and day: a second review of the day takes the place of the first."""
    Review.objects.bulk_create(
        [_row(reviewed, now) for reviewed in found],
        update_conflicts=True,
        unique_fields=["program", "day"],
        update_fields=VERDICT_FIELDS,
    )
    standing.keep([(reviewed.case, reviewed.verdict) for reviewed in found])


def _row(reviewed: Reviewed, now: datetime) -> Review:
    program, verdict = reviewed.case.program, reviewed.verdict
    adherence = standing.adherence(reviewed.case)
    return Review(
        clinic_id=program.clinic_id,
        episode_id=program.episode_id,
        program=program,
        day=verdict.on,
        week=verdict.week,
        state=verdict.state.value,
        trend=verdict.trend.value if verdict.trend else "",
        reason=verdict.reason.code.value if verdict.reason else "",
        action=verdict.action or "",
        baseline=verdict.baseline.value if verdict.baseline else None,
        now=verdict.now.judged,
        sessions_done=adherence.sessions,
        sessions_due=adherence.due,
        verdict={
            **reviewed.as_json(),
            "summary": verdict.summary,
            "pain_not_reported": verdict.pain_not_reported,
        },
        thresholds=as_json(verdict.thresholds),
        reviewed_at=now,
    )
