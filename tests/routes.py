"""Every address of the service, from its URLconf: a new route is tested without being listed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

from django.urls import URLPattern, URLResolver, get_resolver

EXAMPLES = {"uuid": str(uuid4()), "int": "1", "slug": "x", "str": "x", "path": "1"}


def every_path() -> list[str]:
    """One example address for each route, such as ``/admin/patients/patient/1/change/``."""
    return list(dict.fromkeys(f"/{path}" for path in _paths(get_resolver().url_patterns)))


def _paths(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        path = prefix + _example(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _paths(pattern.url_patterns, path)
        else:
            yield path


def _example(route: str) -> str:
    """A regular expression's groups stand for a word."""
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda found: EXAMPLES.get(found[1] or "str", "x"), route)
    return re.sub(r"\(\?P.*?\)|\(\?.*?\)", "x", route).strip("^$").replace("\\", "").replace("$", "")
