"""Pure work that many starts of a run do alike, done once: runs are about what starts are shown."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from keymoot.committee.keygen.member import DkgParticipant
from keymoot.crypto.keccak import keccak256
from keymoot.runtime.state_transition import StateTransition
from keymoot.threshold import bls

AGAIN = 0.1
"""How often a block is executed anew all the same, and compared."""


def quick(random: Random, patch: pytest.MonkeyPatch) -> None:
    """Remember, for one run, what blocks do and what public arithmetic gives."""
    execute, done = StateTransition.execute, dict[tuple[bytes, bytes], Any]()

    def executed(transition, state, tip, block):  # type: ignore[no-untyped-def]
        key = bytes(tip.hash), keccak256(block.encode())
        known = done.get(key)
        if known is None or random.random() < AGAIN:
            made = execute(transition, state, tip, block)
            assert known is None or known.header == made.header, "one block has two hashes"
            done[key] = known = made
        return known

    patch.setattr(StateTransition, "execute", executed)
    patch.setattr(bls, "pairings_equal", _remembered(bls.pairings_equal))
    patch.setattr(DkgParticipant, "_recover", _recovering(DkgParticipant._recover))


def _remembered(real: Callable[..., bool]) -> Callable[..., bool]:
    known: dict[tuple[bytes, ...], bool] = {}

    def equal(left: Any, right: Any) -> bool:
        key = tuple(point.compress() for pair in (left, *right) for point in pair)
        if key not in known:
            known[key] = real(left, right)
        return known[key]

    return equal


def _recovering(real: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[tuple[Any, ...], Any] = {}

    def recover(self: DkgParticipant, setting: Any, name: str, openings: Any, rng: Any) -> Any:
        dealt = keccak256(repr(sorted(openings.items())).encode())
        key = self.index, self.keys.points, name, dealt
        if key in known:
            self._made[name] = known[key]
            return []
        said = real(self, setting, name, openings, rng)
        if name in self._made:
            known[key] = self._made[name]
        return said

    return recover
