"""The Celery application. Facts are rows; a task is only a wake-up that looks for what is due.

The settings (``CELERY_*``) say how a killed worker loses nothing and a slow broker holds up no request.
"""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from clinic import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


@setup_logging.connect
def use_our_logs(**_: Any) -> None:
    """Celery's own log lines would quote what failed."""
    logging.config.dictConfig(logs.configuration())


app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
