"""A program is adjusted to the person, exercise by exercise; the template stays as it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from clinic.roles import Denied, Role
from patients.models import Episode
from programs.models import Dose, Exercise, Program, ProgramDose, Review, Template
from programs.services import adjust
from programs.services.adjust import AdjustError, differences
from programs.services.assign import end_program, prepare_program
from programs.services.coverage import ReasonError
from programs.services.edits import edit_program
from programs.services.library import load_starter_library
from programs.services.reviews import review_due
from tests.factories import (
    NOW,
    TODAY,
    make_case,
    make_clinic,
    make_exercise,
    make_program,
    make_template,
    make_user,
)
from tests.programs.services.recorded import flat_case

pytestmark = pytest.mark.django_db


def prepared(case: Episode | None = None, template: Template | None = None) -> Program:
    case = case or make_case()
    return prepare_program(episode=case, template=template or make_template(), by=case.clinician, today=TODAY)


def starter(slug: str = "runners-knee") -> Program:
    load_starter_library()
    return prepared(template=Template.objects.get(slug=slug))


def by(program: Program) -> Any:
    return program.episode.clinician


def first_dose(program: Program) -> ProgramDose:
    return ProgramDose.objects.filter(stage__program=program).order_by("stage__number", "position").first()


def names(program: Program, stage: int = 1) -> list[str]:
    doses = ProgramDose.objects.filter(stage__program=program, stage__number=stage, is_active=True)
    return [dose.exercise.name for dose in doses.order_by("position", "pk").select_related("exercise")]


def texts(program: Program) -> list[str]:
    return [difference.text for difference in differences(program)]


def test_a_fresh_copy_differs_in_nothing() -> None:
    load_starter_library()
    for template in Template.objects.filter(diagnoses__contains=["pfp"]):
        assert differences(prepared(template=template)) == ()


def test_the_harder_neighbour_takes_the_place_with_the_librarys_own_dose() -> None:
    program = starter()
    dose = first_dose(program)
    harder = adjust.neighbours([dose], program.clinic)[dose.exercise.harder]
    before = names(program)

    entered = adjust.replace_exercise(dose=dose, exercise=harder, by=by(program))

    assert names(program) == [harder.name, *before[1:]]
    library = Dose.objects.filter(exercise=harder).values_list("sets", "reps_low", "seconds_low")
    assert (entered.sets, entered.reps_low, entered.seconds_low) in list(library)
    [difference] = differences(program)
    assert difference.was == before[0]


def test_back_to_the_first_exercise_it_has_its_own_dose_again() -> None:
    program = prepared()
    dose = first_dose(program)
    adjust.change_dose(dose=dose, by=by(program), values={"sets": 5})
    other = adjust.replace_exercise(dose=dose, exercise=make_exercise(), by=by(program))

    back = adjust.replace_exercise(dose=other, exercise=dose.exercise, by=by(program))

    assert (back.pk, back.sets, back.is_active) == (dose.pk, 5, True)


def test_an_exercise_nobody_doses_gets_a_usual_dose() -> None:
    program = prepared()
    stage = program.stages.first()

    held = adjust.add_exercise(stage=stage, exercise=make_exercise(kind="isometric"), by=by(program))
    done = adjust.add_exercise(stage=stage, exercise=make_exercise(per_side=True), by=by(program))

    assert (held.text, done.text) == ("3 x 30 s", "3 x 10 per side")
    assert held.position < done.position


def back_in(dose: ProgramDose, by: Any) -> None:
    adjust.put_back(dose=adjust.take_out(dose=dose, by=by), by=by)


ADJUSTMENTS = {
    "dose": lambda dose, by: adjust.change_dose(dose=dose, by=by, values={"sets": 2}),
    "out": lambda dose, by: adjust.take_out(dose=dose, by=by),
    "back": back_in,
    "moved": lambda dose, by: adjust.move_exercise(dose=dose, up=False, by=by),
    "replaced": lambda dose, by: adjust.replace_exercise(dose=dose, exercise=make_exercise(), by=by),
    "added": lambda dose, by: adjust.add_exercise(stage=dose.stage, exercise=make_exercise(), by=by),
    "stage": lambda dose, by: adjust.change_stage(stage=dose.stage, by=by, values={"min_days": 3}),
    "program": lambda dose, by: adjust.change_program(
        program=dose.stage.program, by=by, values={"strength_per_week": 2}
    ),
    "reasons": lambda dose, by: adjust.give_reasons(program=dose.stage.program, by=by, reasons={}),
    "edited": lambda dose, by: edit_program(
        program=dose.stage.program, values={"strength_per_week": 2}, by=by, now=NOW
    ),
}


@pytest.mark.parametrize("name", ADJUSTMENTS)
def test_an_adjusted_running_program_is_judged_again_the_same_day_and_no_other_one(name: str) -> None:
    running = flat_case(started_on=TODAY, weeks=0)
    other = flat_case(started_on=TODAY, weeks=0, episode=make_case(running.clinic))
    draft = prepared(running.episode)
    assert review_due(now=NOW) == {"reviewed": 2}

    if name != "edited":  # that is of running ones
        ADJUSTMENTS[name](first_dose(draft), by(draft))
        assert review_due(now=NOW) == {"reviewed": 0}
    ADJUSTMENTS[name](first_dose(running), by(running))

    later = NOW + timedelta(minutes=1)
    assert review_due(now=later) == {"reviewed": 1}
    told = dict(Review.objects.values_list("program", "reviewed_at"))
    assert told == {running.pk: later, other.pk: NOW}
    assert review_due(now=later) == {"reviewed": 0}


def test_taken_out_it_can_be_put_back_and_leaves_no_trace() -> None:
    program = starter()
    dose, before = first_dose(program), names(program)

    adjust.take_out(dose=dose, by=by(program))
    assert names(program) == before[1:]
    assert texts(program) == [f"{before[0]} taken out"]

    adjust.put_back(dose=dose, by=by(program))
    assert names(program) == before
    assert texts(program) == []


def test_an_exercise_stands_in_a_stage_once() -> None:
    program = prepared()
    dose = first_dose(program)

    with pytest.raises(AdjustError, match="already"):
        adjust.add_exercise(stage=dose.stage, exercise=dose.exercise, by=by(program))
    adjust.take_out(dose=dose, by=by(program))
    again = adjust.add_exercise(stage=dose.stage, exercise=dose.exercise, by=by(program))
    assert again.pk == dose.pk
    assert ProgramDose.objects.filter(stage=dose.stage).count() == 1


def test_a_changed_dose_says_what_it_was() -> None:
    program = prepared()
    dose = first_dose(program)

    adjust.change_dose(dose=dose, by=by(program), values={"sets": 2, "tempo": "3-1-3"})

    assert texts(program) == [
        f"{dose.exercise.name}: 2 x 10, 3 x a week, 3-1-3 instead of 3 x 10, 3 x a week"
    ]
    assert set(Dose.objects.values_list("sets", flat=True)) == {3}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"sets": 0}, "sets"),
        ({"reps_low": 12, "reps_high": 8}, "reps_high"),
        ({"times_per_week": 15}, "times_per_week"),
        ({"sets": "many"}, "sets"),
    ],
)
def test_an_impossible_dose_is_refused_by_field(values: dict[str, Any], field: str) -> None:
    program = prepared()

    with pytest.raises(ValidationError) as refused:
        adjust.change_dose(dose=first_dose(program), by=by(program), values=values)

    assert list(refused.value.message_dict) == [field]
    assert first_dose(program).sets == 3


def test_what_is_no_part_of_a_dose_or_stage_is_refused() -> None:
    program = prepared()
    dose = first_dose(program)

    for call in (
        lambda: adjust.change_dose(dose=dose, by=by(program), values={"stage": 9}),
        lambda: adjust.change_stage(stage=dose.stage, by=by(program), values={"number": 9}),
        lambda: adjust.change_program(program=program, by=by(program), values={"is_draft": False}),
    ):
        with pytest.raises(AdjustError, match="expected one of"):
            call()
    assert Program.with_drafts.get().is_draft


def test_exercises_move_up_and_down_and_stop_at_the_end() -> None:
    program = starter()
    first, second, *rest = names(program)
    dose = first_dose(program)

    adjust.move_exercise(dose=dose, up=True, by=by(program))
    assert names(program) == [first, second, *rest]
    adjust.move_exercise(dose=dose, up=False, by=by(program))
    assert names(program) == [second, first, *rest]
    assert texts(program) == ["Another order of the exercises"]


def test_exercises_of_one_position_move_too() -> None:
    program = make_program(stages=1)
    stage = program.stages.get()
    for _ in range(2):
        ProgramDose.objects.create(clinic=program.clinic, stage=stage, exercise=make_exercise(), sets=3)
    a, b, c = names(program)

    adjust.move_exercise(dose=first_dose(program), up=False, by=by(program))

    assert names(program) == [b, a, c]


def test_the_gate_of_a_stage_is_set_for_this_person() -> None:
    program = starter()
    stage = program.stages.first()

    adjust.change_stage(stage=stage, by=by(program), values={"min_days": 14, "max_weeks": 3})

    [text] = texts(program)
    assert text.startswith("At least 14 days, at most 3 weeks instead of")


def test_a_stage_that_ends_before_its_gate_opens_is_refused() -> None:
    program = prepared()

    with pytest.raises(AdjustError) as refused:
        adjust.change_stage(
            stage=program.stages.first(), by=by(program), values={"min_days": 15, "max_weeks": 2}
        )

    assert refused.value.field == "max_weeks"


def test_reasons_are_kept_by_muscle_group_and_taken_back() -> None:
    program = prepared()

    adjust.give_reasons(program=program, by=by(program), reasons={"trunk": "Coach", "calf": "Scar"})
    adjust.give_reasons(program=program, by=by(program), reasons={"trunk": " "})

    assert Program.with_drafts.get().untreated_reasons == "calf: Scar"
    for reasons, why in (({"nose": "x"}, "no such"), ({"trunk": "x" * 501}, "At most 500")):
        with pytest.raises(ReasonError, match=why):
            adjust.give_reasons(program=program, by=by(program), reasons=reasons)


def test_another_clinics_exercise_is_not_taken() -> None:
    program = prepared()
    foreign = make_exercise(clinic=make_clinic())
    dose = first_dose(program)

    with pytest.raises(AdjustError, match="not in your library"):
        adjust.replace_exercise(dose=dose, exercise=foreign, by=by(program))
    with pytest.raises(AdjustError, match="not in your library"):
        adjust.add_exercise(stage=dose.stage, exercise=foreign, by=by(program))
    assert not ProgramDose.objects.filter(exercise=foreign).exists()


def changes(program: Program, user: Any) -> list[Any]:
    dose = first_dose(program)
    return [
        lambda: adjust.add_exercise(stage=dose.stage, exercise=make_exercise(), by=user),
        lambda: adjust.take_out(dose=dose, by=user),
        lambda: adjust.put_back(dose=dose, by=user),
        lambda: adjust.replace_exercise(dose=dose, exercise=make_exercise(), by=user),
        lambda: adjust.change_dose(dose=dose, by=user, values={"sets": 9}),
        lambda: adjust.move_exercise(dose=dose, up=False, by=user),
        lambda: adjust.change_stage(stage=dose.stage, by=user, values={"min_days": 20}),
        lambda: adjust.change_program(program=program, by=user, values={"name": "Mine"}),
        lambda: adjust.give_reasons(program=program, by=user, reasons={"calf": "No"}),
    ]


@pytest.mark.parametrize("role", [Role.ASSISTANT, None])
def test_only_who_treats_adjusts(role: Role | None) -> None:
    program = starter()
    other = make_user(clinic=program.clinic if role else make_clinic(), role=role or Role.PHYSIO)

    for change in changes(program, other):
        with pytest.raises(Denied):
            change()
    assert texts(program) == []


def test_an_ended_program_stays_as_it_was() -> None:
    program = make_program()
    end_program(program=program, reason="Discharged", on=TODAY)
    before = list(ProgramDose.objects.values())

    for change in changes(program, by(program)):
        with pytest.raises(AdjustError, match="ended"):
            change()
    assert list(ProgramDose.objects.values()) == before


def test_an_exercise_of_the_clinics_own_stands_before_the_starter_librarys() -> None:
    program = prepared()
    dose = first_dose(program)
    Exercise.objects.filter(pk=dose.exercise_id).update(easier="bridge")
    make_exercise(slug="bridge")
    own = make_exercise(slug="bridge", clinic=program.clinic)
    dose.exercise.refresh_from_db()

    assert adjust.neighbours([dose], program.clinic) == {"bridge": own}
