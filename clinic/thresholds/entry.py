"""One row of the table of thresholds. Pure: standard library only."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal
from typing import Any

OUR_DEFAULT = "our default"


def entry(
    default: Any,
    group: str,
    label: str,
    source: str,
    *,
    unit: str = "",
    low: int | str | None = None,
    high: int | str | None = None,
    conflict: str = "",
) -> Any:
    """A threshold and its default; ``low`` and ``high`` bound it, ``conflict`` is what the sources say."""
    return field(
        default=default,
        metadata={
            "group": group,
            "label": label,
            "source": source,
            "unit": unit,
            "low": None if low is None else Decimal(low),
            "high": None if high is None else Decimal(high),
            "conflict": conflict,
        },
    )


def pain(default: Decimal, group: str, label: str, source: str, **more: Any) -> Any:
    """A threshold of pain, on the whole NPRS where ``more`` does not say else."""
    return entry(default, group, label, source, **{"unit": "NPRS", "low": 0, "high": 10, **more})
