"""Rows to the facts of the stall rule, for many cases at once: a constant number of queries a chunk."""

from programs.services.facts.building import Case, load, load_days
from programs.services.facts.rows import daily_pain

__all__ = ["Case", "daily_pain", "load", "load_days"]
