"""What a simulated patient is like: pain, answers, exercise, and what the clinic does. Pure data.

All days are counted back from the day the demo is loaded: 0 is today, 66 is 66 days ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from patients.vocabulary import (
    Diagnosis,
    MuscleGroup,
    OutcomeMeasure,
    PainLocation,
    RunningTrack,
    StrengthMethod,
)
from programs.rules.progression import Terrain

ANSWER_DAYS = (1, 3, 5)
SESSION_DAYS: dict[int, tuple[int, ...]] = {0: (), 1: (4,), 2: (2, 6), 3: (2, 4, 7), 4: (1, 3, 5, 7)}
RUN_DAYS = (2, 4, 6)

FIRST_CASE_NUMBER = 1001

OWN_COPY = "runners-knee-four-stages-ours"

EVER = -1
"""The end of a span that lasts until today."""

Level = tuple[int, str]
"""Days ago, and the worst pain (NPRS) on that day; in between it runs straight."""

Span = tuple[int, int]
"""From so many days ago until so many days ago, the last day not included."""


@dataclass(frozen=True, slots=True)
class Paused:
    """A pause from ``ago`` on; ``back`` is the first day back (ahead if negative)."""

    ago: int
    kind: str
    back: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    ago: int
    kind: str
    note: str
    by: Literal["physio", "owner"] = "physio"


@dataclass(frozen=True, slots=True)
class Snoozed:
    ago: int
    kind: str
    until: int
    note: str


@dataclass(frozen=True, slots=True)
class Resolved:
    ago: int
    kind: str
    outcome: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The alert, with its case, to the next physio."""

    ago: int
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Cleared:
    """A red flag cleared with a finding."""

    ago: int
    finding: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another program; with a reason it is a new fair trial."""

    ago: int
    template: str
    fair_trial_reason: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """A move to the next stage; with a reason also past unmet criteria."""

    ago: int
    override_reason: str = ""


@dataclass(frozen=True, slots=True)
class Switched:
    """To the other running track."""

    ago: int
    track: RunningTrack
    reason: str


@dataclass(frozen=True, slots=True)
class Laddered:
    """The next step of the running ladder, as the rule proposes it."""

    ago: int


@dataclass(frozen=True, slots=True)
class Opened:
    """The next lock of who keeps running."""

    ago: int
    terrain: Terrain


@dataclass(frozen=True, slots=True)
class Discharged:
    """With ``watch`` something to keep up is handed out, and a relapse watched for."""

    ago: int
    outcome: str
    note: str
    watch: bool = False


@dataclass(frozen=True, slots=True)
class Returned:
    """The answer to a relapse watch."""

    ago: int
    worst: str
    active: Literal["yes", "no"]


@dataclass(frozen=True, slots=True)
class Contacted:
    ago: int
    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class Bounced:
    """From that day on the patient's address is refused for good."""

    ago: int


Scored = tuple[OutcomeMeasure, int]
"""An outcome measure and its points: of the KOOS-PF those lost, 0 to 44; of the GROC -7 to +7."""


@dataclass(frozen=True, slots=True)
class Reassessed:
    """The intake's tests again; ``strength`` in per cent of the other side, ``ability`` gained (PSFS)."""

    ago: int
    strength: tuple[tuple[MuscleGroup, int], ...]
    scores: tuple[Scored, ...]
    ability: int = 0
    method: StrengthMethod = StrengthMethod.HANDHELD
    signed: bool = True
    addendum: str = ""


Act = (
    Paused
    | Acknowledged
    | Snoozed
    | Resolved
    | HandedOver
    | Cleared
    | Replaced
    | Moved
    | Switched
    | Laddered
    | Opened
    | Discharged
    | Returned
    | Contacted
    | Bounced
    | Reassessed
)


@dataclass(frozen=True, slots=True)
class Symptoms:
    """Red flags that the patient ticks in the answer of that day."""

    ago: int
    codes: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One simulated patient.

    Attributes:
        number: place in the order of intake; it gives the name and the case number.
        shows: what the case is there to show, in a few words.
        start: the program began so many days ago (on the weekday before, if that was a weekend).
        pain: worst pain of the index knee over time; ``noise`` is the most it strays from it.
        other_knee: the same for the other knee, empty where it does not hurt.
        answered: share of the check-ins that are answered, outside ``quiet``.
        quiet: spans in which nothing is answered or logged.
        daily: spans in which every day is asked and answered.
        sessions: strength sessions a week; ``effort`` is the light they get, red in the spans of ``reds``.
        runs_km: running distance a week over time; empty for who does not run, 0 for who does not yet.
        off_flat: spans in which the runs go over that terrain too.
        moved_pain: from that day on the pain is at this place.
        akps: days ago and points of the AKPS.
        intake_scores: outcome measures asked at the intake beside the AKPS.
        weak: strength findings at intake: muscle group, and per cent of the other side.
        template: slug; empty for what the assessment suggests first; None for no program; ``OWN_COPY`` for
            the clinic's own copy of the usual one.
    """

    shows: str
    start: int
    pain: tuple[Level, ...]
    noise: str = "0.5"
    other_knee: tuple[Level, ...] = ()
    intake_pain: bool = True
    answered: float = 0.92
    quiet: tuple[Span, ...] = ()
    daily: tuple[Span, ...] = ()
    sessions: int = 3
    effort: Literal["green", "mixed", "amber"] = "green"
    reds: tuple[Span, ...] = ()
    runs_km: tuple[Level, ...] = ()
    off_flat: tuple[tuple[Span, Terrain], ...] = ()
    moved_pain: tuple[int, PainLocation] | None = None
    symptoms: tuple[Symptoms, ...] = ()
    akps: tuple[tuple[int, int], ...] = ()
    intake_scores: tuple[Scored, ...] = ()
    acts: tuple[Act, ...] = ()
    progresses: bool = False
    diagnosis: Diagnosis = Diagnosis.PFP
    track: RunningTrack = RunningTrack.NOT_A_RUNNER
    weak: tuple[tuple[MuscleGroup, int], ...] = ((MuscleGroup.HIP_ABDUCTORS, 84),)
    template: str | None = "runners-knee"
    age: int = 31
    zone: str = ""
    accepts: bool = True
    number: int = 0

    @property
    def case_number(self) -> str:
        return str(FIRST_CASE_NUMBER + self.number)


def level_on(levels: tuple[Level, ...], ago: int) -> float:
    """The value of a path on a day: straight between its points, level before and after them."""
    points = [(day, float(value)) for day, value in levels]
    if ago >= points[0][0]:
        return points[0][1]
    for (first, before), (last, after) in pairwise(points):
        if first >= ago >= last:
            return before + (after - before) * (first - ago) / (first - last)
    return points[-1][1]


def stopped(course: Course) -> tuple[Span, ...]:
    """When nothing is exercised: pauses, holds for a red flag, and after discharge."""
    cleared = [act.ago for act in course.acts if isinstance(act, Cleared)]
    spans = [
        (symptoms.ago, max((ago for ago in cleared if ago < symptoms.ago), default=EVER))
        for symptoms in course.symptoms
    ]
    return tuple(spans) + away(course)


def away(course: Course) -> tuple[Span, ...]:
    """When nothing is asked: pauses, and after discharge."""
    spans = [
        (act.ago, EVER if act.back is None else act.back) for act in course.acts if isinstance(act, Paused)
    ]
    return (*spans, *((act.ago, EVER) for act in course.acts if isinstance(act, Discharged)))


def within(spans: tuple[Span, ...], ago: int) -> bool:
    return any(first >= ago > last for first, last in spans)
