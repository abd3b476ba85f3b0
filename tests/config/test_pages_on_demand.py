"""The admin's pages: loaded where addresses are, checked always, and no part of another process's start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

START = "import sys, django; django.setup(); "
PAGES = "[name for name in ('programs.admin', 'weasyprint') if name in sys.modules]"
CHECKED = """
from django.contrib import admin
from django.core.checks import run_checks

assert not admin.site._registry
run_checks(tags=["admin"])
print(len(admin.site._registry) > 10, "programs.admin" in sys.modules, "weasyprint" in sys.modules)
"""


def said(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", START + code], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_process_that_shows_no_page_loads_none() -> None:
    assert said(f"print({PAGES})") == "[]"


def test_the_checks_load_all_pages_and_see_them() -> None:
    assert said(CHECKED) == "True True False"
