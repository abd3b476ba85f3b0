"""What a case needs today and why, in one rank order; and the figures of a caseload. Pure."""

from programs.rules.caseload.due import Due, due
from programs.rules.caseload.figures import Figure, Figures, Snapshot, figures
from programs.rules.caseload.needs import (
    ALERT_NEEDS,
    RANKED,
    Act,
    CaseFacts,
    Need,
    Needed,
    NewAnswers,
    Place,
    WaitingAlert,
    needs,
    order,
)
from programs.rules.caseload.states import CaseState, Standing, state_of

__all__ = [
    "ALERT_NEEDS",
    "RANKED",
    "Act",
    "CaseFacts",
    "CaseState",
    "Due",
    "Figure",
    "Figures",
    "Need",
    "Needed",
    "NewAnswers",
    "Place",
    "Snapshot",
    "Standing",
    "WaitingAlert",
    "due",
    "figures",
    "needs",
    "order",
    "state_of",
]
