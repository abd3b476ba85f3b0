"""PUT me/answers/{uuid}: stored once, whenever it arrives."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine

from clinic.models import OutboxMessage
from patients.models import Patient
from programs.models import Alert, Answer, CheckInRequest, Hold, Program
from programs.rules.red_flags import Tier, words
from programs.services.advice import NOT_MESSAGED
from tests.api import Device, bare, fields_of, problem_of
from tests.factories import NOW, TODAY, make_case, make_patient, make_program

AT = (NOW - timedelta(hours=1)).isoformat()
BODY = {"occurred_at": AT, "worst_left": 3.5}


def make_request(program: Program, days_ago: int = 0, **fields: object) -> CheckInRequest:
    due = NOW - timedelta(days=days_ago)
    values = {"local_date": due.date(), "due_at": due, "missed_at": due + timedelta(hours=48), **fields}
    return CheckInRequest.objects.create(clinic=program.clinic, program=program, **values)


def test_a_new_answer_is_stored_with_all_that_was_said(device: Device, program: Program) -> None:
    body = {
        **BODY,
        "worst_right": "2",
        "usual_left": 1.0,
        "usual_right": 0,
        "locations_left": ["retropatellar", "lateral", "lateral"],
        "limping": True,
        "note": "  After the stairs.  ",
    }
    uuid = uuid4()
    response = device.put(f"me/answers/{uuid}", body)
    assert response.status_code == 201
    answer = Answer.objects.get()
    assert (answer.client_id, answer.patient, answer.episode, answer.program, answer.clinic) == (
        uuid,
        program.episode.patient,
        program.episode,
        program,
        program.clinic,
    )
    assert (answer.worst_left, answer.worst_right) == (Decimal("3.5"), Decimal("2.0"))
    assert (answer.usual_left, answer.usual_right) == (Decimal("1.0"), Decimal("0.0"))
    assert answer.locations_left == ["retropatellar", "lateral"]
    assert (answer.limping, answer.note, answer.local_date) == (True, "After the stairs.", TODAY)
    assert answer.received_at == NOW
    stored = response.json()["answer"]
    assert (stored["client_id"], stored["worst_left"], stored["local_date"]) == (str(uuid), 3.5, "2026-03-02")
    assert response.json()["advice"] is None


def test_the_same_body_again_returns_the_stored_row(device: Device) -> None:
    uuid = uuid4()
    first = device.put(f"me/answers/{uuid}", BODY)
    retry = {
        "worst_left": "3.50"[:3],
        "occurred_at": "2026-03-02T09:00:00+01:00",
        "note": "",
        "red_flags": [],
        "worse_red_flags": [],
    }
    again = device.put(f"me/answers/{uuid}", retry)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert Answer.objects.count() == 1


def test_another_body_under_the_same_uuid_is_refused_and_the_row_stands(device: Device) -> None:
    uuid = uuid4()
    device.put(f"me/answers/{uuid}", BODY)
    response = device.put(f"me/answers/{uuid}", {**BODY, "worst_left": 0})
    assert response.status_code == 409
    assert fields_of(response) == ["client_id"]
    assert Answer.objects.get().worst_left == Decimal("3.5")


def test_two_patients_may_use_the_same_uuid(device: Device) -> None:
    other = Device(make_program(make_case(opened_on=TODAY)).episode.patient)
    uuid = uuid4()
    assert device.put(f"me/answers/{uuid}", BODY).status_code == 201
    assert other.put(f"me/answers/{uuid}", {**BODY, "worst_left": 9}).status_code == 201
    assert Answer.objects.count() == 2


def test_it_counts_on_the_date_of_the_patients_own_zone(program: Program) -> None:
    patient = program.episode.patient
    patient.timezone = "America/Los_Angeles"
    patient.save()
    Device(patient).put(f"me/answers/{uuid4()}", {**BODY, "occurred_at": "2026-03-02T07:00:00Z"})
    assert Answer.objects.get().local_date.isoformat() == "2026-03-01"


def test_an_answer_to_a_check_in_answers_it(device: Device, program: Program) -> None:
    request = make_request(program, days_ago=1, remind_at=NOW)
    response = device.put(f"me/answers/{uuid4()}", {**BODY, "request": request.pk})
    assert response.json()["answer"]["request"] == request.pk
    request.refresh_from_db()
    assert (request.state, request.answered_at, request.remind_at) == ("answered", NOW, None)


def test_an_unprompted_answer_answers_the_check_in_of_its_date_only(device: Device, program: Program) -> None:
    today, yesterday = make_request(program), make_request(program, days_ago=1)
    device.put(f"me/answers/{uuid4()}", BODY)
    today.refresh_from_db()
    yesterday.refresh_from_db()
    assert (today.state, yesterday.state) == ("answered", "open")
    assert Answer.objects.get().request == today


def test_a_missed_check_in_can_still_be_answered(device: Device, program: Program) -> None:
    request = make_request(program, days_ago=5, state="missed")
    body = {**BODY, "occurred_at": (NOW - timedelta(days=5)).isoformat(), "request": request.pk}
    assert device.put(f"me/answers/{uuid4()}", body).status_code == 201
    request.refresh_from_db()
    assert request.state == "answered"


def test_a_second_answer_to_a_check_in_leaves_the_time_of_the_first(device: Device, program: Program) -> None:
    earlier = NOW - timedelta(hours=5)
    request = make_request(program, state="answered", answered_at=earlier)
    device.put(f"me/answers/{uuid4()}", {**BODY, "request": request.pk})
    request.refresh_from_db()
    assert request.answered_at == earlier


@pytest.mark.parametrize("ticked", ["red_flags", "worse_red_flags"])
def test_a_red_flag_without_a_number_is_stored_and_told_and_settles_the_check_in(
    device: Device, program: Program, ticked: str
) -> None:
    request = make_request(program)
    body = {"occurred_at": AT, ticked: ["chest_pain_breathlessness"], "request": request.pk}
    response = device.put(f"me/answers/{uuid4()}", body)
    assert response.status_code == 201
    assert response.json()["advice"]["tier"] == "tier_1"
    stored = response.json()["answer"]
    assert (stored["worst_left"], stored["worst_right"]) == (None, None)
    assert Alert.objects.get().kind == "red_flag"
    assert OutboxMessage.objects.filter(kind="red_flag").exists()
    request.refresh_from_db()
    assert request.state == "answered"
    assert device.get("me/progress").json()["days"] == []


def test_without_a_number_a_limp_or_words_alone_are_refused(device: Device) -> None:
    response = device.put(f"me/answers/{uuid4()}", {"occurred_at": AT, "limping": True, "note": "It hurts."})
    assert response.status_code == 400
    assert fields_of(response) == ["worst_left"]
    assert not Answer.objects.exists()


def test_under_18_a_limp_alone_is_a_red_flag_and_is_told(device: Device, program: Program) -> None:
    Patient.objects.filter(pk=program.episode.patient_id).update(
        birth_date=NOW.date().replace(year=NOW.year - 15)
    )
    request = make_request(program)
    body = {"occurred_at": AT, "limping": True, "request": request.pk}
    response = device.put(f"me/answers/{uuid4()}", body)
    assert response.status_code == 201, response.content
    assert response.json()["advice"]["tier"] == "tier_1"
    assert Alert.objects.get().evidence[0]["code"] == "hip_under_18"
    assert OutboxMessage.objects.filter(kind="red_flag").exists()
    request.refresh_from_db()
    assert request.state == "answered"


def test_an_impossible_number_beside_a_red_flag_is_refused_with_the_advice(device: Device) -> None:
    body = {"occurred_at": AT, "worst_left": 11, "red_flags": ["chest_pain_breathlessness"]}
    response = device.put(f"me/answers/{uuid4()}", body)
    assert (response.status_code, response.json()["advice"]["tier"]) == (400, "tier_1")
    assert not Answer.objects.exists()


def test_a_score_keeps_the_recall_window_of_the_question(device: Device, program: Program) -> None:
    asked = make_request(program, recall_days=3)
    windows = {}
    for name, more in {"named": {"request": asked.pk}, "of their own": {}}.items():
        first = uuid4()
        windows[name] = device.put(f"me/answers/{first}", {**BODY, **more}).json()["answer"]["recall_days"]
        corrected = {**BODY, "worst_left": 1, "corrects": str(first)}
        windows[f"{name}, corrected"] = device.put(f"me/answers/{uuid4()}", corrected).json()["answer"][
            "recall_days"
        ]
    assert windows == {"named": 3, "named, corrected": 3, "of their own": 1, "of their own, corrected": 1}
    assert set(Answer.objects.values_list("request", flat=True)) == {asked.pk}


def test_a_foreign_check_in_answers_as_one_that_does_not_exist(device: Device) -> None:
    foreign = make_request(make_program())
    first = device.put(f"me/answers/{uuid4()}", {**BODY, "request": foreign.pk})
    nowhere = device.put(f"me/answers/{uuid4()}", {**BODY, "request": foreign.pk + 1000})
    assert (first.status_code, bare(first)) == (404, bare(nowhere))
    assert fields_of(first) == ["request"]
    foreign.refresh_from_db()
    assert foreign.state == "open"
    assert not Answer.objects.exists()


def test_an_answer_from_before_discharge_is_still_stored(device: Device, program: Program) -> None:
    case = program.episode
    case.closed_on, case.outcome = TODAY - timedelta(days=2), "recovered"
    case.save()
    program.ended_on = TODAY - timedelta(days=2)
    program.save()
    then = (NOW - timedelta(days=3)).isoformat()
    assert device.put(f"me/answers/{uuid4()}", {**BODY, "occurred_at": then}).status_code == 201
    assert Answer.objects.get().program == program
    after = device.put(f"me/answers/{uuid4()}", BODY)
    assert after.status_code == 400
    assert fields_of(after) == ["occurred_at"]


def test_a_time_outside_the_case_or_over_a_day_ahead_is_refused(device: Device) -> None:
    for instant, accepted in (
        (NOW + timedelta(hours=24), True),
        (NOW + timedelta(hours=24, seconds=1), False),
        (NOW - timedelta(days=28), True),
        (NOW - timedelta(days=29), False),
    ):
        response = device.put(f"me/answers/{uuid4()}", {**BODY, "occurred_at": instant.isoformat()})
        assert (response.status_code == 201) is accepted, instant
        assert accepted or fields_of(response) == ["occurred_at"]


def test_what_a_fast_clock_reports_happened_now_and_may_be_repeated_later(
    device: Device, clock: time_machine.Traveller
) -> None:
    uuid = uuid4()
    body = {**BODY, "occurred_at": (NOW + timedelta(hours=20)).isoformat(), "red_flags": ["knee_locks"]}
    first = device.put(f"me/answers/{uuid}", body)
    clock.shift(timedelta(days=2))
    again = device.put(f"me/answers/{uuid}", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    answer = Answer.objects.get()
    assert (answer.occurred_at, answer.received_at, answer.local_date) == (NOW, NOW, TODAY)
    assert Alert.objects.get().kind == "red_flag"


def test_usual_pain_above_the_worst_and_no_score_are_refused(device: Device) -> None:
    above = device.put(f"me/answers/{uuid4()}", {**BODY, "usual_left": 3.6})
    none = device.put(f"me/answers/{uuid4()}", {"occurred_at": AT, "usual_right": 2})
    assert (above.status_code, fields_of(above)) == (400, ["usual_left"])
    assert (none.status_code, fields_of(none)) == (400, ["worst_left"])
    assert not Answer.objects.exists()


def test_a_correction_replaces_the_answer_it_names(device: Device, program: Program) -> None:
    request = make_request(program)
    wrong, right = uuid4(), uuid4()
    device.put(f"me/answers/{wrong}", {**BODY, "worst_left": 9})
    body = {**BODY, "worst_left": 2, "corrects": str(wrong)}
    response = device.put(f"me/answers/{right}", body)
    assert response.json()["answer"]["corrects"] == str(wrong)
    assert [row.client_id for row in Answer.objects.current()] == [right]
    assert Answer.objects.get(client_id=right).request == request
    assert device.put(f"me/answers/{right}", body).status_code == 200


def test_an_answer_is_corrected_once(device: Device) -> None:
    wrong = uuid4()
    device.put(f"me/answers/{wrong}", BODY)
    device.put(f"me/answers/{uuid4()}", {**BODY, "corrects": str(wrong)})
    response = device.put(f"me/answers/{uuid4()}", {**BODY, "corrects": str(wrong)})
    assert (response.status_code, fields_of(response)) == (400, ["corrects"])
    assert Answer.objects.count() == 2


def test_a_foreign_answer_cannot_be_corrected(device: Device) -> None:
    other = Device(make_program(make_case(opened_on=TODAY)).episode.patient)
    foreign = uuid4()
    other.put(f"me/answers/{foreign}", BODY)
    first = device.put(f"me/answers/{uuid4()}", {**BODY, "corrects": str(foreign)})
    nowhere = device.put(f"me/answers/{uuid4()}", {**BODY, "corrects": str(uuid4())})
    assert (first.status_code, bare(first)) == (404, bare(nowhere))
    assert Answer.objects.count() == 1


def test_a_red_flag_holds_the_program_mails_the_clinic_and_answers_with_the_words(
    device: Device, program: Program
) -> None:
    response = device.put(f"me/answers/{uuid4()}", {**BODY, "red_flags": ["knee_locks"]})
    clinic = program.clinic
    assert response.status_code == 201
    assert response.json()["advice"] == {
        "tier": "tier_2",
        "words": words(Tier.TWO, emergency=clinic.emergency, phone=clinic.phone),
        "read_by": None,
        "read_at": None,
    }
    assert Alert.objects.get().level == "tier_2"
    assert Hold.objects.get().program == program
    assert [mail.to_email for mail in OutboxMessage.objects.all()] == [program.episode.clinician.email]


def test_a_retry_of_a_red_flag_repeats_the_words_but_not_the_mail(device: Device) -> None:
    uuid, body = uuid4(), {**BODY, "red_flags": ["calf_pain_swelling", "knee_locks"]}
    first, again = device.put(f"me/answers/{uuid}", body), device.put(f"me/answers/{uuid}", body)
    assert first.json()["advice"]["tier"] == "tier_1"
    assert (again.status_code, again.json()) == (200, first.json())
    assert OutboxMessage.objects.count() == 1


@pytest.mark.parametrize(
    ("symptoms", "tier"),
    [
        ({"red_flags": ["knee_locks", "calf_pain_swelling"]}, Tier.ONE),
        ({"red_flags": ["knee_locks"]}, Tier.TWO),
        ({"worse_red_flags": ["knee_locks"]}, Tier.TWO),
    ],
)
def test_a_red_flag_after_discharge_is_refused_with_what_to_do_and_without_a_false_promise(
    device: Device, program: Program, symptoms: dict[str, list[str]], tier: Tier
) -> None:
    case, clinic = program.episode, program.clinic
    case.closed_on, case.outcome = TODAY - timedelta(days=1), "recovered"
    case.save()
    response = device.put(f"me/answers/{uuid4()}", {**BODY, **symptoms})
    assert (response.status_code, fields_of(response)) == (400, ["occurred_at"])
    exact = words(tier, emergency=clinic.emergency, phone=clinic.phone)
    told = exact.replace("We have messaged the clinic; nobody has read it yet.", NOT_MESSAGED)
    assert problem_of(response)["advice"] == {"tier": tier, "words": told, "read_by": None, "read_at": None}
    assert "have messaged" not in told
    assert not Answer.objects.exists()
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [
        ("me/answers/{}", {"occurred_at": "9999-12-31T23:59:59Z"}, 400),
        ("me/answers/{}", {"occurred_at": "9999-12-31T23:59:59-12:00"}, 400),
        ("me/answers/{}", {"red_flags": ["knee_locks", "nonsense", None, ["knee_swells"]]}, 400),
        ("me/answers/{}", {"request": 1}, 404),
        ("me/answers/nonsense", {}, 400),
        ("me/sessions/{}", {"exercises": []}, 400),
        ("me/runs/{}", {"distance_km": -1}, 400),
    ],
)
def test_whatever_a_report_is_refused_for_a_red_flag_in_it_is_answered_with_words(
    device: Device, path: str, change: dict[str, object], status: int
) -> None:
    response = device.put(path.format(uuid4()), {**BODY, "red_flags": ["knee_locks"], **change})
    assert response.status_code == status
    assert problem_of(response)["advice"]["tier"] == "tier_2"


def test_another_body_under_the_same_uuid_is_refused_with_words_too(device: Device) -> None:
    uuid = uuid4()
    device.put(f"me/answers/{uuid}", BODY)
    response = device.put(f"me/answers/{uuid}", {**BODY, "red_flags": ["chest_pain_breathlessness"]})
    assert response.status_code == 409
    assert problem_of(response)["advice"]["tier"] == "tier_1"


@pytest.mark.parametrize(
    "raw", ["[", "[]", "7", '{"red_flags": "knee_locks"}', '{"red_flags": ["nonsense"]}']
)
def test_a_refused_report_without_a_known_symptom_has_no_words(device: Device, raw: str) -> None:
    for uuid in (uuid4(), "nonsense"):
        response = device.put(f"me/answers/{uuid}", raw)
        assert response.status_code == 400
        assert "advice" not in problem_of(response)


def test_under_18_a_limp_is_urgent_in_a_refused_report_too() -> None:
    patient = make_patient(birth_date=TODAY - timedelta(days=365 * 15))
    response = Device(patient).put(f"me/answers/{uuid4()}", {**BODY, "limping": True})
    assert response.status_code == 400
    assert problem_of(response)["advice"]["tier"] == "tier_1"


def test_a_backdated_red_flag_counts(device: Device) -> None:
    then = (NOW - timedelta(days=20)).isoformat()
    device.put(f"me/answers/{uuid4()}", {**BODY, "occurred_at": then, "red_flags": ["knee_swells"]})
    assert Alert.objects.get().kind == "red_flag"


def test_under_18_a_limp_is_a_red_flag_of_the_first_tier() -> None:
    patient = make_patient(birth_date=TODAY - timedelta(days=365 * 15))
    make_program(make_case(patient=patient))
    response = Device(patient).put(f"me/answers/{uuid4()}", {**BODY, "limping": True})
    assert response.json()["advice"]["tier"] == "tier_1"
    assert [entry["code"] for entry in Alert.objects.get().evidence] == ["hip_under_18"]


def test_an_adult_limp_is_no_red_flag(device: Device) -> None:
    response = device.put(f"me/answers/{uuid4()}", {**BODY, "limping": True})
    assert response.json()["advice"] is None
    assert not Alert.objects.exists()


def test_a_malformed_uuid_names_itself(device: Device) -> None:
    response = device.put("me/answers/not-a-uuid", BODY)
    assert (response.status_code, fields_of(response)) == (400, ["client_id"])
    assert problem_of(response)["detail"].startswith("client_id: ")
