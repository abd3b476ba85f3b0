"""A sweep goes from clinic to clinic: in each it sees that clinic's rows and no others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from clinic.models import Clinic
from clinic.row_security import Tenant, acting_for
from programs.services.deadline import SWEEP_LIMIT, Deadline

logger = logging.getLogger(__name__)

Sweep = Callable[[Clinic, timedelta], Mapping[str, int]]


class RoundError(Exception):
    """The sweep failed in some clinics; it was made in all the others."""


def each_clinic(sweep: Sweep, counts: dict[str, int], *, limit: timedelta = SWEEP_LIMIT) -> None:
    """Sweep every clinic, and add what each sweep counted to ``counts``.

    Closed clinics too: no red flag is left alone; what is for active ones only, the sweeps know. ``sweep`` is
    told its share of the time left, and the order is another one each time: a clinic with a long backlog
    keeps nobody else waiting for ever.

    Raises:
        RoundError: it failed in a clinic; raised after all the others were swept.
    """
    with acting_for(Tenant(platform=True)):
        clinics = list(Clinic.objects.order_by("?"))
    failed, deadline = list[Exception](), Deadline(limit)
    for waiting, clinic in zip(range(len(clinics), 0, -1), clinics, strict=True):
        with acting_for(Tenant((clinic.pk,))):
            try:
                found = sweep(clinic, deadline.left / waiting)
            except Exception as error:
                logger.exception("the sweep of clinic %s failed", clinic.pk)
                failed.append(error)
            else:
                for name, count in found.items():
                    counts[name] = counts.get(name, 0) + count
        if deadline.has_passed:
            break
    if failed:
        raise RoundError(f"It failed in {len(failed)} clinics. {failed[0]}") from failed[0]
