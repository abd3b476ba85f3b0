"""Who needs me today, and why: the caseload of a user, for the first page and the API alike.

``select`` orders and filters in the database; ``lines`` tells what each case of a page needs, in a fixed
number of queries; ``tally`` and ``clinic_figures`` count.
"""

from programs.services.caseload.figures import clinic_figures
from programs.services.caseload.lines import Line, lines
from programs.services.caseload.looking import look
from programs.services.caseload.rows import CaseRow, case_rows
from programs.services.caseload.selecting import CaseloadError, Tally, Wanted, select, tally

__all__ = [
    "CaseRow",
    "CaseloadError",
    "Line",
    "Tally",
    "Wanted",
    "case_rows",
    "clinic_figures",
    "lines",
    "look",
    "select",
    "tally",
]
