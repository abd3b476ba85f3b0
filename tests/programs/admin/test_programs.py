"""A program is edited for one person; the library is read by all and changed by its owner."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from programs.models import Dose, Exercise, Program, ProgramDose, Template
from programs.services.assign import assign
from tests.factories import make_case, make_exercise, make_program, make_template

pytestmark = pytest.mark.django_db

STAGE = ("number", "name", "goal", "advice", "min_days", "max_weeks")
DOSE = (
    "exercise",
    "sets",
    "reps_low",
    "reps_high",
    "seconds_low",
    "seconds_high",
    "times_per_week",
    "tempo",
    "note",
)


def form(program: Program, **changes: Any) -> dict[str, Any]:
    """The program's page as the browser would post it back."""
    stages = list(program.stages.all())
    data: dict[str, Any] = {
        "name": program.name,
        "strength_per_week": 3,
        "check_in_time": "",
        "stages-TOTAL_FORMS": len(stages),
        "stages-INITIAL_FORMS": len(stages),
    }
    for n, stage in enumerate(stages):
        prefix, doses = f"stages-{n}", list(stage.doses.all())
        data |= {f"{prefix}-id": stage.pk, f"{prefix}-program": program.pk}
        data |= {f"{prefix}-{name}": _value(stage, name) for name in STAGE}
        data |= {f"{prefix}-doses-TOTAL_FORMS": len(doses), f"{prefix}-doses-INITIAL_FORMS": len(doses)}
        for m, dose in enumerate(doses):
            data |= {f"{prefix}-doses-{m}-id": dose.pk, f"{prefix}-doses-{m}-stage": stage.pk}
            data |= {f"{prefix}-doses-{m}-{name}": _value(dose, name) for name in DOSE}
            data[f"{prefix}-doses-{m}-is_active"] = "on"
    return data | changes


def _value(row: Any, name: str) -> Any:
    value = getattr(row, f"{name}_id" if name == "exercise" else name)
    return "" if value is None else value


def page_of(program: Program) -> str:
    return reverse("admin:programs_program_change", args=[program.pk])


def test_a_changed_dose_and_a_new_exercise_leave_the_template_alone(staff: Any) -> None:
    today = timezone.localdate()
    template = make_template()
    case = make_case(staff.clinic, clinician=staff.physio, opened_on=today)
    program = assign(episode=case, template=template, by=staff.physio, now=timezone.now(), today=today)
    extra = make_exercise()
    changes = {
        "stages-0-doses-0-sets": 5,
        "stages-0-doses-TOTAL_FORMS": 2,
        "stages-0-doses-1-exercise": extra.pk,
        "stages-0-doses-1-sets": 2,
        "stages-0-doses-1-times_per_week": 7,
        "stages-0-doses-1-is_active": "on",
    }

    answer = staff.client(staff.physio).post(page_of(program), form(program, **changes))

    assert answer.status_code == 302, answer.content.decode()
    own = ProgramDose.objects.filter(stage__program=program, stage__number=1).order_by("pk")
    assert [(dose.exercise_id, dose.sets) for dose in own] == [(own[0].exercise_id, 5), (extra.pk, 2)]
    assert {dose.clinic for dose in own} == {staff.clinic}
    assert list(Dose.objects.values_list("sets", flat=True)) == [3, 3]


def test_other_check_in_days_move_the_next_question(staff: Any) -> None:
    program = make_program(make_case(staff.clinic, clinician=staff.physio))

    staff.client(staff.physio).post(
        page_of(program), form(program, check_in_weekdays=["7"], check_in_time="08:00")
    )

    program.refresh_from_db()
    assert program.check_in_weekdays == [7]
    assert program.next_check_in_at is not None
    assert program.next_check_in_at.isoweekday() == 7


def test_a_dose_upside_down_is_refused_beside_its_field(staff: Any) -> None:
    program = make_program(make_case(staff.clinic, clinician=staff.physio))
    changes = {"stages-0-doses-0-reps_low": 12, "stages-0-doses-0-reps_high": 8}

    answer = staff.client(staff.physio).post(page_of(program), form(program, **changes))

    assert "must not be below the lower number (12)" in answer.content.decode()
    assert not ProgramDose.objects.filter(reps_low=12).exists()


def test_a_mistake_in_an_exercise_is_named_above_the_page(staff: Any) -> None:
    program = make_program(make_case(staff.clinic, clinician=staff.physio))
    data = form(program, **{"stages-0-doses-0-sets": 0})

    answer = staff.client(staff.physio).post(page_of(program), data)

    [message] = [str(message) for message in answer.context["messages"]]
    assert message.startswith("Not saved: stage 1, exercise 1, Sets: At least 1.")
    assert message in html.unescape(answer.content.decode())
    assert not ProgramDose.objects.filter(sets=0).exists()


def test_an_ended_program_is_read_only(staff: Any) -> None:
    program = make_program(make_case(staff.clinic, clinician=staff.physio))
    Program.objects.update(ended_on=program.started_on)

    answer = staff.client(staff.physio).post(page_of(program), form(program, name="Changed"))

    assert answer.status_code == 403
    assert Program.objects.get().name == program.name


def test_neither_an_assistant_nor_another_clinic_edits_a_program(staff: Any, stranger: Any) -> None:
    program = make_program(make_case(staff.clinic, clinician=staff.physio))
    data = form(program, name="Changed")

    assert staff.client(staff.assistant).post(page_of(program), data).status_code == 403
    assert stranger.client(stranger.owner).post(page_of(program), data).status_code == 404
    assert Program.objects.get().name == program.name


def test_the_starter_library_is_read_and_not_written(staff: Any) -> None:
    template = make_template(name="Starter one")
    client = staff.client(staff.physio)
    url = reverse("admin:programs_template_change", args=[template.pk])

    assert "Starter one" in client.get(url).content.decode()
    assert client.post(url, {"name": "Changed"}).status_code == 403
    assert Template.objects.get().name == "Starter one"


def test_an_own_exercise_gets_its_clinic_and_slug_once(staff: Any) -> None:
    client = staff.client(staff.physio)
    data = {
        "name": "Wall sit, deep",
        "kind": "isometric",
        "muscle_groups": ["quadriceps"],
        "cues": "Back flat\nSlow",
    }
    url = reverse("admin:programs_exercise_add")

    assert client.post(url, data).status_code == 302
    exercise = Exercise.objects.get()
    assert (exercise.clinic, exercise.slug, exercise.cues) == (
        staff.clinic,
        "wall-sit-deep",
        ["Back flat", "Slow"],
    )

    assert "already has this name" in client.post(url, data).content.decode()
    assert Exercise.objects.count() == 1


def test_an_own_template_keeps_what_it_targets(staff: Any) -> None:
    exercise = make_exercise()
    data = {
        "name": "Hip first",
        "diagnoses": ["pfp"],
        "strength_per_week": 3,
        "is_active": "on",
        "driver_hip_weakness": "3",
        "driver_footwear": "",
        "stages-TOTAL_FORMS": 1,
        "stages-INITIAL_FORMS": 0,
        "stages-0-number": 1,
        "stages-0-name": "Settle",
        "stages-0-min_days": 7,
        "stages-0-doses-TOTAL_FORMS": 1,
        "stages-0-doses-INITIAL_FORMS": 0,
        "stages-0-doses-0-exercise": exercise.pk,
        "stages-0-doses-0-sets": 3,
        "stages-0-doses-0-times_per_week": 3,
    }

    answer = staff.client(staff.owner).post(reverse("admin:programs_template_add"), data)

    assert answer.status_code == 302, answer.context["errors"]
    template = Template.objects.get()
    assert (template.clinic, template.drivers) == (staff.clinic, {"hip_weakness": 3})
    assert template.stages.get().doses.get().exercise == exercise


def test_another_emphasis_of_an_own_template_is_kept(staff: Any) -> None:
    template = make_template(clinic=staff.clinic, stages=0, drivers={"hip_weakness": 1})
    data = {
        "name": template.name,
        "diagnoses": ["pfp"],
        "strength_per_week": 3,
        "is_active": "on",
        "driver_hip_weakness": "3",
        "stages-TOTAL_FORMS": 0,
        "stages-INITIAL_FORMS": 0,
    }

    page = reverse("admin:programs_template_change", args=[template.pk])
    answer = staff.client(staff.owner).post(page, data)

    assert answer.status_code == 302, answer.context["errors"]
    assert Template.objects.get().drivers == {"hip_weakness": 3}


def test_without_the_policies_another_clinics_exercise_is_not_offered(
    staff: Any, stranger: Any, everything: None
) -> None:
    make_exercise(clinic=staff.clinic, name="Own hop")
    make_exercise(clinic=stranger.clinic, name="Their secret hop")
    program = make_program(make_case(staff.clinic, clinician=staff.physio))
    client = staff.client(staff.physio)

    for page in (page_of(program), reverse("admin:programs_exercise_add")):
        html = client.get(page).content.decode()
        assert "Own hop" in html
        assert "Their secret hop" not in html


def test_without_the_policies_another_clinics_exercise_is_not_taken(
    staff: Any, stranger: Any, everything: None
) -> None:
    foreign = make_exercise(clinic=stranger.clinic)
    program = make_program(make_case(staff.clinic, clinician=staff.physio))
    before = ProgramDose.objects.values_list("exercise", flat=True)[0]

    answer = staff.client(staff.physio).post(
        page_of(program), form(program, **{"stages-0-doses-0-exercise": foreign.pk})
    )

    assert "not one of the available choices" in answer.content.decode()
    assert ProgramDose.objects.values_list("exercise", flat=True)[0] == before


def test_another_clinics_library_is_not_seen(staff: Any, stranger: Any) -> None:
    make_template(clinic=stranger.clinic, name="Their secret")

    html = staff.client(staff.physio).get(reverse("admin:programs_template_changelist")).content.decode()

    assert "Their secret" not in html
