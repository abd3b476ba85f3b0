"""The weekly digest: one e-mail per clinician and ISO week, if there is something to say.

While a clinician is away, theirs goes to whoever stands in, at the same hour, and says whose it is. It is
still the one digest of that clinician and week: who comes back in the middle of it is not told again.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.db.models import Q

from clinic import absences, attempts, outbox
from clinic.models import Clinic, Membership, OutboxMessage, User
from programs import emails
from programs.models import Digest
from programs.rules.schedule import DigestSlot, digest_slot, local_date
from programs.services import digest_content
from programs.services.deadline import SWEEP_LIMIT, Deadline

logger = logging.getLogger(__name__)

SWEEP = "send_digests"
WEEK = timedelta(days=7)


class DigestSweepError(Exception):
    """Some digests could not be written; all the others were."""


def send_due(
    *, now: datetime, clinic: Clinic | None = None, again: bool = False, limit: timedelta = SWEEP_LIMIT
) -> dict[str, int]:
    """Write the digest of each clinician whose day and hour of this ISO week has come; never a second one.

    Returns counts: ``written`` into the outbox, ``quiet`` (nothing to say this week), ``waiting`` (not yet
    time, or told this week). ``again`` also looks at those who were quiet earlier in the week. Who is left
    after ``limit`` waits for the next sweep.

    Raises:
        DigestSweepError: a digest could not be written; raised after all the others were.
    """
    members = Membership.objects.clinicians().filter(clinic__is_active=True)
    if clinic is not None:
        members = members.filter(clinic=clinic)
    if not again:
        members = members.filter(Q(next_digest_at=None) | Q(next_digest_at__lte=now))
    counts, failed, deadline = Counter[str](written=0, quiet=0, waiting=0), list[int](), Deadline(limit)
    for pk in attempts.to_try(SWEEP, members, now).order_by("pk").values_list("pk", flat=True):
        try:
            work = partial(_send, pk, now)
            outcome = attempts.attempt(sweep=SWEEP, model=Membership, key=pk, now=now, work=work)
            counts[outcome or "waiting"] += 1
        except Exception:
            logger.exception("the digest of membership %s could not be written", pk)
            failed.append(pk)
        if deadline.has_passed:
            break
    if failed:
        raise DigestSweepError(
            f"{len(failed)} digests could not be written, the first for membership {failed[0]}"
        )
    return dict(counts)


def _send(pk: int, now: datetime) -> str:
    """Settle this week for one member; a second sweep passes by, and the unique row makes sure of it."""
    member = (
        Membership.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        .select_related("clinic__policy", "user")
        .filter(pk=pk)
        .first()
    )
    if member is None:
        return "waiting"
    slot = _slot(member, now)
    outcome = "waiting"
    if slot.due and not _told(member, slot):
        outcome = "written" if _write(member, slot, now) else "quiet"
    member.next_digest_at = _following(member, now)
    member.save(update_fields=["next_digest_at"])
    return outcome


def _told(member: Membership, slot: DigestSlot) -> bool:
    digests = Digest.objects.filter(clinic=member.clinic_id, clinician=member.user_id)
    return digests.filter(iso_year=slot.iso_year, iso_week=slot.iso_week).exists()


def _write(member: Membership, slot: DigestSlot, now: datetime) -> bool:
    """The digest and its e-mail in one transaction; False if there is nothing to say."""
    reader = _reader(member, now)
    found = digest_content.collect(member=member, reader=reader, now=now)
    if not found.selection.has_something_to_say:
        return False
    email = emails.digest(content=found.content, clinic=member.clinic)
    key = f"digest:{member.clinic_id}:{member.user_id}:{slot.week}"
    outbox.put(
        clinic=member.clinic,
        kind="digest",
        dedupe_key=key,
        to_email=reader.email,
        subject=email.subject,
        text=email.text,
        html=email.html,
        images=email.images,
        now=now,
    )
    Digest.objects.create(
        clinic=member.clinic,
        clinician=member.user,
        sent_to=None if reader == member.user else reader,
        iso_year=slot.iso_year,
        iso_week=slot.iso_week,
        sent_for=local_date(now, member.clinic.timezone),
        message=OutboxMessage.objects.get(dedupe_key=key),
        content=found.as_json(),
        created_at=now,
    )
    return True


def _reader(member: Membership, now: datetime) -> User:
    there = absences.roster(member.clinic_id, local_date(now, member.clinic.timezone))
    reader = there.reader(member.user_id)
    return member.user if reader == member.user_id else User.objects.get(pk=reader)


def _slot(member: Membership, instant: datetime) -> DigestSlot:
    """The member's own day and hour, each else the clinic's, in the clinic's zone."""
    t = member.clinic.thresholds()
    weekday = member.digest_weekday or t.digest_weekday
    at: time = member.digest_time if member.digest_time is not None else t.digest_time
    return digest_slot(instant, weekday, at, member.clinic.timezone)


def _following(member: Membership, now: datetime) -> datetime | None:
    """The next slot after now: of this week, else of the first week that has one."""
    zone = ZoneInfo(member.clinic.timezone)
    today = now.astimezone(zone).date()
    # By date, not by hours: 168 hours on, the clocks may have changed, and a week been passed over.
    weeks = (datetime.combine(today + n * WEEK, time(12), tzinfo=zone) for n in range(3))
    slots = (_slot(member, instant).at for instant in weeks)
    return next((at for at in slots if at is not None and at > now), None)
