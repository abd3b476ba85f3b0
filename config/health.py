"""Probes: ``live`` says that the process answers, ``ready`` that database and cache do too, and that nothing
due is left lying.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from clinic.admin.sweeps import allowance
from programs.services.lateness import oldest_due

EVERY = {task.rpartition(".")[2]: timedelta(seconds=every) for task, every in settings.BEAT_INTERVALS.items()}


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Red, too, when a sweep's oldest due row is late; ``late`` names the sweeps."""
    late: list[str] = []
    parts = {"database": _works(lambda: late.extend(_late_sweeps())), "cache": _works(_ask_cache)}
    status = "unreachable" if not all(parts.values()) else "late" if late else "ok"
    states = {name: "ok" if works else "unreachable" for name, works in parts.items()}
    return JsonResponse({"status": status, **states, "late": late}, status=200 if status == "ok" else 503)


def _works(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (DatabaseError, RedisError, OSError):
        return False
    return True


def _late_sweeps() -> list[str]:
    now = timezone.now()
    with transaction.atomic():
        waiting = oldest_due(now=now)
    return sorted(sweep for sweep, since in waiting.items() if now - since > allowance(EVERY[sweep]))


def _ask_cache() -> None:
    cache.get("health")
