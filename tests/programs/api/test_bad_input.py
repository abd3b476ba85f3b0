"""Whatever a client sends: a problem that names the field, nothing stored, never a server error."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest

from programs.models import Answer, Program, Run, Session
from tests.api import Device, fields_of, problem_of
from tests.factories import NOW

AT = (NOW - timedelta(hours=1)).isoformat()
GOOD = {
    "answers": {"occurred_at": AT, "worst_left": 3},
    "sessions": {"occurred_at": AT, "pain_during": 3, "exercises": [{"dose": 1, "sets_done": 3}]},
    "runs": {"occurred_at": AT, "pain_during": 3, "distance_km": 5},
}
HUGE = "1" + "0" * 400
ENDLESS = "9" * 5000

PAIN = [
    "11",
    "10.1",
    "-0.1",
    "3.25",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "1e-400",
    HUGE,
    ENDLESS,
    "true",
    "[]",
    "{}",
    '"x"',
]
PAIN += ['"NaN"', '"sNaN"', '"' + "9" * 2000 + '"', '"\\u0000"', '"\\ud800"']
INSTANTS = [
    '"9999-12-31T23:59:59Z"',
    '"9999-12-31T23:59:59-12:00"',
    '"0001-01-01T00:00:00Z"',
    '"0001-01-01T00:00:00+14:00"',
]
INSTANTS += [
    '"2026-03-02T08:00:00"',
    '"2026-03-02"',
    '"yesterday"',
    '""',
    "5",
    "null",
    "true",
    "NaN",
    "[]",
    "{}",
    '"2026-02-30T08:00:00Z"',
]
CODES = [
    '["nope"]',
    '["hip_under_18"]',
    '["\\ud800"]',
    '"knee_locks"',
    "[[]]",
    "[{}]",
    "[null]",
    '{"a": 1}',
    "5",
    "null",
]
CODES += [json.dumps(["knee_locks"] * 51)]
NOTES = ['"\\u0000"', '"a\\ud800"', json.dumps("x" * 2001), "[]", "{}", "null", "true", "NaN"]
IDS = ["0", "-1", str(2**63), HUGE, "1.5", '"abc"', "true", "[]", "{}", "NaN", '"\\ud800"']
UUIDS = ['"x"', "-1", HUGE, "true", "[]", "{}", '"\\u0000"', "NaN"]
FLAGS = ["null", '"maybe"', "2", "[]", "{}", "NaN"]
DOSES = ["[]", "null", "{}", "5", "[5]", "[null]", '[{"dose": 1}]', '[{"sets_done": 3}]', "[[]]"]
DOSES += [f'[{{"dose": {value}, "sets_done": 3}}]' for value in IDS]
DOSES += [
    f'[{{"dose": 1, "sets_done": {value}}}]' for value in ("0", "51", "1.5", "null", HUGE, "NaN", '"x"')
]
DOSES += [f'[{{"dose": 1, "sets_done": 3, "load_kg": {value}}}]' for value in ("-1", "500.1", "1.25", "NaN")]
DOSES += ['[{"dose": 1, "sets_done": 3, "colour": "red"}]', json.dumps([{"dose": 1, "sets_done": 3}] * 51)]
DISTANCES = ["-0.01", "300.01", "5.123", "null", "NaN", "1e9999999999999999999", HUGE, ENDLESS, '"far"', "[]"]

TABLE = [
    *(("answers", "worst_left", value) for value in PAIN),
    *(("answers", "usual_right", value) for value in PAIN),
    *(("sessions", "pain_during", value) for value in [*PAIN, "null"]),
    *(("runs", "pain_before", value) for value in PAIN),
    *(("runs", "pain_next_morning", value) for value in PAIN),
    *((kind, "occurred_at", value) for kind in GOOD for value in INSTANTS),
    *((kind, "red_flags", value) for kind in GOOD for value in CODES),
    *(("answers", "locations_left", value) for value in CODES),
    *((kind, "note", value) for kind in GOOD for value in NOTES),
    *(("answers", "request", value) for value in IDS),
    *((kind, "corrects", value) for kind in GOOD for value in UUIDS),
    *(("answers", "limping", value) for value in FLAGS),
    *(("sessions", "pain_rising", value) for value in FLAGS),
    *(("sessions", "exercises", value) for value in DOSES),
    *(("runs", "distance_km", value) for value in DISTANCES),
    *(("runs", "minutes", value) for value in ("-1", "2001", "1.5", "NaN", HUGE, '"x"')),
]


def nothing_stored() -> bool:
    return not any(kind.objects.exists() for kind in (Answer, Session, Run))


def raw(kind: str, **replaced: str) -> str:
    """The good body with raw JSON in place of some values."""
    members = {**{name: json.dumps(value) for name, value in GOOD[kind].items()}, **replaced}
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in members.items()) + "}"


def test_the_good_bodies_are_good(device: Device, program: Program) -> None:
    dose = program.stages.first().doses.first()
    good = {**GOOD, "sessions": {**GOOD["sessions"], "exercises": [{"dose": dose.pk, "sets_done": 3}]}}
    for kind, body in good.items():
        assert device.put(f"me/{kind}/{uuid4()}", body).status_code == 201, kind


def test_each_bad_value_is_refused_naming_its_field(device: Device, program: Program) -> None:
    own_dose = f'"dose": {program.stages.first().doses.first().pk}'
    for kind, name, value in TABLE:
        body = raw(kind, **{name: value}).replace('"dose": 1', own_dose)
        response = device.put(f"me/{kind}/{uuid4()}", body)
        assert response.status_code == 400, (kind, name, value[:40], response.content[:200])
        blamed = fields_of(response)
        assert blamed
        assert all(field and field.split(".")[0] == name for field in blamed), (name, value[:40], blamed)
    assert nothing_stored()


NO_OBJECTS: list[str | bytes] = [
    *("", "[]", "null", '"x"', "3", "NaN", "{", "{}{}", "'x'", "\x00", b"\xff\xfe", b"\xef\xbb\xbf{}"),
    *("[" * 60000, '{"note":' * 6000, "[" * 30000 + "]" * 30000, '{"a":' * 11 + "1" + "}" * 11),
]


def test_what_is_no_json_object_is_refused(device: Device) -> None:
    for kind in GOOD:
        for body in NO_OBJECTS:
            response = device.put(f"me/{kind}/{uuid4()}", body)
            assert response.status_code == 400, (kind, body[:40])
            problem_of(response)
    assert nothing_stored()


@pytest.mark.parametrize("body", ["[]", '"x"', "3", "NaN"])
def test_another_value_than_an_object_is_told_in_words_of_json(device: Device, body: str) -> None:
    response = device.put(f"me/answers/{uuid4()}", body)
    assert problem_of(response)["detail"] == "Expected an object."


@pytest.mark.parametrize("kind", GOOD)
def test_an_unknown_field_is_named(device: Device, kind: str) -> None:
    for name in ("patient", "worst_lft", "id", "clinic", "body_hash", "", "\ud800", "\x00", "x" * 9999):
        response = device.put(f"me/{kind}/{uuid4()}", {**GOOD[kind], name: 1})
        assert response.status_code == 400, name
        assert [error["code"] for error in problem_of(response)["errors"]][-1] == "unknown", name
    assert nothing_stored()


def test_a_field_given_twice_is_named_wherever_it_stands(device: Device, program: Program) -> None:
    dose = program.stages.first().doses.first().pk
    exercise = f'{{"dose": {dose}, "sets_done": 3, "sets_done": 2}}'
    for kind, body, field in (
        ("answers", raw("answers").replace("{", '{"worst_left": 9, '), "worst_left"),
        ("runs", raw("runs").replace("{", '{"note": "a", "note": "a", '), "note"),
        ("answers", raw("answers").replace("{", '{"no": 1, "no": 1, '), "no"),
        ("sessions", raw("sessions", exercises=f"[{exercise}]"), "exercises.0.sets_done"),
    ):
        response = device.put(f"me/{kind}/{uuid4()}", body)
        assert response.status_code == 400, body
        assert set(fields_of(response)) == {field}, body
    assert nothing_stored()


def test_a_query_that_an_address_does_not_know_is_named(device: Device) -> None:
    for path, query, field in (
        ("me", "clinic=1", "clinic"),
        ("me/program", "x=%00", "x"),
        ("me/progress", "page=2", "page"),
        ("me/check-ins", "State=due", "State"),
        ("me/check-ins", "state=due&state=all", "state"),
        ("me/check-ins", "state=%00", "state"),
        ("me/check-ins", "state=%ff%fe", "state"),
    ):
        response = device.get(f"{path}?{query}")
        assert (response.status_code, set(fields_of(response))) == (400, {field}), query


def test_a_red_flag_is_answered_with_advice_whatever_else_is_wrong_with_the_request(device: Device) -> None:
    body = raw("answers", red_flags='["knee_locks"]').replace("{", '{"worst_left": 9, ')
    for path, sent in (("?x=1", body.replace('"worst_left": 9, ', "")), ("", body)):
        assert problem_of(device.put(f"me/answers/{uuid4()}{path}", sent))["advice"]["words"], path
    assert device.put(f"me/answers/{uuid4()}?x=1", "{").status_code == 400


def test_nesting_beyond_any_body_is_refused_before_it_is_read(device: Device) -> None:
    for levels, code in ((9, "invalid"), (10, "parse_error")):
        response = device.put(f"me/answers/{uuid4()}", raw("answers", note="[" * levels + "]" * levels))
        assert response.status_code == 400
        assert problem_of(response)["errors"][0]["code"] == code, levels


def test_every_field_at_fault_is_named_at_once(device: Device) -> None:
    response = device.put(f"me/answers/{uuid4()}", {"worst_left": 11, "colour": "red"})
    assert sorted(map(str, fields_of(response))) == ["colour", "occurred_at", "worst_left"]


def test_a_body_of_a_megabyte_is_too_large(device: Device) -> None:
    response = device.put(f"me/answers/{uuid4()}", {**GOOD["answers"], "note": "x" * 2**20})
    assert response.status_code == 413
    problem_of(response)
    assert nothing_stored()


def test_the_limit_is_64_kb(device: Device) -> None:
    body = json.dumps(GOOD["answers"])
    fits, exceeds = (body + " " * (64 * 1024 - len(body) + more) for more in (0, 1))
    assert device.put(f"me/answers/{uuid4()}", exceeds).status_code == 413
    assert device.put(f"me/answers/{uuid4()}", fits).status_code == 201


class BrokenOff(BytesIO):
    """What gunicorn's body does where a chunk is cut short."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError("Invalid chunk size")


def put_in_chunks(device: Device, stream: BytesIO, **server: Any) -> Any:
    """As gunicorn hands over a body without Content-Length."""
    environ = {"wsgi.input": stream, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    marked = {"CONTENT_TYPE": "application/json", "wsgi.input_terminated": True, **server}
    return device.put(f"me/answers/{uuid4()}", b"", **environ, **marked)


def test_a_body_in_chunks_is_read_up_to_the_same_limit(device: Device) -> None:
    body = json.dumps(GOOD["answers"]).encode()
    exceeds = BytesIO(body + b" " * 2**20)
    assert put_in_chunks(device, exceeds).status_code == 413
    assert exceeds.tell() == 64 * 1024 + 1  # no more of it was read
    assert nothing_stored()
    assert put_in_chunks(device, BytesIO(body.ljust(64 * 1024))).status_code == 201


@pytest.mark.parametrize("stream", [BytesIO(b""), BytesIO(b'{"occurred_at": '), BrokenOff()])
def test_chunks_that_are_no_report_are_refused(device: Device, stream: BytesIO) -> None:
    response = put_in_chunks(device, stream)
    assert response.status_code == 400
    problem_of(response)
    assert nothing_stored()


def test_chunks_are_not_read_where_the_server_marks_no_end(device: Device) -> None:
    """Reading on would wait for more on the connection, for ever."""
    stream = BytesIO(json.dumps(GOOD["answers"]).encode())
    response = put_in_chunks(device, stream, **{"wsgi.input_terminated": False})
    assert (response.status_code, stream.tell()) == (400, 0)
    assert nothing_stored()


def test_another_content_type_is_refused(device: Device) -> None:
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "nonsense",
        "a/b; c",
    ):
        response = device.put(f"me/answers/{uuid4()}", GOOD["answers"], content_type=content_type)
        assert response.status_code == 415, content_type
        problem_of(response)
    assert nothing_stored()


def test_json_is_utf_8_whatever_the_header_says(device: Device) -> None:
    body = {**GOOD["answers"], "note": "é"}
    for charset in ("utf-16", "bz2_codec", "nonsense", "latin-1"):
        content_type = f"application/json; charset={charset}"
        assert device.put(f"me/answers/{uuid4()}", body, content_type=content_type).status_code == 201
    assert set(Answer.objects.values_list("note", flat=True)) == {"é"}


@pytest.mark.parametrize(
    "path",
    [
        "me/answers/{}",
        "me/sessions/{}",
        "me/runs/{}",
        "me/sessions/{}/next-morning",
        "me/runs/{}/next-morning",
    ],
)
def test_a_malformed_uuid_is_named(device: Device, path: str) -> None:
    for wrong in (
        "x",
        "123",
        "%00",
        "%ff",
        "a" * 500,
        "00000000-0000-0000-0000-00000000000g",
        "%F0%9F%A6%B5",
    ):
        response = device.put(path.format(wrong), {"pain_next_morning": 1})
        assert (response.status_code, fields_of(response)) == (400, ["client_id"]), wrong


def test_a_bad_next_morning_is_named(device: Device) -> None:
    for kind in ("runs", "sessions"):
        for value in (*PAIN, "null", "[]"):
            response = device.put(f"me/{kind}/{uuid4()}/next-morning", f'{{"pain_next_morning": {value}}}')
            assert (response.status_code, fields_of(response)) == (400, ["pain_next_morning"]), value


BAD_LOGINS: list[tuple[str, dict[str, Any], str]] = [
    ("auth/invitation", {"device_name": "x"}, "token"),
    ("auth/invitation", {"token": "x" * 201, "device_name": "x"}, "token"),
    ("auth/invitation", {"token": "\x00", "device_name": "x"}, "token"),
    ("auth/invitation", {"token": "\ud800", "device_name": "x"}, "token"),
    ("auth/invitation", {"token": "x", "device_name": "x" * 101}, "device_name"),
    ("auth/invitation", {"token": "x", "device_name": "x", "patient": 1}, "patient"),
    ("auth/code", {"email": "nobody"}, "email"),
    ("auth/code", {"email": ["a@example.org"]}, "email"),
    ("auth/code", {"email": "a\x00@example.org"}, "email"),
    ("auth/code", {"email": "\ud800@example.org"}, "email"),
    ("auth/code", {}, "email"),
    ("auth/token", {"email": "a@example.org", "code": "1" * 21, "device_name": "x"}, "code"),
    ("auth/token", {"email": "a@example.org", "code": ["1"], "device_name": "x"}, "code"),
    ("auth/token", {"email": "a@example.org", "code": "\x00", "device_name": "x"}, "code"),
    ("auth/token", {"email": "a@example.org", "code": "١٢٣٤٥٦", "device_name": "x"}, "code"),
]


def test_a_bad_login_names_its_field() -> None:
    for path, body, field in BAD_LOGINS:
        response = Device().post(path, body)
        assert (response.status_code, set(fields_of(response))) == (400, {field}), body


def test_a_login_that_is_no_object_is_refused() -> None:
    for path in ("auth/invitation", "auth/code", "auth/token"):
        for body in NO_OBJECTS:
            response = Device().post(path, body)
            assert response.status_code == 400, (path, body[:40])
            problem_of(response)


def test_an_unknown_address_is_a_problem_too(device: Device) -> None:
    for path in (
        "me/",
        "me/answers",
        "me/answers/",
        "nothing",
        "auth",
        "",
        "me/answers/a/b",
        "%00",
        "schema",
    ):
        response = device.get(path)
        assert response.status_code == 404, path
        problem_of(response)


def test_another_method_is_not_allowed(device: Device) -> None:
    for method, path in (
        *(("POST", "me"), ("DELETE", "me"), ("GET", f"me/answers/{uuid4()}")),
        *(("PATCH", f"me/runs/{uuid4()}"), ("GET", "auth/logout")),
    ):
        response = device._send(method, path, {})
        assert response.status_code == 405, (method, path)
        problem_of(response)


def test_only_json_is_offered(device: Device) -> None:
    response = device.get("me", Accept="text/html")
    assert response.status_code == 406
    problem_of(response)
