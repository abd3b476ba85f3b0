"""Probes: ``live`` says that the process answers, ``ready`` that it reaches database and cache."""

from __future__ import annotations

from collections.abc import Callable

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    parts = {"database": _works(_ask_database), "cache": _works(_ask_cache)}
    healthy = all(parts.values())
    states = {name: "ok" if works else "unreachable" for name, works in parts.items()}
    return JsonResponse(
        {"status": "ok" if healthy else "unreachable", **states}, status=200 if healthy else 503
    )


def _works(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (DatabaseError, RedisError, OSError):
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_cache() -> None:
    cache.get("health")
