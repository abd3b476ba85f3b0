"""Where the sources disagree, what this service does by default, and the thresholds that decide it. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One disagreement; ``decided_by`` are keys of thresholds, empty where something else decides."""

    name: str
    positions: str
    here: str
    decided_by: tuple[str, ...] = ()


TOPICS = (
    Topic(
        "root cause", 'S0, S3 load; S1 hip and quadriceps; S4 "predominantly hip"', "the assessment decides"
    ),
    Topic(
        "rest",
        "S2 rest first; S0, S4 relative rest; S1 by pain level",
        "relative rest, -30 to -50 %",
        ("running_cut_percent",),
    ),
    Topic(
        "frequency",
        "S0 at least 2; S2 at least 3",
        "prescribe 3, floor 2",
        ("strength_prescribed_per_week", "strength_floor_per_week"),
    ),
    Topic(
        "timescale",
        "S1 4-8 weeks; S0 6-8",
        "watch 4, stalling 6, stalled 8",
        ("watch_week", "stalling_week", "stalled_week"),
    ),
    Topic(
        "running with pain",
        "S0 below 3; S1 3 or less; S2 none",
        "3 or less, and the 24-hour rule",
        ("green_max", "stage4_pain_max"),
    ),
    Topic(
        "painless days before running", "S2 7; S0 none", "7, for those who stopped", ("symptom_free_days",)
    ),
    Topic("deep knee flexion", "S1 avoid in flares; S0 train it", "by stage"),
    Topic("wall-sit angle", "S0 60; S4 90 for tendinopathy", "by diagnosis"),
    Topic("VMO", "S1, S2, S4 target; S0 sceptical", "optional tag"),
    Topic("ITB", "S1, S2, S4 treat; S3 rarely primary", "low weight"),
    Topic("ice", "S2 yes; S0 not a treatment", "advice text"),
    Topic("tape, brace, orthotics", "S1, S4 short-term; S3 weak evidence", "advice text"),
)
