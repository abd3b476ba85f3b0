"""The relapse watch over a closed case: ask once a month; if the pain is back, tell the clinician.

Facts are rows, as with check-ins: the sweep takes what is due under a lock that others skip; after a long
stop one current question is asked, and each is reminded of once at most.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction

from clinic import attempts
from clinic.models import User
from clinic.roles import Capability, require
from clinic.thresholds import as_json
from patients.models import Episode, Patient
from patients.services import CaseError
from patients.vocabulary import Side
from programs import emails
from programs.models import (
    Alert,
    AlertEvent,
    Answer,
    CheckInRequest,
    Program,
    RelapseWatch,
    Review,
)
from programs.models.watch import RelapseWatchQuerySet
from programs.rules.relapse import RelapseVerdict, WatchFacts, ends_on, relapse
from programs.rules.schedule import local_date, recall_days, slot_at
from programs.services.alerts import add_event
from programs.services.checkins import BATCH, is_reachable, mail_question, sweep
from programs.services.deadline import SWEEP_LIMIT

ASKING = "ask_watches"
ACTION = "Call the patient; re-open as a new case if it is back."
RECENT = timedelta(days=28)
"""So old at most is the pain that counts as that at discharge; our default."""

DAY = timedelta(days=1)
TENTH = Decimal("0.1")
End = RelapseWatch.End


def start(
    *, episode: Episode, program: Program | None, pain_at_discharge: Decimal | None, by: User, today: date
) -> RelapseWatch:
    """Watch over a case that was just closed; ``program`` is what was handed out to keep up.

    Raises:
        CaseError: the case had no program, so there is nothing to watch.
    """
    if _treated_by(episode) is None:
        raise CaseError("watch", "This case had no program: there is nothing to watch.")
    t = episode.thresholds
    over = ends_on(today, t.watch_months)
    return RelapseWatch.objects.create(
        clinic_id=episode.clinic_id,
        episode=episode,
        program=program,
        pain_at_discharge=pain_at_discharge,
        starts_on=today,
        ends_on=over,
        next_ask_at=_slot(episode, min(today + t.watch_every_days * DAY, over)),
        set_by=by,
    )


def pain_lately(*, episode: Episode, today: date) -> Decimal | None:
    """Worst pain now, of the worse knee, as the watch asks for both. Of the index knee as the last review
    found it; where that had too little to go by, and of the other knee, the last answer. None if long ago.
    """
    reviews = Review.objects.filter(episode=episode, day__gt=today - RECENT)
    index: Decimal | None = reviews.values_list("now", flat=True).first()
    days = Answer.objects.filter(episode=episode, local_date__gt=today - RECENT).by_day()
    last = {side: _last(day.worst(side) for day in days) for side in Side}
    if index is not None:
        last[Side(episode.index_side)] = index
    found = max((pain for pain in last.values() if pain is not None), default=None)
    return None if found is None else found.quantize(TENTH, ROUND_HALF_UP)


def _last(values: Iterable[Decimal | None]) -> Decimal | None:
    return next((value for value in reversed([*values]) if value is not None), None)


def askable() -> RelapseWatchQuerySet:
    """Watches that ask at all."""
    return RelapseWatch.objects.running().filter(clinic__is_active=True)


def ask_due(*, now: datetime, batch: int = BATCH, limit: timedelta = SWEEP_LIMIT) -> int:
    """Ask whose month is over, and end the watches whose time is; returns how many questions that makes.

    Raises:
        CheckInSweepError: some could not be handled; raised after all the others were.
    """

    def due(after: int) -> list[int]:
        watches = attempts.to_try(ASKING, askable().filter(next_ask_at__lte=now, pk__gt=after), now)
        return list(watches.order_by("pk").values_list("pk", flat=True)[:batch])

    return sweep(ASKING, RelapseWatch, due, _ask, now, limit)


def _ask(pk: int, now: datetime) -> bool:
    free = askable().select_for_update(skip_locked=True, of=("self",), no_key=True)
    watches = free.select_related("episode__patient__clinic__policy", "episode__clinic__policy")
    watch = watches.filter(pk=pk, next_ask_at__lte=now).first()
    if watch is None or watch.next_ask_at is None:  # another sweep has it, or was faster
        return False
    episode, program = watch.episode, _treated_by(watch.episode)
    today = local_date(now, episode.patient.timezone)
    if today >= watch.ends_on or program is None:
        _end(watch, End.OVER, now)
        return False
    t = episode.thresholds
    request, created = CheckInRequest.objects.get_or_create(
        program=program,
        local_date=today,
        defaults={
            "clinic_id": watch.clinic_id,
            "watch": watch,
            "due_at": watch.next_ask_at,
            "recall_days": recall_days(daily=False, thresholds=t),
            "remind_at": now + t.watch_remind_days * DAY,
            "missed_at": now + t.watch_missed_days * DAY,
        },
    )
    watch.next_ask_at = _slot(episode, min(today + t.watch_every_days * DAY, watch.ends_on))
    watch.save(update_fields=["next_ask_at"])
    if created and is_reachable(episode.patient):
        program.episode = episode
        mail_question(request, "watch", emails.watch_question(request=request), now)
    return created


def judge_answer(*, answer: Answer, now: datetime) -> Alert | None:
    """What an answer about a closed case says: the open alert about it, new or known, or None."""
    episode: Episode = answer.episode
    if episode.is_open:
        return None
    # A late answer says no less that the pain is back: a watch that is over hears it too.
    since = RelapseWatch.objects.filter(episode=episode, starts_on__lte=answer.local_date)
    # What has gone on as another case cannot be re-opened again.
    watch = since.filter(reopened_as=None).exclude(episode__in=Episode.objects.followed()).first()
    if watch is None:
        return None
    verdict = relapse(_facts(watch, answer), episode.thresholds)
    if not verdict.relapsed:
        return None
    Episode.objects.select_for_update(of=("self",), no_key=True).get(pk=episode.pk)
    alerts = list(Alert.objects.filter(episode=episode, kind=Alert.Kind.RELAPSE))
    known = next((alert for alert in alerts if alert.state != Alert.State.RESOLVED), None)
    if known is not None:
        return _add(known, verdict, answer, now)
    return None if _is_quiet(alerts, verdict, answer.local_date) else _open(episode, verdict, answer, now)


@transaction.atomic
def end_watch(*, watch: RelapseWatch, by: User, now: datetime) -> RelapseWatch:
    """The clinic asks no more. Twice is the same as once.

    Raises:
        Denied: ``by`` may do no clinical work here.
    """
    require(by, Capability.WRITE_CLINICAL, watch.clinic_id)
    return _ended(watch, End.CLINICIAN, now)


@transaction.atomic
def stop_by_patient(*, patient: Patient, now: datetime) -> int:
    """The patient wishes no more questions; how many watches that ended."""
    watches = RelapseWatch.objects.running().filter(episode__patient=patient)
    return sum(not _ended(watch, End.PATIENT, now).is_running for watch in watches)


def reopened(*, watch: RelapseWatch, created: Episode, now: datetime) -> None:
    """The case goes on as another one; what was asked and not answered is asked no more."""
    locked = _ended(watch, End.REOPENED, now)
    locked.reopened_as = created
    locked.save(update_fields=["reopened_as"])


def of_patient(patient: Patient) -> RelapseWatch | None:
    """The running watch over the patient's last closed case."""
    watches = RelapseWatch.objects.running().filter(episode__patient=patient)
    return watches.select_related("episode", "program").order_by("-starts_on", "-pk").first()


def _ended(watch: RelapseWatch, why: str, now: datetime) -> RelapseWatch:
    locked: RelapseWatch = RelapseWatch.objects.select_for_update(of=("self",), no_key=True).get(pk=watch.pk)
    if locked.is_running:
        _end(locked, why, now)
    return locked


def _end(watch: RelapseWatch, why: str, now: datetime) -> None:
    watch.ended_at, watch.end_reason, watch.next_ask_at = now, why, None
    watch.save(update_fields=["ended_at", "end_reason", "next_ask_at"])


def _treated_by(episode: Episode) -> Program | None:
    """The last program that treated the case: the questions go on with it."""
    found: Program | None = episode.programs.treating().first()
    return found


def _slot(episode: Episode, day: date) -> datetime:
    """The patient's usual hour of that day; of the day after, where the zone skips the date."""
    program = _treated_by(episode)
    at = (program.check_in_time if program else None) or episode.thresholds.check_in_time
    zone = episode.patient.timezone
    found = slot_at(day, at, zone) or slot_at(day + DAY, at, zone)
    assert found is not None
    return found


def _facts(watch: RelapseWatch, answer: Answer) -> WatchFacts:
    told_pain = [value for value in (answer.worst_left, answer.worst_right) if value is not None]
    told = Answer.objects.current().filter(episode=answer.episode_id, back_to_activity__isnull=False)
    before = told.filter(occurred_at__lt=answer.occurred_at).order_by("-occurred_at")
    return WatchFacts(
        worst=max(told_pain, default=None),
        at_discharge=watch.pain_at_discharge,
        active=answer.back_to_activity,
        was_active=before.values_list("back_to_activity", flat=True).first(),
    )


def _open(episode: Episode, verdict: RelapseVerdict, answer: Answer, now: datetime) -> Alert:
    text = _words(verdict)
    alert = Alert.objects.create(
        clinic_id=episode.clinic_id,
        episode=episode,
        kind=Alert.Kind.RELAPSE,
        reason=min(verdict.keys),
        summary=text,
        action=ACTION,
        evidence=[_evidence(verdict, answer)],
        thresholds=as_json(verdict.thresholds),
        opened_on=answer.local_date,
        opened_at=now,
    )
    add_event(
        alert=alert, what=AlertEvent.What.OPENED, at=now, note=text, evidence=[_evidence(verdict, answer)]
    )
    return alert


def _add(alert: Alert, verdict: RelapseVerdict, answer: Answer, now: datetime) -> Alert:
    """One more answer that says so; only another ground is news."""
    new = verdict.keys - _keys([alert])
    entry = _evidence(verdict, answer)
    alert.evidence, alert.summary = [*alert.evidence, entry], _words(verdict)
    alert.save(update_fields=["evidence", "summary"])
    if new:
        add_event(
            alert=alert, what=AlertEvent.What.NEW_EVIDENCE, at=now, note=alert.summary, evidence=[entry]
        )
    return alert


def _is_quiet(alerts: Iterable[Alert], verdict: RelapseVerdict, on: date) -> bool:
    """A clinician has dealt with the same ground not long ago."""
    t = verdict.thresholds
    recent = [a for a in alerts if a.resolved_on and (on - a.resolved_on).days < t.reopen_after_days]
    return bool(recent) and verdict.keys <= _keys(recent)


def _keys(alerts: Iterable[Alert]) -> set[str]:
    return {key for alert in alerts for entry in alert.evidence for key in entry.get("keys", ())}


def _evidence(verdict: RelapseVerdict, answer: Answer) -> dict[str, object]:
    return {
        "keys": sorted(verdict.keys),
        "text": _words(verdict),
        "day": answer.local_date.isoformat(),
        "id": answer.pk,
    }


def _words(verdict: RelapseVerdict) -> str:
    text = "; ".join(verdict.reasons)
    return f"{text[:1].upper()}{text[1:]}"
