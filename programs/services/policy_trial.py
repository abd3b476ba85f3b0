"""A policy tried on what was recorded before it is saved: whom it would have alerted on, and whom not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q

from clinic.models import Clinic, User
from clinic.roles import Capability, require
from clinic.thresholds import differing
from patients.models import Episode
from programs.models import Alert, Program
from programs.rules import stall
from programs.rules.replay import Opened, replay
from programs.rules.stall import AlertKind
from programs.services import facts
from programs.services.policy import check_cases

DAYS = 90
STEP = timedelta(days=7)
PROGRAMS_AT_MOST = 100
"""The latest: a page waits for it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A case with an alert of this kind under one policy; ``before`` or ``after`` is None under the other."""

    episode: Episode
    kind: AlertKind
    before: Opened | None
    after: Opened | None

    @property
    def label(self) -> str:
        return str(Alert.Kind(self.kind.value).label)

    @property
    def why(self) -> str:
        """What the first of the two alerts would have said."""
        return min((o for o in (self.before, self.after) if o), key=lambda o: o.on).why


@dataclass(frozen=True, slots=True)
class Trial:
    """``more``: alerted on with the new values only; ``fewer``: with the present ones only; ``moved``: with
    both, first or called stalled on another day; ``same`` counts the others. ``left_out`` programs were too
    many.
    """

    days: tuple[date, ...]
    programs: int
    left_out: int
    more: tuple[Change, ...]
    fewer: tuple[Change, ...]
    moved: tuple[Change, ...]
    same: int

    @property
    def until(self) -> date:
        return self.days[-1]

    @property
    def changes(self) -> tuple[Change, ...]:
        return (*self.more, *self.fewer, *self.moved)


type First = dict[tuple[int, AlertKind], Opened]
"""The first alert of each kind, by case."""


def try_policy(*, clinic: Clinic, by: User, values: Mapping[str, object], today: date) -> Trial:
    """What the values would have done: the reviews of the last ``DAYS`` days, one a week up to today, made
    twice, as if nobody had acted on an alert. Nothing is stored. A case's own thresholds hold in both.

    Raises:
        Denied: ``by`` is not an owner here.
        PolicyError: as ``change_policy``.
    """
    require(by, Capability.MANAGE_CLINIC, clinic.pk)
    check_cases(clinic=clinic, values=values)
    overrides = differing(values)
    days = tuple(sorted(today - STEP * n for n in range(DAYS // STEP.days + 1)))
    every = _under_way(clinic, days)
    programs = every[:PROGRAMS_AT_MOST]
    before = _first_alerts(programs, days)
    for program in programs:
        program.episode.clinic.policy.overrides = overrides  # of this query's own rows, which nobody saves
    after = _first_alerts(programs, days)
    episodes = {program.episode_id: program.episode for program in programs}
    changes = [
        Change(episodes[key[0]], key[1], before.get(key), after.get(key)) for key in {**before, **after}
    ]
    both = [change for change in changes if change.before and change.after]
    moved = [change for change in both if _days(change.before) != _days(change.after)]
    return Trial(
        days=days,
        programs=len(programs),
        left_out=len(every) - len(programs),
        more=_in_order(change for change in changes if change.before is None),
        fewer=_in_order(change for change in changes if change.after is None),
        moved=_in_order(moved),
        same=len(both) - len(moved),
    )


def _under_way(clinic: Clinic, days: Sequence[date]) -> list[Program]:
    """Awake programs of these days, the latest first."""
    programs = Program.objects.filter(clinic=clinic, asleep=False, started_on__lte=days[-1])
    running = programs.filter(Q(ended_on=None) | Q(ended_on__gt=days[0]))
    with_case = running.select_related("episode__patient", "episode__clinic__policy")
    return list(with_case.order_by("-started_on", "-pk"))


def _first_alerts(programs: Sequence[Program], days: Sequence[date]) -> First:
    """A case whose program was replaced goes on in the next one: its reviews are one row."""
    verdicts: dict[int, list[stall.Verdict]] = {}
    for batch in _one_a_case(programs):
        for cases in facts.load_days(batch, days):
            for case in cases:
                found = stall.review(case.facts, case.on, case.thresholds)
                verdicts.setdefault(case.program.episode_id, []).append(found)
    first: First = {}
    for episode, row in verdicts.items():
        for opened in replay(sorted(row, key=lambda verdict: verdict.on)):
            first.setdefault((episode, opened.kind), opened)
    return first


def _one_a_case(programs: Sequence[Program]) -> list[list[Program]]:
    """As facts are read: no two programs of a case at once."""
    batches, rank = defaultdict[int, list[Program]](list), Counter[int]()
    for program in programs:
        batches[rank[program.episode_id]].append(program)
        rank[program.episode_id] += 1
    return list(batches.values())


def _days(opened: Opened | None) -> tuple[date, date | None] | None:
    return (opened.on, opened.stalled_on) if opened else None


def _in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda c: (list(AlertKind).index(c.kind), c.episode.case_number)))
