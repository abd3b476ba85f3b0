"""To whom the weekly digest goes, and when: once a week, in time, with its picture."""

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
from programs.models import Digest
from programs.services import digests
from programs.services.deadline import SWEEP_LIMIT
from programs.services.reviews import review_due
from tests.conftest import Sink
from tests.factories import make_clinic, make_user
from tests.programs.services.recorded import day
from tests.programs.services.weekly import (
    QUIET,
    SEVEN,
    WAITING,
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
    assert "RZ, case NEW (nobody treats this case: Anna Berg no longer does): Worsening" in told.text
    assert "RZ, case CALL (nobody treats this case: Anna Berg no longer does): do it." in told.text
    assert "RZ, case OWN: Worsening" in told.text
    assert told.html.count("(nobody treats this case: Anna Berg no longer does)") == 2
    assert "1 on track" in told.text
    assert "BO" not in told.text
    assert "Anna" not in OutboxMessage.objects.get(to_email=colleague.email).text

    send(SEVEN + timedelta(days=7))
    later = OutboxMessage.objects.filter(to_email=owner.email).latest("next_attempt_at")
    assert (
        "- RZ, case NEW (nobody treats this case: Anna Berg no longer does): worsening, open 7 days"
        in later.text
    )


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
    assert "case OFF (nobody treats this case:" in mail().text
    assert "case ELSEWHERE (nobody treats this case:" in mail().text


def test_an_owner_is_not_told_of_the_cases_of_those_who_treat(clinic: Clinic, physio: User) -> None:
    make_user("owner@example.org", role=Role.OWNER, clinic=clinic)
    alert(bare_case(physio, clinic, "C1"))

    assert send()["written"] == 1
    assert mail().to_email == physio.email
    assert "nobody treats" not in mail().text + mail().html


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
    assert len(queries) == 17


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
