"""The demo clinic: what docs/demo-clinic.md promises is there, once, and the same for the same seed."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from clinic.absences import covered_by
from clinic.models import Clinic, Membership, OutboxMessage, User
from clinic.roles import Role
from clinic.services import set_policy
from patients.models import Addendum, Assessment, DeviceToken, Episode, Patient
from patients.scoring import Change, ChangeKind
from patients.vocabulary import AssessmentKind, Diagnosis, RunningTrack
from programs import demo
from programs.demo.cast import PATIENTS, cast
from programs.demo.courses import Course
from programs.demo.showcase import SHOWCASE, WATCHED
from programs.models import (
    Alert,
    AlertEvent,
    Answer,
    CheckInRequest,
    Digest,
    Program,
    Review,
    Run,
    Session,
    Template,
)
from programs.rules.progression import Against, Terrain
from programs.rules.stall import ReasonCode, State, Trend
from programs.services.library import load_starter_library
from programs.services.library.versions import changes_since, patients_by_version
from programs.services.outcomes import outcomes
from programs.services.policy_trial import try_policy
from programs.services.retests import compare_assessments
from programs.services.reviews import review_as_of
from programs.services.running import state_of

DOCS = Path(settings.BASE_DIR) / "docs" / "demo-clinic.md"
SEED = 1
TODAY = date(2026, 5, 3)
"""A Sunday, five weeks after the clocks changed."""

NOT_SHOWN = {ReasonCode.HELD}
"""No service holds a program without a red flag."""

NOTHING = "-"


def documented() -> list[dict[str, str]]:
    """The rows of the table of cases, by column."""
    lines = [line for line in DOCS.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    header, rows = cells[0], cells[2:]
    return [dict(zip(header, row, strict=True)) for row in rows]


def split(cell: str) -> list[str]:
    return [] if cell == NOTHING else [part.strip() for part in cell.split(",")]


def shown_in_docs(seed: int) -> list[Course]:
    """The documented patients, as they are in the full demo."""
    numbers = {row["case"] for row in documented()}
    return [course for course in cast(seed) if course.case_number in numbers]


@pytest.fixture(scope="module")
def clinic(django_db_setup: None, django_db_blocker: Any) -> Iterator[Clinic]:
    """The documented cases of the demo, loaded once for the module and rolled back after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        load_starter_library()
        loaded = demo.load(seed=SEED, today=TODAY, courses=shown_in_docs(SEED))
        yield loaded.clinic
        transaction.set_rollback(True)


def latest_review(row: dict[str, str]) -> Review | None:
    return Review.objects.filter(episode__case_number=row["case"]).order_by("-day").first()


def alert_text(alert: Alert) -> str:
    """ "stall stalled resolved recovered": kind, level, state, how it was resolved."""
    return " ".join(part for part in (alert.kind, alert.level, alert.state, alert.resolution) if part)


def test_the_docs_list_every_case_that_is_there_to_show_something() -> None:
    assert {row["shows"] for row in documented()} == {course.shows for course in (*SHOWCASE, *WATCHED)}
    assert [row["case"] for row in documented()] == [course.case_number for course in shown_in_docs(SEED)]


def test_sixty_two_patients_over_twelve_weeks() -> None:
    courses = cast(SEED)
    assert len(courses) == PATIENTS == 62
    assert 84 <= courses[0].start <= 91
    assert [course.case_number for course in courses] == [str(1001 + number) for number in range(PATIENTS)]


@pytest.mark.parametrize("row", documented(), ids=lambda row: row["case"])
def test_each_documented_case_shows_what_the_docs_say(clinic: Clinic, row: dict[str, str]) -> None:
    episode = Episode.objects.get(clinic=clinic, case_number=row["case"])
    assert episode.patient.full_name == row["patient"]
    review = latest_review(row)
    found = (review.state or NOTHING, review.trend or NOTHING) if review else (NOTHING, NOTHING)
    assert found == (row["state"], row["trend"])
    reasons = (review.verdict["reasons"] or []) if review else []
    told = split(row["reasons"])
    assert told[:1] == reasons[:1]
    assert set(told) <= set(reasons)
    alerts = sorted(alert_text(alert) for alert in episode.alerts.all())
    assert alerts == sorted(split(row["alerts"]))


def test_every_state_trend_and_reason_is_shown(clinic: Clinic) -> None:
    rows = documented()
    assert {row["state"] for row in rows} - {NOTHING} == set(State)
    assert {row["trend"] for row in rows} - {NOTHING} == set(Trend)
    assert {reason for row in rows for reason in split(row["reasons"])} == set(ReasonCode) - NOT_SHOWN


def test_every_kind_state_and_end_of_an_alert_is_shown(clinic: Clinic) -> None:
    alerts = Alert.objects.filter(clinic=clinic)
    assert {alert.kind for alert in alerts} == set(Alert.Kind.values)
    assert {alert.state for alert in alerts} == set(Alert.State.values)
    assert {alert.resolution for alert in alerts} - {""} == set(Alert.Resolution.values)
    assert {alert.level for alert in alerts} - {""} == {"tier_1", "tier_2", "stalling", "stalled"}
    events = AlertEvent.objects.filter(clinic=clinic).values_list("what", flat=True)
    assert set(events) == set(AlertEvent.What.values)


def test_a_bounced_address_is_told_apart_from_silence(clinic: Clinic) -> None:
    silent = Alert.objects.filter(clinic=clinic, kind=Alert.Kind.SILENT)
    assert {"silent", "undeliverable"} <= set(silent.values_list("reason", flat=True))
    assert OutboxMessage.objects.filter(clinic=clinic, bounced=True).count() == 1


def test_on_track_by_akps_alone_is_marked(clinic: Clinic) -> None:
    row = next(row for row in documented() if "AKPS alone" in row["shows"])
    review = latest_review(row)
    assert review is not None
    assert review.verdict["pain_not_reported"]


def changes(clinic: Clinic, case: str) -> list[Change]:
    episode = Episode.objects.get(clinic=clinic, case_number=case)
    table, measures = compare_assessments(episode=episode), outcomes(episode=episode, today=TODAY, week=None)
    found = [row.change for block in table.blocks for row in block.rows]
    return [change for change in (*found, *(course.since_first for course in measures.courses)) if change]


def test_re_assessments_show_what_was_compared_and_what_refused(clinic: Clinic) -> None:
    again = Assessment.objects.filter(clinic=clinic, kind=AssessmentKind.REASSESSMENT)
    cases = set(again.values_list("episode__case_number", flat=True))
    assert len(cases) == 11
    assert again.filter(signed_at=None).count() == 2
    assert Addendum.objects.filter(assessment__in=again.exclude(signed_at=None)).count() == 1
    assert all(assessment.created_at.date() == assessment.assessed_on for assessment in again)
    kinds = {change.kind for case in cases for change in changes(clinic, case)}
    assert kinds >= set(ChangeKind) - {ChangeKind.CHANGED}
    assert any("method" in change.text for change in changes(clinic, "1008"))


def test_both_running_tracks_show_a_lock_and_a_run_against_it(clinic: Clinic) -> None:
    found = {}
    for program in Program.objects.active().filter(episode__case_number__in=("1010", "1062")):
        state = state_of(program=program, today=TODAY)
        assert state is not None
        shut = [lock.terrain for lock in state.locks if not lock.open]
        found[state.track] = (shut, {code for run in state.runs_against for code in run.against})
    assert found == {
        RunningTrack.STILL_RUNNING: ([Terrain.SPEED], {Against.SPEED}),
        RunningTrack.STOPPED: ([Terrain.HILLS, Terrain.DOWNHILLS, Terrain.SPEED], {Against.HILLS}),
    }


def test_patients_are_on_two_versions_of_the_clinics_own_program(clinic: Clinic) -> None:
    own = Template.objects.get(clinic=clinic)
    versions = patients_by_version([own], clinics=[clinic.pk])[own.pk]
    assert [str(version) for version in versions] == ["1 patient on version 2", "2 patients on version 1"]
    assert changes_since(own, 1)


def test_a_colleague_stands_in_for_who_is_away(clinic: Clinic) -> None:
    stands_in = User.objects.get(email="physio1@example.com")
    [away] = covered_by(stands_in, datetime.combine(TODAY, time(12), ZoneInfo(demo.ZONE)))[clinic.pk]
    assert Episode.objects.filter(clinician=away, closed_on=None).exists()


def test_it_is_marked_as_simulated_and_has_every_role(clinic: Clinic) -> None:
    assert clinic.simulated
    assert str(clinic).endswith("(simulated)")
    roles = list(Membership.objects.filter(clinic=clinic).values_list("role", flat=True))
    assert sorted(roles) == sorted([Role.OWNER, *[Role.PHYSIO] * 3, Role.ASSISTANT])
    assert User.objects.filter(is_operator=True, email="operator@example.com").exists()


def test_nobody_can_be_reached_at_an_invented_address(clinic: Clinic) -> None:
    people = [*Patient.objects.filter(clinic=clinic), *User.objects.all()]
    assert all(person.email.endswith(("@example.org", "@example.com")) for person in people)


def test_nothing_lies_ahead(clinic: Clinic) -> None:
    for model in (Answer, Session, Run):
        assert not model.objects.filter(clinic=clinic, local_date__gte=TODAY).exists()
    assert not Review.objects.filter(clinic=clinic, day__gt=TODAY).exists()
    assert not CheckInRequest.objects.filter(clinic=clinic, local_date__gte=TODAY).exists()


def test_only_the_digests_of_this_week_are_still_to_be_sent(clinic: Clinic) -> None:
    waiting = OutboxMessage.objects.filter(clinic=clinic).exclude(state__in=["sent", "dead"])
    week = TODAY.isocalendar()
    digests = Digest.objects.filter(clinic=clinic, iso_year=week.year, iso_week=week.week)
    assert digests.count() == 3
    assert {message.pk for message in waiting} == {digest.message_id for digest in digests}
    assert not OutboxMessage.objects.filter(clinic=clinic, sent_at__date__gt=TODAY).exists()


def test_an_under_age_patient_has_a_guardians_consent(clinic: Clinic) -> None:
    patients = Patient.objects.filter(clinic=clinic)
    [minor] = [patient for patient in patients if patient.age_on(TODAY) < 18]
    assert minor.guardian_name
    assert minor.guardian_consented_on


def test_all_diagnoses_and_a_second_time_zone_are_there(clinic: Clinic) -> None:
    episodes = Episode.objects.filter(clinic=clinic)
    assert set(episodes.values_list("diagnosis", flat=True)) == set(Diagnosis)
    assert len(set(episodes.values_list("patient__timezone", flat=True))) == 2


def test_the_logins_are_kept_for_their_owner_only(clinic: Clinic) -> None:
    assert stat.S_IMODE(demo.logins_file().stat().st_mode) == 0o600
    text = demo.logins()
    password = text.splitlines()[0].rsplit(" ", 1)[1]
    assert User.objects.get(email="physio1@example.com").check_password(password)
    token = text.rsplit("Token ", 1)[1].split('"')[0]
    assert DeviceToken.objects.filter(token_key=token[:15]).count() == 1


def test_the_logins_are_told_at_the_address_of_today(clinic: Clinic, settings: Any) -> None:
    before = settings.SITE_URL
    settings.SITE_URL = "http://127.0.0.1:8999"
    assert demo.logins().count("http://127.0.0.1:8999/") == 3
    assert before not in demo.logins()


def test_a_second_run_changes_nothing(clinic: Clinic) -> None:
    def count() -> tuple[int, ...]:
        return tuple(model.objects.count() for model in (User, Answer, Review, AlertEvent, OutboxMessage))

    before, logins = count(), demo.logins()
    output = StringIO()
    call_command("load_demo", stdout=output)
    assert "nothing was changed" in output.getvalue()
    assert logins in output.getvalue()
    assert (count(), demo.logins()) == (before, logins)


def test_a_tried_policy_tells_what_the_reviews_under_it_then_do(clinic: Clinic) -> None:
    values = {"stalling_week": 5, "stalled_week": 6, "silent_days": 28, "silent_missed_requests": 6}
    owner = User.objects.get(email="owner@example.com")
    trial = try_policy(clinic=clinic, by=owner, values=values, today=TODAY)
    ended = Program.objects.filter(clinic=clinic).exclude(ended_on=None)  # no review alerts on one any more
    treated = set(Episode.objects.exclude(programs__in=ended).values_list("case_number", flat=True))
    changed = {
        name: {(change.episode.case_number, change.kind.value) for change in getattr(trial, name)}
        for name in ("more", "fewer")
    }
    before = alerted(clinic, trial.days)
    with transaction.atomic():
        set_policy(clinic=clinic, by=owner, values=values, own_cases_only=False)
        after = alerted(clinic, trial.days)
        transaction.set_rollback(True)
    assert after - before == {found for found in changed["more"] if found[0] in treated}
    assert before - after == {found for found in changed["fewer"] if found[0] in treated}
    assert all(changed.values())


def alerted(clinic: Clinic, days: Sequence[date]) -> set[tuple[str, str]]:
    """Case and kind of the alerts that reviews on these days open, made in earnest and undone."""
    with transaction.atomic():
        rows = Alert.objects.filter(clinic=clinic).exclude(kind=Alert.Kind.RED_FLAG)
        AlertEvent.objects.filter(alert__in=rows).delete()
        rows.delete()
        Review.objects.filter(clinic=clinic).delete()
        for day in days:
            review_as_of(on=day, now=timezone.now(), clinic=clinic)
        found = set(rows.all().values_list("episode__case_number", "kind"))
        transaction.set_rollback(True)
    return found
