"""Render docs/images/drawings.png: every drawing, both poses, on one sheet. Needs a Chromium.

.venv/bin/python scripts/draw_sheet.py [path of the browser]
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from programs.library import DRAWN_FOLDER, starter_library  # noqa: E402

STYLE = """
body { margin: 12px; display: grid; grid-template-columns: repeat(6, 240px); gap: 8px; font: 13px sans-serif }
figure { margin: 0 } img { width: 240px; border: 1px solid #ddd } figcaption { text-align: center }
"""


def sheet() -> str:
    figures = (
        f'<figure><img src="{(DRAWN_FOLDER / exercise.slug).as_uri()}.svg#still">'
        f"<figcaption>{escape(exercise.name)}</figcaption></figure>"
        for exercise in starter_library().exercises
    )
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{''.join(figures)}"


def main() -> None:
    browser_path = sys.argv[1] if len(sys.argv) > 1 else "/usr/bin/chromium"
    page_path = ROOT / "docs" / "images" / "drawings.html"
    page_path.write_text(sheet(), encoding="utf-8")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1512, "height": 800})
            page.goto(page_path.as_uri(), wait_until="load")
            page.screenshot(path=page_path.with_suffix(".png"), full_page=True)
    finally:
        page_path.unlink()


if __name__ == "__main__":
    main()
