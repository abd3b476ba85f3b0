"""What goes on after the discharge: what was handed out, the relapse watch and what was answered to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from patients.models import Episode
from programs.models import CheckInRequest, Program, RelapseWatch
from programs.rules.pain import figure
from programs.services.cases import gone_on_as

ACTIVE = {True: "back to what they want to do", False: "not back to what they want to do"}


@dataclass(frozen=True, slots=True)
class AskedRow:
    """One question of the watch, and what came of it."""

    on: date
    text: str


@dataclass(frozen=True, slots=True)
class AfterDischarge:
    """Of a closed case; ``gone_on_as``: that in which the same is treated again."""

    watch: RelapseWatch | None
    gone_on_as: Episode | None
    kept_up: Program | None
    asked: Sequence[AskedRow]


def after_discharge(episode: Episode) -> AfterDischarge:
    """In a fixed number of queries."""
    watch = RelapseWatch.objects.filter(episode=episode).select_related("reopened_as").first()
    requests = watch.requests.prefetch_related("answers").order_by("-local_date") if watch else ()
    return AfterDischarge(
        watch=watch,
        gone_on_as=(watch and watch.reopened_as) or gone_on_as(episode),
        kept_up=episode.programs.filter(is_maintenance=True).first(),
        asked=[AskedRow(request.local_date, _came_of(request)) for request in requests],
    )


def _came_of(request: CheckInRequest) -> str:
    answer = max(request.answers.all(), key=lambda row: row.received_at, default=None)
    if answer is None:
        return "missed" if request.state == CheckInRequest.State.MISSED else "not answered yet"
    knees = (("left", answer.worst_left), ("right", answer.worst_right))
    told = [f"{side} {figure(worst)}" for side, worst in knees if worst is not None]
    if answer.red_flags:
        told.append("a red flag")
    if answer.back_to_activity is not None:
        told.append(ACTIVE[answer.back_to_activity])
    return ", ".join(told)
