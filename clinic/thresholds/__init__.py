"""Every threshold of the service: one table for rules, admin and docs. Pure: standard library only."""

from clinic.thresholds.entry import OUR_DEFAULT
from clinic.thresholds.parsing import (
    DEFAULTS,
    FIELDS,
    PolicyError,
    as_json,
    differing,
    parse,
    to_json,
    with_overrides,
)
from clinic.thresholds.positions import TOPICS, Topic
from clinic.thresholds.table import Thresholds

__all__ = [
    "DEFAULTS",
    "FIELDS",
    "OUR_DEFAULT",
    "TOPICS",
    "PolicyError",
    "Thresholds",
    "Topic",
    "as_json",
    "differing",
    "parse",
    "to_json",
    "with_overrides",
]
