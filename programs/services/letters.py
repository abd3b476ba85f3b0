"""Letters to a colleague: written from the facts of a case, edited by the clinician, kept as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.module_loading import import_string

from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability, require
from patients.models import Assessment, Episode
from programs import models
from programs.models import Alert, Pause, Program, ProgramStage, Review, StageMove
from programs.rules import letters as rules
from programs.rules import timeline as lines
from programs.rules.schedule import local_date
from programs.rules.stall import State
from programs.rules.stall.wording import day
from programs.services import timeline
from programs.services.derived import Findings, derived_values

Kind = models.Letter.Kind

TITLES: Mapping[str, str] = {
    Kind.STALL: "Summary of a rehabilitation that has stalled",
    Kind.REFERRAL: "Referral",
    Kind.RED_FLAG: "Referral because of a red flag",
}
QUESTIONS: Mapping[str, str] = {
    Kind.STALL: "Would you see this patient with me: is the diagnosis still right, and is imaging due?",
    Kind.REFERRAL: "Would you see and advise on this patient?",
    Kind.RED_FLAG: "Please see this patient today, and tell me whether rehabilitation may go on.",
}
TOLD = (
    "Stalled: no success by week {stalled_week} of the program.",
    "Success: worst pain down by {success_drop} points (NPRS 0-10) from a start of {success_baseline_floor} "
    "or more, by {success_drop_percent} % from a lower one, or below {success_now_below} now; or AKPS up by "
    "{success_akps_gain}.",
    "Pain now: the median of {now_window_days} days.",
    "Enough training: {strength_floor_per_week} strength sessions a week or more.",
)
"""What a colleague needs to judge the judgement."""

PICTURE_WIDTH = 1300
SHOWN_FINDINGS = 8
SHOWN_STEPS = 6

type Typesetter = Callable[[rules.Letter], bytes]


class LetterError(FieldError):
    """The letter cannot be made like that."""


class TypesetterMissing(RuntimeError):
    """Pango, which sets the letters, is not on this machine: it is a system library (see apt.txt)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What the facts say, to be edited: ``texts`` by the name of the part, ``flag`` among them."""

    kind: str
    texts: Mapping[str, str]
    has_flag: bool


def kinds_now(episode: Episode) -> list[str]:
    """The letters that can be written now, the usual one first: that about a red flag while one is open, and
    that of a stall where the last review found one.
    """
    latest = Review.objects.filter(episode=episode).values_list("state", flat=True).first()
    others = [Kind.REFERRAL.value, Kind.STALL.value]
    if latest in (State.STALLED, State.STALLING):
        others.reverse()
    return [Kind.RED_FLAG.value, *others] if _open_flag(episode) else others


def draft_letter(*, episode: Episode, kind: str, by: User, now: datetime) -> Draft:
    """The letter that the facts suggest. While a red flag is open every letter states it first.

    Raises:
        Denied: ``by`` may do no clinical work here.
        LetterError: an unknown kind, or a red flag letter without an open red flag.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    flag = _open_flag(episode)
    _check_kind(kind, flag)
    review = Review.objects.filter(episode=episode).first()
    program = Program.objects.filter(episode=episode).exclude(started_on=None).first()
    evidence = {row["topic"]: row["text"] for row in (review.verdict.get("evidence") or [])} if review else {}
    texts = {
        "flag": _flag_text(flag, episode.clinic.timezone) if flag else "",
        "question": _question(kind, review),
        "findings": _cut("findings", [*_case(episode), *_course(evidence), *_assessed(episode)]),
        "program": _cut("program", _program(program, review)),
        "adherence": _adherence(evidence, review),
        "tried": _cut("tried", _tried(episode)) or "Nothing beyond the program so far.",
        "thresholds": _cut("thresholds", _thresholds(episode)),
    }
    return Draft(kind, texts, flag is not None)


def preview_letter(
    *, episode: Episode, kind: str, recipient: str, texts: Mapping[str, str], by: User, now: datetime
) -> bytes:
    """The letter as PDF as it would be made; nothing is kept.

    Raises:
        Denied: ``by`` may do no clinical work here.
        LetterError: as ``make_letter``.
    """
    return _draw(_compose(episode, kind, recipient, texts, by, now))


@transaction.atomic
def make_letter(
    *, episode: Episode, kind: str, recipient: str, texts: Mapping[str, str], by: User, now: datetime
) -> models.Letter:
    """Make the letter and keep it, word for word: what was sent can be shown again, and nobody changes it.

    Raises:
        Denied: ``by`` may do no clinical work here.
        LetterError: an unknown kind, no question, no words about an open red flag or some about none, or
            more than one page.
    """
    letter = _compose(episode, kind, recipient, texts, by, now)
    _draw(letter)  # what does not fit is refused now, not when somebody opens it
    return models.Letter.objects.create(
        clinic_id=episode.clinic_id,
        episode=episode,
        kind=kind,
        content=rules.to_json(letter),
        made_by=by,
        made_at=now,
    )


def letter_as_pdf(letter: models.Letter) -> bytes:
    """The PDF of a kept letter: the same bytes each time, as long as type and typesetter stay the same."""
    return typesetter()(words_of(letter))


def words_of(letter: models.Letter) -> rules.Letter:
    """What it says, word for word."""
    return rules.from_json(letter.content)


def recipient_of(letter: models.Letter) -> str:
    """To whom it went, in one line."""
    return " ".join(words_of(letter).recipient.split())


def _compose(
    episode: Episode, kind: str, recipient: str, texts: Mapping[str, str], by: User, now: datetime
) -> rules.Letter:
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    flag = _open_flag(episode)
    _check_kind(kind, flag)
    words = {name: text.strip().replace("\r\n", "\n") for name, text in texts.items()}
    _check_words(words, recipient, flagged=flag is not None)
    patient, clinic = episode.patient, episode.clinic
    today = local_date(now, clinic.timezone)
    course = _drawn(episode, today)
    born = f"born {day(patient.birth_date)}" if patient.birth_date else ""
    return rules.Letter(
        title=TITLES[kind],
        made_on=today,
        sender=tuple(filter(None, (str(clinic), clinic.phone))),
        recipient=recipient.strip().replace("\r\n", "\n"),
        patient=tuple(filter(None, (patient.full_name, born, f"case {episode.case_number}"))),
        flag=words.get("flag", "") if flag else "",
        sections=tuple((part.heading, words[part.name]) for part in rules.PARTS if words.get(part.name)),
        picture=timeline.picture(course, width=PICTURE_WIDTH) if course else "",
        picture_words=lines.summary(course) if course else "",
        signed=f"{by}, {clinic.name}",
    )


def _drawn(episode: Episode, today: date) -> lines.Course | None:
    review = Review.objects.filter(episode=episode).first()
    history = timeline.read(episode=episode)
    return timeline.course(history, today=today, baseline=review.baseline if review else None)


def _draw(letter: rules.Letter) -> bytes:
    try:
        return typesetter()(letter)
    except rules.TooLong:
        longest = max(rules.PARTS, key=lambda part: len(dict(letter.sections).get(part.heading, "")))
        text = "The letter is longer than one page: shorten this part first."
        raise LetterError(longest.name, text) from None


def typesetter() -> Typesetter:
    """What makes a PDF of a letter. It comes with the first one: no other process shall wait a second for it.

    Raises:
        TypesetterMissing: as above.
    """
    try:
        found: Typesetter = import_string("programs.services.letter_pdf.pdf")
    except OSError as error:
        raise TypesetterMissing from error
    return found


def _open_flag(episode: Episode) -> Alert | None:
    flags = Alert.objects.unresolved().filter(episode=episode, kind=Alert.Kind.RED_FLAG)
    return flags.first()


def _check_kind(kind: str, flag: Alert | None) -> None:
    if kind not in Kind.values:
        raise LetterError("kind", f"expected one of {', '.join(Kind.values)}.")
    if kind == Kind.RED_FLAG and flag is None:
        raise LetterError("kind", "No red flag is open: choose another letter.")


def _check_words(words: Mapping[str, str], recipient: str, *, flagged: bool) -> None:
    known = {part.name for part in (rules.FLAG, *rules.PARTS)}
    if unknown := sorted(set(words) - known):
        raise LetterError(unknown[0], "A letter has no such part.")
    if not words.get("question"):
        raise LetterError("question", "Write what you ask of your colleague.")
    if flagged and not words.get("flag"):
        raise LetterError("flag", "A red flag is open: the letter must state it.")
    if words.get("flag") and not flagged:
        raise LetterError("flag", "No red flag is open: leave this empty.")
    if len(recipient) > rules.RECIPIENT_MOST or len(recipient.splitlines()) > rules.ADDRESS_LINES:
        raise LetterError(
            "recipient", f"At most {rules.RECIPIENT_MOST} characters on {rules.ADDRESS_LINES} lines."
        )
    if found := rules.too_long(words):
        raise LetterError(*found)


def _flag_text(flag: Alert, zone: str) -> str:
    at = flag.acknowledged_at
    seen = f" Acknowledged on {day(local_date(at, zone))}." if at else ""
    text = f"{flag.summary}. Open since {day(flag.opened_on)}; the program is on hold.{seen}"
    return text[: rules.FLAG.most]


def _question(kind: str, review: Review | None) -> str:
    if kind == Kind.STALL and review is not None and review.state in (State.STALLED, State.STALLING):
        return f"After {review.week} weeks the pain has not moved enough. {QUESTIONS[kind]}"
    return QUESTIONS[kind]


def _adherence(evidence: Mapping[str, str], review: Review | None) -> str:
    if evidence.get("adherence"):
        return f"{evidence['adherence']}."
    if review is None or not review.sessions_due:
        return "Not known."
    return f"{review.sessions_done or 0} of {review.sessions_due} strength sessions done lately."


def _case(episode: Episode) -> Iterator[str]:
    side = f"{episode.get_index_side_display().lower()} knee"
    both = ", both knees hurt" if episode.both_knees else ""
    yield f"{episode.get_diagnosis_display()}, {side}{both}."
    care = f"In our care since {day(episode.opened_on)}, with {episode.clinician}."
    if episode.onset_on:
        kind = f", {episode.get_onset_kind_display().lower()}" if episode.onset_kind else ""
        care = f"Onset {day(episode.onset_on)}{kind}. {care}"
    yield care


def _course(evidence: Mapping[str, str]) -> Iterator[str]:
    """What was measured, in the words of the last review."""
    for topic in ("baseline", "now", "recall", "usual_pain", "akps", "other_knee"):
        if evidence.get(topic):
            yield f"{evidence[topic]}."


def _assessed(episode: Episode) -> Iterator[str]:
    """The last assessment that measured something: what is derived from it, deficits first."""
    for last in Assessment.objects.filter(episode=episode).order_by("-assessed_on", "-pk"):
        derived = sorted(derived_values(Findings.of(last)), key=lambda value: not value.deficit)
        found = [f"{value.of} {value.text.rstrip('.')}" for value in derived[:SHOWN_FINDINGS]]
        if found:
            yield f"{last.get_kind_display()} of {day(last.assessed_on)}: {'; '.join(found)}."
            return


def _program(program: Program | None, review: Review | None) -> Iterator[str]:
    if program is None:
        yield "No program yet."
        return
    week = f", week {review.week}" if review else ""
    number = ProgramStage.objects.filter(program=program).count()
    yield (
        f"{program.name}, since {day(program.started_on)}{week}: stage {program.current_stage} of {number}, "
        f"strength {program.strength_per_week} times a week."
    )
    stage = (
        ProgramStage.objects.filter(program=program, number=program.current_stage)
        .prefetch_related("doses__exercise")
        .first()
    )
    doses = [dose for dose in stage.doses.all() if dose.is_active] if stage else []
    if doses:
        yield f"Now: {', '.join(str(dose.exercise) for dose in doses)}."


def _tried(episode: Episode) -> Iterator[str]:
    """Earlier programs, stage changes, days off, and what clinicians did about alerts; by date."""
    steps: list[tuple[date, str]] = []
    programs = list(Program.objects.filter(episode=episode).exclude(started_on=None).order_by("started_on"))
    steps += [(p.started_on, f"program “{p.name}”") for p in programs[:-1]]
    steps += [
        (p.fair_trial_on, f"new fair trial ({p.fair_trial_reason})") for p in programs if p.fair_trial_on
    ]
    for move in StageMove.objects.filter(program__episode=episode):
        steps.append((move.moved_on, f"stage {move.from_stage} to {move.to_stage}"))
    for pause in Pause.objects.filter(program__episode=episode):
        steps.append((pause.starts_on, f"paused ({pause.get_kind_display().lower()})"))
    resolved = Alert.objects.filter(episode=episode, resolution=Alert.Resolution.CLINICIAN)
    for alert in resolved:
        if alert.resolved_on:
            steps.append((alert.resolved_on, f"{alert.get_kind_display().lower()}: {alert.outcome}"))
    for on, text in sorted(steps, key=lambda step: step[0])[-SHOWN_STEPS:]:
        yield f"{day(on)}: {text.rstrip('.')}."


def _thresholds(episode: Episode) -> Iterator[str]:
    used = asdict(episode.thresholds)
    return (sentence.format_map(used) for sentence in TOLD)


def _cut(name: str, sentences: Iterable[str]) -> str:
    """As many whole sentences as the part has room for, one a line."""
    part = next(part for part in rules.PARTS if part.name == name)
    text = ""
    for number, sentence in enumerate(sentences):
        longer = f"{text}\n{sentence}".strip()
        if len(longer) > part.most or number == rules.LINES_MOST:
            break
        text = longer
    return text
