"""One simulated case, written through the services that real use goes through."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from clinic import secrets
from clinic.models import Clinic, OutboxMessage, User
from patients.models import Episode, Patient
from patients.services import accept_invitation, open_episode, register_patient
from patients.vocabulary import OnsetKind, Sex, Side
from programs.demo import diary, intake, retests
from programs.demo.courses import (
    Acknowledged,
    Act,
    Bounced,
    Cleared,
    Contacted,
    Course,
    Discharged,
    HandedOver,
    Laddered,
    Moved,
    Opened,
    Paused,
    Reassessed,
    Replaced,
    Resolved,
    Returned,
    Snoozed,
    Switched,
)
from programs.demo.diary import PlannedAnswer, PlannedRun, PlannedSession
from programs.demo.names import person
from programs.demo.staff import Staff
from programs.models import Alert, CheckInRequest, Exercise, Program, ProgramDose, Template
from programs.services import alerts, cases, invitations, plan, red_flags, running
from programs.services.assessments import add_addendum, record_assessment, sign_assessment
from programs.services.assign import assign
from programs.services.caseload import look
from programs.services.diary import (
    AnswerReport,
    ExerciseDone,
    RunReport,
    SessionReport,
    record_answer,
    record_run,
    record_session,
)
from programs.services.gates import gate
from programs.services.hand_overs import hand_over_alert
from programs.services.matching import suggest

CLIENT_IDS = UUID("d3a0c11e-0000-4000-8000-000000000000")
"""Name space of the UUIDs that the patients' apps would have made."""

ADULT = 18


@dataclass
class SimulatedCase:
    """A patient of the demo, in the making. ``started_on`` and all dates are of the clinic's calendar."""

    course: Course
    clinic: Clinic
    staff: Staff
    today: date
    started_on: date
    random: Random
    patient: Patient = field(init=False)
    episode: Episode = field(init=False)
    program: Program | None = field(init=False, default=None)
    doses: list[ExerciseDone] = field(init=False, default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        """The patient's."""
        return ZoneInfo(self.course.zone or self.clinic.timezone)

    @property
    def physio(self) -> User:
        return self.staff.physios[self.course.number % len(self.staff.physios)]

    def take_in(self, now: datetime) -> None:
        """Register, open the case, assess, screen, invite, and assign a program."""
        on = now.astimezone(ZoneInfo(self.clinic.timezone)).date()
        self.patient = self._register(now, on)
        self.episode = self._open(on)
        assessment = intake.assess(self.course, self.episode, by=self.physio, on=on, random=self.random)
        cases.screen_assessment(assessment=assessment, by=self.physio, now=now)
        invitations.invite(patient=self.patient, by=self.staff.assistant, now=now)
        slug = self.course.template
        if slug == "":
            ranked = suggest(assessment=assessment).ranking
            slug = ranked[0].slug
        if slug is not None:
            self._assign(slug, now, on)
        self._backdate(now)

    def accept(self, now: datetime) -> None:
        """Open the account with the link from the e-mail."""
        letter = OutboxMessage.objects.get(kind="invitation", patient_key=self.patient.pk)
        assert letter.secret is not None
        accept_invitation(token=secrets.decrypt(letter.secret), now=now)

    def answer(self, planned: PlannedAnswer, now: datetime) -> None:
        left = self.sides[0] is Side.LEFT
        index, other = (planned.worst, planned.usual), (planned.other_worst, None)
        places = (planned.place.value,) if planned.place else ()
        symptoms = planned.symptoms
        report = AnswerReport(
            occurred_at=self.at(planned.on, planned.at),
            request=self._asked(planned.on),
            red_flags=symptoms.codes if symptoms else (),
            note=symptoms.note if symptoms else "",
            worst_left=(index if left else other)[0],
            usual_left=(index if left else other)[1],
            locations_left=places if left else (),
            worst_right=(other if left else index)[0],
            usual_right=(other if left else index)[1],
            locations_right=() if left else places,
        )
        client_id = self._client_id("answer", planned.on)
        record_answer(patient=self.patient, client_id=client_id, report=report, now=now)

    def _asked(self, on: date) -> int | None:
        """The check-in of that day, as the app names it."""
        asked = CheckInRequest.objects.filter(program=self.program, local_date=on)
        found: int | None = asked.values_list("pk", flat=True).first()
        return found

    def exercise(self, planned: PlannedSession, now: datetime) -> None:
        """Told on the morning after, or in the evening of the last day before that."""
        told_next_day = now.astimezone(self.zone).date() > planned.on
        report = SessionReport(
            occurred_at=self.at(planned.on, planned.at),
            pain_before=planned.before,
            pain_during=planned.during,
            pain_next_morning=planned.next_morning if told_next_day else None,
            exercises=tuple(self._doses_done()),
        )
        record_session(
            patient=self.patient, client_id=self._client_id("session", planned.on), report=report, now=now
        )

    def run(self, planned: PlannedRun, now: datetime) -> None:
        told_next_day = now.astimezone(self.zone).date() > planned.on
        report = RunReport(
            occurred_at=self.at(planned.on, planned.at),
            pain_before=planned.before,
            pain_during=planned.during,
            pain_next_morning=planned.next_morning if told_next_day else None,
            distance_km=planned.km,
            minutes=int(planned.km * 6),
            terrain=planned.terrain,
        )
        client_id = self._client_id("run", planned.on)
        record_run(patient=self.patient, client_id=client_id, report=report, now=now)

    def progress(self, now: datetime) -> None:
        """On to the next stage if its gate is open."""
        program, today = self._active(), now.astimezone(self.zone).date()
        has_next = program.stages.filter(number__gt=program.current_stage).exists()
        if has_next and gate(program=program, today=today).open:
            self._move(program, now, "")

    def look(self, now: datetime) -> None:
        look(episode=self.episode, by=self.physio, now=now)

    def rescore(self, ago: int, now: datetime) -> None:
        on = now.astimezone(ZoneInfo(self.clinic.timezone)).date()
        intake.score_akps(self.course, self.episode, ago=ago, on=on)

    def act(self, act: Act, now: datetime) -> None:
        """What the clinic does on that day."""
        by, today = self.physio, now.astimezone(ZoneInfo(self.clinic.timezone)).date()
        match act:
            case Contacted(kind=kind, note=note):
                cases.log_contact(
                    episode=self.episode, kind=kind, note=note, by=self.staff.assistant, now=now
                )
            case Bounced():
                self._bounce(now)
            case Reassessed():
                self._reassess(act, now)
            case Paused() | Replaced() | Moved():
                self._change_program(act, now, today)
            case Switched() | Laddered() | Opened():
                self._change_running(act, now, today)
            case Discharged(outcome=outcome, note=note, watch=watch):
                kept_up = Template.objects.get(clinic=None, slug="maintenance") if watch else None
                cases.discharge(
                    episode=self.episode,
                    outcome=outcome,
                    note=note,
                    by=by,
                    now=now,
                    today=today,
                    maintenance=kept_up,
                    watch=watch,
                )
                self.program = None
            case Returned(worst=worst, active=active):
                side = f"worst_{self.sides[0].value}"
                report = AnswerReport(occurred_at=now, active=active, **{side: Decimal(worst)})  # type: ignore[arg-type]
                record_answer(
                    patient=self.patient, client_id=self._client_id("watch", today), report=report, now=now
                )
            case _:
                self._deal_with_alert(act, now, today)

    def _reassess(self, act: Reassessed, now: datetime) -> None:
        """Dated before it is signed: from then on not even that can be changed."""
        found = retests.findings(self.course, self.episode, act)
        assessment = record_assessment(episode=self.episode, data=found, by=self.physio, now=now).assessment
        self.episode.assessments.filter(pk=assessment.pk).update(created_at=now)
        if act.signed:
            sign_assessment(assessment=assessment, version=assessment.version, by=self.physio, now=now)
        if act.addendum:
            add_addendum(assessment=assessment, text=act.addendum, by=self.physio, now=now)

    def _change_program(self, act: Paused | Replaced | Moved, now: datetime, today: date) -> None:
        program = self._active()
        match act:
            case Paused(ago=ago, kind=kind, back=back, note=note):
                plan.pause(
                    program=program,
                    kind=kind,
                    starts_on=self.today - timedelta(days=ago),
                    ends_on=None if back is None else self.today - timedelta(days=back),
                    note=note,
                    by=self.physio,
                    now=now,
                )
            case Replaced(template=slug, fair_trial_reason=reason):
                self._assign(slug, now, today, fair_trial_reason=reason)
            case Moved(override_reason=reason):
                self._move(program, now, reason)

    def _change_running(self, act: Switched | Laddered | Opened, now: datetime, today: date) -> None:
        program, by = self._active(), self.physio
        match act:
            case Switched(track=track, reason=reason):
                running.set_track(program=program, track=track, reason=reason, by=by, now=now, today=today)
            case Laddered():
                step = (program.ladder_step or 0) + 1
                running.set_ladder_step(program=program, to_step=step, by=by, now=now, today=today)
            case Opened(terrain=terrain):
                running.open_terrain(program=program, terrain=terrain, by=by, now=now, today=today)

    def _deal_with_alert(
        self, act: Acknowledged | Snoozed | Resolved | HandedOver | Cleared, now: datetime, today: date
    ) -> None:
        kind = Alert.Kind.RED_FLAG if isinstance(act, Cleared) else act.kind
        alert = Alert.objects.unresolved().filter(episode=self.episode, kind=kind).first()
        if alert is None:
            return
        match act:
            case Acknowledged(note=note, by=who):
                by = self.staff.owner if who == "owner" else self.physio
                alerts.acknowledge(alert=alert, by=by, now=now, note=note)
            case Snoozed(until=until, note=note):
                until_on = self.today - timedelta(days=until)
                alerts.snooze(alert=alert, by=self.physio, until=until_on, now=now, today=today, note=note)
            case Resolved(outcome=outcome):
                alerts.resolve(alert=alert, by=self.physio, outcome=outcome, now=now, today=today)
            case HandedOver(why=why):
                physios = self.staff.physios
                colleague = physios[(self.course.number + 1) % len(physios)]
                hand_over_alert(alert=alert, to=colleague, by=self.physio, now=now, why=why)
            case Cleared(finding=finding):
                red_flags.clear(alert=alert, by=self.physio, finding=finding, now=now)

    @property
    def sides(self) -> tuple[Side, Side]:
        """The index knee and the other."""
        left_first = (Side.LEFT, Side.RIGHT)
        return left_first if self.course.number % 2 else left_first[::-1]

    def at(self, on: date, clock: time) -> datetime:
        """A local time of the patient."""
        return datetime.combine(on, clock, tzinfo=self.zone)

    def _register(self, now: datetime, on: date) -> Patient:
        given, family = person(self.course.number)
        minor = self.course.age < ADULT
        return register_patient(
            clinic=self.clinic,
            by=self.staff.assistant,
            given_name=given,
            family_name=family,
            email=f"{given}.{family}@example.org".lower(),
            phone=f"+44 7700 {900_000 + self.course.number}",  # of the range kept for fiction
            timezone=str(self.zone),
            today=on,
            sex=Sex.FEMALE if self.random.random() < 0.6 else Sex.MALE,
            birth_date=intake.birth_date(self.course.age, on, self.random),
            guardian_name=f"{person(self.course.number + 3)[0]} {family}" if minor else "",
            guardian_consented_on=on if minor else None,
        )

    def _open(self, on: date) -> Episode:
        return open_episode(
            patient=self.patient,
            by=self.physio,
            clinician=self.physio,
            diagnosis=self.course.diagnosis,
            index_side=self.sides[0],
            case_number=self.course.case_number,
            opened_on=on,
            today=on,
            both_knees=bool(self.course.other_knee),
            onset_on=on - timedelta(days=self.random.randint(14, 240)),
            onset_kind=OnsetKind.GRADUAL,
            running_track=self.course.track,
        )

    def _assign(self, slug: str, now: datetime, on: date, fair_trial_reason: str = "") -> None:
        self.program = assign(
            episode=self.episode,
            template=Template.objects.usable_by(self.clinic).get(slug=slug),
            by=self.physio,
            now=now,
            today=on,
            fair_trial_reason=fair_trial_reason,
        )
        Program.objects.filter(pk=self.program.pk).update(created_at=now)
        self.doses = []

    def _move(self, program: Program, now: datetime, reason: str) -> None:
        today = now.astimezone(self.zone).date()
        move = plan.move_stage(
            program=program,
            to_stage=program.current_stage + 1,
            by=self.physio,
            now=now,
            today=today,
            override_reason=reason,
        )
        type(move).objects.filter(pk=move.pk).update(created_at=now)
        self.doses = []

    def _active(self) -> Program:
        """As it stands in the database."""
        program: Program = (
            Program.objects.active()
            .select_related("episode__clinic__policy", "episode__patient")
            .get(episode=self.episode)
        )
        return program

    def _doses_done(self) -> list[ExerciseDone]:
        """All exercises of the present stage but the runs, as prescribed."""
        if not self.doses:
            program = self._active()
            rows = ProgramDose.objects.filter(
                stage__program=program, stage__number=program.current_stage, is_active=True
            ).exclude(exercise__kind=Exercise.Kind.RUNNING)
            self.doses = [
                ExerciseDone(
                    dose=row.pk,
                    sets_done=row.sets or 1,
                    reps_done=row.reps_low,
                    seconds_done=row.seconds_low,
                )
                for row in rows
            ]
        return self.doses

    def _bounce(self, now: datetime) -> None:
        """What a mail server would have answered to the latest e-mail."""
        state = OutboxMessage.State
        letters = OutboxMessage.objects.filter(patient_key=self.patient.pk, state=state.PENDING)
        latest = letters.order_by("-next_attempt_at").first()
        if latest is not None:
            OutboxMessage.objects.filter(pk=latest.pk).update(
                state=state.DEAD, bounced=True, attempts=1, last_error="550 5.1.1 No such mailbox"
            )
        Patient.objects.filter(pk=self.patient.pk).update(email_bounced_at=now)

    def _backdate(self, now: datetime) -> None:
        """Rows that the database dates by its own clock."""
        Patient.objects.filter(pk=self.patient.pk).update(created_at=now)
        Episode.objects.filter(pk=self.episode.pk).update(created_at=now)
        self.episode.assessments.update(created_at=now)

    def _client_id(self, kind: str, on: date) -> UUID:
        return uuid5(CLIENT_IDS, f"{self.course.number}:{kind}:{on}")

    def diary(self) -> diary.Diary:
        return diary.write(self.course, started_on=self.started_on, today=self.today, random=self.random)
