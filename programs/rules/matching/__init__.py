"""Matching a program to the person: what the pain may be, drivers found in an assessment, templates ranked by
them, and whether a program covers what was measured.
"""

from programs.rules.matching.coverage import (
    TAGGED,
    TARGETS,
    Covered,
    Need,
    PlannedExercise,
    PlannedStage,
    Skill,
    StageCover,
    Target,
    coverage,
    deficits,
    other_needs,
    target_of,
    targets,
    untargeted,
)
from programs.rules.matching.differential import (
    PROVOKING,
    Complaint,
    Criterion,
    Differential,
    Possibility,
    Standing,
    differential,
)
from programs.rules.matching.drivers import Driver, Found, Measurement, find_drivers
from programs.rules.matching.earlier import filled, standing_strength
from programs.rules.matching.facts import AssessmentFacts, FlexibilityFact, SidedValue, StrengthFact
from programs.rules.matching.ranking import Candidate, Match, TemplateFacts, match, reasons_to_refer, refusals

__all__ = [
    "PROVOKING",
    "TAGGED",
    "TARGETS",
    "AssessmentFacts",
    "Candidate",
    "Complaint",
    "Covered",
    "Criterion",
    "Differential",
    "Driver",
    "FlexibilityFact",
    "Found",
    "Match",
    "Measurement",
    "Need",
    "PlannedExercise",
    "PlannedStage",
    "Possibility",
    "SidedValue",
    "Skill",
    "StageCover",
    "Standing",
    "StrengthFact",
    "Target",
    "TemplateFacts",
    "coverage",
    "deficits",
    "differential",
    "filled",
    "find_drivers",
    "match",
    "other_needs",
    "reasons_to_refer",
    "refusals",
    "standing_strength",
    "target_of",
    "targets",
    "untargeted",
]
