"""What a case needs today and why, in one rank order; and the figures of a caseload. Pure."""

from programs.rules.caseload.due import Due, due
from programs.rules.caseload.figures import Figure, Figures, Snapshot, figures
from programs.rules.caseload.groups import Group, group_of
from programs.rules.caseload.needs import (
    ALERT_NEEDS,
    RANKED,
    Act,
    CaseFacts,
    Need,
    Needed,
    NewAnswers,
    Place,
    Start,
    WaitingAlert,
    Way,
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
    "Group",
    "Need",
    "Needed",
    "NewAnswers",
    "Place",
    "Snapshot",
    "Standing",
    "Start",
    "WaitingAlert",
    "Way",
    "due",
    "figures",
    "group_of",
    "needs",
    "order",
    "state_of",
]
