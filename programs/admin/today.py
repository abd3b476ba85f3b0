"""The caseload on the first page: who needs me today, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Max
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from clinic.models import User
from clinic.roles import Capability
from clinic.tenancy import clinics_where
from patients.models import Episode
from patients.vocabulary import Diagnosis
from programs.admin.caseload import CaseRow
from programs.admin.caseload_acts import Button, buttons
from programs.admin.sparkline import Sparkline, sparkline
from programs.admin.wording import CASE_STATES, GROUPS, NEEDS, Badge, need_badge, reason_label
from programs.models import Program
from programs.rules.caseload import Figure, Figures, Need
from programs.services.caseload import (
    CaseloadError,
    Line,
    Survey,
    Tally,
    Wanted,
    cases_of,
    clinic_figures,
    lines,
    survey,
)
from programs.services.caseload.lines import TREND_WEEKS

PER_PAGE = 25
NUMBERS = ("clinician", "stage")


@dataclass(frozen=True, slots=True)
class ShownCase:
    """A line as the page shows it."""

    line: Line
    row: CaseRow
    is_mine: bool
    badges: Sequence[Badge]
    trend: Sparkline | None
    news: str
    called: str
    acts: Sequence[Button]
    heading: str

    @property
    def first(self) -> Any:
        return self.line.first


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter: how many cases it finds, and the address that sets it, or takes it away."""

    value: str
    text: str
    url: str
    is_chosen: bool
    number: int | None = None
    badge: Badge | None = None


@dataclass(frozen=True, slots=True)
class Today:
    cases: Sequence[ShownCase]
    page: Page[int]
    pages: Sequence[tuple[str, str]]
    counts: Tally
    closed: int
    wanted: Wanted
    error: str
    needs: Sequence[Choice]
    states: Sequence[Choice]
    selects: Sequence[tuple[str, str, Sequence[tuple[str, str]], str]]
    red_flags_elsewhere: int
    reads: bool
    treats: bool
    figures: Sequence[tuple[str, str, str]]
    alerts: Sequence[tuple[str, str, str]]

    @property
    def is_filtered(self) -> bool:
        return self.wanted != Wanted()


def today(request: HttpRequest, user: User, now: datetime) -> Today:
    """The page of the caseload that the address asks for."""
    wanted, error = _wanted(request.GET)
    found, error = _found(user, now, wanted, error)
    counts, treats = found.tally, bool(user.active_memberships)
    page = Paginator(found.cases, PER_PAGE).get_page(request.GET.get("page"))
    cases = cases_of(user=user, found=list(page))
    rows = lines(user=user, episodes=cases, now=now, kind=CaseRow)
    reads = bool(clinics_where(user, Capability.READ_CLINICAL))
    flags_here = sum(line.reads and line.row.red_flag is not None for line in rows)
    figures = clinic_figures(user=user, now=now) if reads and treats else None
    return Today(
        cases=[
            _shown(line, user, request.get_full_path(), heading)
            for line, heading in zip(rows, _headings(rows, found, shown=reads), strict=True)
        ],
        page=page,
        pages=list(_pages(request.GET, page)),
        counts=counts,
        closed=found.closed,
        wanted=wanted,
        error=error,
        needs=[_need(request.GET, *need) for need in counts.needs.items()] if treats else [],
        states=[_state(request.GET, state, number) for state, number in counts.states.items()],
        selects=list(_selects(user, wanted, reads=reads)) if treats else [],
        red_flags_elsewhere=counts.red_flags - flags_here,
        reads=reads,
        treats=treats,
        figures=list(_figures(figures)) if figures else [],
        alerts=list(_alerts(figures)) if figures else [],
    )


def _wanted(query: QueryDict) -> tuple[Wanted, str]:
    """What the address asks for, and what is wrong with it."""
    values: dict[str, Any] = {}
    for name in (field.name for field in fields(Wanted)):
        value = query.get(name, "").strip()
        if name in NUMBERS and value:
            if not (value.isascii() and value.isdecimal() and len(value) < 10):
                return Wanted(), f"There is no such {name}."
            values[name] = int(value)
        elif value:
            values[name] = value.replace("\0", " ")
    return Wanted(**values), ""


def _found(user: User, now: datetime, wanted: Wanted, error: str) -> tuple[Survey, str]:
    """The cases; all of them, and why, if they cannot be filtered like this. Who treats nobody, an operator
    with open records, is shown the red flags alone.
    """
    if not user.active_memberships:
        return survey(user=user, now=now, wanted=Wanted(need=Need.RED_FLAG)), error
    try:
        return survey(user=user, now=now, wanted=wanted), error
    except CaseloadError as refused:
        return survey(user=user, now=now), refused.message


def _headings(rows: Sequence[Line], found: Survey, *, shown: bool) -> Iterator[str]:
    """Above the first case of each group on the page. Who reads no findings is shown no groups by them."""
    last = None
    for line in rows:
        group = found.groups[line.row.episode.pk]
        yield GROUPS[group] if shown and group is not last else ""
        last = group


def _called(line: Line) -> str:
    """ "Call, no answer on 23 Nov by Sam Physio: voicemail"; the note only for who reads findings."""
    contact = line.contact
    if contact is None:
        return ""
    told = f"{contact.get_kind_display()} on {timezone.localtime(contact.at):%-d %b} by {contact.by}"
    return f"{told}: {contact.note}" if line.reads and contact.note else told


def _shown(line: Line, user: User, back: str, heading: str) -> ShownCase:
    row: CaseRow = line.row  # type: ignore[assignment]
    return ShownCase(
        line=line,
        row=row,
        is_mine=row.episode.clinician_id == user.pk,
        badges=[need_badge(needed) for needed in line.needs if needed.need is not Need.NEW_ANSWERS],
        trend=_trend(line, row),
        news=next((needed.why for needed in line.needs[1:] if needed.need is Need.NEW_ANSWERS), ""),
        called=_called(line),
        acts=buttons(line, user, back),
        heading=heading,
    )


def _trend(line: Line, row: CaseRow) -> Sparkline | None:
    if not line.trend or row.program is None:
        return None
    since = max(row.program.started_on, row.today - timedelta(weeks=TREND_WEEKS))
    baseline = row.review.baseline if row.review else None
    return sparkline(line.trend, since=since, today=row.today, baseline=baseline)


def _address(query: QueryDict, **values: str) -> str:
    """The same page with other values; of another filter the first page."""
    changed = query.copy()
    changed.pop("page", None)
    for name, value in values.items():
        changed[name] = value
        if not value:
            del changed[name]
    return f"?{changed.urlencode()}"


def _need(query: QueryDict, need: Need, number: int) -> Choice:
    chosen = query.get("need") == need
    url = _address(query, need="" if chosen else str(need))
    return Choice(str(need), NEEDS[need].text, url, chosen, number, NEEDS[need])


def _state(query: QueryDict, state: str, number: int) -> Choice:
    chosen, badge = query.get("state") == state, CASE_STATES[state]
    return Choice(state, badge.text, _address(query, state="" if chosen else state), chosen, number, badge)


def _selects(
    user: User, wanted: Wanted, *, reads: bool
) -> Iterator[tuple[str, str, Sequence[tuple[str, str]], str]]:
    """Name, label, choices and what is chosen, of each list to choose from."""
    cases = Episode.objects.scoped(user).open().order_by()
    treating = User.objects.filter(pk__in=cases.values("clinician"))
    people = [(str(person.pk), "Mine" if person == user else str(person)) for person in treating]
    people.sort(key=lambda choice: choice[1] != "Mine")
    yield "clinician", "Clinician", people, str(wanted.clinician or "")
    if not reads:
        return
    yield "diagnosis", "Diagnosis", Diagnosis.choices(), wanted.diagnosis
    last = Program.objects.scoped(user).active().aggregate(last=Max("current_stage"))["last"] or 0
    stages = [(str(stage), f"Stage {stage}") for stage in range(1, last + 1)]
    yield "stage", "Stage", stages, str(wanted.stage or "")


def _pages(query: QueryDict, page: Page[int]) -> Iterator[tuple[str, str]]:
    """Label and address of the pages before and after."""
    steps = (
        ("Previous", page.has_previous() and page.number - 1),
        ("Next", page.has_next() and page.number + 1),
    )
    for label, number in steps:
        if number:
            yield label, _address(query, page=str(number))


def _figures(found: Figures) -> Iterator[tuple[str, str, str]]:
    """Label, value and change of each figure, in words."""
    yield "Active cases", *_figure(found.active)
    yield "Responding", *_figure(found.responding, " %")
    yield "Median weeks to success", *_figure(found.weeks_to_success)
    yield "Adherence", *_figure(found.adherence, " %")


def _alerts(found: Figures) -> Iterator[tuple[str, str, str]]:
    for reason, figure in found.alerts.items():
        yield reason_label(reason), *_figure(figure)


def _figure(figure: Figure, unit: str = "") -> tuple[str, str]:
    if figure.now is None:
        return "-", "nothing to count yet"
    change = figure.change
    if change is None:
        return f"{figure.now:g}{unit}", "no figure 4 weeks ago"
    sign = "unchanged in" if not change else f"{change:+g}{' points' if unit else ''} in"
    return f"{figure.now:g}{unit}", f"{sign} 4 weeks"
