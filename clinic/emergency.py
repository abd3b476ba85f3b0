"""Which number is called in an emergency, by country; elsewhere it is 112, in all of Europe and on any phone.

Pure: no Django.
"""

from __future__ import annotations

NUMBERS = {"AU": "000", "GB": "999", "NZ": "111"}
EUROPEAN = "112"


def number_of(country: str) -> str:
    return NUMBERS.get(country, EUROPEAN)
