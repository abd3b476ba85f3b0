from __future__ import annotations

import base64
import struct
import threading
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import outbox
from clinic.models import Clinic, ClinicPolicy, Membership, OutboxMessage, User
from clinic.roles import Role
from clinic.services import set_reachability
from patients.models import Episode
from programs.models import Alert, Digest, Program, Review
from programs.services import alerts as acts
from programs.services import digests
from programs.services.alerts import add_event
from programs.services.deadline import SWEEP_LIMIT
from programs.services.reviews import review_due
from tests.conftest import Sink
from tests.factories import make_case, make_clinic, make_patient, make_user
from tests.programs.services.recorded import answer, day, diary, flat_case, running_case

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 3, 2)
SEVEN = datetime(2026, 3, 2, 6, tzinfo=UTC)
"""Monday 07:00 in Amsterdam."""
START = MONDAY - timedelta(days=57)


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic(timezone="Europe/Amsterdam")


@pytest.fixture
def physio(clinic: Clinic) -> User:
    return make_user("anna@example.org", clinic=clinic, name="Anna Berg")


def case_of(physio: User, clinic: Clinic, number: str = "") -> Program:
    """A case that was flat for 8 weeks; nothing is opened before its review."""
    return flat_case(started_on=START, weeks=8, episode=episode_of(physio, clinic, number))


def alert(program: Program, kind: str = "stall", *, opened: date = MONDAY, **fields: Any) -> Alert:
    opened_at = datetime.combine(opened, time(1), tzinfo=UTC)
    values = {"level": "stalling" if kind == "stall" else "", "summary": f"Why: {kind}", "action": "Do it"}
    made = Alert.objects.create(
        clinic=program.clinic,
        episode=program.episode,
        kind=kind,
        opened_on=opened,
        opened_at=opened_at,
        **{**values, **fields},
    )
    add_event(alert=made, what="opened", at=opened_at)
    return made


def reviewed(program: Program, *, state: str, on: date = MONDAY, **fields: Any) -> Review:
    return Review.objects.create(
        clinic=program.clinic,
        episode=program.episode,
        program=program,
        day=on,
        week=8,
        state=state,
        verdict={},
        thresholds={},
        reviewed_at=SEVEN,
        **fields,
    )


def bare_case(physio: User, clinic: Clinic, number: str = "") -> Program:
    """A case that nothing was recorded for."""
    return running_case(started_on=START, episode=episode_of(physio, clinic, number))


def episode_of(physio: User, clinic: Clinic, number: str) -> Episode:
    patient = make_patient(clinic, given_name="Robin", family_name="Zandstra")
    numbered = {"case_number": number} if number else {}
    return make_case(patient=patient, clinician=physio, opened_on=START, **numbered)


def send(now: datetime = SEVEN, **options: Any) -> dict[str, int]:
    return digests.send_due(now=now, **options)


def mail(week: int = 0) -> OutboxMessage:
    return OutboxMessage.objects.filter(kind="digest").order_by("next_attempt_at")[week]


WRITTEN = {"written": 1, "quiet": 0, "waiting": 0}
QUIET = {"written": 0, "quiet": 1, "waiting": 0}
WAITING = {"written": 0, "quiet": 0, "waiting": 1}


# --- what it says


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


def test_each_clinician_hears_of_their_own_cases_only(clinic: Clinic, physio: User) -> None:
    owner = make_user("owner@example.org", role=Role.OWNER, clinic=clinic)
    make_user("desk@example.org", role=Role.ASSISTANT, clinic=clinic)
    elsewhere = make_clinic(timezone="Europe/Amsterdam")
    Membership.objects.create(clinic=elsewhere, user=physio, role=Role.PHYSIO)
    alert(bare_case(physio, clinic, "PHYSIO"))
    alert(bare_case(owner, clinic, "OWNER"))
    alert(bare_case(physio, elsewhere, "ELSEWHERE"))

    assert send()["written"] == 3

    texts = {(m.to_email, m.clinic_id): m.text for m in OutboxMessage.objects.all()}
    assert set(texts) == {
        ("anna@example.org", clinic.pk),
        ("owner@example.org", clinic.pk),
        ("anna@example.org", elsewhere.pk),
    }
    for (_, clinic_id), text in texts.items():
        assert ("ELSEWHERE" in text) == (clinic_id == elsewhere.pk)
    assert "OWNER" not in texts["anna@example.org", clinic.pk]
    assert "PHYSIO" not in texts["owner@example.org", clinic.pk]


def test_a_simulated_clinic_is_marked(physio: User) -> None:
    demo = make_clinic(timezone="Europe/Amsterdam", simulated=True)
    physio = make_user(clinic=demo)
    alert(bare_case(physio, demo, "C1"))

    send()

    assert mail().subject == "[Simulated] Your week: 1 new"
    assert "all people and data are invented" in mail().text
    assert "all people and data are invented" in mail().html


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"role": Role.ASSISTANT}], ids=["deactivated", "demoted"]
)
def test_the_cases_of_a_clinician_who_is_away_are_told_to_the_owner(
    clinic: Clinic, physio: User, change: dict[str, Any]
) -> None:
    owner = make_user("owner@example.org", role=Role.OWNER, clinic=clinic)
    colleague = make_user("bo@example.org", clinic=clinic)
    alert(bare_case(physio, clinic, "NEW"), "worsening")
    alert(bare_case(physio, clinic, "CALL"), "silent")
    reviewed(bare_case(physio, clinic), state="on_track")
    alert(bare_case(owner, clinic, "OWN"), "worsening")
    alert(bare_case(colleague, clinic, "BO"), "worsening")
    Membership.objects.filter(user=physio).update(**change)

    assert send()["written"] == 2

    told = OutboxMessage.objects.get(to_email=owner.email)
    assert "RZ, case NEW (case of Anna Berg, who is away): Worsening" in told.text
    assert "RZ, case CALL (case of Anna Berg, who is away): do it." in told.text
    assert "RZ, case OWN: Worsening" in told.text
    assert told.html.count("(case of Anna Berg, who is away)") == 2
    assert "1 on track" in told.text
    assert "BO" not in told.text
    assert "Anna" not in OutboxMessage.objects.get(to_email=colleague.email).text

    send(SEVEN + timedelta(days=7))
    later = OutboxMessage.objects.filter(to_email=owner.email).latest("next_attempt_at")
    assert "- RZ, case NEW (case of Anna Berg, who is away): worsening, open 7 days" in later.text


def test_a_login_switched_off_and_a_clinician_of_another_clinic_are_away_too(
    clinic: Clinic, physio: User
) -> None:
    make_user("owner@example.org", role=Role.OWNER, clinic=clinic)
    elsewhere = make_user(clinic=make_clinic())
    off = make_user(clinic=clinic, is_active=False)
    alert(bare_case(off, clinic, "OFF"))
    alert(bare_case(elsewhere, clinic, "ELSEWHERE"))

    assert send(clinic=clinic)["written"] == 1

    assert mail().to_email == "owner@example.org"
    assert "case OFF (case of" in mail().text
    assert "case ELSEWHERE (case of" in mail().text


def test_an_owner_is_not_told_of_the_cases_of_those_who_treat(clinic: Clinic, physio: User) -> None:
    make_user("owner@example.org", role=Role.OWNER, clinic=clinic)
    alert(bare_case(physio, clinic, "C1"))

    assert send()["written"] == 1
    assert mail().to_email == physio.email
    assert "away" not in mail().text + mail().html


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


# --- when it goes out


def test_nothing_to_say_sends_nothing_and_settles_the_week(clinic: Clinic, physio: User) -> None:
    assert send() == QUIET
    assert not OutboxMessage.objects.exists()
    alert(bare_case(physio, clinic, "C1"))

    # The week was quiet at its hour: the news waits for the next one.
    assert send(SEVEN + timedelta(days=1)) == {"written": 0, "quiet": 0, "waiting": 0}
    assert send(SEVEN + timedelta(days=7)) == WRITTEN


def test_not_a_minute_early_and_once_a_week(clinic: Clinic, physio: User) -> None:
    alert(bare_case(physio, clinic, "C1"))

    assert send(SEVEN - timedelta(seconds=1)) == WAITING
    assert send(SEVEN) == WRITTEN
    assert send(SEVEN + timedelta(minutes=1)) == {"written": 0, "quiet": 0, "waiting": 0}
    assert send(SEVEN + timedelta(days=6), again=True) == WAITING
    assert Digest.objects.count() == OutboxMessage.objects.count() == 1


def test_late_within_the_week_but_not_for_a_week_gone_by(clinic: Clinic, physio: User) -> None:
    alert(bare_case(physio, clinic, "C1"))
    Membership.objects.update(next_digest_at=SEVEN)
    sunday = datetime(2026, 3, 8, 22, 59, tzinfo=UTC)

    assert send(sunday) == WRITTEN
    assert Digest.objects.get().iso_week == 10
    assert Digest.objects.get().sent_for == date(2026, 3, 8)

    Membership.objects.update(next_digest_at=SEVEN + timedelta(days=7))
    # Two weeks of downtime: one digest, that of the present week.
    assert send(SEVEN + timedelta(days=21)) == WRITTEN
    assert [digest.iso_week for digest in Digest.objects.order_by("created_at")] == [10, 13]


def test_a_stop_over_the_weekend_waits_for_the_hour_of_the_new_week(clinic: Clinic, physio: User) -> None:
    alert(bare_case(physio, clinic, "C1"))
    Membership.objects.update(next_digest_at=SEVEN - timedelta(days=7))

    assert send(SEVEN - timedelta(hours=1)) == WAITING
    assert Membership.objects.get().next_digest_at == SEVEN


def test_the_clinician_may_choose_another_day_and_hour(clinic: Clinic, physio: User) -> None:
    alert(bare_case(physio, clinic, "C1"))
    Membership.objects.update(digest_weekday=4, digest_time=time(0, 0))
    thursday = datetime(2026, 3, 4, 23, tzinfo=UTC)  # midnight in Amsterdam

    assert send(SEVEN) == WAITING
    assert Membership.objects.get().next_digest_at == thursday
    assert send(thursday) == WRITTEN


def test_the_clinic_may_choose_another_day_and_hour(clinic: Clinic, physio: User) -> None:
    alert(bare_case(physio, clinic, "C1"))
    ClinicPolicy.objects.update(overrides={"digest_weekday": 2, "digest_time": "15:30"})

    assert send(datetime(2026, 3, 3, 14, 29, tzinfo=UTC)) == WAITING
    assert send(datetime(2026, 3, 3, 14, 30, tzinfo=UTC)) == WRITTEN


def reach(member: Membership, **fields: Any) -> None:
    set_reachability(
        membership=member,
        by=member.user,
        **{"cover": None, "digest_weekday": None, "digest_time": None, **fields},
    )


@pytest.mark.parametrize("weekday", [None, 3, 7])
def test_who_has_this_weeks_digest_gets_no_other_on_a_new_day(
    clinic: Clinic, physio: User, weekday: int | None
) -> None:
    alert(bare_case(physio, clinic, "C1"))
    assert send() == WRITTEN
    reach(Membership.objects.get(), digest_weekday=weekday, cover=make_user(clinic=clinic))
    Membership.objects.exclude(user=physio).delete()
    assert Membership.objects.get().next_digest_at is None

    days = [send(SEVEN + timedelta(days=n)) for n in range(7)]

    assert not any(day["written"] for day in days)
    assert Digest.objects.count() == 1
    assert send(SEVEN + timedelta(days=13))["written"] == 1  # the next week's, by Sunday


def test_a_new_day_and_hour_are_waited_for(clinic: Clinic, physio: User) -> None:
    alert(bare_case(physio, clinic, "C1"))
    reach(Membership.objects.get(), digest_weekday=3, digest_time=time(12))
    noon = datetime(2026, 3, 4, 11, tzinfo=UTC)

    assert send(SEVEN) == WAITING
    assert send(noon - timedelta(seconds=1)) == {"written": 0, "quiet": 0, "waiting": 0}
    assert not OutboxMessage.objects.exists()
    assert send(noon) == WRITTEN


def test_a_sweep_out_of_time_leaves_the_others_to_the_next(clinic: Clinic) -> None:
    for _ in range(3):
        alert(bare_case(make_user(clinic=clinic), clinic))

    assert [send(limit=timedelta(0))["written"] for _ in range(4)] == [1, 1, 1, 0]


def test_a_sweep_ends_before_its_task_is_interrupted(settings: Any) -> None:
    assert SWEEP_LIMIT.total_seconds() < settings.CELERY_TASK_SOFT_TIME_LIMIT


@pytest.mark.parametrize(
    ("now", "week", "following"),
    [
        # 2026 has 53 weeks: its last Monday, and the Friday after New Year's Eve.
        (datetime(2026, 12, 28, 6, tzinfo=UTC), (2026, 53), datetime(2027, 1, 4, 6, tzinfo=UTC)),
        (datetime(2027, 1, 1, 12, tzinfo=UTC), (2026, 53), datetime(2027, 1, 4, 6, tzinfo=UTC)),
        (datetime(2027, 1, 4, 6, tzinfo=UTC), (2027, 1), datetime(2027, 1, 11, 6, tzinfo=UTC)),
        # The clocks go forward on 29 March 2026, back on 25 October: 07:00 stays 07:00.
        (datetime(2026, 3, 23, 6, tzinfo=UTC), (2026, 13), datetime(2026, 3, 30, 5, tzinfo=UTC)),
        (datetime(2026, 3, 22, 22, 30, tzinfo=UTC), (2026, 12), datetime(2026, 3, 23, 6, tzinfo=UTC)),
        (datetime(2026, 10, 19, 5, tzinfo=UTC), (2026, 43), datetime(2026, 10, 26, 6, tzinfo=UTC)),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), (2026, 43), datetime(2026, 10, 26, 6, tzinfo=UTC)),
    ],
)
def test_weeks_are_iso_weeks_of_the_clinics_zone(
    clinic: Clinic, physio: User, now: datetime, week: tuple[int, int], following: datetime
) -> None:
    alert(bare_case(physio, clinic, "C1"))

    assert send(now) == WRITTEN

    digest = Digest.objects.get()
    assert (digest.iso_year, digest.iso_week) == week
    assert Membership.objects.get().next_digest_at == following


def test_only_active_clinicians_of_active_clinics_and_of_the_clinic_named(
    clinic: Clinic, physio: User
) -> None:
    alert(bare_case(physio, clinic, "C1"))
    closed = make_clinic(is_active=False)
    alert(bare_case(make_user(clinic=closed), closed, "C2"))
    gone = make_user(clinic=clinic)
    Membership.objects.filter(user=gone).update(is_active=False)
    alert(bare_case(gone, clinic, "C3"))
    other = make_clinic(timezone="Europe/Amsterdam")
    alert(bare_case(make_user(clinic=other), other, "C4"))

    assert send(clinic=clinic) == WRITTEN
    assert Digest.objects.get().clinician == physio
    assert send() == WRITTEN


def test_one_digest_that_cannot_be_written_does_not_stop_the_others(clinic: Clinic, physio: User) -> None:
    broken = make_clinic(timezone="Europe/Amsterdam")
    make_user(clinic=broken)
    ClinicPolicy.objects.filter(clinic=broken).update(overrides={"no_such": 1})
    alert(bare_case(physio, clinic, "C1"))

    with pytest.raises(digests.DigestSweepError, match="1 digests could not be written"):
        send()

    assert Digest.objects.get().clinician == physio


@pytest.mark.parametrize("cases", [1, 3])
def test_a_digest_costs_the_same_queries_for_one_case_and_for_three(
    clinic: Clinic, physio: User, cases: int
) -> None:
    for _ in range(cases):
        alert(case_of(physio, clinic), "silent")
    review_due(now=SEVEN)

    with CaptureQueriesContext(connection) as queries:
        assert send() == WRITTEN

    assert mail().subject == f"Your week: {cases} new, {cases} to call"
    assert len(queries) == 13


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_write_one_digest() -> None:
    clinic = make_clinic(timezone="Europe/Amsterdam")
    for _ in range(3):
        alert(bare_case(make_user(clinic=clinic), clinic))
    start, counts = threading.Barrier(2), list[int]()

    def sweep() -> None:
        start.wait(20)
        counts.append(digests.send_due(now=SEVEN, again=True)["written"])
        connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(counts) == 2
    assert sum(counts) == 3
    assert Digest.objects.count() == OutboxMessage.objects.count() == 3


def test_the_picture_is_drawn_at_three_times_its_size_in_few_bytes(clinic: Clinic, physio: User) -> None:
    program = case_of(physio, clinic)
    review_due(now=datetime.combine(day(program, 57), time(6), tzinfo=UTC))
    send()

    png = base64.b64decode(mail().images["trend-1"])
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (900, 288)
    assert len(png) < 20_000
    assert (
        'alt="Worst pain from 6.0 on 11 Jan to 6.0 on 1 Mar, 8 days answered; baseline 6.0; now 6.0"'
        in mail().html
    )


def test_in_the_mailbox_the_picture_is_part_of_the_html(
    clinic: Clinic, physio: User, smtp_sink: Sink
) -> None:
    case_of(physio, clinic)
    review_due(now=SEVEN)
    send()

    outbox.send_due(now=SEVEN)

    (message,) = smtp_sink.to("anna@example.org")
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    image = list(message.walk())[-1]
    assert image["Content-ID"] == "<trend-1>"
    html = list(message.walk())[3]
    assert isinstance(html, EmailMessage)
    assert 'src="cid:trend-1"' in html.get_content()
