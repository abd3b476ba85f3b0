"""Alerts acted on together, handed over, covered; letters and exports: as pages."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.models import Absence
from patients.models import Episode
from programs.models import Alert, AlertEvent, ContactLog, Letter
from programs.rules.alerts import HELD_BACK
from programs.services import alerts as acts
from programs.services.red_flags import raise_red_flag
from tests.api import Tool
from tests.factories import make_case, make_patient, make_program, make_user
from tests.hostile import FORMULAS
from tests.programs.services.test_case_exports import is_formula
from tests.programs.services.weekly import reviewed

pytestmark = pytest.mark.django_db

WORDS = {"question": "Would you see her?", "recipient": "Dr. Visser"}


def do(name: str, row: Any) -> str:
    return reverse("admin:do", args=[name, row.pk])


def alert(case: Episode, kind: str = "stall") -> Alert:
    now = timezone.now()
    return Alert.objects.create(
        clinic=case.clinic, episode=case, kind=kind, summary="Why", opened_on=now.date(), opened_at=now
    )


def red_flag(case: Episode) -> Alert:
    told = {"codes": ["knee_locks"], "source": "a check-in", "evidence": [], "now": timezone.now()}
    found = raise_red_flag(episode=case, **told)
    assert found is not None
    return found


@pytest.fixture
def three(staff: Any) -> list[Alert]:
    """A stall, a relapse of a closed case, and a red flag."""
    cases = [make_case(staff.clinic, clinician=staff.physio) for _ in range(3)]
    return [alert(cases[0]), alert(cases[1], Alert.Kind.RELAPSE), red_flag(cases[2])]


def together(alerts: list[Alert]) -> str:
    return f"{reverse('admin:alerts-together')}?chosen={','.join(str(one.pk) for one in alerts)}"


def states(alerts: list[Alert]) -> list[str]:
    return [Alert.objects.get(pk=one.pk).state for one in alerts]


def test_the_list_leads_to_the_page_of_the_chosen(staff: Any, three: list[Alert]) -> None:
    chosen = {"action": "together", "_selected_action": [one.pk for one in three]}
    client = staff.client(staff.physio)

    answer = client.post(reverse("admin:programs_alert_changelist"), chosen)

    assert answer.url == together(three)
    html = client.get(answer.url).content.decode()
    assert "Do it for 3 alerts" in html
    assert "Relapse after discharge" in html


def test_done_together_says_of_each_what_became_of_it_and_leaves_the_red_flag(
    staff: Any, three: list[Alert]
) -> None:
    client = staff.client(staff.physio)
    until = (timezone.localdate() + timedelta(days=5)).isoformat()

    html = client.post(together(three), {"what": "snooze", "until": until}).content.decode()
    assert "2 of 3 done" in html
    assert "A red flag cannot be snoozed" in html
    assert states(three) == ["snoozed", "snoozed", "open"]

    html = client.post(together(three), {"what": "resolve", "came_of": "contacted"}).content.decode()
    assert "A red flag is cleared with a finding" in html
    assert states(three) == ["resolved", "resolved", "open"]
    assert set(Alert.objects.filter(state="resolved").values_list("came_of", flat=True)) == {"contacted"}


@pytest.mark.parametrize(
    ("what", "field"), [("snooze", "until"), ("resolve", "came_of"), ("hand-over", "to"), ("erase", "what")]
)
def test_what_an_act_needs_is_asked_for_beside_its_field(
    staff: Any, three: list[Alert], what: str, field: str
) -> None:
    answer = staff.client(staff.physio).post(together(three), {"what": what})

    assert list(answer.context["form"].errors) == [field]
    assert states(three) == ["open"] * 3


def test_red_flags_are_acknowledged_together_only_as_far_as_they_were_shown(
    staff: Any, three: list[Alert]
) -> None:
    client, flag = staff.client(staff.physio), three[2]
    assert f'name="seen" value="{flag.pk}:1"' in client.get(together(three)).content.decode()
    raise_red_flag(
        episode=flag.episode, codes=["hot_knee_or_fever"], source="later", evidence=[], now=timezone.now()
    )

    html = client.post(together(three), {"what": "acknowledge", "seen": f"{flag.pk}:1"}).content.decode()

    assert "New symptoms were reported in the meantime" in html
    assert states(three) == ["acknowledged", "acknowledged", "open"]


def test_together_is_for_clinicians_and_chooses_nothing_of_another_clinic(
    staff: Any, stranger: Any, three: list[Alert]
) -> None:
    body = {"what": "resolve", "came_of": "contacted"}
    assert staff.client(staff.assistant).post(together(three), body).status_code == 403

    page = stranger.client(stranger.owner).post(together(three), body)

    assert "None of these alerts is yours to act on" in page.content.decode()
    assert states(three) == ["open"] * 3
    events = AlertEvent.objects.filter(alert__in=three)
    assert not events.exclude(what__in=["opened", "raised"]).exists()


def test_an_alert_goes_to_a_colleague_with_its_case_and_the_history_tells(
    staff: Any, three: list[Alert]
) -> None:
    piet, client = make_user(clinic=staff.clinic, name="Piet"), staff.client(staff.physio)
    refused = client.post(do("hand-over", three[0]), {"to": staff.assistant.pk})
    assert refused.context["form"].errors["to"]

    client.post(do("hand-over", three[0]), {"to": piet.pk, "why": "Your field"})

    assert Episode.objects.get(pk=three[0].episode_id).clinician == piet
    html = client.get(reverse("admin:programs_alert_change", args=[three[0].pk])).content.decode()
    assert "Handed over" in html
    assert f"From {staff.physio} to Piet. Your field" in html


def test_a_whole_caseload_goes_to_a_colleague_by_an_owner_alone(staff: Any, three: list[Alert]) -> None:
    piet, member = make_user(clinic=staff.clinic), staff.physio.memberships.get()
    theirs = Episode.objects.filter(clinician=staff.physio)
    body = {"to": piet.pk}
    assert staff.client(staff.physio).post(do("hand-over-caseload", member), body).status_code == 403
    assert theirs.count() == 3

    staff.client(staff.owner).post(do("hand-over-caseload", member), body)

    assert theirs.count() == 0
    assert Episode.objects.filter(clinician=piet).count() == 3


def test_an_absence_is_planned_shown_on_today_to_both_and_taken_back(staff: Any) -> None:
    piet, member = make_user(clinic=staff.clinic, name="Piet"), staff.physio.memberships.get()
    client, today = staff.client(staff.physio), timezone.localdate()
    days = {"starts_on": today.isoformat(), "ends_on": (today + timedelta(days=3)).isoformat()}
    assert staff.client(piet).post(do("absence", member), days).status_code == 404
    assert not Absence.objects.exists()

    assert client.post(do("absence", member), {**days, "cover": piet.pk}).status_code == 302

    def told(user: Any) -> str:
        return staff.client(user).get(reverse("admin:index")).content.decode()

    assert "You are away until" in told(staff.physio)
    assert f"You stand in for {staff.physio}" in told(piet)
    assert "stand in" not in told(staff.assistant)
    assert staff.client(piet).post(do("end-absence", Absence.objects.get())).status_code == 404
    client.post(do("end-absence", Absence.objects.get()))
    assert not Absence.objects.exists()


def test_a_call_keeps_its_minutes_and_that_it_was_live(staff: Any) -> None:
    case, client = make_case(staff.clinic, clinician=staff.physio), staff.client(staff.physio)
    refused = client.post(do("log-contact", case), {"kind": "call", "minutes": 0})
    assert refused.context["form"].errors["minutes"]

    client.post(do("log-contact", case), {"kind": "call", "minutes": 12, "is_live": "on"})

    contact = ContactLog.objects.get()
    assert (contact.minutes, contact.is_live) == (12, True)
    page = client.get(reverse("admin:patients_patient_change", args=[case.patient_id])).content.decode()
    assert "live, 12 min" in page


@pytest.mark.parametrize("name", ["export-case", "export-caseload"])
def test_hostile_names_are_no_formula_in_what_an_owner_takes_out(staff: Any, name: str) -> None:
    evil = FORMULAS[0]
    patient = make_patient(staff.clinic, given_name=evil, family_name=evil)
    case = make_case(patient=patient, clinician=staff.physio, case_number=evil[:20])
    ContactLog.objects.create(
        clinic=staff.clinic, episode=case, kind="call", at=timezone.now(), by=staff.owner, note=evil
    )
    row = case if name == "export-case" else staff.clinic

    assert staff.client(staff.physio).post(do(name, row)).status_code == 403
    answer = staff.client(staff.owner).post(do(name, row))

    assert "attachment" in answer.headers["Content-Disposition"]
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    cells = [cell for line in csv.reader(io.StringIO(text, newline="")) for cell in line]
    assert any(evil in cell for cell in cells)
    assert not [cell for cell in cells if is_formula(cell)]


def test_exports_are_linked_for_owners_alone(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    page = reverse("admin:patients_patient_change", args=[case.patient_id])
    pages = {page: case, reverse("admin:patients_patient_changelist"): staff.clinic}
    for address, row in pages.items():
        link = do("export-case" if row is case else "export-caseload", row)
        assert link in staff.client(staff.owner).get(address).content.decode()
        assert link not in staff.client(staff.physio).get(address).content.decode()


def test_a_letter_is_looked_at_made_linked_and_opened(staff: Any, stranger: Any) -> None:
    case, client = make_case(staff.clinic, clinician=staff.physio), staff.client(staff.physio)
    shown = client.post(do("letter", case), {"kind": "stall", **WORDS, "preview": "1"})
    assert shown.headers["Content-Type"] == "application/pdf"
    assert not Letter.objects.exists()

    assert client.post(do("letter", case), {"kind": "stall", **WORDS}).status_code == 302

    kept = reverse("admin:letter", args=[Letter.objects.get().pk])
    page = client.get(reverse("admin:patients_patient_change", args=[case.patient_id])).content.decode()
    assert kept in page
    assert "Dr. Visser" in page
    assert client.get(kept).content == shown.content
    assert staff.client(staff.assistant).get(kept).status_code == 403
    assert stranger.client(stranger.owner).get(kept).status_code == 404


@pytest.mark.usefixtures("no_pango")
def test_without_the_typesetter_the_page_says_so_and_no_letter_is_kept(staff: Any) -> None:
    case, client = make_case(staff.clinic, clinician=staff.physio), staff.client(staff.physio)
    client.raise_request_exception = False
    refused = client.post(do("letter", case), {"kind": "stall", **WORDS})
    assert refused.status_code == 503
    assert "the library Pango is missing" in unescape(refused.content.decode())
    assert not Letter.objects.exists()


def test_a_letter_says_the_red_flag_first_and_is_not_made_without_it(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    red_flag(case)
    client = staff.client(staff.physio)
    names = list(client.get(do("letter", case)).context["form"].fields)
    assert names.index("flag") < names.index("question")

    refused = client.post(do("letter", case), {"kind": "stall", **WORDS, "flag": " "})

    assert refused.context["form"].errors["flag"]
    assert not Letter.objects.exists()


STEP_UP = "Progress the program"


@pytest.mark.parametrize("bar", ["worsening", "red_flag", "overload", "resolved worsening"])
def test_a_step_up_that_another_alert_bars_is_suggested_on_no_page(staff: Any, bar: str) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    program = make_program(case)
    stall = alert(case)
    Alert.objects.filter(pk=stall.pk).update(level="stalled", reason="under_loaded", action=STEP_UP)
    reviewed(program, state="stalled", reason="under_loaded", action=STEP_UP, on=timezone.localdate())
    other = red_flag(case) if bar == "red_flag" else alert(case, bar.removeprefix("resolved "))
    if bar.startswith("resolved"):
        acts.resolve(
            alert=other,
            came_of="other",
            outcome="Better",
            by=staff.physio,
            now=timezone.now(),
            today=other.opened_on,
        )
    else:
        Alert.objects.filter(pk=other.pk).update(state="acknowledged")
    pages = [
        reverse("admin:programs_alert_change", args=[stall.pk]),
        reverse("admin:programs_alert_changelist"),
        reverse("admin:patients_patient_change", args=[case.patient_id]),
        reverse("admin:patients_patient_changelist"),
    ]
    for page in pages:
        html = staff.client(staff.physio).get(page).content.decode()
        assert (STEP_UP in html) == (bar in ("overload", "resolved worsening")), page
    told = Tool(staff.physio).get(f"alerts/{stall.pk}").json()["action"]
    assert told == (STEP_UP if bar in ("overload", "resolved worsening") else HELD_BACK)
