"""Twelve weeks of the demo clinic: everything that happens, sorted by time, and done through the services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from clinic.models import Clinic, OutboxMessage
from clinic.row_security import Tenant, acting_for
from patients.services import issue_invitation
from programs.demo.cases import SimulatedCase
from programs.demo.cast import cast
from programs.demo.courses import Act, Course, Paused, stopped, within
from programs.demo.library import change_own_copy, make_own_copy
from programs.demo.staff import ZONE, Staff, found, go_away, new_password, write_logins
from programs.models import Digest
from programs.services import access, checkins, digests, red_flags, reviews, watches

REVIEW_AT = time(0, 10)
DIGEST_AT = time(7, 0)
NOON = time(12, 0)
ASK_AT = time(18, 1)
ASK_ABROAD_AT = time(23, 1)
INTAKE_AT = time(9, 0)
MINUTES_A_VISIT = 5
SCORE_AT = time(14, 0)
ACT_AT = time(15, 0)
GATE_AT = time(16, 0)
LOOK_AT = time(16, 30)
TELL_AT = time(7, 45)
TELL_TODAY_AT = time(18, 30)
GATE_DAYS = (9, 16, 38, 45, 66, 73)
"""Days of a course on which the physio looks whether the next stage is open."""

DAILY_REVIEWS = 10
"""For so many days back the cases are reviewed every day, as in real use; before that on Mondays only, ahead
of the digest, to load in reasonable time. An old alert may so have opened up to 6 days late."""

WORKING_DAYS = 5

OWN_COPY_MADE, OWN_COPY_CHANGED = 70, 33
ABSENCE_PLANNED = 2
"""Days ago."""

Happen = Callable[[datetime], object]
Report = Callable[[int, int], object]


@dataclass(order=True)
class Event:
    at: datetime
    order: int
    happen: Happen = field(compare=False)


@dataclass(frozen=True, slots=True)
class Loaded:
    clinic: Clinic
    cases: Sequence[SimulatedCase]


@transaction.atomic
def load(
    *,
    seed: int,
    today: date,
    courses: Sequence[Course] | None = None,
    report: Report = lambda done, of: None,
) -> Loaded:
    """Write the demo clinic, all of it or nothing. It ends just after midnight of ``today``, clinic time.

    The same seed and day give the same rows; only ids, passwords and tokens differ. The logins are written to
    ``logins_file()``. ``report`` is told how many of how many events are done.

    Raises:
        ValidationError: the clinic, or someone with one of the demo's addresses, exists already.
    """
    password = new_password()
    clinic, staff = found(password=password, now=datetime.combine(today, time(), ZoneInfo(ZONE)))
    with acting_for(Tenant((clinic.pk,))):
        simulated = _simulate(clinic, staff, seed, today, cast(seed) if courses is None else courses, report)
        _deliver(clinic, today)
        _hand_over(password, simulated)
    return Loaded(clinic, simulated)


def _simulate(
    clinic: Clinic, staff: Staff, seed: int, today: date, courses: Sequence[Course], report: Report
) -> list[SimulatedCase]:
    simulated = [
        SimulatedCase(
            course=course,
            clinic=clinic,
            staff=staff,
            today=today,
            started_on=working_day_before(today - timedelta(days=course.start)),
            random=Random(f"{seed}:{course.number}"),  # noqa: S311 - invented courses, no secret
        )
        for course in courses
    ]
    events = sorted(_events(clinic, staff, simulated, today))
    for done, event in enumerate(events, 1):
        event.happen(event.at)
        report(done, len(events))
    return simulated


def working_day_before(day: date) -> date:
    """The day itself, or the Friday before a weekend."""
    return day - timedelta(days=max(0, day.isoweekday() - WORKING_DAYS))


def working_day_after(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=(8 - day.isoweekday()) if day.isoweekday() > WORKING_DAYS else 0)


def _events(clinic: Clinic, staff: Staff, simulated: Sequence[SimulatedCase], today: date) -> Iterator[Event]:
    end = _at(today, REVIEW_AT)
    first = min(case.started_on for case in simulated)
    order = 0
    of_cases = (event for case in simulated for event in _of_case(case))
    for at, happen in [*_of_clinic(clinic, staff, today), *_sweeps(clinic, first, today), *of_cases]:
        if at <= end:
            yield Event(at.astimezone(UTC), order, happen)
            order += 1


def _of_clinic(clinic: Clinic, staff: Staff, today: date) -> Iterator[tuple[datetime, Happen]]:
    """What the clinic does apart from its cases."""
    by = staff.physios[0]
    yield _at(today - timedelta(days=OWN_COPY_MADE), ACT_AT), lambda now: make_own_copy(clinic, by=by)
    yield (
        _at(today - timedelta(days=OWN_COPY_CHANGED), ACT_AT),
        lambda now: change_own_copy(clinic, by=by, now=now),
    )
    yield _at(today - timedelta(days=ABSENCE_PLANNED), ACT_AT), lambda now: go_away(staff, clinic, now=now)


def _sweeps(clinic: Clinic, first: date, today: date) -> Iterator[tuple[datetime, Happen]]:
    """What beat wakes up, as often as it makes a difference."""
    for number in range((today - first).days + 1):
        on = first + timedelta(days=number)
        if on.isoweekday() == 1 or (today - on).days <= DAILY_REVIEWS:
            yield _at(on, REVIEW_AT), lambda now: reviews.review_due(now=now)
        if on.isoweekday() == 1:
            yield _at(on, DIGEST_AT), lambda now: digests.send_due(now=now, clinic=clinic)
        yield _at(on, NOON), lambda now: red_flags.escalate_due(now=now)
        yield _at(on, ASK_AT), _ask
        yield _at(on, ASK_ABROAD_AT), lambda now: checkins.ask_due(now=now)


def _ask(now: datetime) -> None:
    checkins.mark_missed(now=now)
    checkins.ask_due(now=now)
    watches.ask_due(now=now)
    checkins.remind_due(now=now)
    red_flags.escalate_due(now=now)


def _of_case(case: SimulatedCase) -> Iterator[tuple[datetime, Happen]]:
    visit = _at(case.started_on, INTAKE_AT) + timedelta(minutes=MINUTES_A_VISIT * case.course.number)
    yield visit, case.take_in
    if case.course.accepts:
        yield visit + timedelta(hours=6), case.accept
    if case.course.template is not None:
        yield from _reports(case)
    for act in case.course.acts:
        yield _at(_day_of(act, case), ACT_AT), partial(case.act, act)
    for ago, _ in case.course.akps:
        if ago != case.course.start:
            on = working_day_after(case.today - timedelta(days=ago))
            yield _at(on, SCORE_AT), partial(case.rescore, ago)
    if case.course.progresses:
        yield from _looks_at_the_gate(case)
    yield _at(_last_look(case), LOOK_AT), case.look


def _reports(case: SimulatedCase) -> Iterator[tuple[datetime, Happen]]:
    """The patient's diary; sessions and runs are told on the morning after, yesterday's in the evening."""
    written = case.diary()
    for answer in written.answers:
        yield case.at(answer.on, answer.at), partial(case.answer, answer)
    for session in written.sessions:
        yield _told_at(case, session.on), partial(case.exercise, session)
    for run in written.runs:
        yield _told_at(case, run.on), partial(case.run, run)


def _told_at(case: SimulatedCase, on: date) -> datetime:
    next_day = on + timedelta(days=1)
    return case.at(next_day, TELL_AT) if next_day < case.today else case.at(on, TELL_TODAY_AT)


def _looks_at_the_gate(case: SimulatedCase) -> Iterator[tuple[datetime, Happen]]:
    for number in GATE_DAYS:
        on = working_day_after(case.started_on + timedelta(days=number))
        if on < case.today and not within(stopped(case.course), (case.today - on).days):
            yield _at(on, GATE_AT), case.progress


def _last_look(case: SimulatedCase) -> date:
    """Each case is opened once in a week of work, one after the other: of some nothing is new."""
    on = working_day_before(case.today - timedelta(days=1 + case.course.number % WORKING_DAYS))
    return max(on, case.started_on)


def _day_of(act: Act, case: SimulatedCase) -> date:
    """A pause begins on its day; what staff do is done on a working day."""
    day = case.today - timedelta(days=act.ago)
    return day if isinstance(act, Paused) else working_day_after(day)


def _at(on: date, clock: time) -> datetime:
    """A local time of the clinic."""
    return datetime.combine(on, clock, tzinfo=ZoneInfo(ZONE))


def _deliver(clinic: Clinic, today: date) -> None:
    """E-mails of the simulated past count as sent when they were written; nobody gets them now.

    The digests of the present week stay in the outbox: they go out, so that there is one to look at.
    """
    year, week, _ = today.isocalendar()
    current = Digest.objects.filter(clinic=clinic, iso_year=year, iso_week=week).values("message")
    messages = OutboxMessage.objects.filter(clinic=clinic)
    messages.update(created_at=F("next_attempt_at"))
    messages.filter(state=OutboxMessage.State.PENDING).exclude(pk__in=current).update(
        state=OutboxMessage.State.SENT, sent_at=F("next_attempt_at"), attempts=1, secret=None
    )


def _hand_over(password: str, simulated: Sequence[SimulatedCase]) -> None:
    """Write the logins, with a device of the last patient who has an account and a program."""
    users = [case for case in simulated if case.course.accepts and case.program is not None]
    patient = users[-1].patient
    _, token = issue_invitation(patient=patient, by=users[-1].physio, now=timezone.now())
    device = access.sign_in_by_invitation(token=token, device_name="Demo phone", now=timezone.now())
    write_logins(password=password, patient=patient.full_name, token=device.token)
