"""One seat's part in FROST: it posts commitments ahead, and holds each pair of nonces until its use.

All secrets here are of this start only, and never written down.
"""

from dataclasses import dataclass, field
from functools import partial

from keymoot.base.fixed import Hash32
from keymoot.base.units import UnixSeconds
from keymoot.moot.assembly import Assembly
from keymoot.moot.body import write_numbered
from keymoot.moot.commitments import MIN_LEFT, SHEAF_SIZE
from keymoot.moot.duty import Duty, Message
from keymoot.moot.message import Kind
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.dice import Dice
from keymoot.threshold.frost import Nonces
from keymoot.threshold.root import Share

REPEAT_SECONDS = 30
"""After so long a sheaf that is in no block is said again."""

_Name = tuple[Hash32, int]
"""A pair's name: its generation and number. Numbers begin anew in each generation."""


@dataclass(slots=True)
class Committer:
    """One seat's mind for nonces.

    Attributes:
        index: The seat.
    """

    index: int
    _held: dict[_Name, Nonces] = field(default_factory=dict)
    _said: dict[_Name, bytes] = field(default_factory=dict)

    def due(self, assembly: Assembly, share: Share, time: UnixSeconds) -> list[Duty]:
        """Give what is to be done now.

        Args:
            assembly: As this seat has followed it.
            share: Its share of the Ed25519 root, in the living epoch.
            time: Of the newest block.
        """
        row = assembly.commitments.row(self.index)
        head = assembly.hall.head
        if row.left >= MIN_LEFT or self.index in head.out:
            return []
        sheaf = row.end // SHEAF_SIZE
        # What no block took up is said again: the same sheaf, never another of its number.
        name = f"nonces/{head.generation.hex()}/{sheaf}/{time // REPEAT_SECONDS}"
        return [Duty(name, partial(self._post, head.generation, sheaf, share))]

    def take(self, generation: Hash32, number: int) -> Nonces | None:
        """Give a pair of nonces and forget it: it serves once, in its own generation."""
        return self._held.pop((generation, number), None)

    def wipe(self) -> None:
        """Forget all nonces."""
        self._held.clear()
        self._said.clear()

    def prune(self, assembly: Assembly) -> None:
        """Forget the nonces of other generations, and those that were bound or burned."""
        generation = assembly.hall.head.generation
        cursor = assembly.commitments.row(self.index).cursor
        for name in list(self._held):
            if name[0] != generation or name[1] < cursor:
                self._held.pop(name, None)

    def _post(self, generation: Hash32, sheaf: int, share: Share, dice: Dice) -> list[Message]:
        known = self._said.get((generation, sheaf))
        if known is not None:
            return [(Kind.NONCES, write_numbered(sheaf, known))]
        content = b""
        for place in range(SHEAF_SIZE):
            random = dice.secret(f"hiding/{place}"), dice.secret(f"binding/{place}")
            made = frost.commit(ED25519, share, random)
            self._held[generation, sheaf * SHEAF_SIZE + place] = made
            content += made.commitment.hiding + made.commitment.binding
        self._said = {(generation, sheaf): content}
        return [(Kind.NONCES, write_numbered(sheaf, content))]
