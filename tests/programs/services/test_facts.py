from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients.models import OutcomeScore
from programs.models import Alert, Hold, Pause, Program, ProgramDose, StageMove
from programs.rules import stall
from programs.services.facts import Case, load
from tests.factories import add_strength, make_assessment, make_case, make_program
from tests.programs.services.recorded import answer, day, diary, requests, running_case, session

pytestmark = pytest.mark.django_db

START = date(2026, 1, 5)


def loaded(program: Program, on: date) -> Case:
    fresh = Program.objects.select_related("episode__patient", "episode__clinic__policy").get(pk=program.pk)
    (case,) = load([fresh], {fresh.pk: on})
    return case


def facts_of(program: Program, number: int = 42) -> stall.CaseFacts:
    return loaded(program, day(program, number)).facts


@pytest.fixture
def program() -> Program:
    return running_case(started_on=START)


def test_a_day_is_the_maximum_of_its_answers_and_a_corrected_answer_is_left_out(program: Program) -> None:
    answer(program, 3, Decimal("4.5"))
    answer(program, 3, Decimal("6.5"), usual_left=3)
    mistaken = answer(program, 4, 10)
    answer(program, 4, 5, corrects=mistaken)

    assert facts_of(program).index.answers == (
        stall.PainAnswer(day(program, 3), Decimal("6.5"), Decimal("3.0"), 1),
        stall.PainAnswer(day(program, 4), Decimal("5.0"), None, 1),
    )


def test_the_knees_are_told_apart_by_the_index_side() -> None:
    program = running_case(started_on=START, episode=make_case(index_side="right", opened_on=START))
    answer(program, 3, 2, worst_right=7)

    facts = facts_of(program)

    assert [found.worst for found in facts.index.answers] == [7]
    assert facts.other is not None
    assert [found.worst for found in facts.other.answers] == [2]


@pytest.mark.parametrize(
    ("intake_on", "kind", "baseline"),
    [
        (0, "reassessment", "6.5"),  # of the same day, and later: the intake stays the baseline
        (-28, "reassessment", "6.5"),
        (-29, "reassessment", "4.0"),  # too old to serve
        (-1, "intake", "4.0"),  # of two intakes the later one
    ],
)
def test_the_intake_is_the_baseline_before_any_other_assessment(
    program: Program, intake_on: int, kind: str, baseline: str
) -> None:
    program.episode.assessments.all().delete()
    worst = {"worst_pain": Decimal("6.5"), "other_knee_worst_pain": Decimal("6.5")}
    make_assessment(program.episode, assessed_on=day(program, intake_on), kind="intake", **worst)
    worst = dict.fromkeys(worst, Decimal("4.0"))
    make_assessment(program.episode, assessed_on=START, kind=kind, **worst)

    facts = facts_of(program)

    assert facts.index.intake.worst == Decimal(baseline)
    assert facts.other.intake.worst == Decimal(baseline)


def test_without_a_word_on_it_there_is_no_other_knee(program: Program) -> None:
    answer(program, 3, 5)

    assert facts_of(program).other is None


def test_intake_is_the_latest_assessment_until_the_start_and_keeps_its_recall(program: Program) -> None:
    make_assessment(program.episode, assessed_on=START - timedelta(days=9), worst_pain=9)
    make_assessment(program.episode, assessed_on=START + timedelta(days=9), worst_pain=1)
    assert facts_of(program).index.intake == stall.IntakePain(START, Decimal("6.0"), 3)

    other = running_case(started_on=START)
    other.episode.assessments.update(worst_pain=None, worst_pain_week=5, other_knee_worst_pain=2)
    facts = facts_of(other)
    assert facts.index.intake == stall.IntakePain(START, Decimal("5.0"), 7)
    assert facts.other is not None
    assert facts.other.intake == stall.IntakePain(START, Decimal("2.0"), 3)


def test_requests_carry_local_dates_of_the_patient() -> None:
    program = running_case(started_on=START)
    program.episode.patient.timezone = "Pacific/Auckland"
    program.episode.patient.save()
    requests(program, answered=[7], missed=[9])

    found = sorted(facts_of(program).requests, key=lambda request: request.due_on)

    # 17:00 UTC is the next morning in Auckland.
    assert found == [
        stall.CheckInRequest(day(program, 7), day(program, 10), day(program, 8)),
        stall.CheckInRequest(day(program, 9), day(program, 12), None),
    ]


def test_the_clock_starts_with_the_first_program_or_the_fair_trial(
    program: Program,
) -> None:
    Program.objects.filter(pk=program.pk).update(ended_on=day(program, 30), end_reason="Replaced")
    second = make_program(program.episode, started_on=day(program, 30), stage_started_on=day(program, 30))
    facts = facts_of(second)
    assert (facts.started_on, facts.clock_started_on) == (START, START)

    second.fair_trial_on, second.fair_trial_reason = day(program, 30), "New"
    second.save()
    assert facts_of(second).started_on == START
    assert facts_of(second).clock_started_on == day(program, 30)


def test_pauses_and_holds_of_every_program_count(program: Program) -> None:
    Pause.objects.create(
        clinic=program.clinic,
        program=program,
        kind=Pause.Kind.OTHER,
        starts_on=day(program, 3),
        ends_on=day(program, 5),
        paused_by=program.assigned_by,
    )
    since = datetime(2026, 1, 20, 23, 30, tzinfo=UTC)  # the 21st in Amsterdam
    Hold.objects.create(clinic=program.clinic, program=program, since=since, red_flags=["pop"], reason="Pop")

    assert set(facts_of(program).pauses) == {
        stall.Pause(stall.PauseKind.HOLIDAY, day(program, 3), day(program, 5)),
        stall.Pause(stall.PauseKind.HOLD, date(2026, 1, 21), None, "Pop"),
    }


def test_a_red_flag_counts_on_the_days_it_was_open(program: Program) -> None:
    raised, cleared = day(program, 10), day(program, 20)
    Alert.objects.create(
        clinic=program.clinic,
        episode=program.episode,
        kind=Alert.Kind.RED_FLAG,
        state=Alert.State.RESOLVED,
        resolution=Alert.Resolution.CLINICIAN,
        summary="Knee locks",
        evidence=[{"code": "knee_locks", "text": "Knee locks", "source": "answer of 15 Jan"}],
        opened_on=raised,
        opened_at=datetime(2026, 1, 15, 9, tzinfo=UTC),
        resolved_on=cleared,
        resolved_at=datetime(2026, 1, 25, 9, tzinfo=UTC),
        resolved_by=program.assigned_by,
    )

    assert facts_of(program, 19).red_flags == (
        stall.RedFlag("knee_locks", raised, "Knee locks (answer of 15 Jan)"),
    )
    assert facts_of(program, 20).red_flags == ()


def test_a_session_is_red_by_the_24_hour_rule_and_the_first_one_is_known(program: Program) -> None:
    session(program, 5)
    session(program, 3, is_strength=False)
    session(program, 7, pain_next_morning=6)
    session(program, 9, pain_during=9, pain_next_morning=None)

    facts = facts_of(program)

    assert facts.first_session_on == day(program, 3)
    assert [(s.on, s.red) for s in sorted(facts.sessions, key=lambda s: s.on)] == [
        (day(program, 5), False),
        (day(program, 7), True),
        (day(program, 9), False),
    ]


def test_akps_scores_are_whole_points(program: Program) -> None:
    OutcomeScore.objects.create(
        clinic=program.clinic, episode=program.episode, measure="akps", taken_on=START, value=71
    )
    OutcomeScore.objects.create(
        clinic=program.clinic, episode=program.episode, measure="lefs", taken_on=START, value=50
    )

    assert facts_of(program).akps == (stall.AkpsScore(START, 71),)


def test_greens_of_an_earlier_stage_do_not_make_ready_and_a_met_gate_is_known(program: Program) -> None:
    for number in (1, 3, 5):
        session(program, number)
    diary(program, {0: 6, 4: 6, 9: 6, 14: 5})
    assert facts_of(program, 14).ready_since == day(program, 5)

    StageMove.objects.create(
        clinic=program.clinic,
        program=program,
        from_stage=1,
        to_stage=2,
        moved_on=day(program, 6),
        moved_by=program.assigned_by,
    )
    Program.objects.filter(pk=program.pk).update(current_stage=2, stage_started_on=day(program, 6))
    assert facts_of(program, 14).ready_since is None
    assert facts_of(program, 14).last_progressed_on == day(program, 6)
    # As of a day before the move, the program stands in its first stage.
    assert facts_of(program, 5).ready_since == day(program, 5)
    assert facts_of(program, 5).last_progressed_on is None


def test_the_gate_is_met_since_the_first_day_all_its_criteria_held(program: Program) -> None:
    for number in (1, 3, 5, 8, 10, 12):
        session(program, number)
    diary(program, {0: 6, 2: 6, 7: 6, 9: 5, 14: 5})

    assert facts_of(program, 14).gate_met_since is not None
    assert facts_of(program, 6).gate_met_since is None


def test_the_last_stage_has_no_gate() -> None:
    program = running_case(started_on=START, stages=1)
    for number in (1, 3, 5, 8, 10, 12):
        session(program, number)
    diary(program, {0: 6, 2: 6, 7: 6, 9: 5, 14: 5})

    assert facts_of(program, 14).gate_met_since is None


def test_a_deficit_is_untreated_until_an_exercise_of_the_stage_targets_it(program: Program) -> None:
    assessment = program.episode.assessments.get()
    add_strength(assessment, left=80, right=100)
    (deficit,) = facts_of(program).untreated_deficits
    assert deficit.startswith("Hip abductors left: LSI 80")

    exercise = ProgramDose.objects.get(stage__program=program, stage__number=2).exercise
    exercise.muscle_groups = ["hip_abductors"]
    exercise.save()
    assert facts_of(program).untreated_deficits  # another stage's exercise is no treatment now

    exercise = ProgramDose.objects.get(stage__program=program, stage__number=1).exercise
    exercise.muscle_groups = ["hip_abductors"]
    exercise.save()
    assert facts_of(program).untreated_deficits == ()
    ProgramDose.objects.update(is_active=False)
    assert facts_of(program).untreated_deficits


def test_a_deficit_stays_untreated_until_its_own_muscle_group_is_tested_again(program: Program) -> None:
    add_strength(program.episode.assessments.get(), left=80, right=100)
    later = make_assessment(program.episode, assessed_on=program.started_on)
    add_strength(later, left=98, right=100, muscle_group="quadriceps")
    (deficit,) = facts_of(program).untreated_deficits
    assert deficit.startswith("Hip abductors left: LSI 80")

    add_strength(later, left=98, right=100)
    assert facts_of(program).untreated_deficits == ()


def test_pain_elsewhere_drifts_until_the_knee_is_assessed_again(program: Program) -> None:
    answer(program, 29, 5, locations_left=["retropatellar"])
    assert facts_of(program).drift is None

    answer(program, 33, 5, locations_left=["retropatellar", "lateral"])
    drift = facts_of(program).drift
    assert drift is not None
    assert drift.location == "lateral"
    assert "Outer side" in drift.evidence
    assert "7 Feb 2026" in drift.evidence
    assert facts_of(program, 32).drift is None
    assert facts_of(program, 33 + 14).drift is None  # no longer in the Now window

    make_assessment(program.episode, assessed_on=day(program, 34), kind="reassessment")
    assert facts_of(program).drift is None


def test_the_other_knee_asks_for_a_load_review_not_for_a_new_diagnosis(program: Program) -> None:
    answer(program, 33, 5, worst_right=4, locations_right=["lateral"])

    case = loaded(program, day(program, 40))

    assert case.facts.drift is None
    assert case.notes == ("new pain in the right knee: review the load, not the diagnosis",)


def test_a_bounced_address_is_undeliverable(program: Program) -> None:
    assert not facts_of(program).undeliverable
    patient = program.episode.patient
    patient.email_bounced_at = datetime(2026, 2, 1, tzinfo=UTC)
    patient.save()
    assert facts_of(program).undeliverable


@pytest.mark.parametrize("cases", [1, 3])
def test_a_chunk_costs_the_same_queries_whatever_its_size(cases: int) -> None:
    for _ in range(cases):
        program = running_case(started_on=START)
        diary(program, {7: 5, 14: 6}, missed=[21])
        session(program, 8)
        answer(program, 15, 5, locations_left=["lateral"])
    programs = list(Program.objects.select_related("episode__patient", "episode__clinic__policy"))

    with CaptureQueriesContext(connection) as queries:
        load(programs, {program.pk: date(2026, 2, 1) for program in programs})

    assert len(queries) == 16
