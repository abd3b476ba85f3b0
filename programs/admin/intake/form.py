"""The form of an assessment: what was typed, as plain data for the services, and their answers beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from patients.scoring import STEP_DOWN_ITEMS, Question
from patients.vocabulary import MovementKind, StrengthMethod, StrengthUnit, TightStructure
from programs.admin.intake import fields
from programs.admin.intake.fields import GROUPS, SIDES
from programs.admin.intake.flat import COLUMN_OF, SHARED, Flat, as_texts, carried, lines_of
from programs.services.assessment_data import COLUMNS, QUESTIONNAIRES, SCORES
from programs.services.derived import Derived

type Row = dict[str, Any]
type Content = Mapping[str, list[str]]

NOT_CONTENT = ("csrfmiddlewaretoken", "assessment", "key", "draft_at")

FLAG_COLUMNS = ("kind", "red_flags", "red_flag_note", "hip_examined", "hip_findings", "risk_factors")
"""What is stored at once where a red flag can't wait for the rest of the form."""


class IntakeForm(forms.Form):
    """Always bound: to what is stored, drafted or sent. Errors are shown by ``said``, not by the fields."""

    def __init__(
        self, content: Mapping[str, list[str]], *, kept: Mapping[str, list[Row]] | None = None
    ) -> None:
        self.kept = {**(kept or {}), **carried(content)}
        self.strength_lines, self.angle_lines, self.activity_lines = lines_of(content)
        super().__init__(MultiValueDict({name: list(texts) for name, texts in content.items()}))
        self.fields |= (
            fields.columns()
            | fields.activities(self.activity_lines)
            | fields.strength(self.strength_lines)
            | fields.mobility(self.angle_lines)
            | fields.movement()
            | fields.questionnaires()
        )
        for name, field in self.fields.items():
            field.widget.attrs.setdefault("data-name", name)
        self.where: dict[str, str] = {}
        self.places: dict[str, str] = {}
        self.said: dict[str, str] = {}
        self.asked: dict[str, list[Question]] = {}
        self.derived: dict[str, Derived] = {}

    @classmethod
    def of_post(cls, post: Any, kept: Mapping[str, list[Row]] | None = None) -> IntakeForm:
        """NUL and what no field of ours is called never get further."""
        content = {name: [t for t in post.getlist(name) if t and "\0" not in t] for name in list(post)[:1000]}
        return cls({name: texts for name, texts in content.items() if texts}, kept=kept)

    def content(self) -> Flat:
        """What was typed, alike for alike values, however they were written."""
        found: Flat = {}
        for name, field in self.fields.items():
            raw = self.data.getlist(name)
            value = self.cleaned.get(name)
            texts = (
                as_texts(value) if name in self.cleaned and not isinstance(field, forms.CharField) else raw
            )
            if texts := [text for text in texts if text.strip()]:
                found[name] = texts
        return found

    def sent(self) -> Flat:
        """All that was sent, readable or not, as a draft keeps it: all but buttons and keys."""
        lists = dict(self.data.lists())
        return {name: lists[name] for name in lists if name not in NOT_CONTENT and not name.startswith("_")}

    @property
    def cleaned(self) -> dict[str, Any]:
        self.full_clean()
        return self.cleaned_data

    def plain(self) -> dict[str, Any]:
        """The readable values as the services take them; ``where`` and ``places`` lead back to the fields."""
        values = self.cleaned
        data: dict[str, Any] = {
            name: ""
            if values[name] is None and isinstance(self.fields[name], forms.CharField)
            else values[name]
            for name in COLUMNS
            if name in values
        }
        if data.get("assessed_on") is None:
            data.pop("assessed_on", None)
        data["kind"] = data.get("kind") or "intake"
        self.where = {name: name for name in COLUMNS}
        for kind, rows in (
            ("strength_tests", self._strength(values)),
            ("q_angles", self._angles(values)),
            ("aggravating_activities", self._activities(values)),
            ("flexibility_tests", self._flexibility(values)),
            ("foot_postures", self._feet(values)),
            ("movement_tests", self._movement(values)),
            (SCORES, self._scores(values)),
        ):
            data[kind] = self._listed(kind, rows)
        return data

    def flags(self) -> dict[str, Any]:
        """The red-flag screen alone."""
        data = self.plain()
        return {name: data[name] for name in FLAG_COLUMNS if name in data}

    def refuse(self, errors: Mapping[str, str]) -> None:
        """Show the service's refusals beside the fields they are about."""
        for path, message in errors.items():
            self.said.setdefault(self._field_of(path), message)

    def ask(self, questions: Iterable[Question]) -> None:
        for question in questions:
            self.asked.setdefault(self._field_of(question.path), []).append(question)

    def unreadable(self) -> dict[str, str]:
        """Fields that hold no value of their kind."""
        self.full_clean()
        return {name: " ".join(messages) for name, messages in self.errors.items()}

    def confirmed(self) -> list[str]:
        return [str(key) for key in self.data.getlist("confirmed")]

    def _field_of(self, path: str) -> str:
        if path in self.where:
            return self.where[path]
        kind, _, rest = path.partition(".")
        number = rest.partition(".")[0]
        return next((name for p, name in self.where.items() if p.startswith(f"{kind}.{number}.")), "")

    def _listed(self, kind: str, rows: Iterable[tuple[Row, dict[str, str], str]]) -> list[Row]:
        found = []
        for n, (row, names, place) in enumerate(rows):
            found.append(row)
            self.where |= {f"{kind}.{n}.{column}": name for column, name in names.items()}
            if place:
                self.places[place] = next(iter(names.values()))
        return found + [dict(row) for row in self.kept.get(kind, [])]

    def _strength(self, values: Row) -> Iterable[tuple[Row, dict[str, str], str]]:
        for n in range(self.strength_lines):
            group = GROUPS[n] if n < len(GROUPS) else values.get(f"s{n}-group", "")
            way = {name: values.get(f"s{n}-{name}") or values.get(f"s-{name}") for name in SHARED}
            way["unit"] = _unit(way["method"], way["unit"])
            for side in SIDES:
                if values.get(f"s{n}-{side}") is None:
                    continue
                row = {COLUMN_OF.get(name, name): value for name, value in way.items()}
                row |= {"position": way["position"] or "", "fixation": way["fixation"] or ""}
                row |= {"muscle_group": group, "side": side, "value": values[f"s{n}-{side}"]}
                names = {"value": f"s{n}-{side}", "lever_arm_m": f"s{n}-lever", "position": f"s{n}-position"}
                names |= {"muscle_group": f"s{n}-group" if n >= len(GROUPS) else f"s{n}-{side}"}
                names |= {"method": f"s{n}-method", "unit": f"s{n}-unit", "fixation": f"s{n}-fixation"}
                place = f"strength.{group}.{row['method']}.{row['position']}.{side}"
                yield row, names, place

    def _angles(self, values: Row) -> Iterable[tuple[Row, dict[str, str], str]]:
        for n in range(self.angle_lines):
            way = {name: values.get(f"q{n}-{name}") or "" for name in ("position", "quadriceps", "notes")}
            for side in SIDES:
                if values.get(f"q{n}-{side}") is None:
                    continue
                names = {"degrees": f"q{n}-{side}", **{name: f"q{n}-{name}" for name in way}}
                place = f"q_angle.{way['position']}.{way['quadriceps']}.{side}"
                yield {**way, "side": side, "degrees": values[f"q{n}-{side}"]}, names, place

    def _activities(self, values: Row) -> Iterable[tuple[Row, dict[str, str], str]]:
        columns = {
            "activity": "activity",
            "pain": "pain",
            "minutes": "minutes_until_pain",
            "ability": "ability",
        }
        for n in range(self.activity_lines):
            row = {column: values.get(f"a{n}-{name}") for name, column in columns.items()}
            if any(value not in (None, "") for value in row.values()):
                names = {column: f"a{n}-{name}" for name, column in columns.items()}
                yield {**row, "activity": row["activity"] or ""}, names, ""

    def _flexibility(self, values: Row) -> Iterable[tuple[Row, dict[str, str], str]]:
        for structure in TightStructure:
            for side in SIDES:
                name = f"f-{structure}-{side}"
                tight, degrees = values.get(f"{name}-tight"), values.get(f"{name}-degrees")
                if tight or degrees is not None:
                    row = {"structure": structure.value, "side": side, "tight": tight == "yes"}
                    names = {"degrees": f"{name}-degrees", "tight": f"{name}-tight"}
                    yield {**row, "degrees": degrees}, names, ""

    def _feet(self, values: Row) -> Iterable[tuple[Row, dict[str, str], str]]:
        for side in SIDES:
            if values.get(f"p-{side}") is not None:
                yield {"side": side, "fpi6": values[f"p-{side}"]}, {"fpi6": f"p-{side}"}, ""

    def _movement(self, values: Row) -> Iterable[tuple[Row, dict[str, str], str]]:
        for side in SIDES:
            names = {item: f"d-{side}-{item}" for item in STEP_DOWN_ITEMS}
            items = {item: values.get(name) for item, name in names.items()}
            if any(value is not None for value in items.values()):
                row = {"test": MovementKind.LATERAL_STEP_DOWN.value, "side": side, **items}
                yield row, names, ""
        for side in SIDES:
            if grade := values.get(f"k-{side}-grade"):
                row = {"test": MovementKind.SINGLE_LEG_SQUAT.value, "side": side, "grade": grade}
                row["rubric"] = values.get("k-rubric") or ""
                yield row, {"grade": f"k-{side}-grade", "rubric": "k-rubric"}, ""

    def _scores(self, values: Row) -> Iterable[tuple[Row, dict[str, str], str]]:
        for measure, known in QUESTIONNAIRES.items():
            items = {code: values.get(f"o-{measure}-{code}") for code in known}
            items = {code: value for code, value in items.items() if value is not None}
            total, name = values.get(f"o-{measure}-total"), f"o-{measure}-{next(iter(known))}"
            if items:
                yield {"measure": measure, "items": items}, {"items": name, "value": name}, ""
            elif total is not None:
                names = {"value": f"o-{measure}-total"}
                yield {"measure": measure, "value": total}, names, ""


def _unit(method: str | None, unit: str | None) -> str | None:
    """A manual test has no other unit."""
    return StrengthUnit.GRADE.value if method == StrengthMethod.MANUAL else unit


def base_of(raw: str) -> Flat:
    """What the page showed when it was opened; nothing of one tampered with: then all is compared."""
    try:
        found = json.loads(raw)
        return {str(name): [str(text) for text in texts] for name, texts in found.items()}
    except (ValueError, AttributeError, TypeError):
        return {}
