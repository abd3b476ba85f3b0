"""The OpenAPI document and its page: whole, valid, and something to learn from."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.core.management import call_command

from tests.api import Device

OPERATIONS = {
    ("get", "auth/consent"),
    ("post", "auth/code"),
    ("post", "auth/invitation"),
    ("post", "auth/logout"),
    ("post", "auth/logout-all"),
    ("post", "auth/token"),
    ("get", "me"),
    ("put", "me/answers/{client_id}"),
    ("get", "me/check-ins"),
    ("get", "me/consent"),
    ("put", "me/consent"),
    ("get", "me/export"),
    ("get", "me/program"),
    ("get", "me/progress"),
    ("get", "me/access-log"),
    ("delete", "me/relapse-watch"),
    ("put", "me/runs/{client_id}"),
    ("put", "me/runs/{client_id}/next-morning"),
    ("put", "me/sessions/{client_id}"),
    ("put", "me/sessions/{client_id}/next-morning"),
}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """As the build makes it: a warning fails. Made once for the module, which only reads it."""
    file = tmp_path_factory.mktemp("schema") / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(file))
    document: dict[str, Any] = yaml.safe_load(file.read_text())
    return document


def operations(schema: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path.removeprefix("/api/v1/")): operation
        for path, item in schema["paths"].items()
        for method, operation in item.items()
    }


def of_staff(schema: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """What a member's tools may call: one tag a resource, the same as its address begins with."""
    return {key: found for key, found in operations(schema).items() if key not in OPERATIONS}


def of_patients(schema: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {key: found for key, found in operations(schema).items() if key in OPERATIONS}


def test_every_operation_is_described(schema: dict[str, Any]) -> None:
    assert set(of_patients(schema)) == OPERATIONS
    assert all(operation["summary"] for operation in operations(schema).values())


def test_the_staff_s_operations_have_a_token_and_the_tag_of_their_resource(schema: dict[str, Any]) -> None:
    found = of_staff(schema)
    assert {tag for operation in found.values() for tag in operation["tags"]} <= {
        tag["name"] for tag in schema["tags"]
    }
    for (method, path), operation in found.items():
        assert operation["tags"] == [path.partition("/")[0]], path
        assert operation["security"] == [{"staffToken": []}], path
        assert {"401", "403", "429"} <= set(operation["responses"]), path
        assert "{" not in path or "404" in operation["responses"], path
        versioned = method in ("put", "patch") or path.endswith("/sign")
        assert versioned == ({"412", "428"} <= set(operation["responses"])), path


def test_every_operation_says_which_problems_it_answers_with(schema: dict[str, Any]) -> None:
    for (method, path), operation in of_patients(schema).items():
        answers = operation["responses"]
        assert ("401" in answers) == (not path.startswith("auth/") or "logout" in path), path
        assert method != "put" or {"400", "409", "413", "415"} <= set(answers), path
        assert "{client_id}" not in path or "404" in answers, path


def test_every_problem_is_one_of_ours(schema: dict[str, Any]) -> None:
    for (_, path), operation in operations(schema).items():
        for code, answer in operation["responses"].items():
            if int(code) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (path, code)


def test_a_login_asks_for_no_token_and_the_record_does(schema: dict[str, Any]) -> None:
    for (_, path), operation in of_patients(schema).items():
        open_to_all = path in {"auth/code", "auth/consent", "auth/invitation", "auth/token"}
        assert operation["security"] == ([{}] if open_to_all else [{"deviceToken": []}]), path


def test_pain_is_a_number_from_0_to_10_in_the_schema(schema: dict[str, Any]) -> None:
    worst = schema["components"]["schemas"]["AnswerInput"]["properties"]["worst_left"]
    assert (worst["type"], worst["minimum"], worst["maximum"]) == ("number", 0, 10)


def test_a_refused_report_may_hold_advice(schema: dict[str, Any]) -> None:
    for kind in ("answers", "sessions", "runs"):
        answers = operations(schema)["put", f"me/{kind}/{{client_id}}"]["responses"]
        for code in ("400", "404", "409"):
            reference = answers[code]["content"]["application/problem+json"]["schema"]["$ref"]
            problem = schema["components"]["schemas"][reference.rpartition("/")[2]]
            assert "advice" in problem["properties"], (kind, code)
            assert "advice" not in problem["required"]


def test_the_schema_and_its_page_are_open(db: None) -> None:
    assert Device().get("schema/").status_code == 200
    page = Device().get("docs/")
    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert Device().get("schema/", Authorization="Token nonsense").status_code == 200
