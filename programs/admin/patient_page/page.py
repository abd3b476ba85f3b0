"""All that the patient page shows of one case, gathered in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clinic.models import User
from clinic.roles import Capability
from patients.models import Episode, Invitation, Patient
from programs.admin.caseload import CaseRow, cases_in_order, local_today
from programs.admin.patient_page.clinical import LATEST, Clinical, clinical
from programs.admin.patient_page.papers import Papers, papers
from programs.admin.patient_page.step import Step, first_case, next_step
from programs.admin.red_flag import RedFlag, red_flag
from programs.models import ContactLog, Program
from programs.services.assign import draft_of
from programs.services.caseload import lines
from programs.services.consents import Agreed, agreed


@dataclass(slots=True)
class PatientPage:
    """What the template needs. Without a case ``row`` is None; ``clinical`` also for assistants."""

    patient: Patient
    age: int | None
    may_contact: bool
    may_treat: bool
    may_erase: bool
    consent: Agreed
    invitation: str
    cases: list[Episode]
    now: datetime
    row: CaseRow | None = None
    clinical: Clinical | None = None
    red_flag: RedFlag | None = None
    step: Step | None = None
    contacts: Sequence[ContactLog] = ()
    notes: Sequence[ContactLog] = ()
    draft: Program | None = None
    papers: Papers | None = None


def build_page(user: User, patient: Patient, case: str, now: datetime) -> PatientPage:
    """The page as this user may see it; ``case`` names an earlier case by its id."""
    cases = cases_in_order(user, [patient])
    episode = next((e for e in cases if str(e.pk) == case), cases[0] if cases else None)
    page = PatientPage(
        patient=patient,
        age=patient.age_on(local_today(patient, now)),
        may_contact=user.may(Capability.WRITE_CONTACT, patient.clinic_id),
        may_treat=user.may(Capability.WRITE_CLINICAL, patient.clinic_id),
        may_erase=user.may(Capability.ERASE, patient.clinic_id),
        consent=agreed(patient=patient),
        invitation=_invitation(patient, now),
        cases=cases,
        now=now,
    )
    if episode is None:
        page.step = first_case(patient, user)
        return page
    episode.patient = patient
    [line] = lines(user=user, episodes=[episode], now=now, kind=CaseRow)
    page.row = line.row  # type: ignore[assignment]
    page.draft = draft_of(episode) if page.may_treat and episode.is_open else None
    logged = ContactLog.objects.filter(episode=episode).select_related("by")
    page.contacts = logged.contacts()[:LATEST]
    if user.may(Capability.READ_CLINICAL, patient.clinic_id):
        page.clinical = clinical(page.row)
        page.notes = logged.notes()[:LATEST]
        page.papers = papers(user, episode, now)
        page.step = next_step(line, user)
        if page.row.red_flag:
            page.red_flag = red_flag(page.row.red_flag, patient)
    return page


def _invitation(patient: Patient, now: datetime) -> str:
    if patient.user_id:
        return "Has an account"
    last = Invitation.objects.filter(patient=patient).first()
    if last is None:
        return "Not invited yet"
    if last.accepted_at is not None or last.revoked_at is not None:
        return f"Invited on {last.created_at:%-d %b %Y}, at an earlier address"
    if last.expires_at <= now:
        return f"Invitation of {last.created_at:%-d %b %Y} ran out"
    return f"Invited on {last.created_at:%-d %b %Y}, not opened yet"
