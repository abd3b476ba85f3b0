"""PUT me/sessions/{uuid}, me/runs/{uuid} and their next morning: the 24-hour rule answers at once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine

from programs.models import Alert, Program, ProgramDose, Run, Session
from programs.rules.progression import Against
from programs.services.running_words import AGAINST
from tests.api import Device, bare, fields_of
from tests.factories import NOW, TODAY, make_case, make_exercise, make_program

AT = (NOW - timedelta(hours=1)).isoformat()
YESTERDAY = (NOW - timedelta(days=1)).isoformat()
RUN = {"occurred_at": AT, "distance_km": 5.25, "minutes": 31, "pain_before": 1, "pain_during": 2}


def dose_of(program: Program, kind: str = "strength") -> ProgramDose:
    return ProgramDose.objects.create(
        clinic=program.clinic,
        stage=program.stages.first(),
        exercise=make_exercise(kind=kind),
        sets=3,
        reps_low=8,
    )


def session_body(*doses: ProgramDose, **fields: object) -> dict[str, object]:
    done = [{"dose": dose.pk, "sets_done": 3, "reps_done": 8} for dose in doses]
    return {"occurred_at": AT, "exercises": done, "pain_before": 2, "pain_during": 3, **fields}


def test_a_session_is_stored_with_its_exercises(device: Device, program: Program) -> None:
    dose = dose_of(program)
    body = session_body(dose)
    body["exercises"] = [{"dose": dose.pk, "sets_done": 3, "reps_done": 8, "load_kg": 7.5}]
    uuid = uuid4()
    response = device.put(f"me/sessions/{uuid}", body)
    assert response.status_code == 201
    session = Session.objects.get()
    assert (session.client_id, session.program, session.is_strength) == (uuid, program, True)
    assert (session.pain_before, session.pain_during) == (Decimal("2.0"), Decimal("3.0"))
    done = session.exercises.get()
    assert (done.dose, done.sets_done, done.reps_done, done.load_kg) == (dose, 3, 8, Decimal("7.5"))
    assert response.json()["session"]["exercises"][0] == {
        "dose": dose.pk,
        "sets_done": 3,
        "reps_done": 8,
        "seconds_done": None,
        "load_kg": 7.5,
    }


def test_a_session_put_again_is_stored_once_and_another_body_refused(
    device: Device, program: Program
) -> None:
    one, two = dose_of(program), dose_of(program)
    uuid = uuid4()
    codes = [device.put(f"me/sessions/{uuid}", session_body(one, two)).status_code]
    codes.append(device.put(f"me/sessions/{uuid}", session_body(two, one)).status_code)
    codes.append(device.put(f"me/sessions/{uuid}", session_body(one)).status_code)
    assert codes == [201, 200, 409]
    assert Session.objects.get().exercises.count() == 2


@pytest.mark.parametrize(
    ("kinds", "strength"),
    [
        (("stretch",), False),
        (("mobility", "running"), False),
        (("stretch", "isometric"), True),
        (("plyometric",), True),
    ],
)
def test_only_loading_exercises_make_it_a_strength_session(
    device: Device, program: Program, kinds: tuple[str, ...], strength: bool
) -> None:
    doses = [dose_of(program, kind) for kind in kinds]
    device.put(f"me/sessions/{uuid4()}", session_body(*doses))
    assert Session.objects.get().is_strength is strength


def test_a_foreign_dose_answers_as_one_that_does_not_exist(device: Device, program: Program) -> None:
    own, foreign = dose_of(program), dose_of(make_program())
    first = device.put(f"me/sessions/{uuid4()}", session_body(own, foreign))
    foreign.pk += 1000
    nowhere = device.put(f"me/sessions/{uuid4()}", session_body(own, foreign))
    assert (first.status_code, bare(first)) == (404, bare(nowhere))
    assert fields_of(first) == ["exercises.1.dose"]
    assert not Session.objects.exists()


def test_doses_named_twice_or_of_two_programs_are_refused(device: Device, program: Program) -> None:
    own = dose_of(program)
    program.ended_on = TODAY
    program.save()
    newer = dose_of(make_program(program.episode))
    twice = device.put(f"me/sessions/{uuid4()}", session_body(own, own))
    mixed = device.put(f"me/sessions/{uuid4()}", session_body(own, newer))
    assert (twice.status_code, fields_of(twice)) == (400, ["exercises.1.dose"])
    assert (mixed.status_code, fields_of(mixed)) == (400, ["exercises.1.dose"])
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("pains", "light", "reason"),
    [
        (
            {"pain_during": 3, "pain_next_morning": 3},
            "green",
            "Settled: next morning 3 after 2 before, +1 allowed",
        ),
        ({"pain_during": 3.1, "pain_next_morning": 2}, "amber", "Pain during 3.1, over 3 up to 5"),
        ({"pain_during": 5.1, "pain_next_morning": 2}, "red", "Pain during 5.1, over 5"),
        (
            {"pain_during": 1, "pain_next_morning": 3.1},
            "red",
            "Not settled: next morning 3.1 after 2 before, +1 allowed",
        ),
        (
            {"pain_during": 1, "pain_next_morning": 2, "pain_rising": True},
            "red",
            "Pain rose during the session",
        ),
        ({"pain_during": 1, "pain_next_morning": 2, "limping": True}, "red", "Limping"),
        ({"pain_during": 1}, "incomplete", "No next-morning answer"),
    ],
)
def test_the_light_comes_with_its_reason(
    device: Device, program: Program, pains: dict[str, object], light: str, reason: str
) -> None:
    body = session_body(dose_of(program), occurred_at=YESTERDAY, **pains)
    verdict = device.put(f"me/sessions/{uuid4()}", body).json()["light"]
    assert verdict["light"] == light
    assert reason in verdict["reasons"]
    assert verdict["words"]


def test_a_run_is_red_above_3_where_strength_work_is_amber(device: Device) -> None:
    body = {**RUN, "occurred_at": YESTERDAY, "pain_during": 4, "pain_next_morning": 1}
    assert device.put(f"me/runs/{uuid4()}", body).json()["light"]["light"] == "red"


def test_a_session_that_hurt_too_much_says_so_before_the_next_morning(
    device: Device, program: Program
) -> None:
    verdict = device.put(f"me/sessions/{uuid4()}", session_body(dose_of(program), pain_during=8)).json()[
        "light"
    ]
    assert verdict["light"] == "incomplete"
    assert verdict["words"].startswith("This was too much for now.")
    assert verdict["words"].endswith("Tell us tomorrow morning how the knee feels.")


def test_a_run_is_stored_on_the_step_the_program_is_at(device: Device, program: Program) -> None:
    program.ladder_step = 3
    program.save()
    response = device.put(f"me/runs/{uuid4()}", RUN)
    run = Run.objects.get()
    assert (run.distance_km, run.minutes, run.ladder_step, run.program) == (Decimal("5.25"), 31, 3, program)
    assert response.json()["run"]["distance_km"] == 5.25


def test_the_next_morning_fills_the_empty_value_once(
    device: Device, program: Program, clock: time_machine.Traveller
) -> None:
    uuid, body = uuid4(), session_body(dose_of(program))
    device.put(f"me/sessions/{uuid}", body)
    clock.shift(timedelta(days=1))
    path = f"me/sessions/{uuid}/next-morning"
    first = device.put(path, {"pain_next_morning": 2})
    assert (first.status_code, first.json()["light"]["light"]) == (200, "green")
    assert device.put(path, {"pain_next_morning": 2.0}).status_code == 200
    other = device.put(path, {"pain_next_morning": 7})
    assert (other.status_code, fields_of(other)) == (409, ["pain_next_morning"])
    assert Session.objects.get().pain_next_morning == Decimal("2.0")
    assert device.put(f"me/sessions/{uuid}", body).status_code == 200


def test_a_run_has_a_next_morning_too(device: Device, clock: time_machine.Traveller) -> None:
    uuid = uuid4()
    device.put(f"me/runs/{uuid}", RUN)
    clock.shift(timedelta(days=1))
    assert device.put(f"me/runs/{uuid}/next-morning", {"pain_next_morning": 0}).status_code == 200
    assert Run.objects.get().pain_next_morning == Decimal(0)


def test_the_next_morning_cannot_be_told_the_same_evening(device: Device, program: Program) -> None:
    uuid, dose = uuid4(), dose_of(program)
    device.put(f"me/sessions/{uuid}", session_body(dose))
    later = device.put(f"me/sessions/{uuid}/next-morning", {"pain_next_morning": 0})
    at_once = device.put(f"me/sessions/{uuid4()}", session_body(dose, pain_next_morning=0))
    assert (later.status_code, fields_of(later)) == (400, ["pain_next_morning"])
    assert (at_once.status_code, fields_of(at_once)) == (400, ["pain_next_morning"])
    assert Session.objects.get().pain_next_morning is None


def test_the_next_morning_of_a_corrected_run_belongs_to_the_correction(
    device: Device, clock: time_machine.Traveller
) -> None:
    wrong, right = uuid4(), uuid4()
    device.put(f"me/runs/{wrong}", RUN)
    device.put(f"me/runs/{right}", {**RUN, "distance_km": 6, "corrects": str(wrong)})
    clock.shift(timedelta(days=1))
    response = device.put(f"me/runs/{wrong}/next-morning", {"pain_next_morning": 1})
    assert (response.status_code, fields_of(response)) == (409, ["client_id"])
    assert device.put(f"me/runs/{right}/next-morning", {"pain_next_morning": 1}).status_code == 200


def test_the_next_morning_of_a_foreign_run_is_not_found(
    device: Device, clock: time_machine.Traveller
) -> None:
    other = Device(make_program(make_case(opened_on=TODAY)).episode.patient)
    foreign = uuid4()
    other.put(f"me/runs/{foreign}", RUN)
    clock.shift(timedelta(days=1))
    first = device.put(f"me/runs/{foreign}/next-morning", {"pain_next_morning": 1})
    nowhere = device.put(f"me/runs/{uuid4()}/next-morning", {"pain_next_morning": 1})
    assert (first.status_code, bare(first)) == (404, bare(nowhere))
    assert Run.objects.get().pain_next_morning is None


def test_a_red_flag_in_a_run_raises_the_alert(device: Device) -> None:
    response = device.put(f"me/runs/{uuid4()}", {**RUN, "red_flags": ["knee_gives_way"]})
    assert response.json()["advice"]["tier"] == "tier_2"
    assert "run of 2 Mar 2026" in Alert.objects.get().summary


def test_what_is_done_while_a_red_flag_is_open_is_stored_and_answered_with_its_advice(
    device: Device, program: Program
) -> None:
    flag = {"occurred_at": AT, "worst_left": 5, "red_flags": ["chest_pain_breathlessness"]}
    advice = device.put(f"me/answers/{uuid4()}", flag).json()["advice"]
    uuid = uuid4()
    for status in (201, 200):
        run = device.put(f"me/runs/{uuid}", {**RUN, "terrain": ["downhills"]})
        assert (run.status_code, run.json()["advice"]) == (status, advice)
        assert run.json()["against"] == [
            "Your program is on hold: no running until your physio clears you.",
            "Not yet: steep downhills. Leave them out until they are open.",
        ]
    session = device.put(f"me/sessions/{uuid4()}", session_body(dose_of(program)))
    assert (session.status_code, session.json()["advice"]) == (201, advice)
    assert (Run.objects.count(), Session.objects.count()) == (1, 1)


def test_a_run_within_the_limits_goes_against_nothing(device: Device) -> None:
    stored = device.put(f"me/runs/{uuid4()}", RUN).json()
    assert (stored["against"], stored["advice"]) == ([], None)


def test_every_ground_has_words_for_the_patient() -> None:
    assert set(AGAINST) == set(Against)
