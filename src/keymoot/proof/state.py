"""What a state root says of one account and some of its cells, proved.

Follows EIP-1186 (`eth_getProof`): the trie's nodes from the root to the account, and from its
storage root to each slot. A cell of ours that does not fit into its slot stands beside the
proof, and the slot proves its hash.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keymoot.base import hexes
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.strict_json import Json
from keymoot.proof.errors import NotProven
from keymoot.proof.shape import datas_of, fields_of, items_of, shown_datas
from keymoot.store.account import AccountState
from keymoot.store.entry import MAX_BLOB_BYTES, has_blob, unpack
from keymoot.store.proof import MAX_PROOF_NODES, verify_account, verify_slot
from keymoot.store.public import public_slot

MAX_SLOTS = 256

MAX_NODE_BYTES = 1_024
"""Longest node of a trie: a full branch has 532 bytes."""

_ACCOUNT = ("address", "accountProof", "storageProof")
_SLOT = ("key", "proof", "blob")


@dataclass(frozen=True, slots=True)
class SlotProof:
    """The nodes that lead from a storage root to one slot.

    `nodes` are RLP, from the root down; `blob` is the cell's value where it is longer than the slot
    holds, else empty.
    """

    slot: Bytes32
    nodes: tuple[bytes, ...]
    blob: bytes = b""


@dataclass(frozen=True, slots=True)
class Storage:
    """What was proved of one account; only `AccountProof.check` makes one.

    Attributes:
        slots: Values of the proved slots, without leading zeros; empty for absent ones.
        blobs: The long values that were proved with them.
    """

    address: Address
    account: AccountState
    slots: Mapping[Bytes32, bytes]
    blobs: Mapping[Bytes32, bytes]

    def slot(self, slot: Bytes32) -> bytes:
        """A value without leading zeros; NotProven where nothing was shown of it."""
        value = self.slots.get(slot)
        if value is None:
            raise NotProven(f"slot {slot.hex0x} of {self.address.hex0x} is not in the proof")
        return value

    def cell(self, key: bytes) -> bytes | None:
        """The value of a public cell, or None where it is proved to be absent; else NotProven."""
        slot = public_slot(key)
        value = self.slot(slot)
        if has_blob(value) and slot not in self.blobs:
            raise NotProven(f"the long value of slot {slot.hex0x} is missing")
        return unpack(value, self.blobs.get(slot, b"")) if value else None


@dataclass(frozen=True, slots=True)
class AccountProof:
    """Nodes that lead from a state root to an account, and to some of its slots."""

    address: Address
    nodes: tuple[bytes, ...]
    slots: tuple[SlotProof, ...]

    def check(self, root: Hash32) -> Storage:
        """Give what the state with this root says.

        NotProven: a slot comes twice, or a long value is not the one that its slot names.
        """
        # 1. The account follows from the state's root.
        account = verify_account(root, self.address, self.nodes)
        slots: dict[Bytes32, bytes] = {}
        blobs: dict[Bytes32, bytes] = {}
        for slot in self.slots:
            if slot.slot in slots:
                raise NotProven(f"slot {slot.slot.hex0x} comes twice in one proof")
            # 2. Each slot follows from the account's storage root.
            value = verify_slot(account.storage_root, slot.slot, slot.nodes)
            slots[slot.slot] = value
            # 3. What stands beside it is what it names.
            if slot.blob:
                blobs[slot.slot] = _named(slot, value)
        return Storage(self.address, account, slots, blobs)

    def to_json(self) -> Json:
        return {
            "address": self.address.hex0x,
            "accountProof": shown_datas(self.nodes),
            "storageProof": [
                {
                    "key": slot.slot.hex0x,
                    "proof": shown_datas(slot.nodes),
                    "blob": hexes.data(slot.blob),
                }
                for slot in self.slots
            ],
        }

    @staticmethod
    def from_json(told: Any, path: str = "proof") -> "AccountProof":
        """Nothing is checked yet."""
        address, nodes, slots = fields_of(told, _ACCOUNT, path)
        where = f"{path}.storageProof"
        return AccountProof(
            Address(hexes.parse_data(address, f"{path}.address", Address.LENGTH)),
            datas_of(nodes, MAX_PROOF_NODES, MAX_NODE_BYTES, f"{path}.accountProof"),
            tuple(
                _read_slot(slot, f"{where}[{at}]")
                for at, slot in enumerate(items_of(slots, MAX_SLOTS, where))
            ),
        )


def _named(proof: SlotProof, value: bytes) -> bytes:
    try:
        content = unpack(value, proof.blob) if has_blob(value) else b""
    except Malformed:
        content = b""
    if content != proof.blob:
        raise NotProven(f"what stands beside slot {proof.slot.hex0x} is not what it names")
    return content


def _read_slot(told: Any, path: str) -> SlotProof:
    key, nodes, blob = fields_of(told, _SLOT, path)
    return SlotProof(
        Bytes32(hexes.parse_data(key, f"{path}.key", Bytes32.LENGTH)),
        datas_of(nodes, MAX_PROOF_NODES, MAX_NODE_BYTES, f"{path}.proof"),
        hexes.parse_data(blob, f"{path}.blob", MAX_BLOB_BYTES),
    )
