"""The patient page: one page tells the case, in a fixed number of queries."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from patients.models import (
    AggravatingActivity,
    Assessment,
    Episode,
    FlexibilityTest,
    FootPosture,
    MovementTest,
    OutcomeScore,
    QAngle,
)
from programs.models import (
    Alert,
    Answer,
    ContactLog,
    Hold,
    Pause,
    Program,
    Review,
    Run,
    Session,
    StageMove,
)
from tests.factories import NOW, add_strength, make_assessment, make_case, make_program

pytestmark = pytest.mark.django_db

QUERIES = 64


def url_of(case: Episode) -> str:
    return reverse("admin:patients_patient_change", args=[case.patient_id])


def days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def measured(case: Episode, number: int) -> Assessment:
    """An assessment with a row of each kind of measurement."""
    on = days_ago(60 - number).date()
    kind = "reassessment" if number else "intake"
    assessment = make_assessment(case, assessed_on=on, kind=kind, body_mass_kg=Decimal(70))
    rows = {"clinic": case.clinic, "assessment": assessment}
    QAngle.objects.create(
        **rows, side="left", degrees=Decimal(15) + 2 * number, position="supine", quadriceps="relaxed"
    )
    add_strength(
        assessment, left=150 + number, right=200 + number, muscle_group="quadriceps", position="seated"
    )
    MovementTest.objects.create(
        **rows, test="lateral_step_down", side="left", arm=0, trunk=1, pelvis=1, knee=1, steady_stance=0
    )
    FlexibilityTest.objects.create(**rows, structure="calf", side="left", tight=True, degrees=Decimal(20))
    FootPosture.objects.create(**rows, side="left", fpi6=4 + number)
    AggravatingActivity.objects.create(**rows, activity="Stairs", ability=Decimal(4 + number))
    OutcomeScore.objects.create(
        clinic=case.clinic, episode=case, measure="akps", taken_on=on, value=Decimal(60 + 8 * number)
    )
    return assessment


def lived(case: Episode, number: int) -> Program:
    """A program with a row of each kind of what happens during it. The last one is active."""
    start = days_ago(58 - 10 * number).date()
    ended = {"ended_on": start + timedelta(days=9), "end_reason": "Replaced"} if number < 2 else {}
    program = make_program(case, started_on=start, stage_started_on=start, **ended)
    on_program = {"clinic": case.clinic, "program": program}
    by = case.clinician
    StageMove.objects.create(
        **on_program, from_stage=1, to_stage=2, moved_on=start + timedelta(days=3), moved_by=by
    )
    Pause.objects.create(
        **on_program, kind="holiday", starts_on=start, ends_on=start + timedelta(days=2), paused_by=by
    )
    Hold.objects.create(
        **on_program,
        since=NOW,
        red_flags=["fever"],
        reason="x",
        cleared_at=NOW,
        cleared_by=by,
        finding="Nothing",
    )
    row = {
        **on_program,
        "patient": case.patient,
        "episode": case,
        "occurred_at": NOW,
        "local_date": start + timedelta(days=4),
    }
    Answer.objects.create(**row, client_id=uuid4(), worst_left=Decimal(6), usual_left=Decimal(3))
    effort = {"pain_before": Decimal(1), "pain_during": Decimal(2), "pain_next_morning": Decimal(1)}
    Session.objects.create(**row, client_id=uuid4(), **effort)
    Run.objects.create(**row, client_id=uuid4(), **effort, distance_km=Decimal(5))
    Review.objects.create(
        **on_program,
        episode=case,
        day=start,
        week=8,
        state="stalled",
        verdict={"evidence": [], "reasons": []},
        thresholds={},
        reviewed_at=NOW,
        baseline=Decimal(6),
        now=Decimal(6),
    )
    Alert.objects.create(
        clinic=case.clinic,
        episode=case,
        kind="silent",
        summary="Silent",
        opened_on=start,
        opened_at=NOW,
        state="resolved",
        resolved_at=NOW,
        resolved_on=start + timedelta(days=5),
        resolution="recovered",
    )
    ContactLog.objects.create(clinic=case.clinic, episode=case, kind="call", at=NOW, by=by)
    return program


@pytest.mark.parametrize("count", [1, 3])
def test_it_takes_the_same_queries_for_one_patient_program_and_assessment_and_three(
    staff: Any, count: int, django_assert_num_queries: Any
) -> None:
    cases = [make_case(staff.clinic, clinician=staff.physio) for _ in range(count)]
    for number in range(count):
        lived(cases[0], number=number + 3 - count)
        measured(cases[0], number)
    client = staff.client(staff.physio)

    with django_assert_num_queries(QUERIES):
        page = client.get(url_of(cases[0]))

    html = page.content.decode()
    assert html.count('class="hm-total') > 1
    assert len(page.context["page"].clinical.assessments.visits) == count
    assert len(page.context["page"].clinical.chart.course.knees[0].worst) == count
