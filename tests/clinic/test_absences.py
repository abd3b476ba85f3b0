"""Absences: planned in advance, begun and ended by their dates on the clinic's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.absences import covered_by, end_absence, notices, roster, set_absence
from clinic.models import Absence, Clinic, Membership, User
from clinic.roles import Denied, Role
from clinic.services import StaffError
from patients.models import Episode
from tests.factories import NOW, TODAY, make_case, make_clinic, make_user

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic(timezone="Pacific/Auckland")


@pytest.fixture
def owner(clinic: Clinic) -> User:
    return make_user("owner@example.org", role=Role.OWNER, clinic=clinic)


@pytest.fixture
def anna(clinic: Clinic) -> User:
    return make_user("anna@example.org", clinic=clinic, name="Anna")


@pytest.fixture
def piet(clinic: Clinic) -> User:
    return make_user("piet@example.org", clinic=clinic, name="Piet")


def away(user: User, cover: User | None = None, *, by: User | None = None, **days: date) -> Absence:
    values = {"starts_on": TODAY, "ends_on": TODAY + 6 * DAY, **days}
    member = Membership.objects.get(user=user)
    return set_absence(membership=member, by=by or user, cover=cover, now=NOW, **values)


def test_it_begins_and_ends_by_itself_at_midnight_where_the_clinic_is(clinic, anna, piet) -> None:
    away(anna, piet, starts_on=date(2026, 3, 10), ends_on=date(2026, 3, 11))
    for instant, expected in (
        (datetime(2026, 3, 9, 10, 59, tzinfo=UTC), {}),  # a minute before the 10th in Auckland
        (datetime(2026, 3, 9, 11, 0, tzinfo=UTC), {clinic.pk: frozenset({anna.pk})}),
        (datetime(2026, 3, 11, 10, 59, tzinfo=UTC), {clinic.pk: frozenset({anna.pk})}),
        (datetime(2026, 3, 11, 11, 0, tzinfo=UTC), {}),
    ):
        assert covered_by(piet, instant) == expected


def test_an_owner_may_set_it_and_a_colleague_may_not(owner, anna, piet) -> None:
    assert away(anna, piet, by=owner).set_by == owner
    with pytest.raises(Denied):
        away(piet, by=anna)
    assert Absence.objects.count() == 1


@pytest.mark.parametrize(
    ("days", "field", "said"),
    [
        ({"starts_on": TODAY, "ends_on": TODAY - DAY}, "ends_on", "The last day is before the first."),
        ({"starts_on": TODAY - 5 * DAY, "ends_on": TODAY - DAY}, "ends_on", "This is over already"),
        ({"starts_on": TODAY, "ends_on": TODAY + 367 * DAY}, "ends_on", "At most a year"),
        ({"starts_on": TODAY + 6 * DAY, "ends_on": TODAY + 9 * DAY}, "starts_on", "Away already from"),
    ],
)
def test_days_that_cannot_be_are_refused(anna, piet, days, field, said) -> None:
    away(anna, piet)
    with pytest.raises(StaffError, match=said) as error:
        away(anna, piet, **days)
    assert error.value.field == field
    assert Absence.objects.count() == 1


def test_who_covers_treats_here_has_signed_in_and_is_somebody_else(clinic, anna) -> None:
    desk = make_user(role=Role.ASSISTANT, clinic=clinic)
    new, elsewhere = make_user(clinic=clinic), make_user(clinic=make_clinic())
    Membership.objects.filter(user=new).update(arrived_at=None)
    for cover in (desk, elsewhere, new, anna):
        with pytest.raises(StaffError) as error:
            away(anna, cover)
        assert error.value.field == "cover"
    with pytest.raises(StaffError, match="Only who treats"):
        away(desk)
    assert not Absence.objects.exists()


def test_back_earlier_ends_it_yesterday_and_one_not_begun_is_taken_back(anna, piet, owner) -> None:
    begun = away(anna, piet)
    later = away(anna, piet, starts_on=TODAY + 20 * DAY, ends_on=TODAY + 21 * DAY)
    with pytest.raises(Denied):
        end_absence(absence=begun, by=piet, now=NOW + 2 * DAY)
    end_absence(absence=begun, by=anna, now=NOW + 2 * DAY)
    end_absence(absence=later, by=owner, now=NOW)
    assert Absence.objects.get().ends_on == TODAY + DAY
    with pytest.raises(StaffError, match="over already"):
        end_absence(absence=begun, by=anna, now=NOW + 2 * DAY)


def test_today_tells_both_now_and_two_weeks_ahead(anna, piet, owner) -> None:
    away(anna, piet, starts_on=TODAY + 14 * DAY, ends_on=TODAY + 16 * DAY)
    [own], [covers] = notices(anna, NOW), notices(piet, NOW)
    assert (own.is_own, own.has_begun, own.stand_ins) == (True, False, [piet])
    assert (covers.is_own, covers.absence.clinician) == (False, anna)
    assert notices(owner, NOW) == []
    assert notices(anna, NOW - DAY) == []
    assert notices(piet, NOW + 15 * DAY)[0].has_begun
    assert notices(piet, NOW + 17 * DAY) == []


@pytest.mark.parametrize("absences", [1, 3])
def test_what_today_tells_costs_the_same_queries_for_one_absence_and_for_three(
    clinic, anna, absences
) -> None:
    for _ in range(absences):
        away(make_user(clinic=clinic), anna)
    fresh = User.objects.get(pk=anna.pk)
    with CaptureQueriesContext(connection) as queries:
        assert len(notices(fresh, NOW)) == absences
    assert len(queries) == 3


def test_who_stands_in_sees_the_cases_where_a_physio_sees_only_their_own() -> None:
    clinic = make_clinic(own_cases_only=True)
    anna, piet = make_user(clinic=clinic), make_user(clinic=clinic)
    case = make_case(clinic, clinician=anna)
    elsewhere = make_clinic(own_cases_only=True)
    Membership.objects.create(clinic=elsewhere, user=anna, role=Role.PHYSIO, arrived_at=NOW)
    Membership.objects.create(clinic=elsewhere, user=piet, role=Role.PHYSIO, arrived_at=NOW)
    make_case(elsewhere, clinician=anna)
    member = Membership.objects.get(user=anna, clinic=clinic)
    set_absence(membership=member, by=anna, starts_on=TODAY, ends_on=TODAY, cover=piet, now=NOW)
    for at, seen in ((NOW, [case]), (NOW - DAY, []), (NOW + DAY, [])):
        user = User.objects.get(pk=piet.pk)
        user.stands_in = lambda user=user, at=at: covered_by(user, at)
        assert list(Episode.objects.scoped(user)) == seen


def test_an_absence_of_another_clinic_counts_for_nothing_here(clinic, anna) -> None:
    elsewhere = make_clinic()
    Membership.objects.create(clinic=elsewhere, user=anna, role=Role.PHYSIO, arrived_at=NOW)
    member = Membership.objects.get(user=anna, clinic=elsewhere)
    set_absence(membership=member, by=anna, starts_on=TODAY, ends_on=TODAY, cover=None, now=NOW)
    assert roster(clinic.pk, TODAY).away == {}


def test_a_cover_whose_own_cover_leads_back_is_refused_by_name_and_day(anna, piet) -> None:
    later = TODAY + 4 * DAY
    away(piet, anna, starts_on=later, ends_on=later)
    with pytest.raises(StaffError) as error:
        away(anna, piet)
    assert error.value.field == "cover"
    why = f"{piet} is away too on {later:%-d %b %Y}, and who stands in there leads back to Anna"
    assert str(error.value) == f"{why}: choose someone else."
    assert not Absence.objects.filter(clinician=anna).exists()
    away(anna, piet, ends_on=later - DAY)


def test_a_circle_over_three_and_one_over_a_standing_cover_are_refused(clinic, anna, piet) -> None:
    zoe = make_user("zoe@example.org", clinic=clinic)
    away(piet, zoe)
    Membership.objects.filter(user=zoe).update(cover=anna)
    away(zoe)
    with pytest.raises(StaffError, match="leads back to Anna"):
        away(anna, piet)


def test_a_cover_who_is_away_too_but_covered_by_a_third_is_taken(clinic, anna, piet) -> None:
    zoe = make_user("zoe@example.org", clinic=clinic)
    away(piet, zoe)
    away(anna, piet)
    assert roster(clinic.pk, TODAY).stand_ins(anna.pk) == (zoe.pk,)


def test_without_naming_anybody_a_circle_of_usual_covers_leads_to_the_owners(
    clinic, owner, anna, piet
) -> None:
    Membership.objects.filter(user=anna).update(cover=piet)
    Membership.objects.filter(user=piet).update(cover=anna)
    away(anna)
    away(piet)
    assert roster(clinic.pk, TODAY).stand_ins(anna.pk) == (owner.pk,)
