"""The worked examples of docs/api.md, run one after the other, and their answers as it shows them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.api import Tool

DOCUMENT = Path(__file__).parents[4] / "docs" / "api.md"
EXAMPLE = re.compile(r"```sh\n(curl [^`]+)```\n(?:\n```(?:json|csv|text)\n[^`]*```\n)?", re.MULTILINE)

PEOPLE = {
    "clinician",
    "user",
    "member",
    "assigned_by",
    "assessed_by",
    "acknowledged_by",
    "by",
    "cover",
    "set_by",
    "moved_by",
    "made_by",
}
KEYS = {"case", "template", "exercise", "program", "alert"}
NUMBERED = {"id", *KEYS, *PEOPLE}
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")
SHOWN = 2
"""Rows of a list that the document shows."""


class Examples:
    """Runs them as a reader would: `$PATIENT` is the `id` that was answered last under `patients`, and
    `$ETAG` the last ETag.
    """

    def __init__(self, tool: Tool, **known: Any) -> None:
        self.tool = tool
        self.known = {name.upper(): str(value) for name, value in known.items()}
        self.numbers: dict[tuple[str, Any], Any] = {}

    def written(self, text: str) -> str:
        """The document, with the answers as they are now."""
        return EXAMPLE.sub(lambda found: self._example(found[1]), text)

    def _example(self, command: str) -> str:
        response = self._ask(command)
        assert response.status_code < 400, (command, response)
        return f"```sh\n{command}```\n\n{self._answer(response, command)}"

    def _ask(self, command: str) -> Any:
        words = [self._filled(word) for word in shlex.split(command.replace("\\\n", " "))]
        method, body, headers, path = "GET", "", dict(self.tool.headers), ""
        arguments = iter(words[1:])
        for word in arguments:
            if word == "-X":
                method = next(arguments)
            elif word == "--json":
                body, method = next(arguments), "POST" if method == "GET" else method
            elif word == "-H":
                name, _, value = next(arguments).partition(": ")
                if name != "Authorization":
                    headers[name] = value
            else:
                path = word.removeprefix("$API")
        response = self.tool.http.generic(method, f"/api/v1{path}", body, "application/json", headers=headers)
        self._learn(path, response)
        return response

    def _filled(self, word: str) -> str:
        return re.sub(r"\$([A-Z]+)", lambda found: self.known.get(found[1], found[0]), word)

    def _learn(self, path: str, response: Any) -> None:
        if "ETag" in response:
            self.known["ETAG"] = response["ETag"]
        if response["Content-Type"] == "application/json" and isinstance(answer := response.json(), dict):
            name = path.split("/")[-1].split("?")[0].removesuffix("s").upper()
            if "id" in answer and (path.count("/") == 1 or response.status_code == 201):
                self.known[name] = str(answer["id"])

    def _answer(self, response: Any, command: str) -> str:
        if not response.content:
            return f"```text\n{response.status_code} {response.reason_phrase}\n```\n"
        if response["Content-Type"] == "application/pdf":
            return "```text\n200 OK: a PDF\n```\n"
        if response["Content-Type"] == "text/csv":
            text = response.content.decode("utf-8-sig").strip().replace("\r\n", "\n")
            return f"```csv\n{self._steady(text)}\n```\n"
        shown = self._shown(response.json(), "", _resource(command))
        return f"```json\n{json.dumps(shown, indent=2, ensure_ascii=False)}\n```\n"

    def _shown(self, value: Any, name: str, resource: str) -> Any:
        """Ids and instants as they are in any run; of long lists the beginning."""
        if isinstance(value, dict):
            return {key: self._shown(below, key, resource) for key, below in value.items()}
        if isinstance(value, list):
            whose = resource if name == "results" else name or resource
            if resource.startswith("template") and whose != resource:  # its stages are no program's
                whose = f"template {whose}"
            rows = [self._shown(row, name, whose) for row in value[:SHOWN]]
            return [*rows, "..."] if len(value) > SHOWN else rows
        if name in NUMBERED and str(value).isdecimal():
            kind = "people" if name in PEOPLE else resource if name == "id" else f"{name}s"
            return type(value)(self._number(kind, int(value)))
        return self._steady(value) if isinstance(value, str) else value

    def _steady(self, text: str) -> str:
        text = UUID.sub(lambda found: f"01957e2a-7c00-7000-8000-{self._number('uuid', found[0]):012}", text)
        return INSTANT.sub(lambda found: _in_march(found[0]), text)

    def _number(self, kind: str, value: Any) -> Any:
        of_kind = sum(known == kind for known, _ in self.numbers)
        return self.numbers.setdefault((kind, value), of_kind + 1)


def _resource(command: str) -> str:
    """Whose ``id`` the answer tells: the contacts of a case have their own."""
    about = re.search(r"\$API/(\w+)(?:/\$\w+/(contacts|doses|letters)\b)?", command)
    return about[2] or about[1] if about else ""


def _in_march(instant: str) -> str:
    """What the database's own clock says is no part of the example."""
    return instant if instant.startswith("2026-0") else "2026-03-02T09:00:00Z"


def resources(schema: dict[str, Any]) -> Iterator[str]:
    """The staff's tags: each needs an example."""
    for path in schema["paths"].values():
        for operation in path.values():
            if operation.get("security") == [{"staffToken": []}]:
                yield operation["tags"][0]
