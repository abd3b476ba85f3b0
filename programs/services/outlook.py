"""The prognosis of a case: base rates of its diagnosis, and how the case stands in what goes with them."""

from __future__ import annotations

from datetime import date

from patients.models import Episode
from patients.vocabulary import Diagnosis
from programs.rules.pain import Activity, overload
from programs.rules.prognosis import Prognosis, prognosis
from programs.services import timeline
from programs.services.gates import lights
from programs.services.timeline import History


def outlook(*, episode: Episode, history: History, today: date, succeeds: bool) -> Prognosis | None:
    """None before the first program, and for a diagnosis of which the sources say nothing. No query.

    ``succeeds``: the last review found the case on track.
    """
    if not history.programs:
        return None
    thresholds = episode.thresholds
    adherence = timeline.adherence(history, today=today)
    strength = lights((s for s in history.sessions if s.is_strength), Activity.STRENGTH, thresholds)
    runs = lights(history.runs, Activity.RUN, thresholds)
    return prognosis(
        diagnosis=Diagnosis(episode.diagnosis),
        success=succeeds,
        per_week=adherence.per_week if adherence else None,
        reds=len(overload([*strength, *runs], today, thresholds).reds),
        thresholds=thresholds,
    )
