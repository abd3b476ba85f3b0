"""While a clinician is away a colleague gets the digest and the red flags: by the dates, and never twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from clinic.absences import set_absence
from clinic.models import Clinic, Membership, OutboxMessage, User
from clinic.roles import Role
from clinic.row_security import Tenant
from programs.models import Digest
from programs.services.red_flags import escalate_due, raise_red_flag
from tests.factories import NOW, make_case, make_clinic, make_user
from tests.programs.services.weekly import MONDAY, SEVEN, WRITTEN, alert, bare_case, mail, send
from tests.whole_case import as_tenant

DAY = timedelta(days=1)
WEEK = 7 * DAY


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic(timezone="Europe/Amsterdam")


def away(user: User, cover: User | None, *, first: date = MONDAY, last: date = MONDAY + 6 * DAY) -> None:
    member = Membership.objects.get(user=user)
    long_before = datetime.combine(first - WEEK, SEVEN.time(), tzinfo=UTC)
    set_absence(membership=member, by=user, starts_on=first, ends_on=last, cover=cover, now=long_before)


def told(kind: str) -> list[str]:
    return sorted(OutboxMessage.objects.filter(kind=kind).values_list("to_email", flat=True))


pytestmark = pytest.mark.django_db


def test_the_cover_gets_the_digest_which_says_whose_it_is(clinic, anna, piet) -> None:
    alert(bare_case(anna, clinic, "ANNAS"))
    alert(bare_case(piet, clinic, "PIETS"))
    away(anna, piet)

    assert send()["written"] == 2

    assert told("digest") == ["piet@example.org"] * 2
    of_anna = OutboxMessage.objects.get(subject__startswith="The week of Anna Berg, who is away: ")
    assert "Anna Berg is away, and you stand in: this is their digest." in of_anna.text
    assert "Anna Berg is away" in of_anna.html
    assert "ANNAS" in of_anna.text
    assert "PIETS" not in of_anna.text
    digest = Digest.objects.get(clinician=anna)
    assert digest.sent_to == piet
    assert Digest.objects.get(clinician=piet).sent_to is None


def test_who_is_back_in_mid_week_is_not_told_the_same_week_again(clinic, anna, piet) -> None:
    alert(bare_case(anna, clinic))
    away(anna, piet, last=MONDAY + DAY)
    assert send() == {"written": 1, "quiet": 1, "waiting": 0}
    for later in range(1, 7):
        assert send(SEVEN + later * DAY, again=True)["written"] == 0
    assert told("digest") == ["piet@example.org"]
    assert send(SEVEN + WEEK) == {"written": 1, "quiet": 1, "waiting": 0}
    assert told("digest") == ["anna@example.org", "piet@example.org"]


def test_what_the_cover_was_told_is_still_news_to_who_comes_back(clinic, anna, piet) -> None:
    alert(bare_case(anna, clinic))
    away(anna, piet)
    send()
    assert send(SEVEN + WEEK) == {"written": 1, "quiet": 1, "waiting": 0}
    assert mail(1).to_email == "anna@example.org"
    assert mail(1).subject == "Your week: 1 new"
    send(SEVEN + 2 * WEEK)
    assert mail(2).subject == "Your week: 1 unchanged"


def test_without_a_cover_it_is_the_owners(clinic, owner, anna) -> None:
    alert(bare_case(anna, clinic))
    away(anna, None)
    assert send()["written"] == 1
    assert told("digest") == ["owner@example.org"]


def test_alone_in_the_clinic_they_get_it_themselves(clinic, anna) -> None:
    alert(bare_case(anna, clinic))
    away(anna, None)
    assert send() == WRITTEN
    assert mail().to_email == "anna@example.org"
    assert mail().subject == "Your week: 1 new"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 3, 1, 22, 59, tzinfo=UTC), ["anna@example.org"]),  # Sunday, in Amsterdam
        (datetime(2026, 3, 1, 23, 0, tzinfo=UTC), ["anna@example.org", "piet@example.org"]),
        (datetime(2026, 3, 8, 22, 59, tzinfo=UTC), ["anna@example.org", "piet@example.org"]),
        (datetime(2026, 3, 8, 23, 0, tzinfo=UTC), ["anna@example.org"]),
    ],
    ids=["not yet", "begun", "the last day", "over"],
)
def test_of_a_red_flag_the_cover_is_told_from_the_first_day_to_the_last(
    clinic, anna, piet, at, expected
) -> None:
    away(anna, piet)
    case = make_case(clinic, clinician=anna)
    raise_red_flag(episode=case, codes=["knee_locks"], source="check-in", evidence=[{}], now=at)
    assert told("red_flag") == expected
    if "piet@example.org" in expected:
        text = OutboxMessage.objects.get(to_email="piet@example.org").text
        assert "Anna Berg, who treats this case, is away: you stand in." in text
    assert "you stand in" not in OutboxMessage.objects.get(to_email="anna@example.org").text


def test_of_a_red_flag_without_cover_every_owner_who_is_there_is_told(clinic, owner, anna) -> None:
    second = make_user("second@example.org", role=Role.OWNER, clinic=clinic)
    away(anna, None)
    away(second, None)
    case = make_case(clinic, clinician=anna)
    raise_red_flag(episode=case, codes=["knee_locks"], source="check-in", evidence=[{}], now=NOW)
    assert told("red_flag") == ["anna@example.org", "owner@example.org"]


def test_a_patients_own_report_reaches_the_cover_though_absences_are_the_clinics(clinic, anna, piet) -> None:
    """The database shows a patient's login no absence."""
    away(anna, piet)
    case = make_case(clinic, clinician=anna)
    with as_tenant(Tenant((clinic.pk,), patient=case.patient_id)):
        raise_red_flag(episode=case, codes=["knee_locks"], source="check-in", evidence=[{}], now=NOW)
    assert told("red_flag") == ["anna@example.org", "piet@example.org"]


def test_with_nobody_in_the_owner_who_is_away_is_told_of_a_red_flag_at_once(clinic, owner, anna) -> None:
    away(anna, None)
    away(owner, None)
    case = make_case(clinic, clinician=anna)
    raise_red_flag(episode=case, codes=["knee_locks"], source="a check-in", evidence=[], now=NOW)
    assert sorted(told("red_flag")) == ["anna@example.org", "owner@example.org"]


def flagged(case) -> None:
    raise_red_flag(episode=case, codes=["calf_pain_swelling"], source="a check-in", evidence=[], now=NOW)


@pytest.fixture
def covered(clinic, anna, piet):
    """Anna's case, whose standing cover is Piet."""
    Membership.objects.filter(user=anna).update(cover=piet)
    return make_case(clinic, clinician=anna)


def test_who_stands_in_for_the_cover_who_is_away_is_told_of_a_red_flag(clinic, covered, piet) -> None:
    pia = make_user("pia@example.org", clinic=clinic, name="Pia")
    away(piet, pia)
    flagged(covered)
    assert told("red_flag") == ["anna@example.org", "pia@example.org", "piet@example.org"]
    mail_to_pia = OutboxMessage.objects.get(to_email="pia@example.org")
    for body in (mail_to_pia.text, mail_to_pia.html):
        assert "Anna Berg treats this case; Piet, who is told as well, is away: you stand in." in body
    assert "you stand in" not in OutboxMessage.objects.get(to_email="anna@example.org").text


def test_the_absences_are_followed_until_somebody_is_in(clinic, covered, piet) -> None:
    pia = make_user("pia@example.org", clinic=clinic)
    quinn = make_user("quinn@example.org", clinic=clinic)
    away(piet, pia)
    away(pia, quinn)
    flagged(covered)
    assert told("red_flag") == ["anna@example.org", "piet@example.org", "quinn@example.org"]


def test_with_nobody_for_the_cover_it_is_the_owners(owner, covered, piet) -> None:
    away(piet, None)
    flagged(covered)
    assert told("red_flag") == ["anna@example.org", "owner@example.org", "piet@example.org"]


def test_the_clinician_who_stands_in_for_their_own_cover_is_told_once(covered, anna, piet) -> None:
    away(piet, anna)
    flagged(covered)
    assert told("red_flag") == ["anna@example.org", "piet@example.org"]
    assert "This is your case." in OutboxMessage.objects.get(to_email="anna@example.org").text


def test_of_what_nobody_acknowledged_who_stands_in_for_the_owner_is_told(clinic, owner, covered) -> None:
    pia = make_user("pia@example.org", clinic=clinic)
    away(owner, pia)
    flagged(covered)
    assert escalate_due(now=NOW + DAY) == 1
    assert told("escalation") == ["owner@example.org", "pia@example.org"]
    text = OutboxMessage.objects.get(kind="escalation", to_email="pia@example.org").text
    assert f"{owner}, an owner of the clinic, is away: you stand in." in text


def test_the_digest_follows_the_absences_too(clinic, anna, piet) -> None:
    pia = make_user("pia@example.org", clinic=clinic)
    alert(bare_case(anna, clinic))
    away(anna, piet)
    away(piet, pia)
    assert send()["written"] == 1
    assert told("digest") == ["pia@example.org"]
