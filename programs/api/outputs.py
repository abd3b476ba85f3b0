"""What the patient's endpoints answer."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.templatetags.static import static
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from clinic.api.problems import ProblemSerializer
from clinic.models import Clinic
from patients.models import DeviceToken, Patient
from patients.vocabulary import RunningTrack
from programs.models import (
    Answer,
    CheckInRequest,
    Exercise,
    Pause,
    ProgramDose,
    Run,
    Session,
    SessionExercise,
    StageMove,
)
from programs.rules.pain import Light
from programs.rules.progression import Terrain
from programs.rules.red_flags import Tier
from programs.services.record import CaseState, CheckInState


class AdviceSerializer(serializers.Serializer[Any]):
    """What the patient must read now, word for word."""

    tier = serializers.ChoiceField(choices=[(tier.value, tier.label) for tier in Tier])
    words = serializers.CharField()
    read_by = serializers.CharField(allow_null=True, help_text="Who of the clinic has read it.")
    read_at = serializers.DateTimeField(allow_null=True)


class ReportProblemSerializer(ProblemSerializer):
    """A report that was refused, with what the patient must read all the same."""

    advice = AdviceSerializer(
        required=False,
        help_text="Only where the report ticks a red flag: show it at once. The clinic was not messaged.",
    )


class LightSerializer(serializers.Serializer[Any]):
    """The 24-hour rule's verdict. Incomplete until the next morning is known."""

    light = serializers.ChoiceField(choices=[(light.value, light.label) for light in Light])
    words = serializers.CharField(help_text="What it means for the patient.")
    reasons = serializers.ListField(child=serializers.CharField())


def pain(**kwargs: Any) -> serializers.DecimalField:
    return serializers.DecimalField(
        **{"max_digits": 3, "decimal_places": 1, "allow_null": True, "read_only": True, **kwargs}
    )


REPORT_FIELDS = (
    *("client_id", "occurred_at", "local_date", "received_at", "corrects"),
    *("red_flags", "worse_red_flags", "limping", "note"),
)
EFFORT_FIELDS = (*REPORT_FIELDS, "pain_before", "pain_during", "pain_next_morning", "pain_rising")


class ReportSerializer(serializers.ModelSerializer[Any]):
    """A stored row; ``local_date`` is the day it counts on."""

    corrects = serializers.UUIDField(source="corrects.client_id", allow_null=True, read_only=True)
    red_flags = serializers.ListField(child=serializers.CharField(), read_only=True)
    worse_red_flags = serializers.ListField(child=serializers.CharField(), read_only=True)


class AnswerSerializer(ReportSerializer):
    class Meta:
        model = Answer
        fields = (
            *REPORT_FIELDS,
            *("request", "worst_left", "worst_right", "usual_left", "usual_right"),
            *("locations_left", "locations_right", "back_to_activity"),
        )
        read_only_fields = fields


class ExerciseDoneSerializer(serializers.ModelSerializer[SessionExercise]):
    class Meta:
        model = SessionExercise
        fields = ("dose", "sets_done", "reps_done", "seconds_done", "load_kg")
        read_only_fields = fields


class SessionSerializer(ReportSerializer):
    exercises = ExerciseDoneSerializer(many=True, read_only=True)

    class Meta:
        model = Session
        fields = (*EFFORT_FIELDS, "exercises")
        read_only_fields = fields


class RunSerializer(ReportSerializer):
    terrain = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Run
        fields = (*EFFORT_FIELDS, "distance_km", "minutes", "ladder_step", "terrain")
        read_only_fields = fields


class RecordedAnswerSerializer(serializers.Serializer[Any]):
    """The stored answer, and what to read now."""

    answer = AnswerSerializer(source="row")
    advice = AdviceSerializer(allow_null=True)


class RecordedSessionSerializer(serializers.Serializer[Any]):
    """The stored session, its light, and what to read now."""

    session = SessionSerializer(source="row")
    light = LightSerializer()
    advice = AdviceSerializer(allow_null=True)


class RecordedRunSerializer(serializers.Serializer[Any]):
    """The stored run, its light, and what to read now."""

    run = RunSerializer(source="row")
    light = LightSerializer()
    advice = AdviceSerializer(allow_null=True)


class SignedInSerializer(serializers.Serializer[Any]):
    """The token of this device. It is shown once: keep it."""

    token = serializers.CharField(help_text="Send it as `Authorization: Token <token>`.")
    expires_at = serializers.DateTimeField(source="device.expiry")
    name = serializers.CharField(source="patient.full_name")
    clinic = serializers.CharField(source="patient.clinic.name")


class CodeSentSerializer(serializers.Serializer[Any]):
    """The same for every address."""

    detail = serializers.CharField()


class ClinicSerializer(serializers.ModelSerializer[Clinic]):
    emergency_number = serializers.CharField(source="emergency")

    class Meta:
        model = Clinic
        fields = ("name", "phone", "emergency_number", "simulated")


class CaseSerializer(serializers.Serializer[Any]):
    """The present case: the one with a program, else the last."""

    number = serializers.CharField(source="case_number")
    index_side = serializers.CharField(help_text="The knee that the questions are mainly about.")
    opened_on = serializers.DateField()
    closed_on = serializers.DateField(allow_null=True)


class DeviceSerializer(serializers.ModelSerializer[DeviceToken]):
    """A device that is logged in."""

    name = serializers.CharField(source="device_name")
    logged_in_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry")
    current = serializers.SerializerMethodField(help_text="This is the device that asks.")

    class Meta:
        model = DeviceToken
        fields = ("name", "logged_in_at", "expires_at", "current")

    def get_current(self, device: DeviceToken) -> bool:
        return bool(device.pk == self.context["device"].pk)


class PatientSerializer(serializers.ModelSerializer[Patient]):
    class Meta:
        model = Patient
        fields = ("given_name", "family_name", "email", "timezone")


class WatchSerializer(serializers.Serializer[Any]):
    """The monthly check-in after discharge, which `DELETE me/relapse-watch` ends."""

    ends_on = serializers.DateField()
    next_ask_at = serializers.DateTimeField()


class AccountSerializer(serializers.Serializer[Any]):
    """The patient, their clinic and case, what to read first, and their devices."""

    patient = PatientSerializer()
    clinic = ClinicSerializer(source="patient.clinic")
    state = serializers.ChoiceField(choices=[state.value for state in CaseState])
    case = CaseSerializer(source="episode", allow_null=True)
    advice = AdviceSerializer(allow_null=True, help_text="Set while a red flag is open.")
    relapse_watch = WatchSerializer(source="watch", allow_null=True)
    devices = DeviceSerializer(many=True)


class ExerciseSerializer(serializers.ModelSerializer[Exercise]):
    kind = serializers.CharField()
    cues = serializers.ListField(child=serializers.CharField())
    drawing = serializers.SerializerMethodField(
        help_text="An animated SVG that anybody may load. With `#still` behind it, it shows start and end at "
        "once: for who wants no motion. Null for an exercise of the clinic's own."
    )
    clip = serializers.SerializerMethodField(
        help_text="The clinic's own film of it, an https address; null where there is none."
    )

    class Meta:
        model = Exercise
        fields = ("slug", "name", "kind", "cues", "equipment", "drawing", "clip")

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_clip(self, exercise: Any) -> str | None:
        return exercise.own_clips[0].url if exercise.own_clips else None

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_drawing(self, exercise: Exercise) -> str | None:
        return f"{settings.SITE_URL}{static(exercise.drawing)}" if exercise.drawing else None


class DoseSerializer(serializers.ModelSerializer[ProgramDose]):
    """An exercise as dosed for this person; ``text`` is how a physio writes it: 3 x 8 per side."""

    exercise = ExerciseSerializer()
    text = serializers.CharField()
    frequency = serializers.CharField()

    class Meta:
        model = ProgramDose
        fields = (
            *("id", "exercise", "text", "frequency", "sets", "reps_low", "reps_high"),
            *("seconds_low", "seconds_high", "per_side", "times_per_week", "tempo", "note"),
        )


class PauseSerializer(serializers.ModelSerializer[Pause]):
    """Days off; ``ends_on`` is the first day back."""

    kind = serializers.CharField()

    class Meta:
        model = Pause
        fields = ("kind", "starts_on", "ends_on")


class StageSerializer(serializers.Serializer[Any]):
    """The present stage of the program and the exercises that are due in it."""

    number = serializers.IntegerField(source="stage.number")
    of = serializers.IntegerField(help_text="Stages in all.")
    name = serializers.CharField(source="stage.name")
    goal = serializers.CharField(source="stage.goal")
    advice = serializers.CharField(help_text="Empty while the program is on hold or paused.")
    since = serializers.DateField()
    exercises = DoseSerializer(
        source="doses", many=True, help_text="None while the program is on hold or paused: none is due."
    )


class LadderStepSerializer(serializers.Serializer[Any]):
    """The present step of the running ladder."""

    number = serializers.IntegerField()
    of = serializers.IntegerField()
    text = serializers.CharField()


class LockSerializer(serializers.Serializer[Any]):
    """One kind of running: whether it is open now, and in words what opens it."""

    terrain = serializers.ChoiceField(choices=Terrain.choices())
    label = serializers.CharField()
    open = serializers.BooleanField()
    words = serializers.CharField()


class RunningWeekSerializer(serializers.Serializer[Any]):
    """This week's limit of who keeps running."""

    starts_on = serializers.DateField()
    limit_km = serializers.DecimalField(max_digits=5, decimal_places=1)
    run_km = serializers.DecimalField(max_digits=6, decimal_places=2)


class RunningSerializer(serializers.Serializer[Any]):
    """Running now: ``words`` say it all, line by line; the rest is the same as figures."""

    track = serializers.ChoiceField(choices=RunningTrack.choices())
    words = serializers.ListField(child=serializers.CharField())
    step = LadderStepSerializer(allow_null=True)
    next_run_from = serializers.DateField(allow_null=True)
    max_runs_a_week = serializers.IntegerField(allow_null=True)
    week = RunningWeekSerializer(allow_null=True)
    locks = LockSerializer(many=True)


class ProgramSerializer(serializers.Serializer[Any]):
    """What to do now: nothing while paused or on hold. Then ``words`` say until when; read ``advice``.

    Closed: what was handed out at discharge, to keep up; nothing of it is to be logged.
    """

    name = serializers.CharField(source="program.name")
    started_on = serializers.DateField(source="program.started_on")
    strength_per_week = serializers.IntegerField(source="program.strength_per_week")
    state = serializers.ChoiceField(
        choices=[
            CaseState.ACTIVE.value,
            CaseState.PAUSED.value,
            CaseState.ON_HOLD.value,
            CaseState.CLOSED.value,
        ]
    )
    words = serializers.CharField(
        help_text="Why there is nothing to do, and until when: show it first. Empty while active."
    )
    advice = AdviceSerializer(allow_null=True, help_text="Set while a red flag is open.")
    pause = PauseSerializer(allow_null=True)
    running = serializers.CharField(
        help_text="What to do about running; empty for who does not run. On hold or paused: ``words``."
    )
    running_plan = RunningSerializer(
        source="running_now", allow_null=True, help_text="Null for who does not run, on hold and paused."
    )
    stage = StageSerializer(allow_null=True)


class CheckInSerializer(serializers.ModelSerializer[CheckInRequest]):
    """One question, of one local date."""

    case = serializers.CharField(source="program.episode.case_number")
    answer_until = serializers.DateTimeField(
        source="missed_at", help_text="Unanswered then, it counts as missed."
    )
    asks_activity = serializers.SerializerMethodField(
        help_text="After discharge: ask `activity_question` too, answered in `back_to_activity`."
    )

    class Meta:
        model = CheckInRequest
        fields = ("id", "case", "local_date", "due_at", "answer_until", "answered_at", "asks_activity")

    def get_asks_activity(self, request: CheckInRequest) -> bool:
        return request.watch_id is not None


class SymptomSerializer(serializers.Serializer[Any]):
    """A symptom to tick; ``code`` goes into ``red_flags``."""

    code = serializers.CharField(source="value")
    question = serializers.CharField()
    tier = serializers.CharField()


class CheckInsSerializer(serializers.Serializer[Any]):
    """The check-ins, with all that is needed to ask."""

    question = serializers.CharField()
    activity_question = serializers.CharField()
    symptoms = SymptomSerializer(many=True)
    note_hint = serializers.CharField(help_text="Show it beside the note.")
    state = serializers.ChoiceField(choices=[state.value for state in CheckInState])
    check_ins = CheckInSerializer(many=True)


class DaySerializer(serializers.Serializer[Any]):
    """Worst pain of a day, the highest answer of it."""

    date = serializers.DateField(source="on")
    left = pain(source="worst_left")
    right = pain(source="worst_right")


class WeekSerializer(serializers.Serializer[Any]):
    """Strength sessions of a week, from Monday."""

    starts_on = serializers.DateField()
    sessions = serializers.IntegerField()
    prescribed = serializers.IntegerField()


class EffortSerializer(serializers.Serializer[Any]):
    """A session or run with its light."""

    kind = serializers.ChoiceField(choices=["session", "run"])
    client_id = serializers.UUIDField(source="row.client_id")
    date = serializers.DateField(source="row.local_date")
    light = LightSerializer()


class StageMoveSerializer(serializers.ModelSerializer[StageMove]):
    class Meta:
        model = StageMove
        fields = ("from_stage", "to_stage", "moved_on")


class ComparisonSerializer(serializers.Serializer[Any]):
    """Typical worst pain of the index knee, at the start and lately."""

    baseline = pain(help_text="At the start.", max_digits=4, decimal_places=2)
    now = pain(help_text="Over the last two weeks.", max_digits=4, decimal_places=2)
    as_of = serializers.DateField(source="day")


class ProgressSerializer(serializers.Serializer[Any]):
    """How it goes, of the present case."""

    words = serializers.CharField(help_text="Show it with the chart.")
    index_side = serializers.CharField(source="episode.index_side", allow_null=True)
    days = DaySerializer(many=True)
    comparison = ComparisonSerializer(source="review", allow_null=True)
    weeks = WeekSerializer(many=True)
    efforts = EffortSerializer(many=True, help_text="Newest first.")
    stage_moves = StageMoveSerializer(source="moves", many=True)
