"""Who stands in for somebody who is away. Pure: standard library only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Roster:
    """A clinic's clinicians on one day, by the id of their login.

    ``away`` leads from who is away to the cover named for it, None without one; ``standing`` from whoever has
    one to their standing cover. ``owners`` come in the order in which they are asked.
    """

    treating: Collection[int]
    owners: Sequence[int]
    away: Mapping[int, int | None]
    standing: Mapping[int, int | None]

    def stand_ins(self, clinician: int) -> tuple[int, ...]:
        """Who answers for the clinician's cases that day; nobody while they are there.

        A cover who is away too has a cover of their own. Where none is named, or the covers lead round in a
        circle, the owners who are there stand in; where no owner is, nobody can.
        """
        if clinician not in self.away:
            return ()
        last = self._chain(clinician)[-1]
        if last not in self.away:
            return (last,)
        return tuple(owner for owner in self.owners if owner not in self.away)

    def goes_round(self, clinician: int) -> bool:
        """Whether the covers lead from who is away back to somebody who was asked before."""
        chain = self._chain(clinician)
        return chain[-1] in chain[:-1]

    def _chain(self, clinician: int) -> list[int]:
        """From them to the first who is there; else to where it ends, or begins again."""
        chain = [clinician]
        while chain[-1] in self.away and chain[-1] not in chain[:-1]:
            named = self.away[chain[-1]] or self.standing.get(chain[-1])
            if named is None or named not in self.treating:
                break
            chain.append(named)
        return chain

    def reader(self, clinician: int) -> int:
        """Who reads what is meant for the clinician that day: one person, themselves if nobody stands in."""
        return next(iter(self.stand_ins(clinician)), clinician)
