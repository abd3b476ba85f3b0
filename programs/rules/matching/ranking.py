"""Which program fits this person: the templates ranked, with what speaks for and against each.

Pure. An assessment gives *drivers* (what keeps the pain going), each with the measurement behind it; a
template says how much it emphasises each driver. The score only orders the list; the words are the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clinic.thresholds import DEFAULTS, Thresholds
from patients.vocabulary import ADULT_AGE, Diagnosis, MuscleGroup, RunningTrack
from programs.rules.matching.differential import re_screen
from programs.rules.matching.drivers import (
    GROUPS_OF,
    MEASURED,
    OBSERVED,
    Driver,
    Found,
    adequate_drivers,
    find_drivers,
    shown_only,
)
from programs.rules.matching.facts import AssessmentFacts

LEAD = 2  # a template leads with a driver from this emphasis on (1 also treated, 3 its main point)

# Our default: a lead that treats nothing found costs as much as one measured driver gains; one that treats
# what was measured to be in order costs more. So does a plan for adequate strength beside a measured deficit.
NOT_FOUND_COST = 4
ADEQUATE_COST = 6

NOTHING_SPEAKS = "Nothing found speaks for the first of them: measure strength, movement and running load"

HIP_GROUPS = GROUPS_OF[Driver.HIP_WEAKNESS]

UNTREATED_HINTS: Mapping[Driver, str] = {
    Driver.FOOTWEAR: "change the shoes",  # S2
    Driver.FOOT_PRONATION: "orthotics may be tried; strength comes first",  # S3
    Driver.PATELLAR_ALIGNMENT: "tape, brace or sleeve help short-term (S1, S4)",
}


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """A template as the match sees it: emphasis per driver (1-3) and the muscle groups it trains."""

    slug: str
    name: str
    diagnoses: frozenset[Diagnosis]
    drivers: Mapping[Driver, int]
    trains: frozenset[MuscleGroup] = field(default_factory=frozenset)
    quadriceps_only: bool = False
    deep_flexion: bool = False
    maintenance: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A template with the reasons a clinician reads. A higher score ranks first."""

    slug: str
    name: str
    score: int
    speaks_for: tuple[str, ...]
    against: tuple[str, ...]
    untreated: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """``refer`` holds the reasons to refer instead of matching (nothing is ranked then), else None.

    ``drivers`` stand strongest first; ``notes`` are shown and never change the ranking; ``next_steps`` say
    what to do where nothing is suggested. ``no_best_fit`` says why the first of the ranking is no best fit.
    """

    refer: tuple[str, ...] | None
    drivers: tuple[Found, ...]
    ranking: tuple[Candidate, ...]
    notes: tuple[str, ...]
    next_steps: tuple[str, ...] = ()
    no_best_fit: str = ""

    @property
    def best_fit(self) -> str | None:
        """The slug of the template that fits best, if any does."""
        return self.ranking[0].slug if self.ranking and not self.no_best_fit else None


def match(
    facts: AssessmentFacts, templates: tuple[TemplateFacts, ...], *, thresholds: Thresholds = DEFAULTS
) -> Match:
    """Rank the templates that are for this diagnosis, or say why to refer first.

    An open red flag, or under 18 an unexamined or abnormal hip, gives ``refer`` and no ranking. The order
    of inputs never matters; equal scores stand in order of slug.
    """
    if reasons := reasons_to_refer(facts):
        return Match(refer=reasons, drivers=(), ranking=(), notes=(), next_steps=_next_steps(facts))
    found = find_drivers(facts, thresholds)
    adequate = adequate_drivers(facts, found, thresholds)
    suited = [t for t in templates if facts.diagnosis in t.diagnoses and not t.maintenance]
    ranking = sorted(
        (_candidate(template, facts, found, adequate, thresholds) for template in suited),
        key=lambda candidate: (-candidate.score, candidate.slug, candidate.name),
    )
    return Match(
        refer=None,
        drivers=found,
        ranking=tuple(ranking),
        notes=_notes(facts, found, bool(suited)),
        no_best_fit=_no_best_fit(facts, ranking),
    )


def _no_best_fit(facts: AssessmentFacts, ranking: Sequence[Candidate]) -> str:
    if not ranking:
        return ""
    return re_screen(facts.diagnosis, facts.locations) or ("" if ranking[0].speaks_for else NOTHING_SPEAKS)


def refusals(*, age: int | None, hip_examined: bool, hip_findings: bool) -> tuple[str, ...]:
    """Why someone under 18 gets no program yet: the slipped epiphysis is excluded first."""
    if age is None or age >= ADULT_AGE:
        return ()
    reasons = []
    if hip_findings:
        reasons.append(
            "Under 18 with a limp, hip pain or lost hip rotation: no weight-bearing, image the hip today"
        )
    if not hip_examined:
        reasons.append("Under 18: examine the hip first (internal rotation, gait)")
    return tuple(reasons)


def reasons_to_refer(facts: AssessmentFacts) -> tuple[str, ...]:
    """Why nothing is suggested yet: an open red flag, or under 18 the hip."""
    flags = tuple(f"Open red flag: {flag}" for flag in sorted(facts.open_red_flags))
    return flags + refusals(age=facts.age, hip_examined=facts.hip_examined, hip_findings=facts.hip_findings)


def _next_steps(facts: AssessmentFacts) -> tuple[str, ...]:
    """What to do instead of choosing a program."""
    steps = []
    if facts.open_red_flags:
        steps.append("See the patient or refer today; the program stays on hold")
        steps.append("Once it is explained, clear the flag with a finding: suggestions come back")
    if refusals(age=facts.age, hip_examined=True, hip_findings=facts.hip_findings):
        steps.append("No weight-bearing, and hip imaging the same day: exclude a slipped epiphysis")
    elif refusals(age=facts.age, hip_examined=facts.hip_examined, hip_findings=False):
        steps.append("Examine the hip (internal rotation, gait) and record it in the assessment")
    return tuple(steps)


def _candidate(
    template: TemplateFacts,
    facts: AssessmentFacts,
    found: tuple[Found, ...],
    adequate: Mapping[Driver, str],
    thresholds: Thresholds,
) -> Candidate:
    lead_cost, against = _unsupported_leads(template, facts, found, adequate)
    plan_cost, against_plan = _running_plan(template, facts, found, thresholds)
    neglected = sum(f.weight for f in found if f.weight >= MEASURED and f.driver not in template.drivers)
    passing, untreated = _gaps(template, found)
    return Candidate(
        slug=template.slug,
        name=template.name,
        score=sum(f.weight * template.drivers.get(f.driver, 0) for f in found)
        - (lead_cost + plan_cost + neglected),
        speaks_for=tuple(_praise(template, f) for f in found if f.driver in template.drivers),
        against=against + against_plan + passing,
        untreated=untreated,
        warnings=_warnings(template, facts),
    )


def _praise(template: TemplateFacts, found: Found) -> str:
    return f"{found.text}: {'its emphasis' if template.drivers[found.driver] >= LEAD else 'also treated'}"


def _unsupported_leads(
    template: TemplateFacts,
    facts: AssessmentFacts,
    found: tuple[Found, ...],
    adequate: Mapping[Driver, str],
) -> tuple[int, tuple[str, ...]]:
    """What a template leads with for no good reason in this assessment, and the score that costs."""
    by_driver = {f.driver: f for f in found}
    cost, against = 0, []
    for driver in _leads(template):
        reason = by_driver.get(driver)
        if driver in adequate:
            cost += ADEQUATE_COST
            against.append(f"Emphasises {driver.label.lower()}: {adequate[driver]}")
        elif reason is None:
            cost += NOT_FOUND_COST
            against.append(f"Emphasises {driver.label.lower()}: nothing found")
        elif reason.weight < OBSERVED:
            cost += NOT_FOUND_COST
            against.append(f"Emphasises {driver.label.lower()}: little speaks for it ({reason.text})")
    return cost, tuple(against)


def _running_plan(
    template: TemplateFacts, facts: AssessmentFacts, found: tuple[Found, ...], thresholds: Thresholds
) -> tuple[int, tuple[str, ...]]:
    """What speaks against the running plan first: it is for adequate strength (S3), and cuts the running."""
    leads = _leads(template)
    if Driver.TRAINING_LOAD not in leads:
        return 0, ()
    cost, against = 0, []
    deficits = [text for f in found for _, text in f.deficits]
    if deficits and leads == [Driver.TRAINING_LOAD]:
        cost += ADEQUATE_COST
        against.append(f"For a load error with adequate strength: {'; '.join(deficits)}")
    if facts.running_track is not RunningTrack.STILL_RUNNING:
        cost += NOT_FOUND_COST
        against.append("Starts from the running plan, and there is no running to cut now")
    elif facts.has_cut(thresholds):
        cost += NOT_FOUND_COST
        now, before = facts.weekly_km_now, facts.weekly_km_before
        against.append(
            f"Starts by cutting the running, and that is done: {now:f} km a week, {before:f} before"
        )
    return cost, tuple(against)


def _leads(template: TemplateFacts) -> list[Driver]:
    return sorted(driver for driver, emphasis in template.drivers.items() if emphasis >= LEAD)


def _gaps(template: TemplateFacts, found: tuple[Found, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Drivers trained only in passing, and what stays untreated."""
    passing: list[str] = []
    untreated: list[str] = []
    for reason in found:
        missed = [text for group, text in reason.deficits if group not in template.trains]
        untreated += [f"{text}: no exercise for it" for text in missed]
        if reason.driver in template.drivers:
            continue
        groups = frozenset(group for group, _ in reason.deficits) or GROUPS_OF.get(reason.driver, frozenset())
        if groups & template.trains:
            passing.append(f"{reason.text}: trained in passing, not emphasised")
        elif not missed:
            hint = UNTREATED_HINTS.get(reason.driver)
            untreated.append(f"{reason.text}; {hint}" if hint else reason.text)
    return tuple(passing), tuple(untreated)


def _warnings(template: TemplateFacts, facts: AssessmentFacts) -> tuple[str, ...]:
    warnings = []
    hip = sorted(s.text for s in facts.strength if s.deficit and s.muscle_group in HIP_GROUPS)
    if template.quadriceps_only and hip:
        warnings.append(f"Quadriceps-only work beside a measured hip deficit ({'; '.join(hip)})")  # S0
    if template.deep_flexion and facts.in_flare:
        warnings.append("Has deep knee flexion: leave it out while the flare lasts")  # S1
    return tuple(warnings)


def _notes(facts: AssessmentFacts, found: tuple[Found, ...], any_suited: bool) -> tuple[str, ...]:
    notes = list(shown_only(facts))
    if not any_suited:
        notes.append(f"No template is for this diagnosis ({facts.diagnosis.label})")
    if not found:
        notes.append("No driver found: measure strength, movement and running load before you decide")
    if facts.age is None and not facts.hip_examined:
        notes.append("Birth date not known: under 18 the hip is examined first")
    return tuple(notes)
