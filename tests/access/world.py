"""Three clinics with everything in them, and each kind of person at the door.

Every text is marked with whose it is, so that a response tells by itself what it lets out: ``qqa1findingqq``
is a finding about the first patient of clinic A, ``qqb0staffqq`` names staff of clinic B.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.contrib.sessions.models import Session as Login
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from clinic.accounts.sessions import ENTERED
from clinic.models import (
    Absence,
    AuditEntry,
    AuditSeal,
    BreakGlass,
    Clinic,
    DataKey,
    Factor,
    Membership,
    OutboxMessage,
    RowAttempt,
    StaffToken,
    SweepRun,
    Tally,
    User,
)
from clinic.roles import Role as StaffRole
from clinic.sealed import EncryptedCharField, EncryptedTextField
from patients.models import (
    Addendum,
    Assessment,
    AssessmentDraft,
    Consent,
    Episode,
    Patient,
    PrivacyEvent,
    RestrictedRecord,
)
from programs.models import (
    Alert,
    Answer,
    CheckInRequest,
    Exercise,
    Letter,
    Pause,
    Program,
    ProgramDose,
    Run,
    Session,
    Template,
)
from programs.rules.red_flags import Symptom
from programs.services.assessment_drafts import keep_draft
from tests.access.table import ASSISTANT, FORMER, GLASS, OPERATOR, OUTSIDE, OWNER, PATIENT, PHYSIO
from tests.api import give_token, log_in
from tests.factories import make_assessment, make_case, make_clinic, make_operator, make_program, make_user
from tests.staff import sign_in
from tests.whole_case import whole_case

MARK = re.compile(r"qq([a-c]\d(?:clinic|staff|library|platform|person|finding|device|mail))qq", re.IGNORECASE)

OF_CLINIC = {
    "clinic": "clinic",
    "user": "staff",
    "stafftoken": "staff",
    "apicreation": "staff",
} | dict.fromkeys(("exercise", "template", "stage", "dose"), "library")
OF_CLINIC |= dict.fromkeys(("breakglass", "rowattempt"), "platform")
OF_PATIENT = {"outboxmessage": "mail", "devicetoken": "device"} | dict.fromkeys(
    ("patient", "episode"), "person"
)

NOT_TEXT = {
    "last_error",
    "password",
    "digest",
    "token_key",
    "dedupe_key",
    "timezone",
    "slug",
    "easier",
    "harder",
    "kind",
    "sweep",
    "tied",
    "route",
    "key",
}
"""Columns that look like text and mean something; and every hash."""

UNMARKED = (Addendum, AssessmentDraft, AuditEntry, AuditSeal, Consent, DataKey, Factor)
UNMARKED += (Letter, PrivacyEvent, SweepRun, Tally)
"""Of no bundle, or not to be changed by anybody."""


@dataclass(eq=False)
class Bundle:
    """One patient with a row in every table, and a second, plainer one to act on; of one clinician."""

    name: str
    clinic: Clinic
    clinician: User
    case: Episode
    plain: Episode
    ids: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Person:
    """Someone who asks. ``sees`` are the marks that may reach them."""

    name: str
    role: str
    sees: set[str]
    own: Bundle | None = None
    foreign: tuple[Bundle, ...] = ()
    client: Client = field(default_factory=Client)
    headers: dict[str, str] = field(default_factory=dict)
    membership: int = 0
    factor: int = 0
    token: int = 0
    user: User | None = None
    kept: Login | None = None

    @property
    def ended(self) -> bool:
        """Whether a session once was theirs. It is deleted as soon as it is used."""
        return self.user is not None and not self.user.is_active

    def come_back(self, cookies: SimpleCookie) -> None:
        """As after the log-in: the next request is the first."""
        self.client.cookies = cookies
        if self.ended and self.kept:
            self.kept.save()

    def log_in(self, user: User) -> Person:
        """The one place where the matrix opens a staff session."""
        sign_in(self.client, user)
        member = Membership.objects.filter(user=user).first()
        self.user, self.membership = user, member.pk if member else 0
        if member and member.is_active and user.is_active:
            self.headers = {"Authorization": f"Token {give_token(user)}"}
            self.token = self._quiet(user)
        if user.is_staff:
            self.factor = min(make_factor(user).pk for _ in range(2))  # one may be removed
        session, tomorrow = self.client.session, timezone.now() + timedelta(days=1)
        session[ENTERED] = session[ENTERED] | dict.fromkeys(("at", "seen"), tomorrow.timestamp())
        session.save()  # however long the tests take, they came in a moment ago
        self.kept = Login.objects.get(pk=session.session_key)
        return self

    def _quiet(self, user: User) -> int:
        """The token just made: told to nobody, and a use of it is noted only tomorrow."""
        OutboxMessage.objects.filter(kind="account_changed").delete()
        tokens = StaffToken.objects.filter(user=user)
        tokens.update(last_used_at=timezone.now() + timedelta(days=1))
        return tokens.latest("pk").pk


def make_factor(user: User, label: str = "Own") -> Factor:
    made: Factor = Factor.objects.create(
        user=user, kind="totp", secret=uuid4().bytes, label=label, created_at=timezone.now()
    )
    return made


def make_bundle(name: str, clinic: Clinic) -> Bundle:
    case = whole_case(clinic)
    plain = make_case(clinic, clinician=case.clinician)
    make_program(plain, stages=2, asleep=True)
    make_program(make_case(clinic, clinician=case.clinician), is_draft=True)
    make_case(
        clinic,
        clinician=case.clinician,
        patient=plain.patient,
        index_side="right",
        closed_on=plain.opened_on,
        outcome="recovered",
    )
    make_assessment(plain)
    to_sign = make_assessment(plain)
    keep_draft(
        episode=plain,
        assessment=None,
        base=0,
        content={},
        red_flags=[Symptom.LOCKING],
        by=case.clinician,
        now=timezone.now(),
    )
    Exercise.objects.filter(clinic=None).update(clinic=clinic)
    told = [{"code": "fever", "text": mark(name, "finding"), "source": mark(name, "finding")}]
    Alert.objects.filter(episode=case).update(level="tier_2", evidence=told)
    opened = {"opened_on": plain.opened_on, "opened_at": timezone.now()}
    Alert.objects.create(
        clinic=clinic, episode=plain, kind="stall", level="stalled", summary="Flat", **opened
    )
    Absence.objects.filter(clinic=clinic).update(ends_on=timezone.localdate())
    Session.objects.update(pain_next_morning=None)
    Run.objects.update(pain_next_morning=None)
    noted = {"patient_key": case.patient_id, "at": timezone.now(), "reason": mark(name, "finding")}
    PrivacyEvent.objects.create(clinic=clinic, what="exported", **noted)
    OutboxMessage.objects.create(
        clinic=clinic,
        patient_key=plain.patient_id,
        kind="reminder",
        dedupe_key=f"reminder:{name}",
        to_email="gone@example.org",
        subject="Given up",
        text="Given up",
        state=OutboxMessage.State.DEAD,
    )
    mark_new_rows(name)
    # Then nothing of it changes any more.
    Assessment.objects.filter(pk=to_sign.pk).update(signed_at=timezone.now(), signed_by=plain.clinician)
    bundle = Bundle(name, clinic, case.clinician, case, plain)
    bundle.ids = _ids(bundle)
    return bundle


def _ids(bundle: Bundle) -> dict[str, Any]:
    """What stands in an address, by the kind of object that the table names."""
    clinic, case, plain = bundle.clinic, bundle.case, bundle.plain
    rows: dict[str, Any] = {
        "patient": case.patient,
        "newcomer": plain.patient,
        "case": plain,
        "assessment": Assessment.objects.get(episode=case),
        "flagged draft": AssessmentDraft.objects.get(episode=plain),
        "signed assessment": Assessment.objects.get(episode=plain, signed_by__isnull=False),
        "program": Program.objects.get(episode=plain),
        "draft": Program.with_drafts.drafts().filter(clinic=clinic).latest("pk"),
        "pause": Pause.objects.get(program__episode=case),
        "closed case": Episode.objects.get(patient=plain.patient, outcome="recovered"),
        "watched case": case,
        "paused program": Program.objects.get(episode=case),
        "red flag": Alert.objects.get(episode=case),
        "alert": Alert.objects.get(episode=plain),
        "exercise": Exercise.objects.filter(clinic=clinic).first(),
        "template": Template.objects.filter(clinic=clinic).first(),
        "member": Membership.objects.get(clinic=clinic, role=StaffRole.ASSISTANT),
        "clinic": clinic,
        "policy": clinic.policy,
        "e-mail": OutboxMessage.objects.filter(clinic=clinic, patient_key=case.patient_id).first(),
        "given-up e-mail": OutboxMessage.objects.get(clinic=clinic, patient_key=plain.patient_id),
        "record": record_of(clinic),
        "letter": Letter.objects.get(episode=case),
        "absence": Absence.objects.get(clinic=clinic, clinician=bundle.clinician),
        "clinician": Membership.objects.get(clinic=clinic, user=bundle.clinician),
        "trouble": RowAttempt.objects.get(key=Program.objects.get(episode=case).pk),
        "opening": BreakGlass.objects.filter(clinic=clinic).latest("pk"),
        "factor": make_factor(bundle.clinician, mark(f"{bundle.name[0]}0", "staff")),
        "token": StaffToken.objects.get(user=bundle.clinician),
        "check-in": CheckInRequest.objects.get(program__episode=case),
    }
    ids = {kind: row.pk for kind, row in rows.items()}
    ids["dose"] = ProgramDose.objects.get(stage__program__episode=case).pk
    ids["draft dose"] = ProgramDose.objects.filter(stage__program=ids["draft"]).latest("pk").pk
    ids["job"] = "send_outbox"
    for kind, model in (("answer", Answer), ("session", Session), ("run", Run)):
        ids[kind] = model._default_manager.get(episode=case).client_id
    return ids


def record_of(clinic: Clinic) -> RestrictedRecord:
    """The clinic's latest: each bundle has one."""
    latest: RestrictedRecord = RestrictedRecord.objects.filter(clinic=clinic).latest("erasure__erased_at")
    return latest


def mark(bundle: str, kind: str) -> str:
    return f"qq{bundle}{kind}qq"


def mark_new_rows(bundle: str) -> None:
    """What is not marked yet was made for this bundle."""
    for model in apps.get_models():
        if model._meta.app_label in ("clinic", "patients", "programs") and model not in UNMARKED:
            for column in filter(_is_text, model._meta.concrete_fields):
                _mark_column(model, column, bundle)
    for record in RestrictedRecord.objects.filter(case_numbers=["1"]):
        record.case_numbers = [mark(bundle, "person")]
        record.save(update_fields=["case_numbers"])


def _is_text(column: models.Field[Any, Any]) -> bool:
    if not isinstance(column, models.CharField | models.TextField) or column.choices:
        return False
    named = column.name in NOT_TEXT or column.name.endswith("_hash")
    return not named and (column.max_length or 1000) >= 40


def _mark_column(model: type[models.Model], column: models.Field[Any, Any], bundle: str) -> None:
    name = model._meta.model_name or ""
    kind = OF_CLINIC.get(name) or OF_PATIENT.get(name, "finding")
    kind = "finding" if column.name == "discharge_note" else kind
    text = mark(f"{bundle[0]}0" if name in OF_CLINIC else bundle, kind)
    if isinstance(column, EncryptedCharField | EncryptedTextField):
        _seal_marks(model, column.name, text)
        return
    rows = model._base_manager.exclude(**{f"{column.name}__contains": "qq"})
    if isinstance(column, models.EmailField):
        for pk in list(rows.values_list("pk", flat=True)):
            rows.filter(pk=pk).update(**{column.name: f"{text}.{pk}@example.org"})
    elif column.name == "case_number":
        for pk in list(rows.values_list("pk", flat=True)):
            rows.filter(pk=pk).update(case_number=f"{text}-{pk}")
    elif model is User:
        rows.filter(is_operator=True).update(name=mark(f"{bundle[0]}0", "platform"))
        rows.filter(patients=None, is_operator=False).update(name=text)
        rows.exclude(patients=None).update(name=mark(bundle, "person"))
    else:
        rows.update(**{column.name: text})


def _seal_marks(model: type[models.Model], column: str, text: str) -> None:
    for row in model._base_manager.all():
        if not MARK.search(getattr(row, column) or ""):
            setattr(row, column, text)
            row.save(update_fields=[column])


class World:
    """Clinic A with two patients' bundles; B; and C, where a physio sees only the own cases."""

    def __init__(self) -> None:
        self.bundles: dict[str, Bundle] = {}
        for names, policy in ((("a1", "a2"), {}), (("b1",), {}), (("c1", "c2"), {"own_cases_only": True})):
            clinic = self._staffed(**policy)
            self.bundles |= {name: make_bundle(name, clinic) for name in names}
        SweepRun.objects.create(name="send_outbox", started_at=timezone.now())
        self.people = self._people()
        self.keepers: dict[int, Person] = {}
        for bundle in self.bundles.values():
            if bundle.clinic.pk not in self.keepers:
                owner = self._staff(bundle, StaffRole.OWNER)
                self.keepers[bundle.clinic.pk] = Person("keeper", OWNER, set(), bundle).log_in(owner)
        self.missing = {kind: self._missing(kind) for kind in self.bundles["a1"].ids}

    def _staffed(self, **policy: Any) -> Clinic:
        clinic = make_clinic(**policy)
        for role in (StaffRole.OWNER, StaffRole.ASSISTANT):
            make_user(role=role, clinic=clinic)
        return clinic

    def _people(self) -> dict[str, Person]:
        a1, a2, b1, c1, c2 = self.bundles.values()
        former = make_user(clinic=a1.clinic, name="Former")
        Membership.objects.filter(user=former).update(is_active=False)
        disabled = make_user(clinic=a1.clinic, name="Disabled", is_active=False)
        house_a = {"a0clinic", "a0staff", "a1person", "a2person"}
        findings_a = {"a1finding", "a2finding", "a0library"}
        everything_b = {f"b0{kind}" for kind in ("clinic", "staff", "library", "platform")} | {
            f"b1{kind}" for kind in ("person", "finding", "mail")
        }
        limited = {"c0clinic", "c0staff", "c0library", "c1person", "c1finding"}
        platform = {f"{clinic}0{kind}" for clinic in "abc" for kind in ("clinic", "platform")}
        of_owner = {"a1mail", "a2mail", "a0platform"}
        people = [
            Person("anonymous", OUTSIDE, set(), None, (a1,)),
            self._patient("patient", a1, (a2, b1)),
            self._patient("another patient", a2, (a1,)),
            Person("assistant", ASSISTANT, house_a, a1, (b1,)).log_in(self._staff(a1, StaffRole.ASSISTANT)),
            Person("physio", PHYSIO, house_a | findings_a, a1, (b1,)).log_in(a1.clinician),
            Person("physio of own cases", PHYSIO, limited, c1, (c2, b1)).log_in(c1.clinician),
            Person("owner", OWNER, house_a | findings_a | of_owner, a1, (b1,)).log_in(
                self._staff(a1, StaffRole.OWNER)
            ),
            Person("other clinic's owner", OWNER, everything_b, b1, (a1,)).log_in(
                self._staff(b1, StaffRole.OWNER)
            ),
            Person("operator", OPERATOR, platform, a1, (b1,)).log_in(make_operator(name="Operator")),
            Person("operator, records open", GLASS, platform | house_a | findings_a, a1, (b1,)).log_in(
                self._reading(a1.clinic)
            ),
            Person("disabled user", OUTSIDE, set(), None, (a1,)).log_in(disabled),
            Person("disabled membership", FORMER, set(), None, (a1,)).log_in(former),
        ]
        return {person.name: person for person in people}

    def _patient(self, name: str, own: Bundle, foreign: tuple[Bundle, ...]) -> Person:
        """With a token, as the app has one, and with a session that no page of theirs would give them."""
        sees = {f"{own.name}{kind}" for kind in ("person", "finding", "device")}
        sees |= {"a0clinic", "a0staff", "a0library"}
        patient = Patient.objects.get(pk=own.case.patient_id)
        person = Person(name, PATIENT, sees, own, foreign).log_in(patient.user)  # type: ignore[arg-type]
        person.headers = {"Authorization": f"Token {log_in(patient)}"}
        return person

    def _reading(self, clinic: Clinic) -> User:
        """An operator who has opened the clinic's records by break-glass."""
        operator, now = make_operator(name="Reader"), timezone.now()
        until = now + timedelta(days=1)
        BreakGlass.objects.create(
            clinic=clinic, operator=operator, reason="Asked for", started_at=now, ends_at=until
        )
        return operator

    def _staff(self, bundle: Bundle, role: StaffRole) -> User:
        return User.objects.get(memberships__clinic=bundle.clinic, memberships__role=role)

    def _missing(self, kind: str) -> Any:
        """An id that no row has."""
        sample = str(self.bundles["a1"].ids[kind])
        if sample.isdecimal():
            return 999_999_999
        return uuid4() if "-" in sample else "nothing"


UNHASHED = {"django_session", "django_migrations", "clinic_tally"}
"""A session is kept of whoever has one, a try is counted whoever makes it."""


class Database:
    """All rows of all tables in one number."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            tables = sorted(set(connection.introspection.table_names(cursor)) - UNHASHED)
        changes = {"clinic_auditentry": "WHERE action NOT IN ('read', 'exported')"}  # reading is no change
        rows = {"programs_program": "to_jsonb(r) - 'looked_at'"}  # nor is that its clinician has seen a case
        parts = [
            f"(SELECT sum(hashtextextended(({rows.get(t, 'r')})::text, {n})) FROM {t} r {changes.get(t, '')})"
            for n, t in enumerate(tables)
        ]
        self._name = f"everything_{uuid4().hex}"  # the connection may hold that of another world
        connection.connection.execute(f"PREPARE {self._name} AS SELECT md5(ARRAY[{','.join(parts)}]::text)")

    def hash(self) -> str:
        [value] = connection.connection.execute(f"EXECUTE {self._name}").fetchone()
        return str(value)


def marks(text: str) -> set[str]:
    return {found.lower() for found in MARK.findall(text)}
