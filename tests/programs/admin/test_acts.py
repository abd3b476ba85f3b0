"""Every action of the patient page: it does its work, says why not, and is refused to those who may not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import models
from django.urls import reverse
from django.utils import timezone

from clinic.models import Absence, AuditEntry, Clinic, Membership, OutboxMessage
from patients.models import (
    Addendum,
    Assessment,
    Episode,
    Erasure,
    Invitation,
    OutcomeScore,
    Patient,
    PrivacyEvent,
    RestrictedRecord,
)
from patients.scoring import AKPS_ITEMS
from programs.admin.acts import ACTS
from programs.models import (
    Alert,
    AlertEvent,
    ContactLog,
    Exercise,
    Hold,
    Letter,
    LoadDecision,
    Pause,
    Program,
    ProgramStage,
    RelapseWatch,
    StageMove,
    Template,
)
from programs.services.red_flags import raise_red_flag
from tests.factories import (
    make_assessment,
    make_case,
    make_exercise,
    make_patient,
    make_program,
    make_template,
    make_user,
)

pytestmark = pytest.mark.django_db

BEST_AKPS = {code: str(max(item.points)) for code, item in AKPS_ITEMS.items()}
FOR_ASSISTANTS = {"invite", "log-contact"}
CHANGED_BY_ACTS: list[type[models.Model]] = [
    Absence,
    Addendum,
    Alert,
    AlertEvent,
    ContactLog,
    Episode,
    Exercise,
    Hold,
    Invitation,
    Letter,
    Membership,
    OutboxMessage,
    OutcomeScore,
    Patient,
    Pause,
    PrivacyEvent,
    Program,
    LoadDecision,
    RelapseWatch,
    StageMove,
    Template,
]


@dataclass
class Case:
    """A case with all that can be acted on, and what each action asks."""

    episode: Episode
    program: Program
    draft: Program
    assessment: Assessment
    signed: Assessment
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
            (self.assessment, ("score",)),
            (self.signed, ("addendum",)),
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
                    *("reassign", "discharge", "log-contact", "assign", "thresholds", "groc"),
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
            "score": BEST_AKPS,
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
        assessment=make_assessment(episode, assessed_on=today),
        signed=make_assessment(flagged, assessed_on=today, signed_at=now, signed_by=staff.physio),
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


def snapshot() -> list[list[tuple[Any, ...]]]:
    return [list(model._base_manager.order_by("pk").values_list()) for model in CHANGED_BY_ACTS]


def test_who_opens_what_is_left_of_someone_erased_is_on_record(staff: Any) -> None:
    case = case_of(staff)
    owner, taken = staff.client(staff.owner), AuditEntry.objects.filter(action="exported")

    assert act(owner, "open-record", case, reason=" ").status_code == 200
    assert not taken.exists()
    assert "attachment" in act(owner, "open-record", case).headers["Content-Disposition"]
    [entry] = taken
    assert (entry.patients, entry.clinic_id) == ([case.record.erasure_id], staff.clinic.pk)
    assert (entry.who, entry.why) == (f"user:{staff.owner.pk}", "A claim")


@pytest.mark.parametrize(
    ("number", "name"),
    [("C 17/3", "case-C-17-3.json"), ("Ü4", "utf-8''case-%C3%9C4.json"), ("..", "{pk}.json")],
)
def test_an_export_is_a_file_called_like_the_case(staff: Any, number: str, name: str) -> None:
    case = case_of(staff)
    case.episode.case_number = number
    case.episode.save()
    told = act(staff.client(staff.owner), "export", case).headers["Content-Disposition"]
    assert told.startswith("attachment; ")
    assert name.format(pk=case.episode.patient_id) in told


def test_every_action_shows_its_page(staff: Any) -> None:
    case = case_of(staff)
    owner = staff.client(staff.owner)

    for name, kind in ACTS.items():
        assert kind.submit in owner.get(url_of(name, case)).content.decode(), name


def test_an_assistant_is_refused_every_clinical_action_and_nothing_changes(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.assistant)
    before = snapshot()

    for name in set(ACTS) - FOR_ASSISTANTS:
        assert act(client, name, case).status_code == 403, name
    assert snapshot() == before


def test_another_clinics_owner_gets_the_answer_for_a_missing_row_and_nothing_changes(
    staff: Any, stranger: Any
) -> None:
    case = case_of(staff)
    client = stranger.client(stranger.owner)
    before = snapshot()

    for name in ACTS:
        assert act(client, name, case).status_code == 404, name
    assert snapshot() == before


def test_a_missing_or_malformed_id_is_not_found(staff: Any) -> None:
    client = staff.client(staff.owner)
    ids = ("0", "999999", "x", "9" * 30, "01a20271-23f8-7cfb-af05-ffa74b2fe623")

    for name, pk in product(ACTS, ids):
        assert client.get(reverse("admin:do", args=[name, pk])).status_code == 404, (name, pk)


@pytest.mark.parametrize("name", sorted(FOR_ASSISTANTS))
def test_an_assistant_may_invite_and_log_a_call(staff: Any, name: str) -> None:
    case = case_of(staff)

    assert act(staff.client(staff.assistant), name, case).status_code == 302


def test_an_invitation_goes_to_the_outbox_without_showing_its_link(staff: Any) -> None:
    case = case_of(staff)

    act(staff.client(staff.assistant), "invite", case)

    assert Invitation.objects.get().patient == case.episode.patient
    assert OutboxMessage.objects.get(kind="invitation").to_email == case.episode.patient.email


def test_without_an_address_an_invitation_is_refused_in_words(staff: Any) -> None:
    case = case_of(staff)
    Patient.objects.update(email="")

    answer = act(staff.client(staff.physio), "invite", case)

    assert "needs an e-mail address" in answer.content.decode()
    assert not Invitation.objects.exists()


def test_a_logged_call_keeps_who_and_what(staff: Any) -> None:
    act(staff.client(staff.assistant), "log-contact", case_of(staff))

    contact = ContactLog.objects.get()
    assert (contact.by, contact.note) == (staff.assistant, "Asked")


def test_a_case_is_handed_to_a_colleague_and_not_to_an_assistant(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    refused = act(client, "reassign", case, clinician=staff.assistant.pk)
    case.episode.refresh_from_db()
    assert refused.status_code == 200
    assert case.episode.clinician == staff.physio

    act(client, "reassign", case)
    case.episode.refresh_from_db()
    assert case.episode.clinician == case.colleague


def test_discharge_closes_the_case_and_resolves_the_stall_alert(staff: Any) -> None:
    case = case_of(staff)

    act(staff.client(staff.physio), "discharge", case)

    case.episode.refresh_from_db()
    case.alert.refresh_from_db()
    assert (case.episode.outcome, case.episode.is_open) == ("improved", False)
    assert case.alert.resolution == Alert.Resolution.DISCHARGED


def test_no_outcome_is_chosen_beforehand_and_without_one_nobody_is_discharged(staff: Any) -> None:
    case, client = case_of(staff), staff.client(staff.physio)
    address = reverse("admin:do", args=["discharge", case.episode.pk])

    assert client.get(address).context["form"].fields["outcome"].choices[0] == ("", "Choose")
    assert "outcome" in client.post(address, {"outcome": ""}).context["form"].errors
    case.episode.refresh_from_db()
    assert case.episode.is_open


def test_a_stage_move_past_unmet_criteria_asks_for_a_reason_beside_its_field(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    refused = act(client, "move-stage", case, override_reason="")
    assert "Not met yet" in refused.context["form"].errors["override_reason"][0]
    gate = refused.context["gate"]
    counted = f"{len(gate.unmet)} of {len(gate.unmet) + len(gate.met)} criteria not met"
    assert f"To the next stage: {counted}" in refused.content.decode()
    assert not StageMove.objects.exists()

    act(client, "move-stage", case)
    assert StageMove.objects.get().override_reason == "Strong enough"


def test_a_pause_begins_and_ends(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    act(client, "pause", case)
    assert case.program.pauses.get().ends_on is None
    again = act(client, "pause", case)
    assert "overlaps" in again.context["form"].errors["starts_on"][0]

    tomorrow = timezone.localdate() + timedelta(days=1)
    act(client, "resume", case, on=tomorrow.isoformat())
    assert case.program.pauses.get().ends_on == tomorrow


def test_a_new_fair_trial_is_declared_once(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    act(client, "fair-trial", case)
    again = act(client, "fair-trial", case)

    assert Program.objects.get(pk=case.program.pk).fair_trial_reason == "Another program"
    assert "already declared" in again.content.decode()


def test_an_imported_program_wakes(staff: Any) -> None:
    case = case_of(staff)
    Program.objects.filter(pk=case.program.pk).update(asleep=True)

    act(staff.client(staff.physio), "wake", case)

    case.program.refresh_from_db()
    assert (case.program.asleep, case.program.next_check_in_at is None) == (False, False)


@pytest.mark.parametrize(
    ("name", "state"), [("acknowledge", "acknowledged"), ("snooze", "snoozed"), ("resolve", "resolved")]
)
def test_an_alert_is_acknowledged_snoozed_or_resolved(staff: Any, name: str, state: str) -> None:
    case = case_of(staff)

    act(staff.client(staff.physio), name, case)

    case.alert.refresh_from_db()
    assert case.alert.state == state
    assert AlertEvent.objects.filter(alert=case.alert, by=staff.physio).exists()


def test_a_red_flag_is_cleared_only_with_a_finding(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    refused = act(client, "clear", case, finding="")
    assert refused.context["form"].errors["finding"]
    assert Hold.objects.get().cleared_at is None

    act(client, "clear", case)
    assert (Hold.objects.get().cleared_by, Hold.objects.get().finding) == (
        staff.physio,
        "Stable, no effusion",
    )


def report_more(case: Case) -> None:
    """A worse symptom comes in while a clinician has a page open."""
    raise_red_flag(
        episode=case.flag.episode,
        codes=["calf_pain_swelling"],
        source="a later check-in",
        evidence=[],
        now=timezone.now(),
    )


@pytest.mark.parametrize("name", ["clear", "acknowledge"])
def test_what_was_reported_after_the_page_was_shown_is_read_first(staff: Any, name: str) -> None:
    case = case_of(staff)
    if name == "acknowledge":
        case.alert = case.flag
    client = staff.client(staff.physio)
    assert '<input type="hidden" name="seen" value="1">' in client.get(url_of(name, case)).content.decode()
    report_more(case)

    refused = act(client, name, case, seen=1)

    html = refused.content.decode()
    assert "New symptoms were reported in the meantime" in html
    assert "a later check-in" in html
    assert Alert.objects.get(pk=case.flag.pk).state == "open"
    assert Hold.objects.get().cleared_at is None
    assert act(client, name, case, seen=refused.context["seen"]).status_code == 302
    assert Alert.objects.get(pk=case.flag.pk).state != "open"


@pytest.mark.parametrize("seen", ["", "all of it"])
def test_without_word_of_what_was_seen_no_red_flag_is_cleared(staff: Any, seen: str) -> None:
    case = case_of(staff)

    answer = act(staff.client(staff.physio), "clear", case, seen=seen)

    assert "Read what was reported before you go on." in answer.content.decode()
    assert Hold.objects.get().cleared_at is None


def test_a_forgotten_finding_does_not_count_newer_symptoms_as_read(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)
    report_more(case)

    again = act(client, "clear", case, finding="")

    assert again.context["form"].errors["finding"]
    assert again.context["seen"] == 1


def test_the_buttons_of_the_patient_page_say_what_was_shown(staff: Any) -> None:
    case = case_of(staff)
    report_more(case)
    page = reverse("admin:patients_patient_change", args=[case.flag.episode.patient_id])

    html = staff.client(staff.physio).get(page).content.decode()

    assert html.count('<input type="hidden" name="seen" value="2">') == 2


def test_a_questionnaire_is_scored_item_by_item_and_screened(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    act(client, "score", case)
    assert OutcomeScore.objects.get().value == 100
    assert not Alert.objects.filter(episode=case.episode, kind="red_flag").exists()

    act(client, "score", case, swelling="0")
    assert OutcomeScore.objects.get().value == 90
    assert Alert.objects.filter(episode=case.episode, kind="red_flag").exists()


def test_an_item_left_open_is_named(staff: Any) -> None:
    answer = act(staff.client(staff.physio), "score", case_of(staff), stairs="")

    assert "stairs" in answer.context["form"].errors
    assert not OutcomeScore.objects.exists()


def test_preparing_copies_the_template_and_leads_to_the_copy(staff: Any) -> None:
    case = case_of(staff)

    answer = act(staff.client(staff.physio), "assign", case)

    program = Program.with_drafts.drafts().get(template=case.template)
    assert answer.url == reverse("admin:adjust", args=[program.pk])
    assert ProgramStage.objects.filter(program=program).count() == 2
    case.program.refresh_from_db()
    assert case.program.is_active


def test_sending_puts_the_draft_in_place_of_the_running_program(staff: Any) -> None:
    case = case_of(staff)

    answer = act(staff.client(staff.physio), "send", case)

    assert answer.status_code == 302
    assert list(case.draft.episode.programs.active()) == [case.draft]
    assert case.draft.episode.programs.exclude(pk=case.draft.pk).get().end_reason == "Replaced"


def test_a_refused_start_date_is_shown_beside_its_field(staff: Any) -> None:
    case = case_of(staff)
    tomorrow = timezone.localdate() + timedelta(days=2)

    answer = act(staff.client(staff.physio), "send", case, started_on=tomorrow.isoformat())

    assert "today or earlier" in answer.context["form"].errors["started_on"][0]
    assert Program.with_drafts.get(pk=case.draft.pk).is_draft


def test_the_assign_page_previews_stages_and_doses_before_anything_is_written(staff: Any) -> None:
    case = case_of(staff)
    dose = case.template.stages.first().doses.first()
    assert dose is not None

    html = (
        staff.client(staff.physio)
        .get(url_of("assign", case), {"template": case.template.pk})
        .content.decode()
    )

    assert dose.exercise.name in html
    assert dose.text in html
    assert Program.objects.filter(template=case.template).count() == 0


def test_another_clinics_template_can_not_be_assigned(staff: Any, stranger: Any) -> None:
    case = case_of(staff)
    foreign = make_template(clinic=stranger.clinic, name="Foreign")
    make_exercise()

    answer = act(staff.client(staff.physio), "assign", case, template_choice=foreign.pk)

    assert answer.context["form"].errors["template_choice"]
    assert not Program.objects.filter(template=foreign).exists()


def test_before_erasing_it_says_how_long_the_record_is_kept_and_why(staff: Any) -> None:
    case = make_case(staff.clinic)
    Clinic.objects.filter(pk=staff.clinic.pk).update(country="DE")
    client, address = staff.client(staff.owner), reverse("admin:do", args=["erase", case.patient_id])
    page = client.get(address).content.decode()
    until = timezone.localdate(timezone=ZoneInfo(case.patient.timezone))
    assert f"put away until {until:%-d %b} {until.year + 10}" in page
    assert "Germany: 10 years after the last treatment (Civil Code (BGB) section 630f (3))" in page
    assert f'class="kc-button" href="{reverse("admin:do", args=["export", case.patient_id])}"' in page
    Clinic.objects.filter(pk=staff.clinic.pk).update(country="")
    assert "no country" in client.get(address).content.decode()
    nobody = make_patient(staff.clinic)
    assert "Nothing has to be kept" in (
        client.get(reverse("admin:do", args=["erase", nobody.pk])).content.decode()
    )


def test_the_page_shows_who_took_what_out_before_and_why(staff: Any) -> None:
    record, patient = erased_case(staff.clinic), make_case(staff.clinic).patient
    client = staff.client(staff.owner)
    for name, pk, body in (
        ("open-record", record.pk, {"reason": "A claim by letter"}),
        ("export", patient.pk, {"reason": "Asked for at the desk", "content": "json"}),
    ):
        address = reverse("admin:do", args=[name, pk])
        assert body["reason"] not in client.get(address).content.decode()
        assert client.post(address, body).status_code == 200
        page = client.get(address).content.decode()
        assert body["reason"] in page
        assert staff.owner.name in page
        assert "data-download" in page


def test_each_page_of_an_act_has_every_field_its_form_asks_for(staff: Any) -> None:
    case, client = case_of(staff), staff.client(staff.owner)
    for name in ("apply-proposal", "acknowledge", "clear", "move-stage", "letter", "discharge"):
        page = client.get(url_of(name, case))
        html = page.content.decode()
        missing = [field for field in page.context["form"].fields if f'name="{field}"' not in html]
        assert missing == [], name
