"""The forms of a program that is fitted to one person: a dose, a stage, the program itself."""

from __future__ import annotations

from typing import Any

from django import forms

from clinic.admin.forms import text_area
from programs.models import Program, ProgramDose, ProgramStage
from programs.services import adjust


class OnlyWhatChanged(forms.ModelForm):
    """The page carries what each field showed: a colleague's change of another one is not undone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True


class DoseForm(OnlyWhatChanged):
    class Meta:
        model = ProgramDose
        fields = adjust.DOSE_COLUMNS
        labels = {
            "reps_low": "Reps",
            "reps_high": "to",
            "seconds_low": "Seconds",
            "seconds_high": "to",
            "times_per_week": "A week",
            "per_side": "Each side",
            "note": "Load, note",
        }


class StageForm(OnlyWhatChanged):
    class Meta:
        model = ProgramStage
        fields = adjust.STAGE_COLUMNS
        labels = {"min_days": "At least (days)", "max_weeks": "At most (weeks)"}
        widgets = {"goal": text_area(2), "advice": text_area(4)}
        help_texts = {"min_days": "", "max_weeks": ""}


class ProgramForm(OnlyWhatChanged):
    class Meta:
        model = Program
        fields = adjust.PROGRAM_COLUMNS
        labels = {"strength_per_week": "Strength, days a week"}


class GreensForm(forms.Form):
    greens = forms.IntegerField(label="Green sessions in a row to progress", min_value=1, max_value=10)
