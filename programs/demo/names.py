"""The demo's people: invented, and readable as such. Addresses end in example.org, which receives nothing."""

from __future__ import annotations

GIVEN = (
    *("Ada", "Bram", "Cleo", "Dario", "Edda", "Finn", "Greta", "Hugo", "Ines", "Jonas"),
    *("Kaya", "Leo", "Mina", "Nils", "Olga", "Pim", "Quinn", "Rosa", "Sven", "Tess"),
    *("Uma", "Vito", "Wanda", "Xeno", "Yara", "Zeno", "Alma", "Boris", "Clara", "Dov"),
)
HEADS = ("Stride", "Tempo", "Kerb", "Trail", "Pace", "Canter")
TAILS = ("well", "ley", "by", "more", "field", "croft", "worth", "dale", "combe", "wick")


FAMILIES = len(HEADS) * len(TAILS)


def person(number: int) -> tuple[str, str]:
    """Given and family name of the patient with that number; the first 60 family names all differ."""
    head = HEADS[number % len(HEADS)]
    tail = TAILS[(number // len(HEADS)) % len(TAILS)]
    return GIVEN[(number * 7 + number // FAMILIES) % len(GIVEN)], head + tail
