"""Randomness as an argument: one seed, and a name for each thing that is drawn from it."""

import hashlib
from typing import Any

from keymoot.base.errors import Defect
from keymoot.base.secret import Secret
from keymoot.threshold.group import Group
from keymoot.threshold.session import framed

SEED_BYTES = 32


class SeededRng:
    """Draws from a seed of 32 fresh random bytes (SHAKE-256).

    Whoever hands in the same seed again gets the same numbers, which for one-time secrets
    would be fatal: the enclave draws a seed for each step and never writes it down.
    """

    __slots__ = ("_named", "_seed")

    def __init__(self, seed: Secret) -> None:
        if len(seed) != SEED_BYTES:
            raise Defect(f"a seed has {SEED_BYTES} bytes, got {len(seed)}")
        self._seed = seed
        self._named: set[str] = set()

    def scalars(self, group: Group[Any], name: str, count: int) -> list[Secret]:
        """Draw `count` secret scalars under a name that was not drawn before."""
        size = group.UNIFORM_BYTES
        stream = self._stream(name, size * count)
        return [group.scalar(stream[at : at + size]) for at in range(0, size * count, size)]

    def scalar(self, group: Group[Any], name: str) -> Secret:
        return self.scalars(group, name, 1)[0]

    def secret(self, name: str) -> Secret:
        """Draw 32 secret bytes under a name that was not drawn before."""
        return Secret(self._stream(name, SEED_BYTES))

    def child(self, name: str) -> "SeededRng":
        """For a part of the step."""
        return SeededRng(Secret(self._stream(name, SEED_BYTES)))

    def _stream(self, name: str, length: int) -> bytes:
        if name in self._named:
            raise Defect(f"{name} was drawn before")
        self._named.add(name)
        return hashlib.shake_256(framed(self._seed.expose(), name.encode())).digest(length)
