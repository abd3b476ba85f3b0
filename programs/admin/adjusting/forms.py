"""The forms of a program that is fitted to one person: a dose, a stage, the program itself."""

from __future__ import annotations

from django import forms

from clinic.admin.forms import text_area
from programs.models import Program, ProgramDose, ProgramStage
from programs.services import adjust


class DoseForm(forms.ModelForm):
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


class StageForm(forms.ModelForm):
    class Meta:
        model = ProgramStage
        fields = adjust.STAGE_COLUMNS
        labels = {"min_days": "At least (days)", "max_weeks": "At most (weeks)"}
        widgets = {"goal": text_area(2), "advice": text_area(4)}
        help_texts = {"min_days": "", "max_weeks": ""}


class ProgramForm(forms.ModelForm):
    class Meta:
        model = Program
        fields = adjust.PROGRAM_COLUMNS
        labels = {"strength_per_week": "Strength, days a week"}


class GreensForm(forms.Form):
    greens = forms.IntegerField(label="Green sessions in a row", min_value=1, max_value=10)
