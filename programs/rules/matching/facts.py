"""What the match knows of one assessment, and of earlier ones where this one is silent. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from clinic.thresholds import Thresholds
from patients.vocabulary import (
    Diagnosis,
    LoadChange,
    MuscleGroup,
    PainLocation,
    RunningTrack,
    Side,
    StrengthMethod,
    TightStructure,
)


@dataclass(frozen=True, slots=True)
class StrengthFact:
    """One judged strength test: ``figure`` is the measurement in words, such as "LSI 82.00 %".

    ``on`` is the day of the earlier assessment it is from; None: the one that is looked at. So elsewhere.
    """

    muscle_group: MuscleGroup
    side: Side
    deficit: bool
    figure: str
    method: StrengthMethod = StrengthMethod.HANDHELD
    position: str = ""
    on: date | None = None

    @property
    def text(self) -> str:
        return said_on(f"{self.muscle_group.label} {self.side}: {self.figure}", self.on)


@dataclass(frozen=True, slots=True)
class FlexibilityFact:
    structure: TightStructure
    side: Side
    tight: bool
    on: date | None = None


@dataclass(frozen=True, slots=True)
class SidedValue:
    """A value of one side: degrees of the Q-angle, points of the FPI-6 or of the step-down."""

    side: Side
    value: Decimal
    on: date | None = None


def said_on(text: str, day: date | None) -> str:
    """With the day of the earlier assessment that found it."""
    return f"{text}, {day:%-d %b %Y}" if day else text


@dataclass(frozen=True, slots=True)
class AssessmentFacts:
    """What the match needs of one assessment. Empty and None mean: not measured.

    ``open_red_flags`` and ``patella`` hold readable findings; ``age`` is in whole years; ``locations`` are
    the index knee's; ``provoked_by`` and ``behaviour_asked`` are as in ``Complaint``; ``running_examined``:
    something of the run was recorded at all. ``dated`` has the day of each value that is from an earlier
    assessment.
    """

    diagnosis: Diagnosis
    index_side: Side
    both_knees: bool = False
    age: int | None = None
    open_red_flags: tuple[str, ...] = ()
    locations: frozenset[PainLocation] = frozenset()
    hip_examined: bool = False
    hip_findings: bool = False
    strength: tuple[StrengthFact, ...] = ()
    flexibility: tuple[FlexibilityFact, ...] = ()
    q_angles: tuple[SidedValue, ...] = ()
    fpi6: tuple[SidedValue, ...] = ()
    step_down: tuple[SidedValue, ...] = ()
    patella: tuple[str, ...] = ()
    cadence_spm: int | None = None
    overstriding: bool = False
    crossover: bool = False
    pelvic_drop: bool = False
    hip_adduction: bool = False
    running_examined: bool = False
    weekly_km_now: Decimal | None = None
    weekly_km_before: Decimal | None = None
    load_changes: tuple[LoadChange, ...] = ()
    shoe_km: int | None = None
    shoe_age_months: int | None = None
    shoe_wrong_fit: bool = False
    running_track: RunningTrack = RunningTrack.STILL_RUNNING
    in_flare: bool = False
    provoked_by: tuple[str, ...] = ()
    behaviour_asked: bool = False
    other_causes_excluded: bool = False
    dated: Mapping[str, date] = field(default_factory=dict)

    def counts(self, side: Side) -> bool:
        return self.both_knees or side == self.index_side

    def has_cut(self, thresholds: Thresholds) -> bool:
        """The weekly distance is down already by what the running plan would cut."""
        now, before = self.weekly_km_now, self.weekly_km_before
        if now is None or before is None or before < thresholds.overload_min_km:
            return False
        return now * 100 <= before * (100 - thresholds.running_cut_percent)

    def counts_test(self, test: StrengthFact) -> bool:
        """The trunk has no side: its test counts under either."""
        return test.muscle_group == MuscleGroup.TRUNK or self.counts(test.side)
