"""What a pause does to the clock and the check-ins, said before it is confirmed. It changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from programs.models import Answer, Pause, Program
from programs.rules.schedule import local_date
from programs.services import gates
from programs.services.checkins import check_in_plan
from programs.services.plan import check_active, check_pause

DAY = timedelta(days=1)
DAYS_PER_WEEK = 7


@dataclass(frozen=True, slots=True)
class PausePreview:
    """The effect of a pause.

    Attributes:
        days: how many days it takes off the clock in all; None while its end is open.
        past_days: those of them that are over already.
        week_now: whole unpaused weeks on the clock today.
        week_then: the same with this pause.
        check_ins: check-ins that will not be asked for; None while its end is open.
        answers: days inside it that were answered already: kept, and left out of what is judged.
        paused_in_all: paused days of the clock up to today, with this pause.
        asks_to_restart: so many that "restart or discharge?" is listed.
    """

    days: int | None
    past_days: int
    week_now: int
    week_then: int
    check_ins: int | None
    answers: int
    paused_in_all: int
    asks_to_restart: bool

    @property
    def lines(self) -> tuple[str, ...]:
        """In words."""
        length = "until the first day back" if self.days is None else _count(self.days, "day")
        clock = f"The clock stands still {'' if self.days is None else 'for '}{length}."
        if self.past_days:
            clock += f" {_count(self.past_days, 'day')} of it {'is' if self.past_days == 1 else 'are'} over: "
            clock += f"week {self.week_now} becomes week {self.week_then}."
        else:
            clock += f" It goes on with week {self.week_then} on the first day back."
        asked = "No check-in is asked for" if self.check_ins is None else _asked(self.check_ins)
        found = [clock, f"{asked}, and none of these days counts as missed."]
        if self.answers:
            found.append(
                f"{_count(self.answers, 'answered day')} inside it stay on record and are not judged."
            )
        if self.asks_to_restart:
            found.append(
                f"{self.paused_in_all} paused days by now: the next review lists 'restart or discharge?'."
            )
        return tuple(found)


def preview_pause(
    *,
    program: Program,
    kind: str,
    starts_on: date,
    ends_on: date | None,
    now: datetime,
    changed: Pause | None = None,
) -> PausePreview:
    """What the pause would do; ``changed`` is the one whose dates these replace.

    Raises:
        PlanError: there can be no such pause.
    """
    check_active(program)
    check_pause(program=program, kind=kind, starts_on=starts_on, ends_on=ends_on, now=now, changed=changed)
    today = local_date(now, program.episode.patient.timezone)
    others = [pause for pause in program.pauses.all() if pause != changed]
    holds = list(program.holds.all())
    before = gates.paused_days(program, program.pauses.all(), holds, today)
    without = gates.paused_days(program, others, holds, today)
    over = _days(starts_on, min(ends_on or today + DAY, today + DAY))
    clock = clock_started_on(program)
    then = {day for day in without | over if day >= clock}
    answers = Answer.objects.current().filter(episode=program.episode_id, local_date__in=over)
    return PausePreview(
        days=None if ends_on is None else (ends_on - starts_on).days,
        past_days=len(over - without - {today}),
        week_now=_week(clock, today, before),
        week_then=_week(clock, today, then),
        check_ins=None if ends_on is None else _check_ins(program, max(starts_on, today), ends_on),
        answers=answers.values("local_date").distinct().count(),
        paused_in_all=len(then),
        asks_to_restart=len(then) > program.thresholds.max_paused_days,
    )


def clock_started_on(program: Program) -> date:
    """The case's first start, or its one new fair trial."""
    programs = list(program.episode.programs.treating().values_list("started_on", "fair_trial_on"))
    first: date = min(started for started, _ in programs)
    return max((trial for _, trial in programs if trial is not None), default=first)


def _week(clock: date, today: date, paused: set[date] | frozenset[date]) -> int:
    days = _days(clock, today) - set(paused)
    return len(days) // DAYS_PER_WEEK


def _check_ins(program: Program, first: date, end: date) -> int:
    """How many are asked for in these days: by whole weeks, as a pause may be long."""
    plan = check_in_plan(program)
    weeks, rest = divmod(max((end - first).days, 0), DAYS_PER_WEEK)
    each_week = DAYS_PER_WEEK if plan.daily else len(set(plan.weekdays))
    return weeks * each_week + sum(plan.asks_on(first + number * DAY) for number in range(rest))


def _days(first: date, end: date) -> set[date]:
    return {first + number * DAY for number in range(max((end - first).days, 0))}


def _asked(number: int) -> str:
    return f"{_count(number, 'check-in')} {'is' if number == 1 else 'are'} not asked for"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
