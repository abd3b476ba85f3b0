"""ETags: which version of a row was shown, and whether an edit is of the present one."""

from __future__ import annotations

import hashlib
from typing import Any

from django.utils.http import parse_etags
from rest_framework import status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.problems import VersionMissing, VersionStale


def etag_of(shown: Any) -> str:
    """Of what is shown, rows below included: any change of it is another version."""
    return f'"{hashlib.sha256(JSONRenderer().render(shown)).hexdigest()[:32]}"'


def versioned(request: Request, shown: Any, *, code: int = status.HTTP_200_OK) -> Response:
    """The answer with its ETag; 304 for whoever has this version."""
    etag = etag_of(shown)
    if request.method in ("GET", "HEAD") and _names(request.headers.get("If-None-Match"), etag):
        return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag})
    return Response(shown, status=code, headers={"ETag": etag})


def require_version(request: Request, shown: Any) -> None:
    """The row is locked and ``shown`` is how it stands.

    Raises:
        VersionMissing: the edit names no version.
        VersionStale: it is of an earlier one.
    """
    asked = request.headers.get("If-Match")
    if asked is None:
        raise VersionMissing
    if not _names(asked, etag := etag_of(shown)):
        raise VersionStale(etag)


def _names(header: str | None, etag: str) -> bool:
    return header is not None and bool({"*", etag} & set(parse_etags(header)))
