"""A case with all that can be acted on, and what each act asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.urls import reverse
from django.utils import timezone

from clinic.models import Absence, Clinic, Membership
from patients.models import (
    Assessment,
    AssessmentDraft,
    Episode,
    Erasure,
    RestrictedRecord,
)
from programs.models import (
    Alert,
    Exercise,
    Pause,
    Program,
    RelapseWatch,
    Template,
)
from programs.services.red_flags import raise_red_flag
from tests.factories import (
    make_assessment,
    make_case,
    make_exercise,
    make_program,
    make_template,
    make_user,
)


@dataclass
class Case:
    """A case with all that can be acted on, and what each action asks."""

    episode: Episode
    program: Program
    draft: Program
    signed: Assessment
    typed: AssessmentDraft
    alert: Alert
    closed: Episode
    pause: Pause
    flag: Alert
    template: Template
    own_template: Template
    exercise: Exercise
    colleague: Any
    record: RestrictedRecord
    member: Membership
    absence: Absence

    def target(self, name: str) -> Any:
        rows: list[tuple[Any, tuple[str, ...]]] = [
            (self.episode.patient, ("invite", "new-case", "export", "erase")),
            (self.record, ("open-record",)),
            (self.signed, ("addendum",)),
            (self.typed, ("raise-flag",)),
            (self.flag, ("clear",)),
            (self.alert, ("acknowledge", "snooze", "resolve", "hand-over")),
            (self.absence, ("end-absence",)),
            (self.own_template, ("copy-template", "export-template")),
            (self.exercise, ("copy-exercise", "clip")),
            (self.member, ("absence", "hand-over-caseload")),
            (self.episode.clinic, ("export-caseload",)),
            (self.pause, ("edit-pause", "cancel-pause")),
            (self.draft, ("send", "discard")),
            (self.closed, ("reopen", "end-watch")),
            (
                self.episode,
                (
                    *("reassign", "discharge", "log-contact", "add-note", "assign", "thresholds", "groc"),
                    *("letter", "export-case"),
                ),
            ),
        ]
        return next((row for row, names in rows if name in names), self.program)

    def data(self, name: str) -> dict[str, Any]:
        today = timezone.localdate()
        asked: dict[str, dict[str, Any]] = {
            "new-case": {
                "clinician": self.episode.clinician_id,
                "diagnosis": "pfp",
                "index_side": "right",
                "running_track": "stopped",
                "opened_on": today.isoformat(),
            },
            "reassign": {"clinician": self.colleague.pk},
            "discharge": {"outcome": "improved", "note": "Runs again"},
            "log-contact": {"kind": "call", "note": "Asked"},
            "add-note": {"note": "Asked"},
            "assign": {"template_choice": self.template.pk},
            "send": {"started_on": today.isoformat()},
            "move-stage": {"to_stage": 2, "override_reason": "Strong enough"},
            "apply-proposal": {"expected": "hold nothing"},
            "running": {"to": "track:stopped", "reason": "Off for weeks"},
            "pause": {
                "kind": "holiday",
                "starts_on": today.isoformat(),
                "confirmed": f"{today.isoformat()} to open",
            },
            "edit-pause": {"kind": "illness", "starts_on": today.isoformat()},
            "resume": {"on": today.isoformat()},
            "fair-trial": {"on": today.isoformat(), "reason": "Another program"},
            "snooze": {"until": (today + timedelta(days=5)).isoformat(), "note": "Back from holiday then"},
            "resolve": {"came_of": "load_reduced", "outcome": "Half the hills"},
            "clear": {"finding": "Stable, no effusion", "seen": 1},
            "acknowledge": {"seen": 0},
            "export": {"content": "json", "reason": "Asked for"},
            "erase": {"case_number": self.episode.case_number, "reason": "Asked for"},
            "open-record": {"reason": "A claim"},
            "addendum": {"text": "The other knee"},
            "letter": {"kind": "stall", "recipient": "Dr. Visser", "question": "Would you see her?"},
            "hand-over": {"to": self.colleague.pk, "why": "Your field"},
            "hand-over-caseload": {"to": self.colleague.pk},
            "absence": {
                "starts_on": (today + timedelta(days=9)).isoformat(),
                "ends_on": (today + timedelta(days=12)).isoformat(),
                "cover": self.colleague.pk,
            },
        }
        return asked.get(name, {})


def case_of(staff: Any) -> Case:
    now = timezone.now()
    today = timezone.localdate()
    episode = make_case(staff.clinic, clinician=staff.physio, opened_on=today - timedelta(days=30))
    program = make_program(
        episode, started_on=today - timedelta(days=20), stage_started_on=today - timedelta(days=20)
    )
    other = make_case(staff.clinic, clinician=staff.physio, opened_on=today)
    make_program(other, started_on=today, stage_started_on=today)
    draft = make_program(other, started_on=today, stage_started_on=today, is_draft=True)
    alert = Alert.objects.create(
        clinic=staff.clinic, episode=episode, kind="stall", summary="Stalling", opened_on=today, opened_at=now
    )
    flagged = make_case(staff.clinic, clinician=staff.physio, opened_on=today)
    make_program(flagged, started_on=today, stage_started_on=today)
    flag = raise_red_flag(episode=flagged, codes=["knee_locks"], source="a check-in", evidence=[], now=now)
    assert flag is not None
    closed = make_case(
        staff.clinic, clinician=staff.physio, opened_on=today, closed_on=today, outcome="recovered"
    )
    watched = {"starts_on": today, "ends_on": today + timedelta(days=180), "set_by": staff.physio}
    RelapseWatch.objects.create(clinic=staff.clinic, episode=closed, **watched)
    pause = Pause.objects.create(
        clinic=staff.clinic,
        program=flagged.programs.get(),
        kind="holiday",
        starts_on=today,
        ends_on=today + timedelta(days=3),
        paused_by=staff.physio,
    )
    return Case(
        closed=closed,
        pause=pause,
        episode=episode,
        program=program,
        draft=draft,
        signed=make_assessment(flagged, assessed_on=today, signed_at=now, signed_by=staff.physio),
        typed=typed_by(make_user(clinic=staff.clinic), other),
        alert=alert,
        flag=flag,
        template=make_template(),
        own_template=make_template(clinic=staff.clinic),
        exercise=make_exercise(clinic=staff.clinic),
        colleague=make_user(clinic=staff.clinic),
        record=erased_case(staff.clinic),
        member=staff.physio.memberships.get(),
        absence=Absence.objects.create(
            clinic=staff.clinic,
            clinician=staff.physio,
            starts_on=today,
            ends_on=today + timedelta(days=2),
            set_by=staff.physio,
            set_at=now,
        ),
    )


def typed_by(colleague: Any, episode: Episode) -> AssessmentDraft:
    draft: AssessmentDraft = AssessmentDraft.objects.create(
        clinic=episode.clinic,
        episode=episode,
        author=colleague,
        content="{}",
        red_flags=["knee_locks"],
        started_at=timezone.now(),
        saved_at=timezone.now(),
    )
    return draft


def erased_case(clinic: Clinic) -> RestrictedRecord:
    erasure = Erasure.objects.create(
        clinic=clinic, patient_key=uuid4(), erased_at=timezone.now(), keep_until=timezone.localdate()
    )
    return RestrictedRecord.objects.create(
        clinic=clinic, erasure=erasure, case_numbers=["77"], content='{"case": "77"}'
    )


def act(client: Any, name: str, case: Case, **changes: Any) -> Any:
    return client.post(url_of(name, case), {**case.data(name), **changes})


def url_of(name: str, case: Case) -> str:
    return reverse("admin:do", args=[name, case.target(name).pk])
