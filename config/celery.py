"""The Celery application. Facts are rows; a task is only a wake-up that looks for what is due.

The settings (``CELERY_*``) say how a killed worker loses nothing and a slow broker holds up no request.
"""

from __future__ import annotations

import logging.config
import os
from typing import Any

import celery
from celery.signals import setup_logging

from clinic import logs
from clinic.row_security import NOBODY, Origin, acting_for

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


@setup_logging.connect
def use_our_logs(**_: Any) -> None:
    """Celery's own log lines would quote what failed."""
    logging.config.dictConfig(logs.configuration())


class Task(celery.Task):
    """What a task changes stands under its name in the audit trail."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with acting_for(NOBODY, Origin(f"task:{self.name}")):
            return super().__call__(*args, **kwargs)


app = celery.Celery("config", task_cls=Task)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
