"""Whether the pain has moved to where the diagnosis does not explain it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from clinic.thresholds import Thresholds
from patients.vocabulary import PainLocation, Side
from programs.models import Answer, Program
from programs.rules import red_flags, stall
from programs.services.facts.rows import CaseRows, other_side, until


@dataclass(frozen=True, slots=True)
class Moved:
    """``drift`` asks for re-screening; ``notes`` for a load review (new pain in the other knee)."""

    drift: stall.Drift | None
    notes: tuple[str, ...]


def where_it_hurts(program: Program, on: date, rows: CaseRows, t: Thresholds) -> Moved:
    """What the latest answers say against the diagnosis: those of the Now window since the last assessment.

    An assessment has looked at the knee: what was said before it counts no more.
    """
    known = _known_sides(program, on, rows)
    since = _since(on, rows, t)
    placed = [answer for answer in rows.placed if since <= answer.local_date <= on]
    recent = [day for day in rows.days if since <= day.on <= on]
    verdict = red_flags.drift(
        program.episode.diagnosis,
        [place for answer in placed for place in _places(answer, known)],
        known_sides=known,
        sides={side for day in recent for side in Side if (day.worst(side) or 0) > 0},
    )
    notes = verdict.reasons[len(verdict.unexplained) :]
    if not verdict.re_screen:
        return Moved(None, notes)
    place = verdict.unexplained[0]
    first = _first_day(placed, place, known)
    evidence = f"{verdict.reasons[0]} (since {first.day} {first:%b %Y})"
    return Moved(stall.Drift(place.value, evidence), notes)


def _known_sides(program: Program, on: date, rows: CaseRows) -> set[str]:
    """The knees that hurt at an assessment."""
    episode = program.episode
    known = {str(episode.index_side)}
    if episode.both_knees or any((a.other_knee_worst_pain or 0) > 0 for a in until(on, rows.assessments)):
        known.add(other_side(episode.index_side).value)
    return known


def _since(on: date, rows: CaseRows, t: Thresholds) -> date:
    window = on - timedelta(days=t.now_window_days - 1)
    assessed = until(on, rows.assessments)
    return max(window, assessed[-1].assessed_on + timedelta(days=1)) if assessed else window


def _places(answer: Answer, sides: set[str]) -> list[str]:
    return [place for side in sides for place in getattr(answer, f"locations_{side}")]


def _first_day(placed: list[Answer], place: PainLocation, sides: set[str]) -> date:
    return min(answer.local_date for answer in placed if place in _places(answer, sides))
