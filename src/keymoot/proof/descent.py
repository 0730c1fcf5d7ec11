"""Proof that a block builds on an older one.

The state after a block knows the hashes of the 8,191 blocks before it (EIP-2935); from any of
them a chain of headers leads further back, each naming its parent's hash. With either alone, or
both, whoever has seen the older block finds it again.
"""

from dataclasses import dataclass
from typing import Any

from keymoot.base.fixed import Hash32
from keymoot.base.strict_json import Json
from keymoot.base.units import Height
from keymoot.proof.errors import NotProven, OtherBranch
from keymoot.proof.shape import datas_of, fields_of, shown_datas
from keymoot.proof.state import AccountProof
from keymoot.store.header import MAX_HEADER_BYTES, Header
from keymoot.store.history import HISTORY_ADDRESS, hash_in, history_slot, keeps_hash

MAX_LINKS = 1_024
"""Headers in one proof; a chain that is longer has certified blocks in between."""

_FIELDS = ("history", "links")


@dataclass(frozen=True, slots=True)
class Descent:
    """What leads from a block to an older one.

    Attributes:
        history: Proves one hash from the newer block's state: that of the first link, or of the
            older block itself where there are no links. Without it the links begin with the
            newer block's parent.
        links: RLP of headers, the newest first, down to the child of the older block.
    """

    history: AccountProof | None
    links: tuple[bytes, ...] = ()

    def check(self, newer: Header, height: Height, name: Hash32) -> None:
        """Raise unless `newer` builds on the block `name` at `height`.

        NotProven: it leads nowhere. OtherBranch: it leads to another block of that height.
        """
        # 1. The newer block names an ancestor: by its state, or its parent in its header.
        at = Height(height + len(self.links))
        if self.history is None:
            if at != newer.height - 1:
                raise NotProven(
                    f"{len(self.links)} headers do not lead from block {newer.height} to {height}"
                )
            expected = newer.parent_hash
        else:
            expected = self._hash_in_state(self.history, newer, at)
        # 2. Each link is the block that was named, and names the one before.
        for raw in self.links:
            link = Header.decode(raw)
            if link.hash != expected or link.height != at:
                raise NotProven(f"the header of block {at} is not the one that the next one names")
            expected, at = link.parent_hash, Height(at - 1)
        # 3. It ends where it should.
        if expected != name:
            raise OtherBranch(newer.height, height, "it builds on another block of that height")

    @staticmethod
    def _hash_in_state(history: AccountProof, newer: Header, at: Height) -> Hash32:
        if not keeps_hash(newer.height, at):
            raise NotProven(f"the state after block {newer.height} does not know block {at}")
        if history.address != HISTORY_ADDRESS:
            raise NotProven(f"hashes of blocks are proved of the account {HISTORY_ADDRESS.hex0x}")
        slot = history_slot(at)
        if [entry.slot for entry in history.slots] != [slot]:
            raise NotProven(
                f"the hash of block {at} is proved by the slot {slot.hex0x}, and no other"
            )
        return hash_in(history.check(newer.state_root).slot(slot))

    def to_json(self) -> Json:
        history = None if self.history is None else self.history.to_json()
        return {"history": history, "links": shown_datas(self.links)}

    @staticmethod
    def from_json(told: Any, path: str = "descent") -> "Descent":
        """Nothing is checked yet."""
        history, links = fields_of(told, _FIELDS, path)
        proof = None if history is None else AccountProof.from_json(history, f"{path}.history")
        return Descent(proof, datas_of(links, MAX_LINKS, MAX_HEADER_BYTES, f"{path}.links"))
