"""From a template to an e-mail: subject, plain text, and HTML with its styles inlined."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string

from clinic.models import Clinic

# At-rules can't be inlined and stay: dark mode and small screens. Nothing is ever fetched.
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class Email:
    """What a mail says. ``images``: PNG bytes by content-id, shown in the HTML as ``cid:<content-id>``."""

    subject: str
    text: str
    html: str
    images: Mapping[str, bytes] = field(default_factory=dict)


def render(
    template: str,
    *,
    subject: str,
    clinic: Clinic | None,
    context: Mapping[str, Any],
    images: Mapping[str, bytes] | None = None,
) -> Email:
    """The mail of ``emails/<template>.html`` and ``.txt``; a simulated clinic is marked everywhere.

    Both templates extend ``emails/base``; ``clinic`` is None where the mail is not about one clinic.
    """
    known = {**context, "clinic": clinic, "sender": clinic.name if clinic else settings.SITE_NAME}
    marked = f"[Simulated] {subject}" if clinic and clinic.simulated else subject
    known["subject"] = marked
    html = _INLINER.inline(render_to_string(f"emails/{template}.html", known))
    text = _tidy(render_to_string(f"emails/{template}.txt", known))
    return Email(marked, text, html, images or {})


def _tidy(text: str) -> str:
    """Without the blanks that template tags leave behind: one empty line at most between paragraphs."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
