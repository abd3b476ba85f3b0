"""The stall rule (clinical.md 7): has this program moved the needle, and if not, why?

``review(facts, today, thresholds)`` is the whole of it: pure, exact, the same as of any day.
"""

from programs.rules.stall.facts import (
    AkpsScore,
    CaseFacts,
    CheckInRequest,
    Drift,
    IntakePain,
    Knee,
    PainAnswer,
    Pause,
    PauseKind,
    RedFlag,
    Run,
    StrengthSession,
)
from programs.rules.stall.reasons import Reason, ReasonCode
from programs.rules.stall.signals import AlertKind, Signal
from programs.rules.stall.success import Trend
from programs.rules.stall.verdict import Evidence, State, Verdict, review, to_json
from programs.rules.stall.windows import Baseline, BaselineSource, PainNow, median

__all__ = [
    "AkpsScore",
    "AlertKind",
    "Baseline",
    "BaselineSource",
    "CaseFacts",
    "CheckInRequest",
    "Drift",
    "Evidence",
    "IntakePain",
    "Knee",
    "PainAnswer",
    "PainNow",
    "Pause",
    "PauseKind",
    "Reason",
    "ReasonCode",
    "RedFlag",
    "Run",
    "Signal",
    "State",
    "StrengthSession",
    "Trend",
    "Verdict",
    "median",
    "review",
    "to_json",
]
