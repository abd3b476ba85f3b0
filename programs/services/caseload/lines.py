"""One line a case, as a list shows it: how it stands, its trend, what it needs and why."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Max, Min, Q, When
from django.db.models.functions import Coalesce

from clinic.models import User
from clinic.roles import Capability
from clinic.tenancy import clinics_where
from patients.models import Assessment, Episode, OutcomeScore
from patients.vocabulary import OutcomeMeasure, Side
from programs.models import Alert, Answer, ContactLog, Program
from programs.rules import caseload
from programs.rules.alerts import HOLDS_BACK
from programs.rules.caseload import CaseFacts, Needed, NewAnswers, Start, Way
from programs.rules.schedule import local_date
from programs.services.caseload.rows import CaseRow, case_rows, waiting
from programs.services.invitations import ways

TREND_WEEKS = 12
"""How far back the trend of a line goes."""

CONTACT_DAYS = 28
"""For so long a logged call stands on its line."""

INDEX_KNEE = Case(When(episode__index_side=Side.LEFT, then=F("worst_left")), default=F("worst_right"))
"""Of an answer, worst pain of the case's index knee."""


@dataclass(frozen=True, slots=True)
class Line:
    """A case on the list. Findings (``needs``, ``trend``, sessions) only where the user reads them.

    ``trend`` is the index knee's worst pain by day, NPRS 0-10, of the last 12 weeks of the program;
    ``sessions_done`` of ``sessions_due`` are strength sessions of the adherence window, as of the review.
    ``contact`` is the last one, of late; its note is a finding. ``assessment`` is the latest one's id, and
    ``draft`` that of a program that was not sent yet.
    """

    row: CaseRow
    reads: bool
    contact: ContactLog | None = None
    needs: tuple[Needed, ...] = ()
    trend: Mapping[date, Decimal] | None = None
    assessment: int | None = None
    draft: int | None = None

    @property
    def first(self) -> Needed | None:
        return self.needs[0] if self.needs else None

    @property
    def sessions_done(self) -> int | None:
        return self.row.program.sessions_done if self.reads and self.row.program else None

    @property
    def sessions_due(self) -> int | None:
        return self.row.program.sessions_due if self.reads and self.row.program else None


def lines(
    *, user: User, episodes: Sequence[Episode], now: datetime, kind: type[CaseRow] = CaseRow
) -> list[Line]:
    """A line for each of these cases, in their order; nothing of findings where the user may not read them.

    Seventeen queries at most, however many cases. The cases come with ``patient`` and ``clinician`` selected.
    """
    patients = {episode.patient_id: episode.patient for episode in episodes}
    rows = case_rows(episodes, patients, now, kind)
    clinics = clinics_where(user, Capability.READ_CLINICAL)
    read = {case: row for case, row in rows.items() if row.episode.clinic_id in clinics}
    extra = _Extra.of(list(read.values()), now) if read else None
    called = _contacts(rows, now)
    return [
        extra.line(row, called.get(case)) if extra and case in read else Line(row, False, called.get(case))
        for case, row in rows.items()
    ]


@dataclass(frozen=True, slots=True)
class _Extra:
    """What a line tells beside the case's standing, for many cases at once."""

    trends: Mapping[int, Mapping[date, Decimal]]
    fresh: Mapping[int, NewAnswers]
    scored: Mapping[int, date]
    assessed: Mapping[int, tuple[int, date]]
    followed: Container[int]
    prepared: Mapping[int, int]
    ways: Mapping[Any, Way]

    @classmethod
    def of(cls, rows: Sequence[CaseRow], now: datetime) -> _Extra:
        return cls(
            _trends(rows),
            _fresh(rows),
            _scored(rows),
            _assessed(rows),
            _followed(rows),
            _prepared(rows),
            ways([row.episode.patient for row in rows], now),
        )

    def line(self, row: CaseRow, contact: ContactLog | None) -> Line:
        case = row.episode.pk
        return Line(
            row,
            reads=True,
            contact=contact,
            needs=caseload.needs(self._facts(row)),
            trend=self.trends.get(case, {}),
            assessment=self.assessed[case][0] if case in self.assessed else None,
            draft=self.prepared.get(case),
        )

    def _facts(self, row: CaseRow) -> CaseFacts:
        case, program = row.episode.pk, row.program
        alerts = tuple(waiting(alert) for alert in row.alerts if alert.state != Alert.State.SNOOZED)
        fresh = self.fresh.get(case) if row.episode.is_open else None
        bounced = row.episode.patient.email_bounced_at is not None
        if program is None:
            return CaseFacts(
                alerts=alerts,
                stands_still=True,
                new_answers=fresh,
                email_bounced=bounced,
                start=self._start(row),
                followed=case in self.followed,
            )
        return CaseFacts(
            alerts=alerts,
            review_state=program.review_state,
            review_trend=program.review_trend,
            stands_still=not row.goes_on,
            stage=program.current_stage,
            stage_started_on=program.stage_started_on,
            gate_open_since=program.gate_open_since,
            held_back=any(alert.kind in HOLDS_BACK for alert in row.alerts),
            akps_due=_unless(program.akps_due_since, self.scored.get(case)),
            reassess_due=_unless(program.reassess_due_since, self._assessed_on(case)),
            new_answers=fresh,
            answered_since=_answered_since(row),
            email_bounced=bounced,
            way=self.ways[row.episode.patient_id],
            paused_since=_paused_too_long_since(row),
        )

    def _assessed_on(self, case: int) -> date | None:
        return self.assessed[case][1] if case in self.assessed else None

    def _start(self, row: CaseRow) -> Start | None:
        """What a case without a program has got so far, where it may have one."""
        case = row.episode.pk
        if not row.episode.is_open or row.red_flag:
            return None
        if case in self.prepared:
            return Start.PREPARED
        return Start.ASSESSED if case in self.assessed else Start.NOTHING


def _paused_too_long_since(row: CaseRow) -> date | None:
    if not (row.pause and row.program and row.program.paused_long and row.episode.is_open):
        return None
    return None if row.on_hold or row.program.asleep else row.pause.starts_on


def _unless(due: date | None, done: date | None) -> date | None:
    return None if due is not None and done is not None and done >= due else due


def _answered_since(row: CaseRow) -> bool:
    silent = next((alert for alert in row.alerts if alert.kind == Alert.Kind.SILENT), None)
    answered = row.last_answer_on
    return silent is not None and answered is not None and answered >= silent.opened_on


def _programs(rows: Sequence[CaseRow]) -> dict[int, Program]:
    return {row.episode.pk: row.program for row in rows if row.program}


def _trends(rows: Sequence[CaseRow]) -> dict[int, dict[date, Decimal]]:
    """Of each case the index knee's days since the program started, of the last weeks."""
    spans = {row.episode.pk: _span(row) for row in rows if row.program}
    since = min((first for first, _ in spans.values()), default=date.max)
    days = (
        Answer.objects.current()
        .filter(episode__in=spans, local_date__gte=since)
        .order_by("local_date")
        .values_list("episode_id", "local_date")
        .annotate(worst=Max(INDEX_KNEE))
    )
    found: dict[int, dict[date, Decimal]] = {case: {} for case in spans}
    for case, on, worst in days:
        first, last = spans[case]
        if worst is not None and first <= on <= last:
            found[case][on] = worst
    return found


def _span(row: CaseRow) -> tuple[date, date]:
    assert row.program is not None
    return max(row.program.started_on, row.today - timedelta(weeks=TREND_WEEKS)), row.today


def _fresh(rows: Sequence[CaseRow]) -> dict[int, NewAnswers]:
    """What was answered since each case was last opened by its clinician."""
    since = Coalesce(F("episode__programs__looked_at"), F("episode__programs__created_at"))
    programs = _programs(rows)
    answers = Answer.objects.current().filter(
        Q(episode__programs__in=[program.pk for program in programs.values()]), received_at__gt=since
    )
    told = (
        answers.order_by()
        .values_list("episode")
        .annotate(
            Count("pk"), low=Min(INDEX_KNEE), high=Max(INDEX_KNEE), notes=Count("pk", filter=~Q(note=""))
        )
    )
    opened = {row.episode.pk: _opened_on(row) for row in rows}
    return {case: NewAnswers(count, opened[case], low, high, notes) for case, count, low, high, notes in told}


def _opened_on(row: CaseRow) -> date | None:
    looked = row.program.looked_at if row.program else None
    return local_date(looked, row.episode.patient.timezone) if looked else None


def _scored(rows: Sequence[CaseRow]) -> dict[int, date]:
    """The day of the latest AKPS score."""
    scores = OutcomeScore.objects.filter(
        episode__in=_programs(rows), measure=OutcomeMeasure.AKPS.value
    ).order_by("episode_id", "-taken_on")
    return dict(scores.distinct("episode_id").values_list("episode_id", "taken_on"))


def _assessed(rows: Sequence[CaseRow]) -> dict[int, tuple[int, date]]:
    """The latest assessment and its day."""
    cases = [row.episode.pk for row in rows]
    found = Assessment.objects.filter(episode__in=cases).order_by("episode_id", "-assessed_on", "-pk")
    latest = found.distinct("episode_id").values_list("episode_id", "pk", "assessed_on")
    return {case: (pk, on) for case, pk, on in latest}


def _followed(rows: Sequence[CaseRow]) -> set[int]:
    """Of the closed ones, those whose patient is treated for the same again."""
    closed = [row.episode.pk for row in rows if not row.episode.is_open]
    return set(Episode.objects.filter(pk__in=closed).followed().values_list("pk", flat=True))


def _prepared(rows: Sequence[CaseRow]) -> dict[int, int]:
    """The program that was not sent yet."""
    cases = [row.episode.pk for row in rows]
    drafts = Program.with_drafts.drafts().filter(episode__in=cases).order_by()
    return dict(drafts.values_list("episode_id", "pk"))


def _contacts(cases: Iterable[int], now: datetime) -> dict[int, ContactLog]:
    """The last contact of each, of late."""
    latest = ContactLog.objects.contacts().filter(
        episode__in=list(cases), at__gt=now - timedelta(days=CONTACT_DAYS)
    )
    last = latest.order_by("episode_id", "-at", "-pk").distinct("episode_id")
    return {contact.episode_id: contact for contact in last.select_related("by")}
