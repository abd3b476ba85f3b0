"""Matching a program to the person: drivers found in an assessment, templates ranked by them."""

from programs.rules.matching.drivers import (
    AssessmentFacts,
    Driver,
    FlexibilityFact,
    Found,
    SidedValue,
    StrengthFact,
)
from programs.rules.matching.ranking import Candidate, Match, TemplateFacts, match

__all__ = [
    "AssessmentFacts",
    "Candidate",
    "Driver",
    "FlexibilityFact",
    "Found",
    "Match",
    "SidedValue",
    "StrengthFact",
    "TemplateFacts",
    "match",
]
