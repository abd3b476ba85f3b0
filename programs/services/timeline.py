"""The course of a case: its rows read once, as a timeline, as adherence by week, as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string

from patients.models import Episode
from patients.vocabulary import Side
from programs.models import (
    Alert,
    Answer,
    DayPain,
    Hold,
    Pause,
    Program,
    Run,
    Session,
    StageMove,
)
from programs.rules import adherence as rules
from programs.rules import timeline
from programs.rules.pain import Activity
from programs.services.gates import lights, paused_days

TONES: Mapping[str, str] = {
    Alert.Kind.RED_FLAG: "danger",
    Alert.Kind.WORSENING: "danger",
    Alert.Kind.SILENT: "info",
}


@dataclass(frozen=True, slots=True)
class History:
    """What was recorded of one case, of every program it ever had; corrected rows left out."""

    episode: Episode
    programs: Sequence[Program]
    days: Sequence[DayPain]
    sessions: Sequence[Session]
    runs: Sequence[Run]
    moves: Sequence[StageMove]
    pauses: Sequence[Pause]
    holds: Sequence[Hold]
    alerts: Sequence[Alert]

    @property
    def started_on(self) -> date | None:
        """The day the case's first program began: its weeks are counted from there."""
        return self.programs[0].started_on if self.programs else None


def read(*, episode: Episode) -> History:
    """Eight queries, however long the case. ``episode`` comes with patient and clinic policy at hand."""
    of_case = {"program__episode": episode}
    programs = list(Program.objects.treating().filter(episode=episode).order_by("started_on", "pk"))
    for program in programs:
        program.episode = episode  # at hand already
    return History(
        episode=episode,
        programs=programs,
        days=Answer.objects.filter(episode=episode).by_day(),
        sessions=list(Session.objects.current().filter(episode=episode).order_by("local_date", "pk")),
        runs=list(Run.objects.current().filter(episode=episode).order_by("local_date", "pk")),
        moves=list(StageMove.objects.filter(**of_case).order_by("moved_on", "pk")),
        pauses=list(Pause.objects.filter(**of_case)),
        holds=list(Hold.objects.filter(**of_case).order_by("since")),
        alerts=list(
            Alert.objects.filter(episode=episode)
            .with_bars()
            .select_related("acknowledged_by", "resolved_by")
            .order_by("-opened_at", "-pk")
        ),
    )


def course(history: History, *, today: date, baseline: Decimal | None = None) -> timeline.Course | None:
    """The case as the timeline draws it, up to ``today``, the patient's local date; None without a program.

    ``baseline`` is the worst pain that the last review compared with, NPRS.
    """
    if history.started_on is None:
        return None
    episode = history.episode
    end = history.programs[-1].ended_on or today
    success = timeline.success_line(baseline, episode.thresholds) if baseline is not None else None
    return timeline.Course(
        started_on=history.started_on,
        today=max(min(end, today), history.started_on),
        knees=_knees(history),
        efforts=[*_efforts(history)],
        events=[*_events(history)],
        spans=[*_spans(history)],
        alerts=[_raised(alert) for alert in history.alerts],
        baseline=baseline,
        success=success,
    )


def adherence(history: History, *, today: date) -> rules.Adherence | None:
    """Strength sessions by day and week, up to ``today``; None without a program."""
    if history.started_on is None:
        return None
    end = history.programs[-1].ended_on or today
    return rules.adherence(
        started_on=history.started_on,
        today=max(min(end, today), history.started_on),
        sessions=[session.local_date for session in history.sessions if session.is_strength],
        days_off=paused_days(history.programs[0], history.pauses, history.holds, today),
        prescribed=[(program.started_on, program.strength_per_week) for program in history.programs],
        floor=history.episode.thresholds.strength_floor_per_week,
    )


def picture(course: timeline.Course, *, width: int = timeline.WIDE) -> str:
    """The timeline as an SVG document without script or style sheet from outside: for a letter."""
    context = {"scene": timeline.draw(course, width), "summary": timeline.summary(course), "alone": True}
    return render_to_string("programs/timeline.svg", context)


def _knees(history: History) -> list[timeline.Knee]:
    """The index knee first; the other one where it was ever reported."""
    index = history.episode.index_side
    knees = [
        timeline.Knee(
            side=side.value,
            is_index=side == index,
            worst={day.on: worst for day in history.days if (worst := day.worst(side)) is not None},
            usual={day.on: usual for day in history.days if (usual := day.usual(side)) is not None},
        )
        for side in Side
    ]
    return sorted((knee for knee in knees if knee.worst or knee.is_index), key=lambda knee: not knee.is_index)


def _efforts(history: History) -> Iterator[timeline.Effort]:
    thresholds = history.episode.thresholds
    strength = [session for session in history.sessions if session.is_strength]
    for row, verdict in zip(strength, lights(strength, Activity.STRENGTH, thresholds), strict=True):
        yield timeline.Effort(row.local_date, Activity.STRENGTH, verdict.light, verdict.reasons)
    for run, verdict in zip(history.runs, lights(history.runs, Activity.RUN, thresholds), strict=True):
        yield timeline.Effort(run.local_date, Activity.RUN, verdict.light, verdict.reasons, run.distance_km)


def _events(history: History) -> Iterator[timeline.Event]:
    for number, program in enumerate(history.programs):
        what = "starts" if number == 0 else "takes over"
        yield timeline.Event(
            program.started_on, f"{program.name} {what}", "New program" if number else "Start"
        )
        if program.fair_trial_on:
            yield timeline.Event(program.fair_trial_on, "New fair trial", "Trial")
    for move in history.moves:
        yield timeline.Event(move.moved_on, f"Stage {move.to_stage}", f"S{move.to_stage}")
    if history.episode.closed_on:
        yield timeline.Event(history.episode.closed_on, "Discharged", "Discharged")


def _spans(history: History) -> Iterator[timeline.Span]:
    for pause in history.pauses:
        yield timeline.Span("pause", pause.get_kind_display(), pause.starts_on, pause.ends_on)
    zone = ZoneInfo(history.episode.patient.timezone)
    for hold in history.holds:
        cleared = _local(hold.cleared_at, zone) if hold.cleared_at else None
        yield timeline.Span("hold", "On hold", _local(hold.since, zone), cleared)


def _raised(alert: Alert) -> timeline.Raised:
    label = alert.get_kind_display()
    return timeline.Raised(alert.opened_on, alert.resolved_on, label, TONES.get(alert.kind, "warning"))


def _local(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()
