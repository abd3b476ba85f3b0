"""GET me, me/program, me/check-ins, me/progress: what a patient sees, and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from programs.models import (
    Answer,
    CheckInRequest,
    Hold,
    Pause,
    Program,
    ProgramDose,
    Review,
    Run,
    Session,
    StageMove,
)
from programs.rules.red_flags import Tier, words
from programs.services.alerts import acknowledge
from programs.services.red_flags import clear, raise_red_flag
from tests.api import Device, fields_of, problem_of
from tests.factories import NOW, TODAY, make_case, make_exercise, make_patient, make_program

DAY = timedelta(days=1)


def queries(device: Device, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert device.get(path).status_code == 200
    return len(captured)


def make_request(program: Program, days_ago: int = 0, **fields: Any) -> CheckInRequest:
    due = NOW - days_ago * DAY
    values = {"local_date": due.date(), "due_at": due, "missed_at": due + 2 * DAY, **fields}
    return CheckInRequest.objects.create(clinic=program.clinic, program=program, **values)


def make_row(kind: type[Any], program: Program, days_ago: int = 0, **fields: Any) -> Any:
    at = NOW - days_ago * DAY
    return kind.objects.create(
        clinic=program.clinic,
        patient=program.episode.patient,
        episode=program.episode,
        program=program,
        client_id=uuid4(),
        body_hash="-",
        occurred_at=at,
        local_date=at.date(),
        **fields,
    )


def test_me_names_patient_clinic_case_and_devices(device: Device, program: Program) -> None:
    Device(program.episode.patient, "Tablet")
    me = device.get("me").json()
    patient, clinic = program.episode.patient, program.clinic
    assert me["patient"]["given_name"] == patient.given_name
    assert me["clinic"] == {
        "name": clinic.name,
        "phone": clinic.phone,
        "emergency_number": "112",
        "simulated": False,
    }
    assert me["case"]["number"] == program.episode.case_number
    assert (me["state"], me["advice"]) == ("active", None)
    assert {entry["name"]: entry["current"] for entry in me["devices"]} == {"Phone": True, "Tablet": False}


def test_a_device_whose_token_ran_out_is_not_listed(device: Device, program: Program) -> None:
    Device(program.episode.patient, "Old", expiry=NOW)
    assert [entry["name"] for entry in device.get("me").json()["devices"]] == ["Phone"]


def test_me_shows_the_words_of_an_open_red_flag_and_who_has_read_it(device: Device, program: Program) -> None:
    case = program.episode
    alert = raise_red_flag(episode=case, codes=["knee_locks"], source="call", evidence=[], now=NOW)
    me = device.get("me").json()
    unread = words(Tier.TWO, emergency="112", phone=program.clinic.phone)
    assert (me["state"], me["advice"]["words"], me["advice"]["read_by"]) == ("on_hold", unread, None)
    assert alert is not None
    acknowledge(alert=alert, by=case.clinician, now=NOW)
    advice = device.get("me").json()["advice"]
    name = case.clinician.get_full_name()
    assert (advice["read_by"], advice["read_at"]) == (name, "2026-03-02T09:00:00Z")
    assert f"Read by {name}, 2 Mar 2026 10:00." in advice["words"]
    assert "nobody has read it" not in advice["words"]


def test_the_words_of_the_first_tier_stay_whole_when_read(device: Device, program: Program) -> None:
    case = program.episode
    alert = raise_red_flag(episode=case, codes=["deformity"], source="call", evidence=[], now=NOW)
    assert alert is not None
    acknowledge(alert=alert, by=case.clinician, now=NOW)
    text = device.get("me").json()["advice"]["words"]
    assert text.startswith(words(Tier.ONE, emergency="112", phone=program.clinic.phone))
    assert text.endswith(f"Read by {case.clinician.get_full_name()}, 2 Mar 2026 10:00.")


def test_a_cleared_red_flag_is_gone(device: Device, program: Program) -> None:
    case = program.episode
    alert = raise_red_flag(episode=case, codes=["knee_locks"], source="call", evidence=[], now=NOW)
    assert alert is not None
    clear(alert=alert, by=case.clinician, finding="Meniscus tests negative.", now=NOW)
    me = device.get("me").json()
    assert (me["state"], me["advice"]) == ("active", None)


@pytest.mark.parametrize(
    ("starts", "ends", "state"), [(-3, 1, "paused"), (-3, 0, "active"), (0, None, "paused"), (1, 5, "active")]
)
def test_a_pause_ends_on_the_first_day_back(
    device: Device, program: Program, starts: int, ends: int | None, state: str
) -> None:
    make_pause(program, starts, ends)
    assert device.get("me").json()["state"] == state
    assert (device.get("me/program").json()["pause"] is not None) == (state == "paused")


def test_without_a_program_there_is_nothing_to_do_yet() -> None:
    device = Device(make_case().patient)
    assert device.get("me").json()["state"] == "no_program"
    response = device.get("me/program")
    assert response.status_code == 404
    assert problem_of(response)["detail"] == "You have no active program."
    assert device.get("me/progress").json()["days"] == []


def test_without_a_case_everything_still_answers() -> None:
    device = Device(make_patient())
    assert device.get("me").json()["case"] is None
    assert device.get("me/check-ins").json()["check_ins"] == []
    assert device.get("me/progress").json()["index_side"] is None


def test_a_discharged_case_is_closed(device: Device, program: Program) -> None:
    program.ended_on = TODAY
    program.save()
    case = program.episode
    case.closed_on, case.outcome = TODAY, "recovered"
    case.save()
    assert device.get("me").json()["state"] == "closed"


def test_a_new_case_takes_the_place_of_the_closed_one(device: Device, program: Program) -> None:
    program.ended_on = TODAY
    program.save()
    old = program.episode
    old.closed_on, old.outcome = TODAY, "recovered"
    old.save()
    new = make_program(make_case(patient=old.patient))
    assert device.get("me").json()["case"]["number"] == new.episode.case_number


def test_the_program_shows_the_present_stage_with_doses_in_use(device: Device, program: Program) -> None:
    program.current_stage = 2
    program.save()
    stage = program.stages.get(number=2)
    exercise = make_exercise(name="Step-down", cues=["Keep the pelvis level."])
    ProgramDose.objects.create(
        clinic=program.clinic, stage=stage, exercise=exercise, sets=3, reps_low=8, per_side=True, position=9
    )
    ProgramDose.objects.create(
        clinic=program.clinic, stage=stage, exercise=make_exercise(name="Taken out"), is_active=False
    )
    shown = device.get("me/program").json()
    assert (shown["stage"]["number"], shown["stage"]["of"], shown["state"]) == (2, 2, "active")
    names = [dose["exercise"]["name"] for dose in shown["stage"]["exercises"]]
    assert len(names) == 2
    last = shown["stage"]["exercises"][-1]
    assert (last["text"], last["exercise"]["cues"]) == ("3 x 8 per side", ["Keep the pelvis level."])


def test_each_exercise_names_its_drawing_and_a_clinics_own_has_none(
    device: Device, program: Program, settings: Any
) -> None:
    settings.SITE_URL = "https://clinic.example"
    program.stages.get(number=1).doses.all().delete()
    starter = make_exercise(slug="step-down", name="Step-down")
    own = make_exercise(slug="step-down", name="Step-down, ours", clinic=program.clinic)
    for position, exercise in enumerate((starter, own)):
        stage = program.stages.get(number=1)
        ProgramDose.objects.create(
            clinic=program.clinic, stage=stage, exercise=exercise, reps_low=8, position=position
        )
    doses = device.get("me/program").json()["stage"]["exercises"]
    address = "https://clinic.example/static/programs/drawings/step-down.svg"
    assert [dose["exercise"]["drawing"] for dose in doses] == [address, None]


def test_a_program_on_hold_says_so_with_the_words(device: Device, program: Program) -> None:
    raise_red_flag(episode=program.episode, codes=["deformity"], source="call", evidence=[], now=NOW)
    shown = device.get("me/program").json()
    assert (shown["state"], shown["stage"]["exercises"]) == ("on_hold", [])
    assert shown["words"] == "No exercises and no running until your physio clears you."
    assert shown["advice"]["words"] == words(Tier.ONE, emergency="112", phone=program.clinic.phone)


@pytest.mark.parametrize("code", ["deformity", "knee_locks"])
@pytest.mark.parametrize("track", ["still_running", "stopped", "not_a_runner"])
def test_nothing_tells_a_patient_on_hold_to_run_until_cleared(
    device: Device, program: Program, code: str, track: str
) -> None:
    case = program.episode
    case.running_track = track
    case.save()
    program.stages.update(advice="Keep running on flat ground.")
    before = device.get("me/program").json()
    alert = raise_red_flag(episode=case, codes=[code], source="call", evidence=[], now=NOW)
    assert alert is not None
    held = device.get("me/program").json()
    assert held["running"] == "No exercises and no running until your physio clears you."
    assert (held["state"], held["stage"]["advice"], held["stage"]["exercises"]) == ("on_hold", "", [])
    clear(alert=alert, by=case.clinician, finding="Seen; no sign of it.", now=NOW)
    assert device.get("me/program").json() == before
    assert (before["state"], before["words"]) == ("active", "")
    assert before["stage"]["advice"] == "Keep running on flat ground."
    assert len(before["stage"]["exercises"]) == 1


def test_a_hold_alone_is_on_hold_too(device: Device, program: Program) -> None:
    Hold.objects.create(
        clinic=program.clinic, program=program, since=NOW, red_flags=["deformity"], reason="-"
    )
    shown = device.get("me/program").json()
    assert (shown["state"], shown["advice"], shown["stage"]["advice"]) == ("on_hold", None, "")
    assert shown["stage"]["exercises"] == []
    assert shown["running"] == "No exercises and no running until your physio clears you."


def make_pause(program: Program, starts: int, ends: int | None) -> Pause:
    """Days from today."""
    return Pause.objects.create(
        clinic=program.clinic,
        program=program,
        kind="holiday",
        starts_on=TODAY + starts * DAY,
        ends_on=None if ends is None else TODAY + ends * DAY,
        paused_by=program.assigned_by,
    )


@pytest.mark.parametrize(
    ("ends", "until"), [(3, " until 5 Mar 2026, your first day back"), (None, "")], ids=["dated", "open"]
)
def test_a_paused_program_has_nothing_due_and_says_until_when(
    device: Device, program: Program, ends: int | None, until: str
) -> None:
    program.stages.update(advice="Keep running on flat ground.")
    make_pause(program, -3, ends)
    shown = device.get("me/program").json()
    assert (shown["state"], shown["stage"]["exercises"], shown["stage"]["advice"]) == ("paused", [], "")
    assert shown["words"].startswith(
        f"Your program is paused{until}: no exercises and no running are planned."
    )
    assert shown["running"] == shown["words"]
    assert shown["words"].endswith("keep the pain at 3 or less.")
    assert shown["pause"]["starts_on"] == "2026-02-27"


def test_a_hold_outweighs_a_pause(device: Device, program: Program) -> None:
    make_pause(program, -3, None)
    raise_red_flag(episode=program.episode, codes=["deformity"], source="call", evidence=[], now=NOW)
    shown = device.get("me/program").json()
    assert (shown["state"], shown["words"]) == (
        "on_hold",
        "No exercises and no running until your physio clears you.",
    )
    assert shown["pause"] is not None


def test_on_the_first_day_back_the_exercises_are_due_again(device: Device, program: Program) -> None:
    make_pause(program, -3, 0)
    shown = device.get("me/program").json()
    assert (shown["state"], shown["words"], len(shown["stage"]["exercises"])) == ("active", "", 1)


def test_a_check_in_says_until_when_it_can_be_answered(device: Device, program: Program) -> None:
    make_request(program, state="answered", answered_at=NOW)
    (shown,) = device.get("me/check-ins?state=answered").json()["check_ins"]
    assert shown["answer_until"] == "2026-03-04T09:00:00Z"
    assert "missed_at" not in shown


@pytest.mark.parametrize(
    ("track", "step", "start"),
    [
        ("still_running", None, "Keep running while pain stays at 3 or less: 40 % less"),
        ("stopped", None, "No running yet: it starts after 7 days without pain."),
        ("stopped", 1, "Step 1 of 11: run 1 min, walk 2 min, x 8, on flat."),
        ("not_a_runner", None, ""),
    ],
)
def test_running_advice_is_for_the_track(
    device: Device, program: Program, track: str, step: int | None, start: str
) -> None:
    program.episode.running_track = track
    program.episode.save()
    program.ladder_step = step
    program.save()
    advice = device.get("me/program").json()["running"]
    assert advice.startswith(start)
    assert bool(advice) is (track != "not_a_runner")


def test_check_ins_are_listed_by_state(device: Device, program: Program) -> None:
    due = make_request(program)
    past_its_time = make_request(program, 3)
    missed = make_request(program, 7, state="missed")
    answered = make_request(program, 5, state="answered", answered_at=NOW)
    make_request(make_program())
    listed = {
        state: [entry["id"] for entry in device.get(f"me/check-ins?state={state}").json()["check_ins"]]
        for state in ("due", "missed", "answered")
    }
    assert listed == {"due": [due.pk], "missed": [past_its_time.pk, missed.pk], "answered": [answered.pk]}
    assert [entry["id"] for entry in device.get("me/check-ins").json()["check_ins"]] == [due.pk]


def test_each_check_in_has_its_own_question_and_a_report_of_ones_own_another(
    device: Device, program: Program
) -> None:
    make_request(program, recall_days=3)
    make_request(program, 1)
    found = device.get("me/check-ins").json()
    assert [(entry["recall_days"], entry["question"]) for entry in found["check_ins"]] == [
        (3, "How bad was the worst pain in each knee in the last 3 days, from 0 (none) to 10?"),
        (1, "How bad was the worst pain in each knee in the last 24 hours, from 0 (none) to 10?"),
    ]
    for state in ("due", "answered", "missed"):
        asked = device.get(f"me/check-ins?state={state}").json()["question"]
        assert asked == found["check_ins"][0]["question"]
    CheckInRequest.objects.update(state="answered", answered_at=NOW)
    assert device.get("me/check-ins").json()["question"] == found["check_ins"][1]["question"]


def test_an_ended_program_asks_no_more(device: Device, program: Program) -> None:
    make_request(program)
    program.ended_on = TODAY
    program.save()
    assert device.get("me/check-ins").json()["check_ins"] == []


def test_check_ins_carry_the_symptoms_a_patient_may_tick(device: Device) -> None:
    shown = device.get("me/check-ins").json()
    codes = [symptom["code"] for symptom in shown["symptoms"]]
    assert codes[0] == "calf_pain_swelling"
    assert "hip_under_18" not in codes
    assert shown["note_hint"] == "Not read straight away. Tick any of the symptoms above."


@pytest.mark.parametrize("query", ["state=late", "state=", "sate=due", "state=%00"])
def test_a_wrong_query_names_its_field(device: Device, query: str) -> None:
    response = device.get(f"me/check-ins?{query}")
    assert response.status_code == 400
    assert fields_of(response) == [query.split("=")[0]]


def test_progress_takes_the_highest_answer_of_a_day_and_skips_corrected_ones(
    device: Device, program: Program
) -> None:
    make_row(Answer, program, 1, worst_left=Decimal(3), worst_right=Decimal(1))
    make_row(Answer, program, 1, worst_left=Decimal(5))
    wrong = make_row(Answer, program, worst_left=Decimal(9))
    make_row(Answer, program, worst_left=Decimal(2), corrects=wrong)
    shown = device.get("me/progress").json()
    assert shown["days"] == [
        {"date": "2026-03-01", "left": 5.0, "right": 1.0},
        {"date": "2026-03-02", "left": 2.0, "right": None},
    ]
    assert shown["words"].startswith("Ups and downs")


def test_progress_counts_strength_sessions_by_week(device: Device, program: Program) -> None:
    for days_ago in (0, 1, 2, 7):
        make_row(Session, program, days_ago, pain_during=Decimal(1))
    make_row(Session, program, 0, pain_during=Decimal(1), is_strength=False)
    weeks = device.get("me/progress").json()["weeks"]
    assert weeks[-3:] == [
        {"starts_on": "2026-02-16", "sessions": 0, "prescribed": 3},
        {"starts_on": "2026-02-23", "sessions": 3, "prescribed": 3},
        {"starts_on": "2026-03-02", "sessions": 1, "prescribed": 3},
    ]
    assert weeks[0]["starts_on"] == "2026-02-02"


def test_progress_shows_lights_stages_and_the_latest_comparison(device: Device, program: Program) -> None:
    make_row(
        Run,
        program,
        2,
        distance_km=5,
        pain_before=Decimal(0),
        pain_during=Decimal(2),
        pain_next_morning=Decimal(0),
    )
    make_row(Session, program, 0, pain_during=Decimal(1))
    StageMove.objects.create(
        clinic=program.clinic,
        program=program,
        from_stage=1,
        to_stage=2,
        moved_on=TODAY,
        moved_by=program.assigned_by,
    )
    for days_ago, now in ((7, "6.50"), (0, "4.50")):
        Review.objects.create(
            clinic=program.clinic,
            episode=program.episode,
            program=program,
            day=TODAY - days_ago * DAY,
            week=4,
            state="stalled",
            reason="silent",
            action="call the patient",
            baseline=Decimal("7.00"),
            now=Decimal(now),
            verdict={},
            thresholds={},
            reviewed_at=NOW,
        )
    response = device.get("me/progress")
    shown = response.json()
    assert [(e["kind"], e["light"]["light"]) for e in shown["efforts"]] == [
        ("session", "incomplete"),
        ("run", "green"),
    ]
    assert shown["stage_moves"] == [{"from_stage": 1, "to_stage": 2, "moved_on": "2026-03-02"}]
    assert shown["comparison"] == {"baseline": 7.0, "now": 4.5, "as_of": "2026-03-02"}
    for clinicians_word in (b"stall", b"silent", b"call the patient"):
        assert clinicians_word not in response.content


def test_nothing_of_another_patient_is_shown(device: Device, program: Program) -> None:
    other = make_program(make_case(clinic=program.clinic))
    make_row(Answer, other, worst_left=Decimal(8))
    make_row(Run, other, distance_km=5, pain_during=Decimal(2))
    raise_red_flag(episode=other.episode, codes=["knee_locks"], source="call", evidence=[], now=NOW)
    assert device.get("me").json()["advice"] is None
    shown = device.get("me/progress").json()
    assert (shown["days"], shown["efforts"]) == ([], [])


@pytest.mark.parametrize("count", [1, 3])
def test_query_counts_do_not_grow(device: Device, program: Program, count: int) -> None:
    stage = program.stages.get(number=1)
    for number in range(count - 1):
        Device(program.episode.patient, f"Tablet {number}")
        ProgramDose.objects.create(clinic=program.clinic, stage=stage, exercise=make_exercise())
    for number in range(count):
        make_request(program, number % 2 if number < 2 else 1 + number, missed_at=NOW + 9 * DAY)
        make_row(Answer, program, number, worst_left=Decimal(2))
        make_row(Session, program, number, pain_during=Decimal(1))
        make_row(Run, program, number, distance_km=5, pain_during=Decimal(1))
        StageMove.objects.create(
            clinic=program.clinic,
            program=program,
            from_stage=1,
            to_stage=2,
            moved_on=TODAY,
            moved_by=program.assigned_by,
        )
    assert len(device.get("me/check-ins").json()["check_ins"]) == count
    found = {path: queries(device, path) for path in ("me", "me/program", "me/check-ins", "me/progress")}
    assert found == {"me": 11, "me/program": 18, "me/check-ins": 7, "me/progress": 12}
