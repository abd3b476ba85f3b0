"""Who needs me today, and why: the caseload of a user, for the first page and the API alike.

``survey`` finds, orders and counts the cases in one query; ``cases_of`` a page of it and ``lines`` tell what
each needs, in a fixed number of queries; ``clinic_figures`` counts with the trend.
"""

from programs.services.caseload.figures import clinic_figures
from programs.services.caseload.lines import Line, lines
from programs.services.caseload.looking import look
from programs.services.caseload.rows import CaseRow, case_rows
from programs.services.caseload.selecting import (
    CaseloadError,
    Survey,
    Tally,
    Wanted,
    cases_of,
    in_state,
    survey,
    tally,
)

__all__ = [
    "CaseRow",
    "CaseloadError",
    "Line",
    "Survey",
    "Tally",
    "Wanted",
    "case_rows",
    "cases_of",
    "clinic_figures",
    "in_state",
    "lines",
    "look",
    "survey",
    "tally",
]
