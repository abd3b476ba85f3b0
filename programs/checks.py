"""System checks of a deployment: ``manage.py check --deploy``."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning
from django.utils.module_loading import import_string

ADVICE = "Install the Pango libraries that apt.txt names."


def letters_can_be_set(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Else the first letter would tell. No other process that starts loads the typesetter."""
    try:
        import_string("programs.services.letter_pdf.pdf")
    except OSError:
        return [Warning("No letter can be made: Pango is not installed.", hint=ADVICE, id="programs.W001")]
    return []
