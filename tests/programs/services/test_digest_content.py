"""What the weekly digest says of whom, in which order."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from clinic.models import Clinic, ClinicPolicy, Membership, User
from programs.models import Digest, Review
from programs.rules.alerts import HELD_BACK
from programs.services import alerts as acts
from programs.services.alerts import add_event
from programs.services.reviews import review_due
from tests.factories import make_case, make_clinic, make_user
from tests.programs.services.recorded import answer, diary, flat_case
from tests.programs.services.weekly import (
    MONDAY,
    QUIET,
    SEVEN,
    WRITTEN,
    alert,
    bare_case,
    case_of,
    mail,
    reviewed,
    send,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic(timezone="Europe/Amsterdam")


@pytest.fixture
def physio(clinic: Clinic) -> User:
    return make_user("anna@example.org", clinic=clinic, name="Anna Berg")


def test_a_stalled_case_is_told_with_all_a_clinician_needs(clinic: Clinic, physio: User) -> None:
    program = case_of(physio, clinic, "C7")
    review_due(now=SEVEN)

    assert send() == WRITTEN

    message = mail()
    assert message.to_email == "anna@example.org"
    assert message.subject == "Your week: 1 new"
    for part in (
        "RZ, case C7: Stalled, flat, opened today",
        "Week 8, worst pain 6.0 to 6.0, flat",
        "No session was ever logged.",
        "-> Ask how often the exercises were done.",
        f"/admin/patients/patient/{program.episode.patient_id}/change/?case={program.episode_id}",
    ):
        assert part in message.text
    assert message.html.count("cid:trend-1") == 1
    assert list(message.images) == ["trend-1"]
    assert "RZ" in message.html


def test_no_patient_is_named_beyond_initials_and_case_number(clinic: Clinic, physio: User) -> None:
    program = case_of(physio, clinic)
    alert(program, "silent")
    review_due(now=SEVEN)
    send()

    message = mail()
    for text in (message.subject, message.text, message.html):
        assert "Robin" not in text
        assert "Zandstra" not in text
        assert program.episode.patient.email not in text
    assert program.episode.case_number not in message.subject


def test_full_names_only_where_the_clinic_turned_them_on(clinic: Clinic, physio: User) -> None:
    ClinicPolicy.objects.update(overrides={"digest_full_names": True})
    program = bare_case(physio, clinic, "C1")
    type(program.episode.patient).objects.update(family_name="O'Brien")
    alert(program)

    send()

    assert "Robin O'Brien, case C1" in mail().text
    assert "O&#x27;Brien" in mail().html or "O'Brien" in mail().html
    assert "Brien" not in mail().subject


def test_the_ranking_is_that_of_the_clinical_reference(clinic: Clinic, physio: User) -> None:
    def stalled(number: str, *, trend: str, reason: str = "not_doing", level: str = "stalling") -> None:
        program = bare_case(physio, clinic, number)
        alert(program, level=level)
        reviewed(program, state=level, trend=trend, reason=reason)

    stalled("slow", trend="slow", level="stalled")
    stalled("stalling", trend="flat")
    alert(bare_case(physio, clinic, "overload"), "overload")
    alert(bare_case(physio, clinic, "drift"), "drift")
    stalled("relapsed", trend="flat", reason="relapsed")
    stalled("flat", trend="flat", level="stalled")
    alert(bare_case(physio, clinic, "worse"), "worsening")
    alert(bare_case(physio, clinic, "tier2"), "red_flag", level="tier_2", opened=date(2026, 2, 1))
    alert(bare_case(physio, clinic, "tier1"), "red_flag", level="tier_1")

    send()

    named = [
        line.split("case ")[1].split(":")[0] for line in mail().text.splitlines() if ". RZ, case" in line
    ]
    assert named == [
        "tier1",
        "tier2",
        "worse",
        "flat",
        "relapsed",
        "drift",
        "overload",
        "stalling",
        "slow",
    ]
    assert "case tier1: Red flag, tier 1, opened today" in mail().text


def test_a_case_with_two_alerts_is_named_once_under_the_more_urgent(clinic: Clinic, physio: User) -> None:
    program = bare_case(physio, clinic, "C1")
    alert(program, "overload")
    alert(program, "worsening")

    send()

    assert mail().subject == "Your week: 1 new"
    assert "RZ, case C1: Worsening, opened today. Also: overload" in mail().text
    assert Digest.objects.get().content["new"] == [program.episode_id]


def test_a_week_later_it_is_one_line_with_its_age(clinic: Clinic, physio: User) -> None:
    program = bare_case(physio, clinic, "C1")
    alert(program, opened=MONDAY - timedelta(days=5))
    send()

    assert send(SEVEN + timedelta(days=7)) == WRITTEN

    later = mail(1)
    assert later.subject == "Your week: 1 unchanged"
    assert "- RZ, case C1: stalling, open 12 days. Do it." in later.text
    assert later.images == {}
    assert "NEW" not in later.text


@pytest.mark.parametrize("what", ["raised", "reopened", "new_evidence", "woke"])
def test_an_alert_with_news_is_new_again(clinic: Clinic, physio: User, what: str) -> None:
    told = alert(bare_case(physio, clinic, "C1"))
    alert(bare_case(physio, clinic, "C2"))
    send()
    add_event(alert=told, what=what, at=SEVEN + timedelta(days=3))

    send(SEVEN + timedelta(days=7))

    assert mail(1).subject == "Your week: 1 new, 1 unchanged"
    assert "1. RZ, case C1" in mail(1).text
    assert "- RZ, case C2" in mail(1).text


def test_a_new_alert_of_a_known_case_is_news(clinic: Clinic, physio: User) -> None:
    program = bare_case(physio, clinic, "C1")
    alert(program)
    send()
    alert(program, "worsening", opened=MONDAY + timedelta(days=3))

    send(SEVEN + timedelta(days=7))

    assert mail(1).subject == "Your week: 1 new"


def test_what_found_no_place_is_counted_and_is_still_new_the_week_after(clinic: Clinic, physio: User) -> None:
    for number in range(12):
        alert(bare_case(physio, clinic, f"C{number:02}"))

    send()
    assert mail().subject == "Your week: 10 new"
    assert "+2 more" in mail().text
    assert "C10" not in mail().text

    send(SEVEN + timedelta(days=7))
    assert mail(1).subject == "Your week: 2 new, 8 unchanged"
    assert "1. RZ, case C10" in mail(1).text


def test_a_red_flag_keeps_its_place_among_ten_new_ones(clinic: Clinic, physio: User) -> None:
    alert(bare_case(physio, clinic, "FLAG"), "red_flag", level="tier_2")
    send()
    for number in range(11):
        alert(bare_case(physio, clinic, f"C{number:02}"), opened=MONDAY + timedelta(days=2))

    send(SEVEN + timedelta(days=7))

    assert mail(1).subject == "Your week: 9 new, 1 unchanged"
    assert "- RZ, case FLAG: red flag, tier 2, open 7 days" in mail(1).text
    assert "+2 more" in mail(1).text


def test_silent_patients_are_a_call_list_twice_and_then_on_the_caseload_only(
    clinic: Clinic, physio: User
) -> None:
    program = bare_case(physio, clinic, "C1")
    alert(program, "silent", summary="No answer since 9 Feb 2026: 12 days", action="Call the patient")

    assert send() == WRITTEN
    assert mail().subject == "Your week: 1 to call"
    assert "- RZ, case C1: call the patient. No answer since 9 Feb 2026: 12 days." in mail().text
    assert send(SEVEN + timedelta(days=7)) == WRITTEN
    assert send(SEVEN + timedelta(days=14)) == QUIET
    assert Digest.objects.count() == 2


def test_acknowledged_and_snoozed_are_a_count_and_no_reason_to_write(clinic: Clinic, physio: User) -> None:
    seen = alert(bare_case(physio, clinic, "SEEN"), "worsening")
    flag = alert(bare_case(physio, clinic, "FLAG"), "red_flag", level="tier_2")
    later = alert(bare_case(physio, clinic, "LATER"))
    for one in (seen, flag):
        acts.acknowledge(alert=one, by=physio, now=SEVEN)
    acts.snooze(alert=later, by=physio, until=MONDAY + timedelta(days=30), now=SEVEN, today=MONDAY)
    assert send() == QUIET

    alert(bare_case(physio, clinic, "C1"))
    send(again=True)

    assert mail().subject == "Your week: 1 new"
    assert "2 acknowledged, 1 snoozed (1 red flag not cleared yet)" in mail().text
    for number in ("SEEN", "FLAG", "LATER"):
        assert number not in mail().text


@pytest.mark.parametrize(
    ("reason", "action", "bars"),
    [
        ("under_loaded", "Progress the program", True),
        ("adherent_but_flat", "Continue and progress; re-measure in 2 weeks", True),
        ("adherent_but_flat", "Re-assess hands-on, consider referral or imaging", False),
        ("relapsed", "Find the load change, one stage back", False),
    ],
)
@pytest.mark.parametrize("state", ["stalled", "on_hold", "insufficient_data"])
def test_no_step_up_is_told_while_a_worsening_or_red_flag_bars_it_that_was_put_aside(
    clinic: Clinic, physio: User, reason: str, action: str, bars: bool, state: str
) -> None:
    """Whatever the last review is of: of a hold it has no trend."""
    for kind in ("", "worsening", "overload", "red_flag"):
        program = bare_case(physio, clinic, f"C-{kind or 'alone'}")
        alert(program, level="stalled", reason=reason, action=action)
        reviewed(program, state=state)
        if kind:
            aside = alert(program, kind, level="tier_2" if kind == "red_flag" else "")
            acts.acknowledge(alert=aside, by=physio, now=SEVEN)

    send()

    for kind in ("alone", "worsening", "overload", "red_flag"):
        (case,) = [part for part in mail().text.split("\n\n") if f"case C-{kind}:" in part]
        told = HELD_BACK if bars and kind in ("worsening", "red_flag") else action
        assert f"-> {told}." in case
        assert (HELD_BACK in case) == (told == HELD_BACK)


def test_the_last_line_counts_those_on_track_and_watch_is_never_named(clinic: Clinic, physio: User) -> None:
    for _ in range(2):
        good = bare_case(physio, clinic)
        diary(good, {7 * week: 2 for week in range(1, 9)})
    watched = make_case(clinic, clinician=physio, opened_on=MONDAY, case_number="WATCHED")
    flat_case(started_on=MONDAY - timedelta(days=31), weeks=4, episode=watched)
    alert(bare_case(physio, clinic, "C1"), "worsening")
    review_due(now=SEVEN)

    send()

    body = mail().text.split("\n--\n")[0].rstrip().splitlines()
    assert body[-1] == "2 on track"
    assert "WATCHED" not in mail().text + mail().html


def test_a_simulated_clinic_is_marked(physio: User) -> None:
    demo = make_clinic(timezone="Europe/Amsterdam", simulated=True)
    physio = make_user(clinic=demo)
    alert(bare_case(physio, demo, "C1"))

    send()

    assert mail().subject == "[Simulated] Your week: 1 new"
    assert "all people and data are invented" in mail().text
    assert "all people and data are invented" in mail().html


def test_who_has_answered_since_is_not_called(clinic: Clinic, physio: User) -> None:
    before, since, never = (bare_case(physio, clinic, number) for number in ("BEFORE", "SINCE", "NEVER"))
    for program in (before, since, never):
        alert(program, "silent", opened=MONDAY - timedelta(days=3))
    answer(before, 53, 4)  # the day before the alert
    answer(since, 54, 4)  # the day of the alert, after its review

    send()

    assert mail().subject == "Your week: 2 to call"
    assert "case SINCE" not in mail().text


def test_who_falls_silent_again_is_called_again(clinic: Clinic, physio: User) -> None:
    program = bare_case(physio, clinic, "C1")
    alert(program, "silent", opened=MONDAY - timedelta(days=20))
    answer(program, 57 - 10, 4)

    assert send() == WRITTEN
    assert mail().subject == "Your week: 1 to call"


def test_a_stall_is_not_named_while_the_case_is_on_track(clinic: Clinic, physio: User) -> None:
    program = bare_case(physio, clinic, "C1")
    alert(program, level="stalled")
    found = reviewed(program, state="on_track", trend="improving")

    assert send() == QUIET

    alert(program, "overload")
    send(again=True)
    assert "case C1: Overload, opened today\n" in mail().text
    assert "1 on track" in mail().text

    # It did not last: the stall is named, and is news, as nobody was told yet.
    Review.objects.filter(pk=found.pk).update(state="stalled", trend="flat")
    send(SEVEN + timedelta(days=7))
    assert mail(1).subject == "Your week: 1 new"
    assert "case C1: Stalled, flat" in mail(1).text


def test_a_stall_without_a_trend_is_stalled_and_no_more(clinic: Clinic, physio: User) -> None:
    alert(bare_case(physio, clinic, "C1"), level="stalled")

    send()

    assert "case C1: Stalled, opened today" in mail().text


def test_an_alert_opened_where_it_is_tomorrow_already_is_told_today(clinic: Clinic, physio: User) -> None:
    """Monday 23:30 in Amsterdam is Tuesday in Auckland."""
    Membership.objects.update(digest_time=time(23, 30))
    late = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
    program = case_of(physio, clinic, "C1")
    type(program.episode.patient).objects.update(timezone="Pacific/Auckland")
    review_due(now=late)
    assert Review.objects.get().day == MONDAY + timedelta(days=1)

    assert send(late) == WRITTEN
    assert "case C1: Stalled, flat, opened today" in mail().text


def test_what_was_opened_and_reviewed_after_the_digests_instant_is_not_in_it(
    clinic: Clinic, physio: User
) -> None:
    tuesday = MONDAY + timedelta(days=1)
    alert(bare_case(physio, clinic, "C1"), "worsening", opened=tuesday)
    later = reviewed(bare_case(physio, clinic), state="on_track", on=tuesday)
    Review.objects.filter(pk=later.pk).update(reviewed_at=SEVEN + timedelta(days=1))
    assert send() == QUIET

    alert(bare_case(physio, clinic, "C2"), "worsening")
    send(again=True)
    assert "C1" not in mail().text
    assert "0 on track" in mail().text


def test_a_worsening_of_the_other_knee_tells_that_knees_numbers_alone(clinic: Clinic, physio: User) -> None:
    program = bare_case(physio, clinic, "C1")
    reviewed(program, state="on_track", trend="flat", baseline="5.9", now="2.9")
    summary = "Other knee: Worst pain 2.0 in the first week, 5.0 now (last 14 days, 5 days answered)"
    alert(program, "worsening", summary=summary, evidence=[{"keys": ["other"], "text": summary}])
    send()

    text = mail().text
    assert "Worsening, right knee, opened today" in text
    assert "Right knee: Worst pain 2.0 in the first week, 5.0 now" in text
    for of_index in ("5.9", "2.9", "Other knee"):
        assert of_index not in text


def test_a_worsening_of_both_knees_keeps_the_figures_of_the_index_knee(clinic: Clinic, physio: User) -> None:
    program = bare_case(physio, clinic, "C1")
    reviewed(program, state="watch", trend="worse", baseline="3", now="6")
    summary = "Worst pain 3.0 in the first week, 6.0 now; Other knee: Worst pain 2.0, 5.0 now"
    alert(program, "worsening", summary=summary, evidence=[{"keys": ["index", "other"], "text": summary}])
    send()

    text = mail().text
    assert "Week 8, worst pain 3.0 to 6.0, worse" in text
    assert "Worsening, opened today" in text
    assert "Right knee: Worst pain 2.0, 5.0 now" in text
