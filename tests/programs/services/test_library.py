"""The library's services: versions, copies, exchange, clips; each refused to who may not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clinic.roles import Denied, Role
from programs.models import Clip, Dose, Exercise, Stage, Template, TemplateVersion
from programs.services.assign import assign
from programs.services.library import (
    Choice,
    LibraryRefused,
    NotReadable,
    changes_since,
    changing_template,
    copied_from,
    copy_exercise,
    copy_template,
    export_template,
    import_exercises,
    import_template,
    load_starter_library,
    patients_by_version,
    preview_exercises,
    preview_import,
    set_clip,
)
from tests.factories import NOW, TODAY, make_case, make_clinic, make_exercise, make_template, make_user

pytestmark = pytest.mark.django_db


class Us:
    """A clinic with a physio and an assistant."""

    def __init__(self) -> None:
        self.clinic = make_clinic()
        self.physio = make_user(role=Role.PHYSIO, clinic=self.clinic)
        self.assistant = make_user(role=Role.ASSISTANT, clinic=self.clinic)


@pytest.fixture
def us(db: Any) -> Us:
    return Us()


@pytest.fixture
def them(db: Any) -> Us:
    return Us()


def counts() -> list[int]:
    return [model.objects.count() for model in (Exercise, Template, Stage, Dose, TemplateVersion, Clip)]


class TestVersions:
    def test_rise_with_each_real_change_and_keep_what_was(self, us: Us) -> None:
        template = make_template(clinic=us.clinic)
        with changing_template(template, by=us.physio):
            Dose.objects.filter(stage__template=template, stage__number=1).update(sets=4)
        with changing_template(template, by=us.physio):
            pass
        with changing_template(template, by=us.physio):
            Template.objects.filter(pk=template.pk).update(name="Renamed")
        assert template.version == Template.objects.get(pk=template.pk).version == 3
        kept = TemplateVersion.objects.filter(template=template)
        assert [(k.number, k.replaced_by) for k in kept] == [(2, us.physio), (1, us.physio)]
        name = Exercise.objects.order_by("pk").first().name
        assert changes_since(template, 1) == [
            "Name changed",
            f"Stage 1: {name}: 3 x 10, 3 x a week is now 4 x 10, 3 x a week",
        ]
        assert changes_since(template, 2) == ["Name changed"]
        assert changes_since(template, 3) == []

    def test_nothing_is_kept_of_a_change_that_fails(self, us: Us) -> None:
        template = make_template(clinic=us.clinic)

        def change() -> None:
            with changing_template(template, by=us.physio):
                Template.objects.filter(pk=template.pk).update(name="Renamed")
                raise RuntimeError

        with pytest.raises(RuntimeError):
            change()
        assert Template.objects.get(pk=template.pk).version == 1
        assert not TemplateVersion.objects.exists()

    def test_a_program_says_from_which_it_was_copied(self, us: Us) -> None:
        template = make_template(clinic=us.clinic)
        cases = [make_case(us.clinic) for _ in range(3)]
        common: dict[str, Any] = {"by": us.physio, "now": NOW, "today": TODAY}
        assign(episode=cases[0], template=template, **common)
        with changing_template(template, by=us.physio):
            Dose.objects.filter(stage__template=template).update(sets=5)
        programs = [assign(episode=case, template=template, **common) for case in cases[1:]]
        assert [program.template_version for program in programs] == [2, 2]
        found = patients_by_version([template], clinics=[us.clinic.pk])
        assert [str(each) for each in found[template.pk]] == [
            "2 patients on version 2",
            "1 patient on version 1",
        ]
        assert patients_by_version([template], clinics=[us.clinic.pk + 1]) == {}

    def test_of_the_starter_library_rise_only_where_its_files_changed(self, db: Any) -> None:
        load_starter_library()
        load_starter_library()
        assert set(Template.objects.values_list("version", flat=True)) == {1}
        Dose.objects.filter(stage__template__slug="maintenance", position=1).update(sets=9)
        Exercise.objects.filter(slug="wall-sit").update(cues=["Sit."])
        load_starter_library()
        raised = Template.objects.filter(version__gt=1).values_list("slug", "version")
        assert list(raised) == [("maintenance", 2)]
        assert list(Exercise.objects.filter(version__gt=1).values_list("slug", "version")) == [
            ("wall-sit", 2)
        ]
        kept = TemplateVersion.objects.get()
        assert (kept.template.slug, kept.number, kept.replaced_by) == ("maintenance", 1, None)


class TestCopies:
    def test_of_a_template_is_ours_and_knows_where_it_came_from(self, us: Us) -> None:
        starter = make_template(name="Hops", slug="hops", summary="Hop.", version=3)
        copy = copy_template(template=starter, clinic=us.clinic, by=us.physio)
        assert (copy.clinic, copy.name, copy.slug) == (us.clinic, "Hops (ours)", "hops-ours")
        assert (copy.copied_from, copy.copied_version, copy.version) == ("hops", 3, 1)
        assert copied_from(copy) == starter
        plain = [export_template(template=each).split("stages:")[1] for each in (starter, copy)]
        assert plain[0] == plain[1]
        again = copy_template(template=starter, clinic=us.clinic, by=us.physio)
        assert (again.name, again.slug) == ("Hops (ours) 2", "hops-ours-2")

    def test_of_an_exercise_too(self, us: Us) -> None:
        starter = make_exercise(name="Hop", slug="hop", cues=["Hop."], per_side=True, version=2)
        copy = copy_exercise(exercise=starter, clinic=us.clinic, by=us.physio)
        assert (copy.name, copy.slug, copy.cues, copy.per_side) == ("Hop (ours)", "hop-ours", ["Hop."], True)
        assert (copy.copied_from, copy.copied_version) == ("hop", 2)

    def test_of_a_copy_comes_from_where_that_came_from(self, us: Us) -> None:
        copy = copy_template(template=make_template(slug="hops"), clinic=us.clinic, by=us.physio)
        again = copy_template(template=copy, clinic=us.clinic, by=us.physio)
        assert again.name == f"{copy.name} (copy)"
        assert (again.copied_from, again.copied_version) == ("hops", 1)

    def test_exercises_of_one_name_stay_two(self, us: Us) -> None:
        template = make_template(stages=2)
        for dose, clinic in zip(Dose.objects.order_by("pk"), (None, us.clinic), strict=True):
            Dose.objects.filter(pk=dose.pk).update(exercise=make_exercise(slug="hop", clinic=clinic))
        copy = copy_template(template=template, clinic=us.clinic, by=us.physio)
        used = [dose.exercise.clinic for stage in copy.stages.all() for dose in stage.doses.all()]
        assert used == [None, us.clinic]

    def test_only_of_what_the_clinic_may_use_and_by_who_treats(self, us: Us, them: Us) -> None:
        starter, foreign = make_template(), make_template(clinic=them.clinic)
        exercise = make_exercise()
        before = counts()
        with pytest.raises(LibraryRefused, match="not in your library"):
            copy_template(template=foreign, clinic=us.clinic, by=us.physio)
        for by in (us.assistant, make_user()):
            with pytest.raises(Denied):
                copy_template(template=starter, clinic=us.clinic, by=by)
            with pytest.raises(Denied):
                copy_exercise(exercise=exercise, clinic=us.clinic, by=by)
        assert counts() == before


class TestExchange:
    def test_a_file_of_one_clinic_gives_another_the_same(self, us: Us, them: Us) -> None:
        template = make_template(clinic=us.clinic, name="Hops", slug="hops", drivers={"tightness": 2})
        Exercise.objects.update(clinic=us.clinic)
        text = export_template(template=template)
        theirs = import_template(text=text, clinic=them.clinic, by=them.physio)
        assert theirs.clinic == them.clinic
        assert export_template(template=theirs) == text
        assert Exercise.objects.filter(clinic=them.clinic).count() == 2
        again = preview_import(text=text, clinic=them.clinic, by=them.physio)
        assert (again.clash, again.asks) == (theirs, ())

    def test_an_own_exercise_called_as_a_starters_keeps_apart(self, us: Us, them: Us) -> None:
        starter = make_exercise(slug="hop", name="Hop")
        template = make_template(clinic=us.clinic, stages=2)
        one, two = Dose.objects.order_by("pk")
        own = make_exercise(slug="hop", name="Our hop", clinic=us.clinic)
        Dose.objects.filter(pk=one.pk).update(exercise=starter)
        Dose.objects.filter(pk=two.pk).update(exercise=own)
        theirs = import_template(text=export_template(template=template), clinic=them.clinic, by=them.physio)
        used = [dose.exercise for stage in theirs.stages.all() for dose in stage.doses.all()]
        assert [(e.name, e.clinic) for e in used] == [("Hop", None), ("Our hop", them.clinic)]

    def test_a_name_that_is_taken_is_asked_about(self, us: Us) -> None:
        template = make_template(clinic=us.clinic, name="Hops", slug="hops")
        text = export_template(template=template)
        before = counts()
        for name in ("", "Hops"):
            with pytest.raises(LibraryRefused, match="already has a program called Hops") as caught:
                import_template(text=text, clinic=us.clinic, by=us.physio, name=name)
            assert caught.value.field == "name"
        with pytest.raises(LibraryRefused, match="one letter or digit"):
            import_template(text=text, clinic=us.clinic, by=us.physio, name="!!!")
        assert counts() == before
        second = import_template(text=text, clinic=us.clinic, by=us.physio, name="More hops")
        assert (second.name, second.slug) == ("More hops", "more-hops")

    def test_replacing_ours_makes_its_next_version(self, us: Us) -> None:
        template = make_template(clinic=us.clinic, name="Hops", slug="hops")
        text = export_template(template=template)
        same = import_template(text=text, clinic=us.clinic, by=us.physio, replace_ours=True)
        assert (same.pk, same.version) == (template.pk, 1)
        changed = text.replace("sets: 3", "sets: 4", 1)
        raised = import_template(text=changed, clinic=us.clinic, by=us.physio, replace_ours=True)
        assert (raised.pk, raised.version) == (template.pk, 2)
        assert export_template(template=raised) == changed
        assert TemplateVersion.objects.get().number == 1

    def test_an_exercise_that_differs_is_asked_about(self, us: Us) -> None:
        template = make_template(clinic=us.clinic, stages=1, slug="hops")
        text = export_template(template=template).replace("kind: strength", "kind: stretch")
        (asked,) = preview_import(text=text, clinic=us.clinic, by=us.physio).asks
        assert asked.differs == ("kind",)
        before = counts()
        with pytest.raises(LibraryRefused, match=r"differs \(kind\): choose one"):
            import_template(text=text, clinic=us.clinic, by=us.physio, name="B")
        assert counts() == before
        slug, exercise = asked.data.slug, asked.ours
        kept = import_template(
            text=text, clinic=us.clinic, by=us.physio, name="B", choices={slug: Choice.OURS}
        )
        assert kept.stages.get().doses.get().exercise == exercise
        added = import_template(
            text=text, clinic=us.clinic, by=us.physio, name="C", choices={slug: Choice.COPY}
        )
        copy = added.stages.get().doses.get().exercise
        assert (copy.clinic, copy.kind, copy.name) == (us.clinic, "stretch", f"{exercise.name} (imported)")

    def test_a_mistake_names_line_and_path_and_nothing_is_written(self, us: Us) -> None:
        text = export_template(template=make_template()).replace("sets: 3", "sets: many", 1)
        line = text.splitlines().index("          sets: many") + 1
        before = counts()
        with pytest.raises(NotReadable) as caught:
            import_template(text=text, clinic=us.clinic, by=us.physio)
        assert caught.value.mistakes == [
            f"line {line}, template.stages[0].exercises[0].sets: expected a whole number from 1 to 20"
        ]
        assert counts() == before

    def test_a_missing_field_has_the_line_of_what_it_is_missing_in(self, us: Us) -> None:
        with pytest.raises(NotReadable) as caught:
            preview_import(
                text="format: knee-clinic-template/1\ntemplate:\n  slug: x\n", clinic=us.clinic, by=us.physio
            )
        assert "line 3, template.name: is missing" in caught.value.mistakes
        with pytest.raises(NotReadable, match="line 2: aliases"):
            preview_import(text="a: &a [x]\nb: *a\n", clinic=us.clinic, by=us.physio)

    def test_is_denied_to_who_does_not_treat(self, us: Us, them: Us) -> None:
        text = export_template(template=make_template())
        before = counts()
        for by in (us.assistant, them.physio):
            with pytest.raises(Denied):
                import_template(text=text, clinic=us.clinic, by=by)
            with pytest.raises(Denied):
                preview_import(text=text, clinic=us.clinic, by=by)
        assert counts() == before


class TestClips:
    URL = "https://video.example.org/watch?v=1"

    def test_one_for_each_clinic_and_exercise(self, us: Us, them: Us) -> None:
        exercise = make_exercise()
        for clinic, by in ((us.clinic, us.physio), (them.clinic, them.physio)):
            set_clip(exercise=exercise, clinic=clinic, url=self.URL, by=by)
        set_clip(exercise=exercise, clinic=us.clinic, url=f" {self.URL}2 ", by=us.physio)
        assert sorted(Clip.objects.values_list("clinic", "url")) == [
            (us.clinic.pk, f"{self.URL}2"),
            (them.clinic.pk, self.URL),
        ]
        assert set_clip(exercise=exercise, clinic=us.clinic, url="", by=us.physio) is None
        assert Clip.objects.get().clinic == them.clinic

    @pytest.mark.parametrize(
        "url",
        [
            "http://example.org/a",
            "javascript:alert(1)",
            "example.org",
            "https://",
            "https://user:secret@example.org/",
            "https://example.org@evil.example/",
            "https://127.0.0.1/a",
            "https://[::1]/a",
            "https://localhost/a",
            "https://example.org/a b",
            "https://example.org/\n",
            f"https://example.org/{'a' * 500}",
        ],
    )
    def test_a_link_that_a_patient_could_not_follow_safely_is_refused(self, us: Us, url: str) -> None:
        with pytest.raises(LibraryRefused) as caught:
            set_clip(exercise=make_exercise(), clinic=us.clinic, url=url.replace("\n", "\n x"), by=us.physio)
        assert caught.value.field == "url"
        assert not Clip.objects.exists()

    def test_not_of_a_strangers_exercise_and_not_by_who_may_not(self, us: Us, them: Us) -> None:
        with pytest.raises(LibraryRefused, match="not in your library"):
            set_clip(exercise=make_exercise(clinic=them.clinic), clinic=us.clinic, url=self.URL, by=us.physio)
        with pytest.raises(Denied):
            set_clip(exercise=make_exercise(), clinic=us.clinic, url=self.URL, by=us.assistant)
        assert not Clip.objects.exists()


SQUAT = {
    "id": "Barbell_Squat",
    "name": "Barbell Squat",
    "force": "push",
    "level": "beginner",
    "mechanic": "compound",
    "equipment": "barbell",
    "primaryMuscles": ["quadriceps"],
    "secondaryMuscles": ["calves", "glutes", "hamstrings", "lower back"],
    "instructions": ["Bend the knees.", "Stand up."],
    "category": "strength",
    "images": ["Barbell_Squat/0.jpg"],
}


class TestExerciseDatabase:
    def test_adds_to_the_clinics_own_and_skips_what_it_has(self, us: Us) -> None:
        make_exercise(slug="other", name="Wall Sit")
        records = [
            SQUAT,
            SQUAT | {"id": "Wall_Sit", "name": "Wall Sit"},
            SQUAT | {"id": "Bicycling", "name": "Bicycling", "category": "cardio"},
        ]
        text = json.dumps([*records, SQUAT])
        found = import_exercises(text=text, clinic=us.clinic, by=us.physio)
        has = "Your library has it already."
        assert [each.skipped for each in found] == ["", has, "No kind of ours for cardio.", has]
        squat = Exercise.objects.get(clinic=us.clinic)
        assert (squat.slug, squat.name, squat.kind, squat.equipment) == (
            *("barbell-squat", "Barbell Squat"),
            *("strength", "barbell"),
        )
        assert squat.muscle_groups == ["quadriceps", "calf", "hip_extensors", "trunk"]
        assert found[0].found.unmapped == ("hamstrings",)
        assert squat.cues == ["Bend the knees.", "Stand up."]
        assert squat.source == "Free Exercise DB, public domain: Barbell_Squat"
        assert not squat.drawing
        again = import_exercises(text=text, clinic=us.clinic, by=us.physio)
        assert all(each.skipped for each in again)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("{", "line 1: is no JSON"),
            ("[" * 5000, "is no JSON"),
            ("[NaN]", "is no JSON"),
            ("[]", "expected a list of records"),
            ('"x"', "expected a list of records"),
            ("[3]", "record 1: expected fields with values"),
            (
                json.dumps([SQUAT, SQUAT | {"primaryMuscles": "all"}]),
                "record 2 (Barbell Squat).primaryMuscles",
            ),
            (json.dumps([SQUAT | {"id": None}]), "record 1 (Barbell Squat).id: is missing"),
            (json.dumps([SQUAT | {"x": 1}]), "record 1 (Barbell Squat).x: is not a known field"),
            (json.dumps([SQUAT | {"name": "\0"}]), "record 1.name: holds characters that cannot be shown"),
            ("x" * 200_001, "Too much at once"),
        ],
    )
    def test_a_mistake_names_its_record_and_nothing_is_added(self, us: Us, text: str, said: str) -> None:
        with pytest.raises(NotReadable) as caught:
            import_exercises(text=text, clinic=us.clinic, by=us.physio)
        assert said in str(caught.value)
        assert not Exercise.objects.exists()

    def test_is_denied_to_who_does_not_treat(self, us: Us, them: Us) -> None:
        for by in (us.assistant, them.physio):
            with pytest.raises(Denied):
                import_exercises(text=json.dumps([SQUAT]), clinic=us.clinic, by=by)
            with pytest.raises(Denied):
                preview_exercises(text=json.dumps([SQUAT]), clinic=us.clinic, by=by)
        assert not Exercise.objects.exists()
