"""Red flags: raise the alert, hold the program, tell the people; escalate; clear with a finding.

Nothing here can be switched off. Who is told is our default: the clinician and the named cover at
once, and while one of them is away whoever stands in for them; the owners too when the clinician treats here
no more or is away with nobody to stand in, nobody acknowledged it in time, or an address bounced.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from clinic import absences, attempts, outbox
from clinic.models import Membership, OutboxMessage, User
from clinic.roles import Capability, require
from clinic.row_security import Tenant, acting_for
from clinic.stand_ins import Roster
from patients.models import Episode
from programs import emails
from programs.models import Alert, AlertEvent, Answer, Hold
from programs.rules.red_flags import Symptom, Tier, new_or_worse, screen
from programs.rules.schedule import add_clinic_hours, local_date
from programs.services.alerts import AlertError, add_event, check_seen, close
from programs.services.deadline import SWEEP_LIMIT, Deadline
from programs.services.due import review_again

logger = logging.getLogger(__name__)

type Entries = list[dict[str, Any]]
"""Evidence: a symptom each, with its source and what it is known by."""

ACTION = "See the patient; the program is on hold."
ESCALATION = "escalate_red_flags"
MAILS_TO_STAFF = ("red_flag", "escalation")
"""Kinds of e-mails that are sealed with the patient's key, and are not the patient's."""


class EscalationError(Exception):
    """Some red flags could not be escalated; all the others were."""


@transaction.atomic
def raise_red_flag(
    *,
    episode: Episode,
    codes: Sequence[str],
    source: str,
    evidence: list[dict[str, Any]],
    now: datetime,
    worse: Sequence[str] = (),
    found: Mapping[str, date] = MappingProxyType({}),
    sources: Mapping[str, str] = MappingProxyType({}),
    reported_at: datetime | None = None,
) -> Alert | None:
    """Open the case's red-flag alert, or add what is new to the open one; hold the program; tell at once.

    ``source`` is where it was reported, as read by a clinician ("check-in of 3 Mar"), ``sources`` that of
    codes which come from somewhere else in it. ``worse`` are codes
    known to be worse than when they were cleared, ``found`` those that a clinician found, with the day: a
    clearing before that day says nothing of them. None if every code was cleared before and none is
    new or worse, so that a clinician is not told twice of what they have already seen.

    Raises:
        ValueError: an unknown code.
    """
    episode = (
        Episode.objects.select_for_update(of=("self",), no_key=True)
        .select_related("clinic__policy", "patient")
        .get(pk=episode.pk)
    )
    alert = Alert.objects.unresolved().filter(episode=episode, kind=Alert.Kind.RED_FLAG).first()
    known = _codes_of(alert) if alert else _cleared_codes(episode, reported_at or now, found)
    raised = new_or_worse(known, codes, worse)
    if not raised:
        return alert
    entries = _entries({symptom: sources.get(symptom, source) for symptom in raised}, evidence)
    if alert is None:
        alert, event = _open(episode, entries, now)
    else:
        event = _add(alert, entries, now)
    _hold(episode, alert, now)
    review_again(episode=episode, now=now)
    tell(alert=alert, event=event, now=now)
    return alert


@transaction.atomic
def clear(*, alert: Alert, by: User, finding: str, now: datetime, seen: int | None = None) -> Alert:
    """A physio or owner has seen the patient: close the flag with a finding and end the hold.

    ``seen`` is how many rows of evidence were on the screen: nobody clears what they have not read.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AlertError: not a red flag, already cleared, no finding, or more evidence than was seen.
    """
    require(by, Capability.WRITE_CLINICAL, alert.clinic_id)
    Episode.objects.select_for_update(no_key=True).get(pk=alert.episode_id)
    alert = Alert.objects.select_related("episode__patient").get(pk=alert.pk)
    if alert.kind != Alert.Kind.RED_FLAG or alert.state == Alert.State.RESOLVED:
        raise AlertError("alert", "There is no open red flag to clear.")
    check_seen(alert, seen)
    if not finding.strip():
        raise AlertError("finding", "Clearing a red flag needs a finding.")
    today = local_date(now, alert.episode.patient.timezone)
    close(alert=alert, resolution=Alert.Resolution.CLINICIAN, outcome=finding, by=by, now=now, today=today)
    for hold in Hold.objects.filter(program__episode=alert.episode_id, cleared_at=None):
        hold.cleared_at, hold.cleared_by, hold.finding = now, by, finding.strip()
        hold.save(update_fields=["cleared_at", "cleared_by", "finding"])
    review_again(episode=alert.episode, now=now)
    return alert


def escalate_due(*, now: datetime, limit: timedelta = SWEEP_LIMIT) -> int:
    """Tell the owner of each open red flag that nobody acknowledged in time or whose e-mail bounced.

    The oldest come first; who is left after ``limit`` waits for the next sweep. None is ever given up.

    Raises:
        EscalationError: some could not be escalated; raised after all the others were.
    """
    key = Concat(Value("red_flag:"), Cast(OuterRef("pk"), CharField()), Value(":"))
    bounced = OutboxMessage.objects.filter(kind="red_flag", bounced=True, dedupe_key__startswith=key)
    due = attempts.to_try(ESCALATION, unseen().filter(Q(escalate_at__lte=now) | Exists(bounced)), now)
    done, failed, deadline = 0, list[int](), Deadline(limit)
    for pk in list(due.order_by("opened_at").values_list("pk", flat=True)):
        try:
            work = partial(_escalate, pk, now)
            waits = attempts.NEVER_GIVE_UP
            told = attempts.attempt(sweep=ESCALATION, model=Alert, key=pk, now=now, work=work, waits=waits)
            done += told or 0
        except Exception:
            logger.exception("red flag %s could not be escalated", pk)
            failed.append(pk)
        if deadline.has_passed:
            break
    if failed:
        raise EscalationError(
            f"{len(failed)} red flags could not be escalated, the first is alert {failed[0]}"
        )
    return done


def unseen() -> QuerySet[Alert]:
    """Open red flags that nobody acknowledged, of which the owner is not told yet."""
    return Alert.objects.filter(kind=Alert.Kind.RED_FLAG, state=Alert.State.OPEN, escalated_at=None)


def _escalate(pk: int, now: datetime) -> int:
    alert = (
        Alert.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("clinic", "episode__patient", "episode__clinician")
        .filter(pk=pk, state=Alert.State.OPEN, escalated_at=None)
        .first()
    )
    if alert is None:
        return 0
    alert.escalated_at = now
    alert.save(update_fields=["escalated_at"])
    event = add_event(alert=alert, what=AlertEvent.What.ESCALATED, at=now)
    owners = _owners(alert)
    stand_ins = _stand_ins(alert, owners, _roster(alert, now))
    instead = {who: owner for who, owner in stand_ins.items() if who not in owners}
    _mail(alert, owners, "escalation", str(event.pk), now, instead)
    return 1


def _open(episode: Episode, entries: Entries, now: datetime) -> tuple[Alert, AlertEvent]:
    zone = episode.clinic.timezone
    t = episode.thresholds
    alert = Alert.objects.create(
        clinic=episode.clinic,
        episode=episode,
        kind=Alert.Kind.RED_FLAG,
        level=_tier(entry["code"] for entry in entries),
        reason="red_flag",
        summary=_summary(entries)[:500],
        action=ACTION,
        evidence=entries,
        opened_on=local_date(now, episode.patient.timezone),
        opened_at=now,
        escalate_at=add_clinic_hours(
            now, t.escalate_after_clinic_hours, t.clinic_opens, t.clinic_closes, zone
        ),
    )
    return alert, add_event(
        alert=alert, what=AlertEvent.What.OPENED, at=now, note=alert.summary, evidence=alert.evidence
    )


def _add(alert: Alert, entries: Entries, now: datetime) -> AlertEvent:
    """New symptoms on an open flag: it counts as unread again, and is escalated as if never tried."""
    alert.evidence = [*alert.evidence, *entries]
    alert.level = _tier(_codes_of(alert))
    alert.summary = f"{_summary(entries)}; {alert.summary}"[:500]
    alert.state, alert.acknowledged_at, alert.acknowledged_by = Alert.State.OPEN, None, None
    t = alert.episode.thresholds
    alert.escalated_at = None
    alert.escalate_at = add_clinic_hours(
        now, t.escalate_after_clinic_hours, t.clinic_opens, t.clinic_closes, alert.clinic.timezone
    )
    alert.save()
    with acting_for(Tenant((alert.clinic_id,))):  # a patient's request knows nothing of sweeps
        attempts.end(sweep=ESCALATION, keys=[alert.pk])
    return add_event(
        alert=alert, what=AlertEvent.What.NEW_EVIDENCE, at=now, note=_summary(entries), evidence=entries
    )


def _hold(episode: Episode, alert: Alert, now: datetime) -> None:
    program = episode.programs.active().first()
    if program is None:
        return
    codes = sorted(_codes_of(alert))
    hold, created = Hold.objects.get_or_create(
        program=program,
        cleared_at=None,
        defaults={
            "clinic_id": episode.clinic_id,
            "since": now,
            "red_flags": codes,
            "reason": alert.summary,
        },
    )
    if not created:
        hold.red_flags, hold.reason = codes, alert.summary
        hold.save(update_fields=["red_flags", "reason"])


def tell(*, alert: Alert, event: AlertEvent, now: datetime) -> None:
    """Tell those who are in charge of the case now of its open red flag, because of that event.

    The clinician and the named cover, and whoever stands in while one of them is away: they are told as
    well and not instead, as somebody away may be the only one who knows the case. The owners too if the
    clinician does not treat here any more, or is away and nobody stands in.
    """
    episode = alert.episode
    present = Membership.objects.clinicians().filter(clinic=alert.clinic_id).select_related("user")
    clinician = present.filter(user=episode.clinician_id).first()
    named_cover = Membership.objects.filter(clinic=alert.clinic_id, user=episode.clinician_id).first()
    cover = present.filter(user=named_cover.cover_id).first() if named_cover else None
    people = [membership.user for membership in (clinician, cover) if membership is not None]
    there = _roster(alert, now)
    stand_ins = _stand_ins(alert, people, there)
    is_in = clinician is not None and episode.clinician_id not in there.away
    # A cover alone would take it for somebody else's.
    if clinician is None or not (is_in or there.stand_ins(episode.clinician_id)):
        people += _owners(alert)
    _mail(alert, people, "red_flag", str(event.pk), now, stand_ins)


def _stand_ins(alert: Alert, people: Sequence[User], there: Roster) -> dict[User, User]:
    """Whoever stands in for those of them who are away, with for whom."""
    by_id = {pk: person for person in reversed(people) for pk in there.stand_ins(person.pk)}
    members = Membership.objects.clinicians().filter(clinic=alert.clinic_id, user__in=by_id)
    return {member.user: by_id[member.user_id] for member in members.select_related("user")}


def _roster(alert: Alert, now: datetime) -> Roster:
    with acting_for(Tenant((alert.clinic_id,))):  # a patient's request knows nothing of absences
        return absences.roster(alert.clinic_id, local_date(now, alert.clinic.timezone))


def mails_about(alert: Alert) -> QuerySet[OutboxMessage]:
    """The e-mails that told staff of the alert, the first first, whatever became of them."""
    keys = Q(dedupe_key__startswith=f"red_flag:{alert.pk}:") | Q(
        dedupe_key__startswith=f"escalation:{alert.pk}:"
    )
    return OutboxMessage.objects.filter(keys, clinic=alert.clinic_id).order_by("created_at", "pk")


def undelivered(clinics: Collection[int]) -> list[OutboxMessage]:
    """The given-up e-mails about red flags that are not cleared yet, in these clinics."""
    dead = OutboxMessage.objects.filter(
        clinic__in=clinics, kind__in=MAILS_TO_STAFF, state=OutboxMessage.State.DEAD
    )
    # Columns in the clear alone: who looks at Today opens no e-mail.
    of_alert = {mail: int(mail.dedupe_key.split(":")[1]) for mail in dead.only("dedupe_key", "to_email")}
    flags = Alert.objects.unresolved().filter(pk__in=of_alert.values())
    uncleared = set(flags.values_list("pk", flat=True))
    return [mail for mail, alert in of_alert.items() if alert in uncleared]


def _owners(alert: Alert) -> list[User]:
    members = Membership.objects.owners().filter(clinic=alert.clinic_id).select_related("user")
    return [membership.user for membership in members]


def _mail(
    alert: Alert, people: Iterable[User], kind: str, key: str, now: datetime, stand_ins: Mapping[User, User]
) -> None:
    """To each once, and to those who stand in, with for whom."""
    compose = emails.red_flag if kind == "red_flag" else emails.escalation
    for person in dict.fromkeys((*people, *stand_ins)):
        email = compose(alert=alert, recipient=person, now=now, stands_in_for=stand_ins.get(person))
        outbox.put(
            clinic=alert.clinic,
            kind=kind,
            dedupe_key=f"{kind}:{alert.pk}:{key}:{person.pk}",
            to_email=person.email,
            patient_key=alert.episode.patient_id,
            subject=email.subject,
            text=email.text,
            html=email.html,
            now=now,
        )


def _cleared_codes(episode: Episode, reported_at: datetime, found: Mapping[str, date]) -> set[str]:
    """Codes a clinician cleared that have been reported in every answer since: neither gone nor new."""
    cleared: set[str] = set()
    closed = episode.alerts.filter(kind=Alert.Kind.RED_FLAG, state=Alert.State.RESOLVED)
    for alert in closed.order_by("resolved_at"):
        since = Answer.objects.current().filter(
            episode=episode, occurred_at__gt=alert.resolved_at, occurred_at__lt=reported_at
        )
        day = local_date(alert.resolved_at, episode.patient.timezone)
        cleared |= {
            code
            for code in _codes_of(alert)
            if not (code in found and day < found[code])
            and not since.exclude(red_flags__contains=[code]).exists()
        }
    return cleared


def _codes_of(alert: Alert) -> set[str]:
    return {entry["code"] for entry in alert.evidence}


def _entries(sources: Mapping[Symptom, str], evidence: Entries) -> Entries:
    facts = {key: value for part in evidence for key, value in part.items()}
    return [{"code": s.value, "text": s.label, "source": source, **facts} for s, source in sources.items()]


def _tier(codes: Iterable[str]) -> str:
    return (screen(codes) or Tier.TWO).value


def _summary(entries: Entries) -> str:
    """Each source once, behind its symptoms."""
    by_source = groupby(entries, itemgetter("source"))
    return "; ".join(f"{'; '.join(entry['text'] for entry in told)} ({source})" for source, told in by_source)
