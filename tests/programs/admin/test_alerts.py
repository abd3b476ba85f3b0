"""The alert list and page, and the first page: who needs me today, and is the service well."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from clinic.admin.sweeps import Health
from clinic.models import Clinic, SweepRun
from patients.models import Episode
from programs.admin.today import PER_PAGE
from programs.models import Alert, AlertEvent, Digest
from tests.factories import TODAY, make_case, make_operator, make_user

pytestmark = pytest.mark.django_db

LIST = "admin:programs_alert_changelist"


def alert_of(episode: Episode, kind: str = "stall", **fields: Any) -> Alert:
    values = {
        "level": "stalled",
        "summary": f"{kind} of {episode.patient}",
        "action": "Re-assess hands-on",
        "opened_on": TODAY,
        "opened_at": timezone.now(),
        "evidence": [{"topic": "now", "text": "Worst pain 6.0 now"}],
        "thresholds": {"stalled_week": 9},
        **fields,
    }
    return Alert.objects.create(clinic=episode.clinic, episode=episode, kind=kind, **values)


def page_of(alert: Alert) -> str:
    return reverse("admin:programs_alert_change", args=[alert.pk])


def test_the_page_shows_why_by_which_thresholds_and_what_was_done(staff: Any) -> None:
    alert = alert_of(make_case(staff.clinic, clinician=staff.physio))
    AlertEvent.objects.create(
        clinic=staff.clinic,
        alert=alert,
        what="acknowledged",
        at=timezone.now(),
        by=staff.physio,
        note="Will call",
    )

    html = staff.client(staff.physio).get(page_of(alert)).content.decode()

    for text in (
        "Worst pain 6.0 now",
        "Stalled from week",
        "9 weeks",
        "Acknowledged",
        "Will call",
        "Re-assess",
    ):
        assert text in html


def test_resolved_alerts_are_listed_only_when_asked_for(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    alert_of(case)
    now = timezone.now()
    alert_of(
        case,
        "silent",
        state="resolved",
        resolution="clinician",
        resolved_by=staff.physio,
        resolved_at=now,
        resolved_on=TODAY,
    )
    client = staff.client(staff.physio)

    usual, all_of_them = (
        client.get(reverse(LIST), query).content.decode() for query in ({}, {"state": "all"})
    )

    assert f"stall of {case.patient}" in usual
    assert f"silent of {case.patient}" not in usual
    assert f"silent of {case.patient}" in all_of_them


def test_a_foreign_alert_answers_like_one_that_does_not_exist(staff: Any, stranger: Any) -> None:
    foreign = alert_of(make_case(stranger.clinic))
    client = staff.client(staff.owner)

    answers = [client.get(reverse("admin:programs_alert_change", args=[pk])) for pk in (foreign.pk, 999_999)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert str(foreign.episode.patient) not in client.get(reverse(LIST)).content.decode()


def test_without_the_policies_the_filter_names_no_other_clinics_clinicians(
    staff: Any, stranger: Any, everything: None
) -> None:
    alert_of(make_case(staff.clinic, clinician=staff.physio))
    alert_of(make_case(stranger.clinic, clinician=stranger.physio))

    html = staff.client(staff.physio).get(reverse(LIST)).content.decode()

    assert f'clinician={staff.physio.pk}"' in html
    assert f'clinician={stranger.physio.pk}"' not in html


def test_an_assistant_gets_no_alert(staff: Any) -> None:
    alert = alert_of(make_case(staff.clinic, clinician=staff.physio))
    client = staff.client(staff.assistant)

    assert [client.get(url).status_code for url in (reverse(LIST), page_of(alert))] == [403, 403]


def test_today_ranks_red_flags_before_worsening_before_stalled_before_silent(staff: Any) -> None:
    kinds = ["silent", "stall", "worsening", "red_flag"]
    for kind in kinds:
        level = {"red_flag": "tier_2", "stall": "stalled"}.get(kind, "")
        alert_of(make_case(staff.clinic, clinician=staff.physio), kind, level=level)
    snoozed = make_case(staff.clinic, clinician=staff.physio)
    alert_of(snoozed, "worsening", state="snoozed", snoozed_until=TODAY)

    html = staff.client(staff.physio).get(reverse("admin:index")).content.decode()

    places = [html.index(f"{kind} of") for kind in reversed(kinds)]
    assert places == sorted(places)
    assert f"worsening of {snoozed.patient}" not in html


def test_a_closed_case_with_an_open_red_flag_stays_on_top_of_today(staff: Any) -> None:
    alert_of(make_case(staff.clinic, clinician=staff.physio), "worsening", level="")
    closed = make_case(staff.clinic, clinician=staff.physio)
    alert_of(closed, "red_flag", level="tier_2")
    done = make_case(staff.clinic, clinician=staff.physio)
    alert_of(
        done,
        "red_flag",
        level="tier_2",
        state="resolved",
        resolution="clinician",
        outcome="Stable",
        resolved_by=staff.physio,
        resolved_at=timezone.now(),
        resolved_on=TODAY,
    )
    Episode.objects.filter(pk__in=[closed.pk, done.pk]).update(closed_on=TODAY, outcome="improved")

    page = staff.client(staff.physio).get(reverse("admin:index"))

    html = page.content.decode()
    assert html.index("red_flag of") < html.index("worsening of")
    assert "Closed, not cleared" in html
    assert str(done.patient) not in html
    counts = page.context["today"].counts
    assert (counts.open, counts.mine) == (1, 1)


def test_a_snoozed_alert_hides_no_other_of_the_same_case(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    alert_of(case, state="snoozed", snoozed_until=TODAY)
    alert_of(case, "silent", level="")

    assert "silent of" in staff.client(staff.physio).get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("cases", [1, 3])
def test_today_takes_the_same_queries_for_one_case_and_three(
    staff: Any, cases: int, django_assert_num_queries: Any
) -> None:
    for _ in range(cases):
        alert_of(make_case(staff.clinic, clinician=staff.physio))
    client = staff.client(staff.physio)

    with django_assert_num_queries(29):
        client.get(reverse("admin:index"))


def test_today_says_on_which_page_of_how_many_one_is(staff: Any) -> None:
    for _ in range(PER_PAGE + 1):
        alert_of(make_case(staff.clinic, clinician=staff.physio))

    for user in (staff.physio, staff.owner):
        assert "Page 1 of 2" in staff.client(user).get(reverse("admin:index")).content.decode()


def test_open_red_flags_come_first_colleagues_too_and_none_is_left_out(staff: Any) -> None:
    alert_of(make_case(staff.clinic, clinician=staff.physio), "worsening", level="")
    for _ in range(13):
        alert_of(make_case(staff.clinic, clinician=staff.owner), "red_flag", level="tier_2")

    html = staff.client(staff.physio).get(reverse("admin:index")).content.decode()

    assert html.count("red_flag of") == 13
    assert html.rindex("red_flag of") < html.index("worsening of")
    assert "Open red flags" not in staff.client(staff.assistant).get(reverse("admin:index")).content.decode()


def test_the_last_digest_is_ones_own_and_an_owners_is_the_clinics(staff: Any) -> None:
    Digest.objects.create(
        clinic=staff.clinic,
        clinician=staff.physio,
        iso_year=2026,
        iso_week=10,
        sent_for=TODAY,
        created_at=timezone.now(),
    )
    colleague = make_user(clinic=staff.clinic)
    readers = (staff.physio, colleague, staff.owner)

    pages = [staff.client(user).get(reverse("admin:index")).context["last_digest"] for user in readers]

    assert [digest and digest.clinician for digest in pages] == [staff.physio, None, staff.physio]


def test_an_assistant_reads_states_on_the_first_page_and_no_evidence(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    alert_of(case)

    html = staff.client(staff.assistant).get(reverse("admin:index")).content.decode()

    assert str(case.patient) in html
    assert "stall of" not in html


def run_all(now: Any, **fields: Any) -> None:
    for task in settings.BEAT_INTERVALS:
        values = {"started_at": now, "finished_at": now, "succeeded_at": now, **fields}
        SweepRun.objects.update_or_create(name=task.rpartition(".")[2], defaults=values)


def test_nothing_to_report_and_broken_look_different(staff: Any) -> None:
    client = staff.client(staff.owner)
    jobs = reverse("admin:clinic_sweeprun_changelist")
    now = timezone.now()

    run_all(now)
    healthy = client.get(jobs).content.decode()
    assert "nothing to report" in healthy
    assert "failed" not in healthy.lower().split("<table")[1]

    SweepRun.objects.filter(name="send_digests").update(error="OperationalError: no route")
    failed = client.get(jobs).content.decode()
    assert "OperationalError: no route" in failed

    run_all(now - timedelta(hours=6), error="")
    assert {job.health for job in client.get(jobs).context["jobs"]} == {Health.LATE}
    assert client.get(reverse("admin:index")).context["jobs_health"] == Health.LATE


def test_a_simulated_clinic_is_marked_on_every_page(staff: Any) -> None:
    client = staff.client(staff.physio)
    pages = [reverse(name) for name in ("admin:index", "admin:patients_patient_changelist", LIST)]

    assert not any("Simulated clinic" in client.get(page).content.decode() for page in pages)
    Clinic.objects.update(simulated=True)
    assert all("Simulated clinic" in client.get(page).content.decode() for page in pages)


def test_an_operator_sees_no_patient_anywhere(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    alert = alert_of(case)
    client = staff.client(make_operator())

    pages = ["patients_patient_changelist", "programs_alert_changelist", "patients_assessment_changelist"]
    assert [client.get(reverse(f"admin:{page}")).status_code for page in pages] == [403, 403, 403]
    patient_page = reverse("admin:patients_patient_change", args=[case.patient_id])
    assert [client.get(url).status_code for url in (patient_page, page_of(alert))] == [403, 403]
    first_page = client.get(reverse("admin:index")).content.decode()
    assert "Own clinic" in first_page
    assert "Cover and digest" not in first_page
    assert str(case.patient) not in first_page


def test_the_list_has_tier_1_first_then_todays_order_then_the_oldest_and_what_was_put_aside_last(
    staff: Any,
) -> None:
    def at(kind: str, days: int, **fields: Any) -> str:
        case = make_case(staff.clinic, clinician=staff.physio)
        return str(alert_of(case, kind, opened_on=TODAY - timedelta(days=days), **fields).pk)

    aside = at("worsening", 9, state="snoozed", snoozed_until=TODAY)
    stalled = at("stall", 5, level="stalled")
    new = at("worsening", 0)
    seen, old = at("worsening", 8, state="acknowledged"), at("worsening", 3)
    tier_2, tier_1 = at("red_flag", 0, level="tier_2"), at("red_flag", 7, level="tier_1")
    page = staff.client(staff.physio).get(reverse(LIST))
    assert [str(alert.pk) for alert in page.context["cl"].result_list] == [
        *(tier_1, tier_2, old, new, seen, stalled, aside)
    ]
    html = page.content.decode()
    assert "Red flag, tier 1" in html
    assert "Red flag, tier 2" in html
