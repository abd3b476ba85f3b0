"""The Celery application. Facts are rows; a task is only a wake-up that looks for what is due.

The settings (``CELERY_*``) say how a killed worker loses nothing and a slow broker holds up no request.
"""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
