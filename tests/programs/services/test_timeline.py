"""The course of a case from its rows, and its outcomes and re-tests."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import pytest

from clinic.roles import Denied, Role
from patients.models import AggravatingActivity, Episode, OutcomeScore, QAngle, StrengthTest
from patients.scoring import ScoringError
from patients.scoring.change import ChangeKind
from patients.vocabulary import OutcomeMeasure
from programs.models import Answer, Hold, Run, Session, StageMove
from programs.rules.pain import Light
from programs.rules.timeline import summary
from programs.services import timeline
from programs.services.assessments import record_assessment
from programs.services.outcomes import outcomes, record_groc
from programs.services.retests import compare_assessments
from tests.factories import NOW, TODAY, make_assessment, make_case, make_program, make_user
from tests.programs.services.assessing import FULL

pytestmark = pytest.mark.django_db


def row(case: Episode, program: Any, days: int = 0) -> dict[str, Any]:
    return {
        "clinic": case.clinic,
        "patient": case.patient,
        "episode": case,
        "program": program,
        "client_id": uuid4(),
        "occurred_at": NOW,
        "local_date": TODAY + timedelta(days=days),
    }


EFFORT = {"pain_before": Decimal(1), "pain_next_morning": Decimal(1)}


def course_of(case: Episode) -> Any:
    return timeline.course(timeline.read(episode=case), today=TODAY + timedelta(days=30), baseline=Decimal(6))


def test_sessions_and_runs_are_coloured_by_the_pain_rule() -> None:
    case = make_case()
    program = make_program(case)
    for days, pain in enumerate(("3", "4", "6")):
        Session.objects.create(**row(case, program, days), **EFFORT, pain_during=Decimal(pain))
    Run.objects.create(**row(case, program, 4), **EFFORT, pain_during=Decimal(4), distance_km=Decimal(7))
    Session.objects.create(**row(case, program, 5), pain_during=Decimal(1))

    efforts = course_of(case).efforts

    assert [effort.light for effort in efforts] == [
        *(Light.GREEN, Light.AMBER, Light.RED, Light.INCOMPLETE),
        Light.RED,
    ], "amber is for strength work: a run above 3 is red"
    assert efforts[-1].km == Decimal(7)


def test_a_corrected_row_does_not_count() -> None:
    case = make_case()
    program = make_program(case)
    wrong = Answer.objects.create(**row(case, program), worst_left=Decimal(9))
    Answer.objects.create(**row(case, program), worst_left=Decimal(5), usual_left=Decimal(2), corrects=wrong)

    (knee,) = course_of(case).knees

    assert (knee.worst, knee.usual) == ({TODAY: Decimal(5)}, {TODAY: Decimal(2)})


def test_the_other_knee_stands_after_the_index_knee() -> None:
    case = make_case(index_side="right")
    Answer.objects.create(**row(case, make_program(case)), worst_left=Decimal(3), worst_right=Decimal(5))

    assert [(knee.side, knee.is_index) for knee in course_of(case).knees] == [
        ("right", True),
        ("left", False),
    ]


def test_all_programs_of_a_case_stand_in_it_counted_from_the_first() -> None:
    case = make_case()
    first = make_program(case, name="Early", ended_on=TODAY + timedelta(days=10), end_reason="Replaced")
    later = make_program(case, name="Late", started_on=TODAY + timedelta(days=10))
    StageMove.objects.create(
        clinic=case.clinic, program=first, from_stage=1, to_stage=2, moved_on=TODAY, moved_by=case.clinician
    )
    Hold.objects.create(clinic=case.clinic, program=later, since=NOW, red_flags=["fever"], reason="Fever")

    told = summary(course_of(case))

    assert course_of(case).started_on == TODAY
    for words in (
        "Early starts",
        "Late takes over",
        "Stage 2",
        "On hold since 2 Mar 2026",
        "Success: 4.0 or less",
    ):
        assert words in told


def test_without_a_program_there_is_no_course() -> None:
    case = make_case()

    assert course_of(case) is None
    assert timeline.adherence(timeline.read(episode=case), today=TODAY) is None


def test_the_picture_stands_alone_and_holds_no_markup_of_a_name() -> None:
    case = make_case()
    make_program(case, name="</svg><script>alert(1)</script>")

    picture = timeline.picture(course_of(case))

    tree = ElementTree.fromstring(picture)
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    assert "<script" not in picture
    assert "var(" not in picture


def test_adherence_takes_strength_sessions_only() -> None:
    case = make_case()
    program = make_program(case)
    Session.objects.create(**row(case, program), pain_during=Decimal(1))
    Session.objects.create(**row(case, program, 1), pain_during=Decimal(1), is_strength=False)

    found = timeline.adherence(timeline.read(episode=case), today=TODAY + timedelta(days=7))

    assert found is not None
    assert found.weeks[0].words == "1 of 3, 2 missed"


@pytest.mark.parametrize(("later", "comparable"), [("Stairs", True), ("Kneeling", False)])
def test_the_psfs_is_compared_by_the_activities_and_not_by_their_places(later: str, comparable: bool) -> None:
    case = make_case(opened_on=TODAY)
    for days, activity, ability in ((0, "Stairs", 4), (28, later, 7)):
        record_assessment(
            episode=case,
            by=case.clinician,
            now=NOW + timedelta(days=days),
            data={
                "assessed_on": TODAY + timedelta(days=days),
                "aggravating_activities": [{"activity": activity, "ability": ability}],
            },
        )
    psfs = outcomes(episode=case, today=TODAY + timedelta(days=28), week=4).of(OutcomeMeasure.PSFS)
    assert psfs is not None
    assert [score.value for score in psfs.scores] == [4, 7]
    assert psfs.since_first is not None
    assert (psfs.since_first.kind is not ChangeKind.REFUSED) is comparable


def test_outcomes_take_pain_of_the_visits_and_psfs_of_the_activities() -> None:
    case = make_case()
    assessment = make_assessment(case, worst_pain=None, worst_pain_week=Decimal(7))
    make_assessment(case, assessed_on=TODAY + timedelta(days=30), worst_pain=Decimal(3))
    for activity, ability in (("Stairs", 4), ("Squat", 5)):
        AggravatingActivity.objects.create(
            clinic=case.clinic, assessment=assessment, activity=activity, ability=Decimal(ability)
        )

    found = outcomes(episode=case, today=TODAY, week=5)

    assert [course.measure for course in found.courses] == ["nprs", "psfs"]
    nprs, psfs = found.courses
    assert "over the last 7 days, then over the last 3 days" in nprs.words
    assert (psfs.latest.value, psfs.latest.detail) == (Decimal("4.5"), "squat, stairs")
    assert found.due == {}


def test_akps_and_groc_are_due_at_review_until_they_are_scored() -> None:
    case = make_case()
    assert outcomes(episode=case, today=TODAY, week=8).due == {OutcomeMeasure.AKPS: 8, OutcomeMeasure.GROC: 8}

    record_groc(episode=case, value=5, by=case.clinician, today=TODAY)

    found = outcomes(episode=case, today=TODAY, week=8)
    assert found.due == {OutcomeMeasure.AKPS: 8}
    assert outcomes(episode=case, today=TODAY, week=None).due == {}
    groc = found.of("groc")
    assert groc is not None
    assert groc.words == "+5: much improved since the start."


def test_a_second_groc_of_the_day_replaces_the_first() -> None:
    case = make_case()
    for value in (1, -2):
        record_groc(episode=case, value=value, by=case.clinician, today=TODAY)

    assert [score.value for score in OutcomeScore.objects.all()] == [Decimal(-2)]


def test_a_groc_of_a_day_whose_signed_assessment_holds_one_is_refused_by_name() -> None:
    case = make_case()
    scored = [{"measure": "groc", "value": "3"}]
    data = {**FULL, "assessed_on": TODAY, "outcome_scores": scored}
    record_assessment(episode=case, data=data, by=case.clinician, now=NOW, sign=True)

    with pytest.raises(ScoringError, match="is in the assessment of that day") as refused:
        record_groc(episode=case, value=5, by=case.clinician, today=TODAY)
    assert refused.value.field == "groc"
    assert OutcomeScore.objects.get(measure="groc").value == 3
    tomorrow = TODAY + timedelta(days=1)
    assert record_groc(episode=case, value=5, by=case.clinician, today=tomorrow).value == 5


def test_a_groc_of_a_day_whose_assessment_is_not_signed_replaces_the_one_in_it() -> None:
    case = make_case()
    scored = [{"measure": "groc", "value": "3"}]
    data = {**FULL, "assessed_on": TODAY, "outcome_scores": scored}
    record_assessment(episode=case, data=data, by=case.clinician, now=NOW)

    record_groc(episode=case, value=5, by=case.clinician, today=TODAY)
    assert OutcomeScore.objects.get(measure="groc").value == 5


def test_a_groc_out_of_range_or_by_an_assistant_is_refused_and_nothing_kept() -> None:
    case = make_case()
    assistant = make_user(role=Role.ASSISTANT, clinic=case.clinic)

    with pytest.raises(ScoringError, match="groc"):
        record_groc(episode=case, value=8, by=case.clinician, today=TODAY)
    with pytest.raises(Denied):
        record_groc(episode=case, value=3, by=assistant, today=TODAY)
    assert not OutcomeScore.objects.exists()


def test_assessments_are_compared_as_they_were_taken() -> None:
    case = make_case()
    for days, position, newtons, degrees in ((0, "seated", 150, "15"), (30, "prone", 190, "17")):
        on = TODAY + timedelta(days=days)
        assessment = make_assessment(case, assessed_on=on, pain_squat=days == 0, pain_stairs_down=True)
        rows = {"clinic": case.clinic, "assessment": assessment, "side": "left"}
        StrengthTest.objects.create(
            **rows,
            muscle_group="quadriceps",
            method="handheld_dynamometer",
            value=newtons,
            unit="N",
            position=position,
        )
        QAngle.objects.create(**rows, degrees=Decimal(degrees), position="supine", quadriceps="relaxed")

    table = compare_assessments(episode=case)

    changes = {row.label: row.change.brief for block in table.blocks for row in block.rows if row.change}
    assert changes["Quadriceps, left"].startswith(
        "Not compared: taken with a different position (seated, then prone)"
    )
    assert changes["Q-angle, left"] == "+2: not a real change, smaller than 3"
    assert changes["Pain on squatting"] == "yes before, no now"
    assert changes["Pain going downstairs"] == "as before"
    assert "Crepitus" not in [row.label for block in table.blocks for row in block.rows], "nobody ever had it"


def test_what_a_short_re_assessment_did_not_ask_is_no_change() -> None:
    case = make_case()
    make_assessment(case, assessed_on=TODAY, pain_squat=True, overstriding=True, patella_tilt=True)
    make_assessment(case, assessed_on=TODAY + timedelta(days=30), worst_pain="2.0")
    rows = {row.label: row for block in compare_assessments(episode=case).blocks for row in block.rows}
    for label in ("Pain on squatting", "Overstriding", "Lateral patellar tilt"):
        assert [[found.words for found in cell] for cell in rows[label].cells] == [["yes"], []]
        assert rows[label].change is None
