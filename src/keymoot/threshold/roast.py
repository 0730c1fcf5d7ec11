"""ROAST: who signs next when some signers are silent.

Ruffing et al., 2022/550. FROST needs an answer from every signer it named. So the
coordinator names a new list as soon as enough signers have answered everything they were
asked; who is silent blocks one list at most, who lies is out. With f bad parties of n,
at most f+1 lists are ever open, and the last one is answered whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Roast:
    """The coordinator's book: who is free, and which lists are open, of `need` signers each."""

    need: int
    lists: list[tuple[int, ...]] = field(default_factory=list)
    _free: list[int] = field(default_factory=list)
    _answered: dict[int, set[int]] = field(default_factory=dict)
    _out: set[int] = field(default_factory=set)

    def join(self, parties: Iterable[int]) -> tuple[int, ...] | None:
        """Take parties in who can sign; give a new list if there are enough."""
        self._free += [party for party in parties if party not in self._out | set(self._free)]
        return self._name()

    def answered(self, place: int, party: int) -> tuple[int, ...] | None:
        """Note a good answer to list `place`; give a new list if enough are free.

        An answer twice, or from somebody whom the list does not name, changes nothing.
        """
        done = self._answered[place]
        if party not in self.lists[place] or party in done or party in self._out:
            return None
        done.add(party)
        if self.complete(place):
            return None
        self._free.append(party)
        return self._name()

    def lied(self, party: int) -> None:
        self._out.add(party)
        self._free = [other for other in self._free if other != party]

    def complete(self, place: int) -> bool:
        return len(self._answered[place]) == self.need

    def _name(self) -> tuple[int, ...] | None:
        if len(self._free) < self.need:
            return None
        chosen, self._free = sorted(self._free[: self.need]), self._free[self.need :]
        self._answered[len(self.lists)] = set()
        self.lists.append(tuple(chosen))
        return self.lists[-1]
