"""Today: what a clinician meets first."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.admin import sweeps
from clinic.admin.sweeps import Health
from clinic.models import Membership, OutboxMessage, RowAttempt, SweepRun
from clinic.roles import Role
from patients.models import Episode
from programs.models import Alert, Review
from programs.services.red_flags import clear, raise_red_flag
from tests.factories import NOW, TODAY, make_case, make_clinic, make_operator, make_program, make_user
from tests.staff import sign_in, signed_in

pytestmark = pytest.mark.django_db


def stalled(clinic, summary):
    case = make_case(clinic)
    return Alert.objects.create(
        clinic=clinic, episode=case, kind="stall", summary=summary, opened_on=TODAY, opened_at=NOW
    )


def test_the_role_in_each_clinic_decides_what_is_read_of_its_cases(client: Client) -> None:
    treats, assists = make_clinic(), make_clinic()
    physio = make_user(clinic=treats)
    Membership.objects.create(clinic=assists, user=physio, role=Role.ASSISTANT)
    stalled(treats, "Flat at 6 where I treat")
    hidden = stalled(assists, "Flat at 6 where I assist")
    sign_in(client, physio)
    page = client.get(reverse("admin:index")).content.decode()
    assert "Flat at 6 where I treat" in page
    assert hidden.episode.case_number in page
    assert "Flat at 6 where I assist" not in page


def test_an_owner_is_shown_the_cases_nobody_treats(client: Client) -> None:
    clinic = make_clinic()
    owner, piet = make_user(role=Role.OWNER, clinic=clinic), make_user(clinic=clinic, name="Piet")
    left, kept = make_case(clinic, clinician=piet), make_case(clinic)
    Membership.objects.filter(user=piet).update(is_active=False)

    page = signed_in(owner).get(reverse("admin:index"))
    assert page.context["untreated"] == [left]
    text = page.content.decode()
    assert f"case {left.case_number} of Piet" in text
    assert reverse("admin:do", args=["reassign", left.pk]) in text
    staff_list = signed_in(owner).get(reverse("admin:clinic_membership_changelist")).content.decode()
    assert '1 <span class="kc-bounced">nobody treats it</span>' in staff_list

    colleagues = signed_in(kept.clinician).get(reverse("admin:index"))
    assert colleagues.context["untreated"] == []


def test_an_owner_is_told_of_a_red_flag_that_could_not_be_mailed_until_it_is_cleared() -> None:
    clinic = make_clinic()
    owner = make_user(role=Role.OWNER, clinic=clinic)
    case = make_case(clinic)
    alert = raise_red_flag(episode=case, codes=["knee_locks"], source="call", evidence=[{}], now=NOW)
    told = "A red flag could not be e-mailed to"

    assert told not in signed_in(owner).get(reverse("admin:index")).content.decode()
    OutboxMessage.objects.filter(kind="red_flag").update(state="dead")
    page = signed_in(owner).get(reverse("admin:index")).content.decode()
    assert f"{told} {case.clinician.email}" in page
    assert told not in signed_in(case.clinician).get(reverse("admin:index")).content.decode()
    clear(alert=alert, by=owner, finding="Harmless", now=NOW)
    assert told not in signed_in(owner).get(reverse("admin:index")).content.decode()


def test_an_action_that_the_summary_ends_with_is_told_once(client: Client) -> None:
    clinic = make_clinic()
    alert = stalled(clinic, "Week 8, stalled. Worst pain 6.0, 5.5 now. Restart or discharge?")
    alert.action = "Restart or discharge?"
    alert.save()
    sign_in(client, make_user(clinic=clinic))
    for address in (reverse("admin:index"), reverse("admin:programs_alert_change", args=[alert.pk])):
        page = client.get(address).content.decode()
        assert page.count("Restart or discharge?") == 1, address
        assert "Week 8, stalled. Worst pain 6.0, 5.5 now" in page


def open_service_panel(client: Client, user):
    sign_in(client, user)
    return client.get(reverse("admin:index"))


@pytest.mark.parametrize(
    ("up_for", "health"), [(0, Health.STARTING), (359, Health.STARTING), (361, Health.NEVER)]
)
def test_a_job_that_never_ran_is_broken_only_once_overdue(
    client: Client, monkeypatch, up_for, health
) -> None:
    """A round of 60 s and 5 min of tolerance, as the settings have them."""
    monkeypatch.setattr(sweeps, "SERVING_SINCE", timezone.now() - timedelta(seconds=up_for))
    page = open_service_panel(client, make_user(clinic=make_clinic()))
    job = next(row for row in page.context["jobs"] if row.label == "Review cases")

    assert (job.health, page.context["jobs_health"]) == (health, Health.NEVER if up_for > 300 else health)
    assert (job.colour == "danger") is (health is Health.NEVER)


def test_right_after_the_start_a_job_says_when_it_is_first_due(client: Client, monkeypatch) -> None:
    since = timezone.now()
    monkeypatch.setattr(sweeps, "SERVING_SINCE", since)
    page = open_service_panel(client, make_user(clinic=make_clinic()))

    every = timedelta(seconds=settings.BEAT_INTERVALS["programs.tasks.review_cases"])
    assert f"not yet run, first due {since + every:%H:%M:%S}" in page.content.decode()
    assert "never ran" not in page.content.decode()
    assert '<details class="kc-details"><summary>When each job last ran' in page.content.decode()


def test_one_broken_job_is_not_hidden_by_those_that_are_starting(client: Client, monkeypatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(sweeps, "SERVING_SINCE", now)
    SweepRun.objects.create(name="review_cases", started_at=now, finished_at=now, error="OperationalError")

    page = open_service_panel(client, make_user(clinic=make_clinic()))

    assert page.context["jobs_health"] == Health.FAILED
    assert '<details class="kc-details" open><summary>When each job last ran' in page.content.decode()


def test_owner_and_operator_are_told_of_rows_that_were_given_up() -> None:
    here, elsewhere = make_clinic(), make_clinic()
    about = {"sweep": "ask_check_ins", "began_at": NOW, "attempts": 8}
    for key, clinic, next_at in ((1, here, None), (2, here, NOW), (3, elsewhere, None)):
        RowAttempt.objects.create(clinic=clinic, key=key, next_at=next_at, **about)

    def told(user) -> str:
        page = open_service_panel(Client(), user).content.decode()
        found = re.search(r"gave up (\d+ rows?)", page)
        return found[1] if found else ""

    owner = make_user(clinic=here, role=Role.OWNER)
    Membership.objects.create(clinic=elsewhere, user=owner, role=Role.PHYSIO)
    assert told(owner) == "1 row"
    assert told(make_operator()) == "2 rows"
    assert told(make_user(clinic=here)) == ""
    assert told(make_user(clinic=make_clinic(), role=Role.OWNER)) == ""


def test_an_operator_with_open_records_is_not_asked_to_treat_anybody(client: Client) -> None:
    clinic = make_clinic()
    make_user(clinic=clinic, role=Role.OWNER)
    stalled(clinic, "Flat at 6")
    sign_in(client, make_operator())
    client.post(reverse("break-glass", args=[clinic.pk]), {"reason": "Support case 4711: a chart"})

    page = client.get(reverse("admin:index")).content.decode()
    assert "<strong>1</strong> open cases" in page
    assert "Who needs me today" not in page
    assert "Flat at 6" not in page
    assert "Flat at 6" in open_service_panel(Client(), make_user(clinic=clinic)).content.decode()


def reviewed_as(case, state):
    Review.objects.create(
        clinic=case.clinic,
        episode=case,
        program=make_program(case, review_state=state),
        day=TODAY,
        week=9,
        state=state,
        verdict={},
        thresholds={},
        reviewed_at=NOW,
    )
    return case


@pytest.mark.parametrize("role", list(Role))
def test_each_tile_leads_to_as_many_patients_as_it_counts(client: Client, role) -> None:
    clinic = make_clinic()
    for state in ("stalled", "stalled", "on_track", "on_hold"):
        reviewed_as(make_case(clinic), state)  # the hold is over: a review is due
    held = reviewed_as(make_case(clinic), "stalled")
    closed = make_case(clinic)
    for case in (held, closed):
        raise_red_flag(episode=case, codes=["knee_locks"], source="check-in", evidence=[], now=NOW)
    Episode.objects.filter(pk=closed.pk).update(closed_on=TODAY, outcome="improved")
    make_case(clinic)
    make_program(make_case(clinic))
    make_program(make_case(clinic), asleep=True)
    sign_in(client, make_user(clinic=clinic, role=role))

    page = client.get(reverse("admin:index"))
    tiles = page.context["today"].counts.states

    assert tiles == {
        "stalled": 2,
        "on_track": 1,
        "review_due": 1,
        "on_hold": 1,
        "closed_not_cleared": 1,
        "no_program": 1,
        "not_reviewed": 1,
        "asleep": 1,
    }
    for code, number in tiles.items():
        assert f'href="?state={code}"' in page.content.decode()
        found = client.get(f"{reverse('admin:index')}?state={code}").context["today"]
        assert len(found.cases) == number, code
        patients = client.get(f"{reverse('admin:patients_patient_changelist')}?state={code}")
        assert len(patients.context["cl"].result_list) == number, code
