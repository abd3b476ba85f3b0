"""How long the law has a clinic keep a record after the last treatment, by country. Sources: docs/privacy.md.

Pure: no Django. A clinic whose country is not named here keeps records for the longest term of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Term:
    """Years after the last treatment; of a minor, at least until that age."""

    country: str
    years: int
    minors_until: int
    source: str

    def ends_on(self, last_treated: date, born: date | None) -> date:
        """The day from which the record may be destroyed."""
        end = _plus(last_treated, self.years)
        if born is not None and last_treated < _plus(born, MAJORITY):
            end = max(end, _plus(born, self.minors_until))
        return end


MAJORITY = 18

TERMS = {
    "AT": Term("Austria", 10, 28, "MTD-Gesetz, documentation; 10 years, for minors counted from 18"),
    "AU": Term("Australia", 7, 25, "Health Records and Information Privacy Act 2002 (NSW) s 25"),
    "BE": Term("Belgium", 30, 48, "Quality of Practice Act of 22 April 2019, art. 35"),
    "CH": Term("Switzerland", 20, 38, "Code of Obligations art. 128a, cantonal health acts"),
    "DE": Term("Germany", 10, 28, "Civil Code (BGB) section 630f (3)"),
    "FR": Term("France", 20, 28, "Code de la santé publique art. R1112-7"),
    "GB": Term("United Kingdom", 8, 26, "NHS Records Management Code of Practice, schedule"),
    "IE": Term("Ireland", 8, 26, "HSE Record Retention Periods, health services"),
    "NL": Term("Netherlands", 20, 38, "Civil Code (BW) 7:454 (3); for minors counted from 18"),
    "NZ": Term("New Zealand", 10, 28, "Health (Retention of Health Information) Regulations 1996"),
    "SE": Term("Sweden", 10, 28, "Patientdatalag (2008:355) ch. 3 s 17"),
}

LONGEST = Term("Another country", 30, 48, "the longest of the terms above")


def term_of(country: str) -> Term:
    return TERMS.get(country, LONGEST)


def _plus(day: date, years: int) -> date:
    """The same day of a later year; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
