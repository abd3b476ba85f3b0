"""A letter to a colleague: from the facts, on one page, a red flag first, and kept as it was made."""

from __future__ import annotations

import re
import zlib
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from django.db import ProgrammingError, transaction
from weasyprint.urls import FatalURLFetchingError

from clinic.models import Clinic, User
from clinic.roles import Denied, Role
from patients.models import Episode
from programs import models
from programs.rules.letters import FLAG, LINES_MOST, PARTS, from_json
from programs.services import letter_pdf
from programs.services.alerts import acknowledge
from programs.services.letters import (
    LetterError,
    draft_letter,
    letter_as_pdf,
    make_letter,
    preview_letter,
)
from programs.services.red_flags import raise_red_flag
from programs.services.reviews import review_due
from tests.factories import (
    NOW,
    make_case,
    make_clinic,
    make_patient,
    make_user,
)
from tests.hostile import FORMULAS, MARKUP, TEMPLATES
from tests.programs.services.weekly import SEVEN, case_of

pytestmark = pytest.mark.django_db

ASK = {"question": "Would you see this patient?"}


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic(timezone="Europe/Amsterdam")


@pytest.fixture
def stalled(clinic: Clinic, anna: User) -> Episode:
    """Flat for eight weeks, and reviewed."""
    program = case_of(anna, clinic, "1042")
    review_due(now=SEVEN)
    return program.episode


def make(episode: Episode, by: User, kind: str = "stall", **texts: str) -> models.Letter:
    return make_letter(
        episode=episode, kind=kind, recipient="Dr. Visser", texts={**ASK, **texts}, by=by, now=SEVEN
    )


def test_the_draft_is_written_from_the_facts(stalled, anna) -> None:
    draft = draft_letter(episode=stalled, kind="stall", by=anna, now=SEVEN)
    assert draft.texts["question"].startswith("After 8 weeks the pain has not moved enough.")
    assert "Patellofemoral pain, left knee." in draft.texts["findings"]
    assert "Worst pain" in draft.texts["findings"]
    assert "week 8" in draft.texts["program"]
    assert draft.texts["adherence"]
    assert "In our care since" in draft.texts["findings"]
    assert "with Anna Berg." in draft.texts["findings"]
    assert draft.texts["thresholds"].splitlines() == [
        "Stalled: no success by week 8 of the program.",
        "Success: worst pain down by 2 points (NPRS 0-10) from a start of 3 or more, by 30 % from a lower "
        "one, or below 2 now; or AKPS up by 8.",
        "Pain now: the median of 14 days.",
        "Enough training: 2 strength sessions a week or more.",
    ]
    assert "flag" in draft.texts
    assert not draft.has_flag
    for part in PARTS:
        assert len(draft.texts[part.name]) <= part.most


def test_it_is_kept_word_for_word_with_who_made_it_and_drawn_the_same_each_time(stalled, anna) -> None:
    letter = make(stalled, anna, findings="Sore on stairs.")
    kept = from_json(models.Letter.objects.get().content)
    assert kept.recipient == "Dr. Visser"
    assert ("Findings", "Sore on stairs.") in kept.sections
    assert kept.patient[0] == stalled.patient.full_name
    assert kept.patient[-1] == "case 1042"
    assert kept.picture.startswith("<svg")
    assert (letter.made_by, letter.made_at) == (anna, SEVEN)
    first = letter_as_pdf(letter)
    assert first.startswith(b"%PDF-")
    stalled.patient.given_name = "Somebody else"
    stalled.patient.save()
    assert letter_as_pdf(models.Letter.objects.get()) == first
    with pytest.raises(ProgrammingError, match="for good"), transaction.atomic():
        models.Letter.objects.update(kind="referral")


def test_a_preview_is_the_same_page_and_keeps_nothing(stalled, anna) -> None:
    words = {"episode": stalled, "kind": "stall", "recipient": "Dr. Visser", "by": anna, "now": SEVEN}
    shown = preview_letter(texts=ASK, **words)
    assert not models.Letter.objects.exists()
    assert letter_as_pdf(make(stalled, anna)) == shown


@pytest.mark.parametrize(
    ("zone", "on"), [("Pacific/Auckland", "3 Mar 2026"), ("America/New_York", "2 Mar 2026")]
)
def test_a_red_flag_was_acknowledged_on_the_day_it_was_at_the_clinic(zone: str, on: str) -> None:
    clinic = make_clinic(timezone=zone)
    case = make_case(clinic, clinician=make_user(clinic=clinic))
    flag = raise_red_flag(episode=case, codes=["knee_locks"], source="call", evidence=[{}], now=NOW)
    acknowledge(alert=flag, by=case.clinician, now=datetime(2026, 3, 2, 20, tzinfo=UTC))
    draft = draft_letter(episode=case, kind="red_flag", by=case.clinician, now=SEVEN)
    assert f"Acknowledged on {on}." in draft.texts["flag"]


def test_an_open_red_flag_is_stated_first_in_every_letter(clinic, anna) -> None:
    case = make_case(clinic, clinician=anna)
    with pytest.raises(LetterError, match="No red flag is open"):
        draft_letter(episode=case, kind="red_flag", by=anna, now=NOW)
    raise_red_flag(episode=case, codes=["knee_locks"], source="call", evidence=[{}], now=NOW)
    for kind in ("red_flag", "stall", "referral"):
        draft = draft_letter(episode=case, kind=kind, by=anna, now=NOW)
        assert draft.has_flag
        assert draft.texts["flag"].startswith("Knee locks (call). Open since 2 Mar 2026")
        with pytest.raises(LetterError, match="must state it") as error:
            make(case, anna, kind)
        assert error.value.field == "flag"
        letter = from_json(make(case, anna, kind, flag="It locks.").content)
        assert letter.flag == "It locks."
        text = " ".join(letter_pdf._page(letter, 10).etree_element.itertext())
        assert text.index("It locks.") < text.index(ASK["question"])


def number_of_pages(pdf: bytes) -> int:
    """Of the file itself: its objects lie in compressed streams."""
    found = 0
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with suppress(zlib.error):
            found += len(re.findall(rb"/Type ?/Page(?!s)", zlib.decompress(stream)))
    return found


def test_the_longest_letter_fits_one_page_or_is_refused(stalled, anna) -> None:
    raise_red_flag(episode=stalled, codes=["knee_locks"], source="call", evidence=[{}], now=SEVEN)
    full = {part.name: ("Long words. " * 200)[: part.most] for part in (FLAG, *PARTS)}
    assert number_of_pages(letter_as_pdf(make(stalled, anna, **full))) == 1
    lines = {
        name: "\n".join([text[: len(text) // LINES_MOST - 1]] * LINES_MOST) for name, text in full.items()
    }
    with pytest.raises(LetterError, match="longer than one page"):
        make(stalled, anna, **lines)


@pytest.mark.parametrize("part", [FLAG, *PARTS], ids=lambda part: part.name)
def test_what_is_too_long_is_refused_by_its_name(clinic, anna, part) -> None:
    case = make_case(clinic, clinician=anna)
    raise_red_flag(episode=case, codes=["knee_locks"], source="call", evidence=[{}], now=NOW)
    for text in ("x" * (part.most + 1), "x\n" * (LINES_MOST + 1)):
        with pytest.raises(LetterError) as error:
            make(case, anna, **{"flag": "It locks.", part.name: text})
        assert error.value.field == part.name
    assert not models.Letter.objects.exists()


def test_what_cannot_be_a_letter_is_refused(clinic, anna) -> None:
    case = make_case(clinic, clinician=anna)
    words = {"episode": case, "by": anna, "now": NOW}
    for kind, recipient, texts, field in (
        ("novel", "", ASK, "kind"),
        ("stall", "", {"question": "  "}, "question"),
        ("stall", "x" * 201, ASK, "recipient"),
        ("stall", "\n".join("123456"), ASK, "recipient"),
        ("stall", "", {**ASK, "diagnosis": "x"}, "diagnosis"),
    ):
        with pytest.raises(LetterError) as error:
            make_letter(kind=kind, recipient=recipient, texts=texts, **words)
        assert error.value.field == field


@pytest.mark.parametrize("role", [Role.ASSISTANT, None])
def test_who_does_no_clinical_work_writes_no_letter(clinic, anna, role) -> None:
    case = make_case(clinic, clinician=anna)
    by = make_user(role=role, clinic=clinic if role else None)
    for work in (draft_letter, preview_letter, make_letter):
        more = {} if work is draft_letter else {"recipient": "", "texts": ASK}
        with pytest.raises(Denied):
            work(episode=case, kind="stall", by=by, now=NOW, **more)
    assert not models.Letter.objects.exists()


def test_hostile_text_is_text(clinic, anna) -> None:
    nasty = "\n".join([*MARKUP[:4], *TEMPLATES[:3], FORMULAS[0]])
    patient = make_patient(clinic, given_name=MARKUP[0], family_name=TEMPLATES[0])
    letter = make(make_case(patient=patient, clinician=anna), anna, findings=nasty, question=MARKUP[1])
    page = letter_pdf._page(from_json(letter.content), 10)
    tags = {element.etree_element.tag for element in page.wrapper_element.iter_subtree()}
    plain = {"html", "head", "meta", "title", "style", "body", "div", "p", "strong", "br", "h1", "h2"}
    assert tags <= plain
    assert letter_as_pdf(letter).startswith(b"%PDF-")


@pytest.mark.parametrize("url", ["https://evil.example/x.png", "file:///etc/passwd", "data:text/css,x", "x"])
def test_nothing_is_fetched(url) -> None:
    with pytest.raises(FatalURLFetchingError):
        letter_pdf.OnlyThePicture("<svg/>").fetch(url)
