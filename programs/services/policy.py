"""The clinic's thresholds, with what they mean for the cases that have some of their own."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from clinic import services
from clinic.models import Clinic, ClinicPolicy, User
from clinic.roles import Capability, require
from clinic.thresholds import PolicyError, differing, with_overrides
from patients.models import Episode

NAMED = 3


@transaction.atomic
def change_policy(
    *, clinic: Clinic, by: User, values: Mapping[str, object], own_cases_only: bool
) -> ClinicPolicy:
    """Set the clinic's thresholds, unless those of an open case do not go with them.

    Raises:
        Denied: ``by`` is not an owner here.
        PolicyError: as ``clinic.services.set_policy``, or of the cases whose own thresholds are in the way.
    """
    require(by, Capability.MANAGE_CLINIC, clinic.pk)
    check_cases(clinic=clinic, values=values)
    return services.set_policy(clinic=clinic, by=by, values=values, own_cases_only=own_cases_only)


def check_cases(*, clinic: Clinic, values: Mapping[str, object]) -> None:
    """Each open case keeps its own thresholds, and they have to be in order with these.

    Raises:
        PolicyError: they are not, of one case or more, which are named; or a value is not valid by itself.
    """
    overrides = differing(values)
    cases = Episode.objects.open().with_own_thresholds().filter(clinic=clinic).order_by("case_number")
    numbers, first = list[str](), None
    for number, own in cases.values_list("case_number", "policy_overrides"):
        try:
            with_overrides(overrides, own)
        except PolicyError as error:
            first = first or error
            numbers.append(number)
    if first is not None:
        more = f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else ""
        which = f"case{'s' if len(numbers) > 1 else ''} {', '.join(numbers[:NAMED])}{more}"
        raise PolicyError(
            first.key, f"{first.message}, with the thresholds that {which} has of its own: change those first"
        )
