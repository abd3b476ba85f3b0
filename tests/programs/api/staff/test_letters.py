"""Letters to a colleague by the API: proposed from the record, edited, looked at, made, and never changed."""

from __future__ import annotations

import pytest

from clinic.models import Clinic, User
from patients.models import Episode
from programs.models import Letter, Program, Review
from programs.rules.letters import PARTS, RECIPIENT_MOST
from programs.services.letters import make_letter
from tests.api import Tool, bare, fields_of
from tests.enforced import enforced
from tests.factories import NOW, TODAY
from tests.programs.api.staff.test_course import red_flag
from tests.programs.api.staff.test_queries import DOOR, asked

ASK = {"kind": "referral", "question": "Is imaging due?"}


def make(case: Episode, by: User) -> Letter:
    texts = {"question": "Is imaging due?", "findings": "Sore on stairs."}
    return make_letter(episode=case, kind="stall", recipient="Dr. Visser", texts=texts, by=by, now=NOW)


def test_what_is_proposed_can_be_edited_looked_at_and_made(tool: Tool, case: Episode, physio: User) -> None:
    with enforced():
        words = tool.get(f"cases/{case.pk}/letters/proposed?kind=referral").json()
    assert (words["kind"], words["flag"]) == ("referral", "")
    assert "Patellofemoral pain" in words["findings"]
    assert set(words) == {"kind", "flag", *(part.name for part in PARTS)}

    words |= {"recipient": "Dr. Visser\nLeiden", "findings": "Sore on stairs."}
    with enforced():
        seen = tool.post(f"cases/{case.pk}/letters/preview", words)
        assert (seen.status_code, seen["Content-Type"]) == (200, "application/pdf")
        assert seen.content.startswith(b"%PDF-")
        assert not Letter.objects.exists()
        made = tool.post(f"cases/{case.pk}/letters", words)
    assert made.status_code == 201, made.content
    letter = Letter.objects.get()
    assert (letter.episode, letter.made_by, letter.made_at) == (case, physio, NOW)
    content = made.json()["content"]
    assert content["recipient"] == "Dr. Visser\nLeiden"
    assert content["signed"] == f"{physio}, {case.clinic.name}"
    assert {"heading": "Findings", "text": "Sore on stairs."} in content["sections"]
    assert content["sections"][0] == {"heading": "My question to you", "text": words["question"]}


@pytest.mark.parametrize(
    ("state", "kind"), [("stalled", "stall"), ("stalling", "stall"), ("too_early", "referral")]
)
def test_a_stall_is_summed_up_first_only_where_there_is_one(
    tool: Tool, case: Episode, program: Program, state: str, kind: str
) -> None:
    Review.objects.create(
        clinic=case.clinic,
        episode=case,
        program=program,
        day=TODAY,
        week=7,
        state=state,
        verdict={},
        thresholds={},
        reviewed_at=NOW,
    )
    assert tool.get(f"cases/{case.pk}/letters/proposed").json()["kind"] == kind


@pytest.mark.usefixtures("no_pango")
def test_without_the_typesetter_the_answer_is_503_and_no_letter_is_kept(tool: Tool, case: Episode) -> None:
    for address in (f"cases/{case.pk}/letters", f"cases/{case.pk}/letters/preview"):
        refused = tool.post(address, ASK)
        assert (refused.status_code, refused["Content-Type"]) == (503, "application/problem+json")
        assert "the library Pango is missing" in refused.json()["detail"]
    assert not Letter.objects.exists()


def test_a_letter_is_listed_read_and_drawn_as_it_was_made(tool: Tool, case: Episode, physio: User) -> None:
    letter = make(case, physio)
    with enforced():
        [row] = tool.get(f"cases/{case.pk}/letters").json()["results"]
        whole = tool.get(f"letters/{letter.pk}")
        pdf = tool.get(f"letters/{letter.pk}/pdf")
        same = tool.get(f"letters/{letter.pk}", **{"If-None-Match": whole["ETag"]})
    assert row == {name: value for name, value in whole.json().items() if name != "content"}
    assert (row["id"], row["case"], row["recipient"]) == (letter.pk, case.pk, "Dr. Visser")
    assert whole.json()["content"]["title"] == "Summary of a rehabilitation that has stalled"
    assert pdf.content.startswith(b"%PDF-")
    assert f"letter-{letter.pk}.pdf" in pdf["Content-Disposition"]
    assert same.status_code == 304
    assert tool.patch(f"letters/{letter.pk}", {}).status_code == 405


def test_a_list_takes_as_many_statements_for_one_letter_as_for_three(
    tool: Tool, case: Episode, physio: User
) -> None:
    found = []
    for _ in range(3):
        make(case, physio)
        found.append(asked(tool, f"cases/{case.pk}/letters"))
    assert (found[0], found[2]) == (DOOR + 4, DOOR + 4)


def test_a_retry_makes_no_second_letter(tool: Tool, case: Episode) -> None:
    key = {"Idempotency-Key": "letter-1"}
    first = tool.post(f"cases/{case.pk}/letters", ASK, headers=key)
    again = tool.post(f"cases/{case.pk}/letters", ASK, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert Letter.objects.count() == 1


def test_while_a_red_flag_is_open_each_letter_is_about_it_first(tool: Tool, case: Episode) -> None:
    red_flag(case, "Fever")
    path = f"cases/{case.pk}/letters"
    proposed = tool.get(f"{path}/proposed").json()
    assert (proposed["kind"], proposed["flag"][:5]) == ("red_flag", "Fever")
    assert tool.get(f"{path}/proposed?kind=referral").json()["flag"] == proposed["flag"]
    refused = tool.post(path, ASK)
    assert (refused.status_code, fields_of(refused)) == (400, ["flag"])
    assert not Letter.objects.exists()
    made = tool.post(path, {**ASK, "flag": proposed["flag"]}).json()
    assert made["content"]["flag"] == proposed["flag"]


def test_without_one_and_without_a_review_it_refers(tool: Tool, case: Episode) -> None:
    path = f"cases/{case.pk}/letters/proposed"
    assert tool.get(path).json()["kind"] == "referral"
    for kind in ("red_flag", "love"):
        refused = tool.get(f"{path}?kind={kind}")
        assert (refused.status_code, fields_of(refused)) == (400, ["kind"]), kind


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"question": " "}, "question"),
        ({"kind": "love"}, "kind"),
        ({"kind": "red_flag", "flag": "Fever"}, "kind"),
        ({"flag": "Fever"}, "flag"),
        ({"findings": "x" * 801}, "findings"),
        ({"findings": "\n".join("abcdefghi")}, "findings"),
        ({"recipient": "x" * (RECIPIENT_MOST + 1)}, "recipient"),
        ({"recipient": "\n".join("abcdef")}, "recipient"),
        ({"postscript": "Regards"}, "postscript"),
    ],
)
def test_what_makes_no_letter_is_refused_by_the_part(
    tool: Tool, case: Episode, wrong: dict[str, str], field: str
) -> None:
    for path in ("letters", "letters/preview"):
        refused = tool.post(f"cases/{case.pk}/{path}", ASK | wrong)
        assert (refused.status_code, fields_of(refused)) == (400, [field]), path
    assert not Letter.objects.exists()


def test_a_stranger_s_letters_are_not_there_and_none_is_an_assistant_s(
    tool: Tool, assistant: Tool, case: Episode, foreign: Episode, physio: User
) -> None:
    own, theirs = make(case, physio), make(foreign, foreign.clinician)
    with enforced():
        for below in ("", "/pdf"):
            found, none = tool.get(f"letters/{theirs.pk}{below}"), tool.get(f"letters/0{below}")
            assert (found.status_code, bare(found)) == (404, bare(none))
            assert assistant.get(f"letters/{own.pk}{below}").status_code == 403
        for below in ("letters", "letters/proposed"):
            assert tool.get(f"cases/{foreign.pk}/{below}").status_code == 404
            assert assistant.get(f"cases/{case.pk}/{below}").status_code == 403
        for below in ("letters", "letters/preview"):
            assert tool.post(f"cases/{foreign.pk}/{below}", ASK).status_code == 404
            assert assistant.post(f"cases/{case.pk}/{below}", ASK).status_code == 403
    assert set(Letter.objects.all()) == {own, theirs}


def test_a_token_that_only_reads_looks_at_a_letter_and_makes_none(
    own: Clinic, physio: User, case: Episode
) -> None:
    tool = Tool(physio, writes=False)
    assert tool.get(f"cases/{case.pk}/letters/proposed").status_code == 200
    assert tool.post(f"cases/{case.pk}/letters/preview", ASK).status_code == 200
    assert tool.post(f"cases/{case.pk}/letters", ASK).status_code == 403
    assert not Letter.objects.exists()
