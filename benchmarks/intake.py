"""A full intake by keyboard alone, at the pace of a person: how long, in how many fields and keystrokes.

Run it on a demo clinic: ``python -m benchmarks.intake URL E-MAIL PASSWORD CODE``, the code from
``manage.py demo_code``. It takes on an invented patient and signs nothing. The typist thinks a second
before each field, takes 0.2 s for a key, and reads five seconds before saving.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from playwright.sync_api import Page, sync_playwright

KEY_SECONDS, THOUGHT_SECONDS, READING_SECONDS = 0.2, 1.0, 5.0
FAR = 80
"""Tabs from one field to the next, at most."""

STRENGTH = [(118, 162), (98, 120), (180, 201), (310, 360), (210, 230), (400, 420), (150, 152), (90, 92)]
TYPED: dict[int, dict[str, object]] = {
    2: {
        "locations": " ",
        "worst_pain": 7,
        "usual_pain": 4,
        "pain_now": 2,
        "worst_pain_week": 8,
        "usual_pain_week": 4,
    },
    3: {
        f"a{n}-{part}": value
        for n, row in enumerate([("stairs", 6, 5, 4), ("squat", 7, 1, 3), ("running", 5, 20, 5)])
        for part, value in zip(("activity", "pain", "minutes", "ability"), row, strict=True)
    }
    | dict.fromkeys(("pain_stairs_down", "pain_squat", "pain_sitting", "crepitus"), " "),
    4: {"s-position": "side-lying", "s-lever": ".38", "body_mass_kg": 64}
    | {
        f"s{n}-{side}": value
        for n, pair in enumerate(STRENGTH)
        for side, value in zip(("left", "right"), pair, strict=True)
    },
    5: {"q0-left": 18, "q0-right": 17}
    | {
        f"f-{place}-{side}-tight": "t" if (place, side) in {("hamstrings", "left"), ("itb", "left")} else "n"
        for place in ("hamstrings", "quadriceps", "itb", "calf", "lateral_retinaculum")
        for side in ("left", "right")
    }
    | {"p-left": 7, "p-right": 6},
    6: {
        f"d-{side}-{item}": int(side == "left")
        for item in ("arm", "trunk", "pelvis", "knee", "steady_stance")
        for side in ("left", "right")
    }
    | {"cadence_spm": 158, "peak_knee_flexion_deg": 42, "crossover": " "},
    7: {"weekly_km_now": 24, "weekly_km_before": 42, "sleep_hours": 7, "stress": 4, "load_changes": " "},
}
"""By the number of the tab, in the order of the page; a space ticks."""

MEASURES = ("akps", "koos_pf", "lefs", "groc")


class Typist:
    """Counts what it does, and keeps the pace."""

    def __init__(self, page: Page) -> None:
        self.page, self.keys, self.fields = page, 0, 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1
        time.sleep(KEY_SECONDS)

    def reach(self, name: str, key: str = "Enter") -> None:
        for _ in range(FAR):
            if self.page.evaluate("document.activeElement.name") == name:
                self.fields += 1
                time.sleep(THOUGHT_SECONDS)
                return
            self.press(key)
        raise SystemExit(f"{name} is out of reach")

    def put(self, name: str, text: object) -> None:
        self.reach(name)
        for letter in str(text):
            self.press("Space" if letter == " " else letter)


def sign_in(page: Page, url: str, email: str, password: str, code: str) -> None:
    page.goto(f"{url}/admin/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(lambda address: "confirm" not in address)


def take_on(page: Page, url: str) -> None:
    page.goto(f"{url}/admin/patients/patient/add/")
    page.get_by_label("Given name").fill("Mira")
    for name, value in {"diagnosis": "pfp", "index_side": "left", "running_track": "still_running"}.items():
        page.locator(f"[name={name}]").select_option(value)
    page.get_by_role("button", name="Add the patient").click()
    page.get_by_role("link", name="Record assessment").first.click()
    page.wait_for_load_state("networkidle")


def questions(page: Page, measure: str) -> Iterator[tuple[str, str]]:
    """The items of a questionnaire, each with the key of its second answer from the best."""
    names = (
        "m => [...new Set([...document.querySelectorAll(`[type=radio][name^='o-${m}-']`)].map(r => r.name))]"
    )
    values = "n => [...document.querySelectorAll(`[name='${n}']`)].map(r => r.value)"
    for name in page.evaluate(names, measure):
        yield name, page.evaluate(values, name)[1]


def fill_in(typist: Typist) -> None:
    page = typist.page
    page.locator("#tab-red [name=kind]").focus()
    typist.reach("hip_examined", "Tab")
    typist.press("Space")
    for tab, fields in TYPED.items():
        typist.press(f"Alt+{tab}")
        for name, text in fields.items():
            typist.put(name, text)
    typist.press("Alt+8")
    for measure in MEASURES:
        for name, points in questions(page, measure):
            folded = (
                f"[...document.querySelectorAll('details')].find(d => d.querySelector(`[name='{name}']`))"
            )
            while not page.evaluate(f"{folded}.open"):
                typist.press("Tab")
                if page.evaluate(f"document.activeElement === {folded}.querySelector('summary')"):
                    typist.press("Space")
            typist.reach(name, "Tab")
            typist.press(points if len(points) == 1 else points[0])
    typist.press("Alt+9")
    time.sleep(READING_SECONDS)


def main() -> None:
    url, email, password, code = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        sign_in(page, url, email, password, code)
        take_on(page, url)
        typist, began = Typist(page), time.monotonic()
        fill_in(typist)
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_url("**/suggestions/**")
        print(f"{time.monotonic() - began:.0f} s, {typist.fields} fields, {typist.keys} keystrokes")
        browser.close()


if __name__ == "__main__":
    main()
