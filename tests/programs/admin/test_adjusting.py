"""The page where a program is fitted to one person, and the last look before it is sent."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from patients.models import Episode
from programs.admin.adjusting import page
from programs.admin.adjusting.changes import make_change
from programs.models import Exercise, Program, ProgramDose, ProgramStage
from programs.services.assign import discard_draft, end_program, prepare_program
from tests.factories import (
    add_strength,
    make_assessment,
    make_case,
    make_exercise,
    make_program,
    make_template,
)

pytestmark = pytest.mark.django_db

QUERIES = 28


def prepared(staff: Any, case: Episode | None = None, **template: Any) -> Program:
    today = timezone.localdate()
    case = case or make_case(staff.clinic, clinician=staff.physio, opened_on=today)
    return prepare_program(episode=case, template=make_template(**template), by=staff.physio, today=today)


def page_of(program: Program) -> str:
    return reverse("admin:adjust", args=[program.pk])


def act(client: Any, program: Program, name: str, **data: Any) -> Any:
    return client.post(page_of(program), {"act": name, **data})


def dose_of(program: Program) -> ProgramDose:
    return ProgramDose.objects.filter(stage__program=program).order_by("stage__number", "position").first()


def weak_hip(case: Episode) -> None:
    add_strength(make_assessment(case), left=70, right=100)


def test_a_draft_says_that_nothing_was_sent_and_a_running_one_that_changes_arrive_at_once(staff: Any) -> None:
    client = staff.client(staff.physio)
    draft, running = prepared(staff), make_program(make_case(staff.clinic, clinician=staff.physio))

    html = client.get(page_of(draft)).content.decode()
    assert "Prepared, not sent" in html
    assert reverse("admin:do", args=["send", draft.pk]) in html
    html = client.get(page_of(running)).content.decode()
    assert "each change is in the app at once" in html
    assert reverse("admin:do", args=["send", running.pk]) not in html


def test_one_click_changes_to_the_harder_neighbour_and_one_undoes_it(staff: Any) -> None:
    client, program = staff.client(staff.physio), prepared(staff)
    dose = dose_of(program)
    harder = make_exercise(slug="harder-one", name="Harder one")
    Exercise.objects.filter(pk=dose.exercise_id).update(harder="harder-one")

    assert "Harder: Harder one" in client.get(page_of(program)).content.decode()
    answer = act(client, program, f"harder:{dose.pk}")
    entered = ProgramDose.objects.get(exercise=harder)
    assert answer.url == f"{page_of(program)}#dose-{entered.pk}"
    html = client.get(page_of(program)).content.decode()
    assert "1 change from the template" in html
    assert f"Instead of {dose.exercise}" in html

    act(client, program, f"out:{entered.pk}")
    act(client, program, f"back:{dose.pk}")
    assert "As the template" in client.get(page_of(program)).content.decode()


def test_a_dose_is_changed_and_a_mistake_is_shown_beside_its_field(staff: Any) -> None:
    client, program = staff.client(staff.physio), prepared(staff)
    dose = dose_of(program)
    data = {f"dose-{dose.pk}-{name}": "" for name in ("reps_high", "seconds_low", "seconds_high")}
    data |= {f"dose-{dose.pk}-{name}": n for name, n in (("sets", 4), ("reps_low", 8), ("times_per_week", 2))}
    data |= {f"dose-{dose.pk}-tempo": "slow", f"dose-{dose.pk}-note": "or to a chair"}

    assert act(client, program, f"dose:{dose.pk}", **data).status_code == 302
    dose.refresh_from_db()
    assert (dose.sets, dose.reps_low, dose.times_per_week) == (4, 8, 2)
    assert "2 x a week, slow; or to a chair<" in client.get(page_of(program)).content.decode()

    answer = act(client, program, f"dose:{dose.pk}", **(data | {f"dose-{dose.pk}-reps_high": 3}))
    html = answer.content.decode()
    assert answer.status_code == 200
    assert html.count("must not be below the lower number (8)") == 2
    dose.refresh_from_db()
    assert dose.reps_high is None


def test_stage_program_and_greens_are_set_for_this_person(staff: Any) -> None:
    client, program = staff.client(staff.physio), prepared(staff)
    stage = program.stages.first()
    values = {"name": "Calm", "goal": "", "advice": "", "min_days": 10, "max_weeks": 3}

    act(client, program, f"stage:{stage.pk}", **{f"stage-{stage.pk}-{k}": v for k, v in values.items()})
    act(client, program, "program", **{"program-name": "For Robin", "program-strength_per_week": 2})
    act(client, program, "greens", greens=5)

    stage.refresh_from_db()
    assert (stage.name, stage.min_days, stage.max_weeks) == ("Calm", 10, 3)
    stored = Program.with_drafts.get()
    assert (stored.name, stored.strength_per_week) == ("For Robin", 2)
    assert stored.episode.policy_overrides == {"greens_to_progress": 5}


def test_greens_leave_the_cases_other_thresholds_alone(staff: Any) -> None:
    client, program = staff.client(staff.physio), prepared(staff)
    Episode.objects.update(policy_overrides={"stalled_week": 10})

    act(client, program, "greens", greens=5)

    assert Episode.objects.get().policy_overrides == {"stalled_week": 10, "greens_to_progress": 5}


def test_an_open_deficit_offers_what_the_library_has_or_asks_why_not(staff: Any) -> None:
    client, program = staff.client(staff.physio), prepared(staff)
    weak_hip(program.episode)
    clamshell = make_exercise(name="Clamshell", muscle_groups=["hip_abductors"])

    html = client.get(page_of(program)).content.decode()
    assert "Add Clamshell to stage 1" in html
    assert "1 deficit without an exercise or a reason" in html

    stage = program.stages.first()
    act(client, program, f"add:{stage.pk}", exercise=clamshell.pk)
    html = client.get(page_of(program)).content.decode()
    assert "without an exercise or a reason" not in html


@pytest.mark.parametrize(
    ("typed", "at_fault", "message"),
    [
        ({"min_days": "70", "max_weeks": "4"}, "max_weeks", "At least the 70 days"),  # the service's no
        ({"min_days": "x", "max_weeks": "4"}, "min_days", "Enter a whole number"),  # the form's
    ],
)
def test_a_refused_change_keeps_what_was_typed_and_opens_the_page_at_the_field(
    staff: Any, typed: dict[str, str], at_fault: str, message: str
) -> None:
    program = prepared(staff)
    stage = program.stages.get(number=1)
    fields = {
        f"stage-{stage.pk}-{name}": value
        for name, value in {"goal": "Run", "name": "Settle", **typed}.items()
    }
    quiet = staff.client(staff.physio).get(page_of(program)).content.decode()
    before = [ProgramStage.objects.values().get(pk=stage.pk), Program.with_drafts.values().get(pk=program.pk)]

    answer = act(staff.client(staff.physio), program, f"stage:{stage.pk}", **fields)

    html = " ".join(answer.content.decode().split())
    assert html.count(" autofocus") - quiet.count(" autofocus") == 1
    (block,) = [block for block in answer.context["blocks"] if block.stage.pk == stage.pk]
    assert "autofocus" in str(block.form[at_fault])
    assert message in block.form.errors[at_fault][0]
    described = f'id="id_stage-{stage.pk}-{at_fault}_error">{block.form.errors[at_fault][0]}'
    assert described in html
    assert [block.form[name].value() for name in typed] == list(typed.values())
    after = [ProgramStage.objects.values().get(pk=stage.pk), Program.with_drafts.values().get(pk=program.pk)]
    assert after == before


def test_sending_without_exercise_or_reason_is_refused_beside_the_field(staff: Any) -> None:
    client, program = staff.client(staff.physio), prepared(staff)
    weak_hip(program.episode)
    send = reverse("admin:do", args=["send", program.pk])
    data = {"started_on": timezone.localdate().isoformat()}

    answer = client.post(send, data)
    assert "no exercise targets it" in answer.context["form"].errors["reason_hip_abductors"][0]
    assert Program.with_drafts.get().is_draft

    answer = client.post(send, data | {"reason_hip_abductors": "Trained at her club"})
    assert answer.status_code == 302
    assert Program.objects.get().untreated_reasons == "hip_abductors: Trained at her club"


@pytest.mark.parametrize("name", ["", "x", "out:x", "out:99999999999999999999", "add:1", "easier:0", "dose:"])
def test_an_act_that_names_nothing_changes_nothing(staff: Any, name: str) -> None:
    client, program = staff.client(staff.physio), prepared(staff)
    before = list(ProgramDose.objects.order_by("pk").values())

    assert act(client, program, name, exercise="x").status_code in (200, 404)
    assert list(ProgramDose.objects.order_by("pk").values()) == before


def test_the_exercises_of_another_program_are_not_reached(staff: Any) -> None:
    client, program = staff.client(staff.physio), prepared(staff)
    other = make_program(make_case(staff.clinic, clinician=staff.physio))

    act(client, program, f"out:{dose_of(other).pk}")

    assert dose_of(other).is_active


def test_neither_an_assistant_nor_another_clinic_adjusts(staff: Any, stranger: Any) -> None:
    program = prepared(staff)
    dose = dose_of(program)

    assert act(staff.client(staff.assistant), program, f"out:{dose.pk}").status_code == 403
    assert act(stranger.client(stranger.owner), program, f"out:{dose.pk}").status_code == 404
    assert dose_of(program).is_active


def test_an_ended_program_has_no_such_page(staff: Any) -> None:
    program = make_program(make_case(staff.clinic, clinician=staff.physio))
    end_program(program=program, reason="Discharged", on=program.started_on)

    assert staff.client(staff.physio).get(page_of(program)).status_code == 404


@pytest.mark.parametrize(
    ("name", "typed", "at_fault"),
    [
        ("program", {"program-name": "Hers", "program-strength_per_week": "9"}, "program-strength_per_week"),
        ("greens", {"greens": "11"}, "greens"),
    ],
)
def test_refused_settings_too_keep_what_was_typed_and_say_why_beside_it(
    staff: Any, name: str, typed: dict[str, str], at_fault: str
) -> None:
    program = prepared(staff)
    answer = act(staff.client(staff.physio), program, name, **typed)
    html = answer.content.decode()
    form = answer.context["form" if name == "program" else "greens"]
    (wrong,) = form.errors
    assert form[wrong].html_name == at_fault
    assert f'id="id_{at_fault}_error">{form.errors[wrong][0]}' in html
    assert [form[field].value() for field in form.fields] == list(typed.values())
    assert Episode.objects.get().policy_overrides == {}


def test_what_a_colleague_changed_meanwhile_in_another_field_stays(staff: Any) -> None:
    """The page is posted as the browser does, with all its fields and what each showed."""
    client, program = staff.client(staff.physio), prepared(staff)
    dose, stage = dose_of(program), program.stages.get(number=1)
    page = client.get(page_of(program)).content.decode()
    inputs = dict(re.findall(r'<input[^>]* name="((?:initial-)?dose-\d+-\w+)" value="([^"]*)"', page))
    ProgramDose.objects.filter(pk=dose.pk).update(sets=dose.sets + 2)
    ProgramStage.objects.filter(pk=stage.pk).update(min_days=20)
    Program.with_drafts.filter(pk=program.pk).update(strength_per_week=4)

    mine = {name: value for name, value in inputs.items() if f"dose-{dose.pk}-" in name}
    assert f"initial-dose-{dose.pk}-sets" in mine
    act(client, program, f"dose:{dose.pk}", **mine | {f"dose-{dose.pk}-note": "With a band"})

    shown = {"name": stage.name, "min_days": stage.min_days, "max_weeks": stage.max_weeks or ""}
    shown |= {"goal": stage.goal, "advice": stage.advice}
    was = {f"initial-stage-{stage.pk}-{field}": value for field, value in shown.items()}
    now = {f"stage-{stage.pk}-{field}": value for field, value in (shown | {"goal": "Walk"}).items()}
    act(client, program, f"stage:{stage.pk}", **was | now)

    was = {"initial-program-name": program.name, "initial-program-strength_per_week": 3}
    act(client, program, "program", **was | {"program-name": "Hers", "program-strength_per_week": 3})

    dose.refresh_from_db()
    stage.refresh_from_db()
    program = Program.with_drafts.get(pk=program.pk)
    assert (dose.sets, dose.note) == (int(inputs[f"dose-{dose.pk}-sets"]) + 2, "With a band")
    assert (stage.min_days, stage.goal) == (20, "Walk")
    assert (program.strength_per_week, program.name) == (4, "Hers")


@pytest.mark.parametrize("is_draft", [True, False])
def test_a_program_that_is_gone_before_the_change_arrives_is_told_on_the_page_of_the_case(
    staff: Any, monkeypatch: pytest.MonkeyPatch, is_draft: bool
) -> None:
    """A colleague ended it, or threw it away, in the moment between the look and the change."""
    program = prepared(staff) if is_draft else make_program(make_case(staff.clinic, clinician=staff.physio))

    def meanwhile(request: Any, found: Program, *rest: Any) -> Any:
        if is_draft:
            discard_draft(program=Program.with_drafts.get(pk=program.pk), by=staff.physio)
        else:
            end_program(program=Program.objects.get(pk=program.pk), reason="Replaced", on=program.started_on)
        return make_change(request, found, *rest)

    monkeypatch.setattr(page, "make_change", meanwhile)
    client, number = staff.client(staff.physio), dose_of(program).pk
    answer = client.post(page_of(program), {"act": f"out:{number}"}, follow=True)

    assert answer.redirect_chain[0][0].startswith(
        reverse("admin:patients_patient_change", args=[program.episode.patient_id])
    )
    assert "Not changed: this program was ended, or thrown away, meanwhile." in answer.content.decode()
    if not is_draft:
        assert ProgramDose.objects.get(pk=number).is_active


@pytest.mark.parametrize("stages", [1, 3])
def test_the_page_takes_as_many_queries_whatever_it_holds(staff: Any, stages: int) -> None:
    client, program = staff.client(staff.physio), prepared(staff, stages=stages)
    weak_hip(program.episode)
    client.get(page_of(program))

    with CaptureQueriesContext(
        connection,
    ) as captured:
        client.get(page_of(program))

    assert len(captured) == QUERIES
