"""The weekly digest as an e-mail: who first, what changed, why, and one action each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from clinic.emails import Email, render
from clinic.models import Clinic
from programs.emails.picture import Trend, draw
from programs.rules.stall.wording import pain, pains


@dataclass(frozen=True, slots=True)
class Detail:
    """A case with news. ``week`` is that of the trial; ``baseline`` and ``now`` are worst pain, NPRS.

    ``away`` names the clinician of a case that is not the reader's own, who does not treat here any more.
    """

    who: str
    away: str
    case_number: str
    label: str
    is_urgent: bool
    week: int | None
    baseline: Decimal | None
    now: Decimal | None
    trend: str
    adherence: str
    reason: str
    action: str
    also: tuple[str, ...]
    age: str
    link: str
    picture_id: str
    picture: Trend | None

    @property
    def figures(self) -> str:
        """ "Week 8, worst pain 6.0 to 5.5, flat"."""
        parts = [f"Week {self.week}"] if self.week is not None else []
        if self.baseline is not None:
            then, now = pain(self.baseline), "no recent answers"
            if self.now is not None:
                then, now = pains(self.baseline, self.now)
            parts.append(f"worst pain {then} to {now}")
        return ", ".join([*parts, self.trend] if self.trend else parts)

    @property
    def tells_adherence(self) -> bool:
        """Not said twice where the reason is the adherence itself."""
        return bool(self.adherence) and self.adherence not in self.reason


@dataclass(frozen=True, slots=True)
class Line:
    """A case without news: one line, with its age."""

    who: str
    away: str
    case_number: str
    label: str
    age: str
    action: str
    link: str


@dataclass(frozen=True, slots=True)
class Call:
    """A patient who does not answer any more."""

    who: str
    away: str
    case_number: str
    why: str
    action: str
    link: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a digest says; ``who`` is initials, or a full name where the clinic turned that on.

    ``stands_in``: the reader is not the clinician, who is away.
    """

    clinician: str
    stands_in: bool
    today: date
    new: tuple[Detail, ...]
    unchanged: tuple[Line, ...]
    more: int
    calls: tuple[Call, ...]
    acknowledged: int
    snoozed: int
    red_flags_not_cleared: int
    on_track: int
    caseload_link: str

    @property
    def summary(self) -> str:
        """ "3 new, 1 unchanged, 2 to call"."""
        counts = ((len(self.new), "new"), (len(self.unchanged), "unchanged"), (len(self.calls), "to call"))
        return ", ".join(f"{count} {what}" for count, what in counts if count)

    @property
    def set_aside(self) -> str:
        """ "2 acknowledged, 1 snoozed", empty if there are none."""
        counts = ((self.acknowledged, "acknowledged"), (self.snoozed, "snoozed"))
        return ", ".join(f"{count} {what}" for count, what in counts if count)


def digest(*, content: Content, clinic: Clinic) -> Email:
    """The e-mail, with a small trend picture for each case that has news and two days to join."""
    whose = f"The week of {content.clinician}, who is away" if content.stands_in else "Your week"
    images = {case.picture_id: draw(case.picture) for case in content.new if case.picture is not None}
    return render(
        "digest",
        subject=f"{whose}: {content.summary}",
        clinic=clinic,
        context={"content": content},
        images=images,
    )
