"""What holds for every resource: versions, pages, retries, refusals that change nothing."""

from __future__ import annotations

from uuid import uuid4

import pytest

from clinic.models import ApiCreation, AuditEntry, Clinic, OutboxMessage, User
from patients.models import Episode, Patient
from programs.models import Alert, ContactLog, Program
from tests.api import Tool, bare, fields_of, problem_of
from tests.enforced import enforced
from tests.factories import NOW, TODAY, make_case, make_clinic, make_patient, make_user

NEW = {"given_name": "Robin", "timezone": "Europe/Amsterdam"}


def edits(case: Episode, program: Program) -> dict[str, dict[str, object]]:
    """Each address that takes an edit, with one."""
    return {
        f"patients/{case.patient_id}": {"phone": "+31 20 555 0199"},
        f"cases/{case.pk}": {"both_knees": True},
        f"programs/{program.pk}": {"name": "Another name"},
    }


def test_an_edit_names_its_version_and_of_two_clients_the_second_is_told(
    tool: Tool, physio: User, case: Episode, program: Program
) -> None:
    second = Tool(physio)
    for path, change in edits(case, program).items():
        assert tool.patch(path, change).status_code == 428, path
        read = second.etag(path)
        done = tool.patch(path, change, headers=tool.etag(path))
        assert done.status_code == 200, done.content
        name, value = next(iter(change.items()))
        assert done.json()[name] == value
        late = second.patch(path, change, headers=read)
        assert (late.status_code, late["ETag"]) == (412, done["ETag"]), path
        assert second.patch(path, change, headers={"If-Match": late["ETag"]}).status_code == 200
        assert tool.get(path, **{"If-None-Match": done["ETag"]}).status_code == 304
        assert tool.get(path, **{"If-None-Match": '"another"'}).status_code == 200


def test_a_change_of_a_row_below_is_another_version(tool: Tool, program: Program) -> None:
    before = tool.etag(f"programs/{program.pk}")
    dose = program.stages.first().doses.first()
    dose.sets = 5
    dose.save()
    refused = tool.patch(f"programs/{program.pk}", {"name": "Late"}, headers=before)
    assert refused.status_code == 412
    assert Program.objects.get().name == program.name


def test_a_list_of_versions_and_a_star_are_understood(tool: Tool, case: Episode) -> None:
    path = f"cases/{case.pk}"
    present = tool.etag(path)["If-Match"]
    both = {"If-Match": f'"old", {present}'}
    assert tool.patch(path, {"both_knees": False}, headers=both).status_code == 200
    assert tool.patch(path, {"both_knees": False}, headers={"If-Match": "*"}).status_code == 200


def test_pages_hold_each_row_once_while_others_are_added(tool: Tool, own: Clinic) -> None:
    made = {make_patient(own).pk for _ in range(5)}
    seen, path = [], "patients?limit=2"
    while path:
        page = tool.get(path).json()
        seen += [row["id"] for row in page["results"]]
        make_patient(own)  # between two pages
        path = page["next"].split("/api/v1/")[1] if page["next"] else ""
    assert len(seen) == len(set(seen))
    assert set(seen) == {str(pk) for pk in made}


@pytest.mark.parametrize(
    "wrong", ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=0", "sort=name", "limit=1&limit=2"]
)
def test_a_query_that_is_not_understood_is_refused_by_name(tool: Tool, wrong: str) -> None:
    response = tool.get(f"cases?{wrong}")
    assert (response.status_code, fields_of(response)) == (400, [wrong.partition("=")[0]])


def test_a_retry_creates_no_twin_and_another_body_is_refused(tool: Tool) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first, again = (tool.post("patients", NEW, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = tool.post("patients", {**NEW, "given_name": "Kim"}, headers=key)
    assert (other.status_code, fields_of(other)) == (409, ["Idempotency-Key"])
    assert tool.post("patients", NEW, headers={"Idempotency-Key": str(uuid4())}).status_code == 201
    assert Patient.objects.count() == 2


def test_a_key_is_one_s_own_and_a_refused_request_does_not_use_it_up(tool: Tool, assistant: Tool) -> None:
    key = {"Idempotency-Key": "the-same"}
    assert tool.post("patients", {"given_name": "x"}, headers=key).status_code == 400
    assert not ApiCreation.objects.exists()
    assert [who.post("patients", NEW, headers=key).status_code for who in (tool, assistant)] == [201, 201]


@pytest.mark.parametrize("key", ["", "x" * 65, "\u00e9"])
def test_a_key_that_is_none_is_refused(tool: Tool, key: str) -> None:
    response = tool.post("patients", NEW, headers={"Idempotency-Key": key})
    assert (response.status_code, fields_of(response)) == (400, ["Idempotency-Key"])


def test_what_a_failed_request_wrote_is_undone(tool: Tool, case: Episode) -> None:
    """The first of two services was done when the second refused."""
    first_case = {"diagnosis": "pfp", "index_side": "left", "opened_on": "2999-01-01"}
    response = tool.post("patients", {**NEW, "case": first_case})
    assert (response.status_code, fields_of(response)) == (400, ["opened_on"])
    assert Patient.objects.get() == case.patient


def test_an_unknown_field_is_refused_by_name(tool: Tool) -> None:
    response = tool.post("patients", {**NEW, "given_nam": "Robin"})
    assert (response.status_code, fields_of(response)) == (400, ["given_nam"])
    assert not Patient.objects.exists()


def test_a_foreign_row_answers_as_one_that_does_not_exist(tool: Tool, foreign: Episode) -> None:
    with enforced():
        for there, nowhere in (
            (f"patients/{foreign.patient_id}", f"patients/{uuid4()}"),
            (f"cases/{foreign.pk}", "cases/999999"),
            (f"cases/{foreign.pk}", "cases/nothing"),
            (f"cases/{foreign.pk}", f"cases/{'9' * 40}"),
            (f"cases/{foreign.pk}", "cases/%00"),
        ):
            assert bare(tool.get(there)) == bare(tool.get(nowhere))
            assert tool.get(there).status_code == 404
        named = tool.post(
            "cases", {"patient": str(foreign.patient_id), "diagnosis": "pfp", "index_side": "left"}
        )
        none = tool.post("cases", {"patient": str(uuid4()), "diagnosis": "pfp", "index_side": "left"})
    assert (named.status_code, bare(named)) == (400, bare(none))


def test_under_own_cases_only_a_colleague_s_case_is_not_there(physio: User) -> None:
    clinic = make_clinic(own_cases_only=True)
    me = make_user(clinic=clinic)
    tool, mine = Tool(me), make_case(clinic, clinician=me)
    theirs = make_case(clinic)
    shared = make_case(clinic, patient=mine.patient)
    assert [row["id"] for row in tool.get("cases").json()["results"]] == [mine.pk]
    assert tool.get(f"patients/{theirs.patient_id}").status_code == 404
    assert [row["id"] for row in tool.get(f"patients/{mine.patient_id}").json()["cases"]] == [mine.pk]
    assert tool.get(f"cases/{shared.pk}").status_code == 404


def test_in_a_bulk_each_row_has_its_result_and_one_refused_stops_no_other(
    tool: Tool, own: Clinic, foreign: Episode
) -> None:
    with_mail, without = make_patient(own), make_patient(own, email="")
    body = {"patients": [str(p) for p in (without.pk, foreign.patient_id, with_mail.pk)]}
    results = tool.post("patients/invite", body).json()
    assert [(row["id"], row["done"]) for row in results] == list(
        zip(body["patients"], (False, False, True), strict=True)
    )
    assert results[0]["detail"] == "The patient needs an e-mail address to be invited."
    assert results[1]["detail"] == "Not found."
    assert OutboxMessage.objects.get(kind="invitation").to_email == with_mail.email


@pytest.mark.parametrize("size", [0, 201])
def test_a_bulk_of_none_or_too_many_is_refused(tool: Tool, size: int) -> None:
    response = tool.post("cases/reassign", {"cases": list(range(1, size + 1)), "clinician": 1})
    assert (response.status_code, fields_of(response)) == (400, ["cases"])


def test_what_is_clinical_is_null_for_an_assistant(assistant: Tool, case: Episode) -> None:
    ContactLog.objects.create(
        clinic=case.clinic, episode=case, kind="call", at=NOW, by=case.clinician, note="Sad"
    )
    shown = assistant.get(f"cases/{case.pk}").json()
    assert (shown["case_number"], shown["diagnosis"], shown["policy_overrides"]) == (
        case.case_number,
        None,
        None,
    )
    assert assistant.get(f"cases/{case.pk}/contacts").json()["results"][0]["note"] is None
    assert assistant.get("alerts").status_code == 403


def test_what_one_may_not_do_is_403_and_changes_nothing(
    assistant: Tool, case: Episode, program: Program
) -> None:
    alert = Alert.objects.create(
        clinic=case.clinic,
        episode=case,
        kind="stall",
        level="stalled",
        summary="Flat",
        opened_on=TODAY,
        opened_at=NOW,
    )
    before = AuditEntry.objects.changes().count()
    for path, body in {
        f"cases/{case.pk}/discharge": {"outcome": "improved"},
        f"programs/{program.pk}/pause": {"kind": "holiday"},
        f"alerts/{alert.pk}/resolve": {"outcome": "Settled"},
        f"patients/{case.patient_id}/erase": {"case_number": case.case_number, "reason": "Asked"},
    }.items():
        response = assistant.post(path, body)
        assert (response.status_code, problem_of(response)["title"]) == (403, "Forbidden"), path
    assert AuditEntry.objects.changes().count() == before
