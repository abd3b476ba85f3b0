"""Rate limits must not become an outage."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Device

pytestmark = pytest.mark.django_db


def test_without_the_cache_logins_still_work(settings: Any) -> None:
    backend = settings.CACHES["default"]["BACKEND"]
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    assert Device().post("auth/code", {"email": "nobody@example.org"}).status_code == 202
