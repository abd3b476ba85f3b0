"""A program fitted to one person by the API: exercises, stages, pauses, locks; and what the days told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Clinic, StaffToken, User
from patients.models import AssessmentDraft, Episode
from programs.models import Answer, Pause, Program, ProgramDose, Review
from programs.services.assessment_drafts import keep_values
from tests.api import Device, Tool, fields_of
from tests.enforced import enforced
from tests.factories import (
    NOW,
    TODAY,
    add_strength,
    make_assessment,
    make_case,
    make_exercise,
    make_program,
    make_template,
    make_user,
)
from tests.programs.services.assessing import record

STAR = {"If-Match": "*"}


@pytest.fixture
def draft(tool: Tool, own: Clinic, case: Episode) -> dict[str, object]:
    template = make_template(clinic=own, stages=1)
    made = tool.post("programs/prepare", {"case": case.pk, "template": template.pk})
    assert made.status_code == 201, made.content
    found: dict[str, object] = made.json()
    return found


def test_another_exercise_takes_the_place_of_one(tool: Tool, draft: dict, own: Clinic) -> None:  # type: ignore[type-arg]
    [dose] = draft["stages"][0]["doses"]
    easier = make_exercise(clinic=own, name="Chair squat")
    path = f"programs/{draft['id']}"
    with enforced():
        done = tool.post(f"{path}/doses/{dose['id']}/replace", {"exercise": easier.pk})
        assert done.status_code == 200, done.content
        doses = done.json()["stages"][0]["doses"]
        assert {(d["exercise"], d["is_active"]) for d in doses} == {
            (dose["exercise"], False),
            (easier.pk, True),
        }
        told = [row["text"] for row in tool.get(f"{path}/differences").json()]
        assert any("Chair squat" in text for text in told), told
        twice = tool.post(f"{path}/doses/{dose['id']}/replace", {"exercise": easier.pk})
        assert (twice.status_code, fields_of(twice)) == (400, ["exercise"])


def test_exercises_change_places_and_stages_their_words(tool: Tool, draft: dict, own: Clinic) -> None:  # type: ignore[type-arg]
    path = f"programs/{draft['id']}"
    [first] = draft["stages"][0]["doses"]
    added = tool.post(f"{path}/doses", {"stage": 1, "exercise": make_exercise(clinic=own).pk})
    second = added.json()["stages"][0]["doses"][-1]
    with enforced():
        moved = tool.patch(f"{path}/doses/{second['id']}", {"move": "up"}, headers=STAR)
        assert [d["id"] for d in moved.json()["stages"][0]["doses"]] == [second["id"], first["id"]]
        values = {"name": "Calm down", "goal": "Sleep", "min_days": 3, "max_weeks": 2}
        staged = tool.patch(f"{path}/stages/1", values, headers=tool.etag(path))
        assert staged.status_code == 200, staged.content
        stage = staged.json()["stages"][0]
        assert {name: stage[name] for name in values} == values
        assert tool.patch(f"{path}/stages/1", values).status_code == 428
        for missing in ("9", "0", "x", "9" * 30, "9" * 5000):
            assert tool.patch(f"{path}/stages/{missing}", values, headers=STAR).status_code == 404
        short = tool.patch(f"{path}/stages/1", {"max_weeks": 0}, headers=STAR)
        assert (short.status_code, fields_of(short)) == (400, ["max_weeks"])
        named = tool.patch(path, {"name": "For Robin", "strength_per_week": 2}, headers=tool.etag(path))
    assert (named.status_code, named.json()["name"]) == (200, "For Robin")
    timed = tool.patch(path, {"check_in_time": "07:00"}, headers=STAR)
    assert (timed.status_code, fields_of(timed)) == (400, ["check_in_time"])


def test_a_pause_is_looked_at_changed_and_taken_back(tool: Tool, program: Program) -> None:
    path = f"programs/{program.pk}"
    days = {"kind": "holiday", "starts_on": "2026-03-09", "ends_on": "2026-03-16"}
    with enforced():
        effect = tool.post(f"{path}/pause/preview", days)
        assert (effect.status_code, effect.json()["days"]) == (200, 7), effect.content
        assert not Pause.objects.exists()
        [pause] = tool.post(f"{path}/pause", days).json()["pauses"]
        other = f"{path}/pauses/{pause['id']}"
        changed = tool.patch(other, {"ends_on": "2026-03-12"}, headers=tool.etag(path))
        assert (changed.status_code, changed.json()["pauses"][0]["ends_on"]) == (200, "2026-03-12")
        assert tool.patch(other, {"ends_on": "2026-03-12"}).status_code == 428
        wrong = tool.patch(other, {"ends_on": "2026-03-01"}, headers=STAR)
        assert (wrong.status_code, fields_of(wrong)) == (400, ["ends_on"])
        assert tool.post(f"{other}/cancel").json()["pauses"] == []
        assert tool.post(f"{other}/cancel").status_code == 404
    assert not Pause.objects.exists()


@pytest.mark.parametrize(
    ("dates", "field"),
    [
        ({"starts_on": "0001-01-01", "ends_on": "9999-12-31"}, "starts_on"),
        ({"starts_on": "2026-01-01"}, "starts_on"),
        ({"starts_on": "2026-03-09", "ends_on": "2026-03-09"}, "ends_on"),
        ({"starts_on": "2026-03-09", "ends_on": "9999-12-31"}, "ends_on"),
        ({"starts_on": "2026-03-20"}, "starts_on"),
    ],
)
def test_a_pause_that_would_be_refused_has_no_effect_to_tell(
    tool: Tool, program: Program, dates: dict[str, str], field: str
) -> None:
    path = f"programs/{program.pk}/pause"
    later = {"kind": "holiday", "starts_on": "2026-03-23", "ends_on": "2026-03-30"}
    assert tool.post(path, later).status_code == 200
    with enforced():
        effect = tool.post(f"{path}/preview", {"kind": "illness", **dates})
        done = tool.post(path, {"kind": "illness", **dates})
    assert (effect.status_code, fields_of(effect)) == (400, [field])
    assert effect.json()["errors"] == done.json()["errors"]
    assert Pause.objects.count() == 1


def test_other_dates_of_a_pause_are_looked_at_without_it_in_their_way(tool: Tool, program: Program) -> None:
    path = f"programs/{program.pk}/pause"
    dates = {"kind": "holiday", "starts_on": "2026-03-09", "ends_on": "2026-03-16"}
    [pause] = tool.post(path, dates).json()["pauses"]
    longer = {**dates, "ends_on": "2026-03-23"}
    with enforced():
        assert fields_of(tool.post(f"{path}/preview", longer)) == ["starts_on"]
        effect = tool.post(f"{path}/preview", {**longer, "pause": pause["id"]})
        unknown = tool.post(f"{path}/preview", {**longer, "pause": pause["id"] + 1})
    assert (effect.status_code, effect.json()["days"]) == (200, 14), effect.content
    assert (unknown.status_code, fields_of(unknown)) == (400, ["pause"])


def test_who_keeps_running_has_locks_that_open_in_their_order(tool: Tool, program: Program) -> None:
    path = f"programs/{program.pk}"
    with enforced():
        found = tool.get(f"{path}/running")
        assert (found.status_code, found.json()["track"]) == (200, "still_running"), found.content
        may_open = found.json()["may_open"]
        wrong = "speed" if may_open != "speed" else "hills"
        refused = tool.post(f"{path}/terrain", {"terrain": wrong, "reason": "Wants to"})
        assert (refused.status_code, fields_of(refused)) == (400, ["terrain"])
        done = tool.post(f"{path}/terrain", {"terrain": may_open, "reason": "Feels fine"})
        assert done.status_code == 200, done.content
    program.refresh_from_db()
    assert program.open_terrain == may_open
    Episode.objects.update(running_track="not_a_runner")
    assert tool.get(f"{path}/running").status_code == 404


def test_no_pause_or_exercise_of_another_program_is_touched(
    tool: Tool, program: Program, foreign: Episode
) -> None:
    theirs = Program.objects.create(
        clinic=foreign.clinic,
        episode=foreign,
        assigned_by=foreign.clinician,
        started_on=TODAY,
        stage_started_on=TODAY,
        name="Theirs",
    )
    pause = Pause.objects.create(
        clinic=foreign.clinic,
        program=theirs,
        kind="holiday",
        starts_on=TODAY,
        paused_by=foreign.clinician,
    )
    dose = ProgramDose.objects.get(stage__program=program, stage__number=1)
    other = make_program(make_case(program.clinic, clinician=program.episode.clinician))
    ours = Pause.objects.create(
        clinic=program.clinic, program=other, kind="holiday", starts_on=TODAY, paused_by=other.assigned_by
    )
    with enforced():
        assert tool.post(f"programs/{program.pk}/pauses/{ours.pk}/cancel").status_code == 404
        elsewhere = f"programs/{other.pk}/doses/{dose.pk}/replace"
        assert tool.post(elsewhere, {"exercise": dose.exercise_id}).status_code == 404
        for path in (f"programs/{theirs.pk}", f"programs/{program.pk}"):
            assert tool.post(f"{path}/pauses/{pause.pk}/cancel").status_code == 404
        made = tool.post(f"programs/{theirs.pk}/doses/{dose.pk}/replace", {"exercise": dose.exercise_id})
        assert made.status_code == 404
    assert set(Pause.objects.all()) == {pause, ours}


def answered(program: Program, number: int, corrects: Answer | None = None) -> Answer:
    case = program.episode
    return Answer.objects.create(
        clinic=case.clinic,
        patient=case.patient,
        episode=case,
        program=program,
        client_id=uuid4(),
        body_hash="x",
        occurred_at=NOW,
        local_date=TODAY,
        worst_left=number,
        note="After the stairs",
        corrects=corrects,
    )


def reviewed(program: Program, number: int) -> Review:
    return Review.objects.create(
        clinic=program.clinic,
        episode=program.episode,
        program=program,
        day=TODAY - timedelta(days=number),
        week=4,
        state="watch",
        verdict={"evidence": [{"text": "4.0 now"}]},
        thresholds={},
        reviewed_at=NOW,
    )


def test_a_case_tells_its_answers_and_verdicts(tool: Tool, program: Program, assistant: Tool) -> None:
    case, answer = program.episode, answered(program, 4, corrects=answered(program, 6))
    reviewed(program, 0)
    with enforced():
        [told] = tool.get(f"cases/{case.pk}/answers").json()["results"]
        assert (told["id"], told["worst_left"], told["note"]) == (answer.pk, 4.0, "After the stairs")
        [review] = tool.get(f"cases/{case.pk}/reviews").json()["results"]
        assert (review["state"], review["evidence"]) == ("watch", ["4.0 now"])
        for name in ("answers", "reviews"):
            assert assistant.get(f"cases/{case.pk}/{name}").status_code == 403


def test_no_program_is_assigned_past_a_deficit_without_exercise_or_reason(
    tool: Tool, own: Clinic, physio: User
) -> None:
    case = make_case(own, clinician=physio, opened_on=TODAY)
    add_strength(make_assessment(case), left=50, right=100)
    body = {"case": case.pk, "template": make_template(clinic=own).pk}
    with enforced():
        refused = tool.post("programs", body)
        assert (refused.status_code, fields_of(refused)) == (400, ["reason_hip_abductors"])
        assert not Program.with_drafts.exists()
        sent = tool.post("programs", {**body, "reasons": {"hip_abductors": "Sore today"}})
        assert sent.status_code == 201, sent.content
        [deficit] = tool.get(f"programs/{sent.json()['id']}/coverage").json()
    assert (deficit["reason"], deficit["is_open"]) == ("Sore today", False)
    assert Program.objects.get().is_active


def typed(program: Program, number: int) -> AssessmentDraft:
    return keep_values(
        episode=program.episode,
        assessment=None,
        values={"worst_pain": number},
        base=None,
        by=make_user(clinic=program.clinic),
        now=NOW,
    )


@pytest.mark.parametrize(
    ("name", "make", "number_of"), [("answers", answered, 8), ("reviews", reviewed, 7), ("drafts", typed, 7)]
)
def test_a_list_takes_as_many_statements_for_one_row_as_for_three(
    tool: Tool, program: Program, name: str, make: Callable[[Program, int], object], number_of: int
) -> None:
    """The door, the case, its rows, of notes the patient's key, and that they were read."""
    counts = []
    for numbers in ((1,), (2, 3)):
        for number in numbers:
            make(program, number)
        StaffToken.objects.update(last_used_at=NOW)
        with CaptureQueriesContext(connection) as found:
            assert len(tool.get(f"cases/{program.episode_id}/{name}").json()["results"]) == max(numbers)
        counts.append(sum("SAVEPOINT" not in query["sql"] for query in found))
    assert counts == [number_of] * 2


def test_a_match_names_drivers_criteria_and_what_to_do_next(tool: Tool, case: Episode) -> None:
    assessment = record(case)
    found = tool.get(f"assessments/{assessment.pk}/suggestions").json()
    assert len(found["differential"]["criteria"]) == 3
    assert {"drivers", "next_steps", "ranking", "refer"} <= set(found)
    assert all(driver["evidence"] for driver in found["drivers"])


@pytest.mark.parametrize(
    ("typed", "country", "called"), [("", "GB", "999"), ("", "NL", "112"), ("0800 1", "GB", "0800 1")]
)
def test_the_emergency_number_of_the_clinic_is_what_its_patients_are_told(
    tool: Tool, case: Episode, typed: str, country: str, called: str
) -> None:
    Clinic.objects.filter(pk=case.clinic_id).update(emergency_number=typed, country=country)
    with enforced():
        assert tool.get("clinic").json()["emergency_number"] == called
        told = Device(case.patient).get("me").json()
    assert told["clinic"]["emergency_number"] == called


def test_consent_clinic_and_a_zip_of_everything(
    tool: Tool, owner: Tool, assistant: Tool, case: Episode
) -> None:
    with enforced():
        told = assistant.get(f"patients/{case.patient_id}/consent").json()
        assert (told["version"], told["needed"]) == (None, True)
        assert assistant.get("clinic").json()["name"] == case.clinic.name
        taken = owner.post(f"patients/{case.patient_id}/export", {"reason": "Asked", "content": "csv"})
    assert (taken.status_code, taken["Content-Type"], taken.content[:2]) == (200, "application/zip", b"PK")
    assert tool.post(f"patients/{case.patient_id}/export", {"reason": "Asked"}).status_code == 403
