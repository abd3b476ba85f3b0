"""Looks up every pinned package in a database of known vulnerabilities.

Either OSV's (https://osv.dev), or a folder of advisories in its format, such as a checkout of
https://github.com/pypa/advisory-database, where the network is closed: ``--advisories FOLDER``.

Exit code 0: looked up, nothing found. 1: found. 2: could not look, or only in old advisories.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

PROJECT = Path(__file__).resolve().parent.parent
FILES = ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt")
OSV = "https://api.osv.dev/v1/querybatch"
FRESH = timedelta(days=14)

type Found = dict[str, list[str]]
"""Packages as ``name==version``, each with the ids of its vulnerabilities."""


class CannotLookError(Exception):
    """No source of advisories answers."""


def pinned(files: list[Path]) -> dict[str, str]:
    """Names and versions of the pinned packages."""
    lines = "\n".join(file.read_text() for file in files)
    return {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^\s;\\]+)", lines, re.MULTILINE)
    }


def ask_osv(packages: dict[str, str], url: str = OSV) -> Found:
    """One request for all.

    Raises:
        CannotLookError: it can't be reached, or doesn't answer for each package.
    """
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
        for name, version in packages.items()
    ]
    body = json.dumps({"queries": queries}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            results = json.load(response)["results"]
    except (OSError, urllib.error.HTTPError, ValueError, KeyError) as error:
        raise CannotLookError(f"{url} does not answer: {error}") from None
    if len(results) != len(packages):
        raise CannotLookError(f"{url} answered for {len(results)} of {len(packages)} packages.")
    return {
        f"{name}=={version}": [vulnerability["id"] for vulnerability in result.get("vulns", [])]
        for (name, version), result in zip(packages.items(), results, strict=True)
        if result.get("vulns")
    }


def read_advisories(packages: dict[str, str], folder: Path) -> tuple[Found, datetime]:
    """What a folder of advisories says, and when its newest was written.

    Raises:
        CannotLookError: there are none.
    """
    newest, found = datetime.min.replace(tzinfo=UTC), dict[str, list[str]]()
    for advisory in _advisories(folder):
        newest = max(newest, datetime.fromisoformat(advisory["modified"]))
        for affected in advisory.get("affected", []) if not advisory.get("withdrawn") else []:
            name = canonicalize_name(affected.get("package", {}).get("name", ""))
            if name in packages and _is_affected(packages[name], affected):
                found.setdefault(f"{name}=={packages[name]}", []).append(advisory["id"])
    if newest.year == 1:
        raise CannotLookError(f"{folder} holds no advisories.")
    return found, newest


def _advisories(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.rglob("*")):
        if re.search(r"/(PYSEC|GHSA|CVE|OSV|MAL)-[^/]*\.(ya?ml|json)$", str(path)):
            loaded = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
            yield loaded | {"modified": str(loaded["modified"]).replace(" ", "T")}


def _is_affected(version: str, affected: dict[str, Any]) -> bool:
    if version in affected.get("versions", []):
        return True
    ranges = (part["events"] for part in affected.get("ranges", []) if part["type"] == "ECOSYSTEM")
    return any(_lies_in(Version(version), events) for events in ranges)


def _lies_in(version: Version, events: list[dict[str, str]]) -> bool:
    """The last event at or before the version says whether it is affected."""
    is_affected = False
    for kind, value in sorted(((k, v) for event in events for k, v in event.items()), key=_by_version):
        at = _version(value)
        if kind == "introduced" and version >= at:
            is_affected = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            is_affected = False
    return is_affected


def _by_version(event: tuple[str, str]) -> Version:
    return _version(event[1])


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:  # an advisory's own shorthand
        return Version("0")


def main(arguments: list[str] | None = None, *, now: datetime | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--advisories", type=Path, help="a folder of advisories instead of the network")
    parser.add_argument("--osv", default=OSV, help="the address to ask")
    parser.add_argument("files", nargs="*", type=Path, default=[PROJECT / name for name in FILES])
    options = parser.parse_args(arguments)
    packages = pinned(options.files)
    try:
        if options.advisories:
            found, newest = read_advisories(packages, options.advisories)
        else:
            found, newest = ask_osv(packages, options.osv), now or datetime.now(UTC)
    except CannotLookError as error:
        print(f"NOT AUDITED: {error}", file=sys.stderr)
        return 2
    for package, ids in sorted(found.items()):
        print(f"{package}: {', '.join(ids)}")
    print(f"{len(packages)} packages looked up in advisories of {newest:%Y-%m-%d}, {len(found)} vulnerable.")
    if found:
        return 1
    if (now or datetime.now(UTC)) - newest > FRESH:
        print(f"NOT AUDITED: advisories older than {FRESH.days} days show nothing of today.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
