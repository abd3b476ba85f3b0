"""A sweep goes from clinic to clinic: in each it sees that clinic's rows and no others."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta

from clinic.models import Clinic
from clinic.row_security import Tenant, acting_for
from programs.services.deadline import SWEEP_LIMIT, Deadline

logger = logging.getLogger(__name__)


class RoundError(Exception):
    """The sweep failed in some clinics; it was made in all the others."""


def each_clinic(
    sweep: Callable[[timedelta], Mapping[str, int]], *counted: str, limit: timedelta = SWEEP_LIMIT
) -> dict[str, int]:
    """Sweep every active clinic; the sum of what each sweep ``counted``, which is 0 where nothing was.

    ``sweep`` is told how much time is left. What a clinic's turn does not come to stays due.

    Raises:
        RoundError: it failed in a clinic; raised after all the others were swept.
    """
    counts, failed, deadline = Counter[str](dict.fromkeys(counted, 0)), list[Exception](), Deadline(limit)
    for pk in Clinic.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True):
        with acting_for(Tenant((pk,))):
            try:
                found = sweep(deadline.left)
            except Exception as error:
                logger.exception("the sweep of clinic %s failed", pk)
                failed.append(error)
            else:
                counts.update(found)
        if deadline.has_passed:
            break
    if failed:
        raise RoundError(f"It failed in {len(failed)} clinics. {failed[0]}") from failed[0]
    return dict(counts)
