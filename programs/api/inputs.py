"""The bodies patients send: their shape. What they mean is checked by ``programs.services.diary``."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from clinic.api.serializers import InstantField, PainField, StrictSerializer, TextUUIDField
from patients.vocabulary import PainLocation
from programs.rules.progression import Terrain
from programs.rules.red_flags import NOTE_HINT, asked_symptoms
from programs.services.diary import AnswerReport, ExerciseDone, RunReport, SessionReport
from programs.services.record import CheckInState

SYMPTOMS = [(symptom.value, symptom.question) for symptom in asked_symptoms()]
LARGEST_ID = 2**63 - 1
NO_ECHO = {"invalid_choice": "Not one of the choices."}
"""What was sent may be a note or a name in the wrong place."""


def ticked_symptoms(body: Mapping[str, Any]) -> list[str]:
    """The known symptoms that a body ticks, whatever else is wrong with it."""
    known = [code for code, _ in SYMPTOMS]
    lists = [body.get(name) for name in ("red_flags", "worse_red_flags")]
    return [code for codes in lists if isinstance(codes, list) for code in codes if code in known]


def optional_pain(help_text: str) -> PainField:
    return PainField(required=False, allow_null=True, default=None, help_text=help_text)


def whole(high: int, *, low: int = 0, **kwargs: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=low, max_value=high, **kwargs)


def some_codes(choices: list[tuple[str, str]], help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.ChoiceField(choices=choices, error_messages=NO_ECHO),
        default=list,
        max_length=50,
        help_text=help_text,
    )


class ReportInput(StrictSerializer):
    """What every report holds."""

    occurred_at = InstantField(
        help_text=(
            "When it was, with its offset. It counts on the date that this is in the patient's time zone. "
            "Not before the case opened; a report from before today is welcome. Up to 24 hours in the future "
            "is taken for a fast clock and stored as now."
        )
    )
    red_flags = some_codes(
        SYMPTOMS,
        "Symptoms ticked. Any of them holds the program and messages the clinic at once; show the patient "
        "the `advice` of the response.",
    )
    worse_red_flags = some_codes(
        SYMPTOMS,
        "Symptoms that a physio has looked at and that are worse since: ask when one is ticked again. "
        "A cleared symptom messages the clinic again only if it is new or worse.",
    )
    limping = serializers.BooleanField(default=False)
    note = serializers.CharField(default="", allow_blank=True, max_length=2000, help_text=NOTE_HINT)
    corrects = TextUUIDField(
        required=False,
        allow_null=True,
        default=None,
        help_text="UUID of an earlier row of the same kind that this one replaces.",
    )


class AnswerInput(ReportInput):
    """Worst and usual pain, for each knee that is asked about, over the days that the question names."""

    request = whole(
        LARGEST_ID,
        low=1,
        required=False,
        allow_null=True,
        default=None,
        help_text=(
            "Id of the check-in it answers: the pain is that of its `recall_days`. Without it the pain is "
            "that of the last 24 hours, and it answers the check-in of its date all the same, if any."
        ),
    )
    worst_left = optional_pain("Worst pain, 0-10, one decimal. One knee at least, or a red flag.")
    worst_right = optional_pain("Worst pain, 0-10, one decimal.")
    usual_left = optional_pain("Usual pain, not above the worst.")
    usual_right = optional_pain("Usual pain, not above the worst.")
    locations_left = some_codes(PainLocation.choices(), "Where the left knee hurts.")
    locations_right = some_codes(PainLocation.choices(), "Where the right knee hurts.")

    back_to_activity = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Whether they are back to what they want to do; asked after discharge only.",
    )

    def report(self) -> AnswerReport:
        values = _tuples(self.validated_data)
        back = values.pop("back_to_activity")
        return AnswerReport(**values, active=None if back is None else "yes" if back else "no")


class EffortInput(ReportInput):
    """Pain around a session or run, for the 24-hour rule."""

    pain_before = optional_pain("Pain on the morning before: the level it has to settle back to.")
    pain_during = PainField(help_text="Worst pain during it.")
    pain_next_morning = optional_pain(
        "Pain on the morning after. Leave it out until then and send it to `next-morning`."
    )
    pain_rising = serializers.BooleanField(default=False, help_text="Pain kept rising while it went on.")


class ExerciseInput(StrictSerializer):
    """One exercise as done."""

    dose = whole(LARGEST_ID, low=1, help_text="Id of the dose, from `GET me/program`.")
    sets_done = whole(50, low=1)
    reps_done = whole(500, required=False, allow_null=True, default=None, help_text="A set, on average.")
    seconds_done = whole(7200, required=False, allow_null=True, default=None, help_text="A set, on average.")
    load_kg = serializers.DecimalField(
        max_digits=4,
        decimal_places=1,
        min_value=Decimal(0),
        max_value=Decimal(500),
        required=False,
        allow_null=True,
        default=None,
    )


class SessionInput(EffortInput):
    """An exercise session."""

    exercises: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=ExerciseInput(), allow_empty=False, max_length=50, help_text="What was done."
    )

    def report(self) -> SessionReport:
        values = _tuples(self.validated_data)
        values["exercises"] = tuple(ExerciseDone(**done) for done in values["exercises"])
        return SessionReport(**values)


class RunInput(EffortInput):
    """A run."""

    distance_km = serializers.DecimalField(
        max_digits=5, decimal_places=2, min_value=Decimal(0), max_value=Decimal(300)
    )
    minutes = whole(2000, required=False, allow_null=True, default=None)
    terrain = some_codes(
        Terrain.choices(), "Where it led, fast running included. Empty: flat ground at a conversational pace."
    )

    def report(self) -> RunReport:
        return RunReport(**_tuples(self.validated_data))


class NextMorningInput(StrictSerializer):
    """How the knee was on the morning after."""

    pain_next_morning = PainField()


class CheckInQuery(StrictSerializer):
    """Which check-ins to list."""

    state = serializers.ChoiceField(
        choices=[state.value for state in CheckInState], default="due", error_messages=NO_ECHO
    )


class AccessLogQuery(StrictSerializer):
    """Where to go on reading."""

    before = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, default=None, help_text="`next` of the page before."
    )


class InvitationInput(StrictSerializer):
    """The token of an invitation link."""

    token = serializers.CharField(max_length=200)
    device_name = serializers.CharField(max_length=100, help_text="Shown in the list of devices.")
    consent_version = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=32767,
        help_text="The version of the consent text that was shown and agreed to. Without it, ask afterwards.",
    )


class CodeRequestInput(StrictSerializer):
    """Whom to send a code."""

    email = serializers.EmailField(max_length=254)


class CodeInput(CodeRequestInput):
    """The code from the e-mail."""

    code = serializers.CharField(max_length=20)
    device_name = serializers.CharField(max_length=100, help_text="Shown in the list of devices.")


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
