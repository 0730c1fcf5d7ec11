"""Check a trie proof with nothing but the proof and a root.

Follows EIP-1186 (`eth_getProof`): the nodes from the root towards a key, in RLP.
"""

from collections.abc import Sequence

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.crypto.keccak import keccak256, keccak256_raw
from keymoot.store.account import AccountState
from keymoot.store.nodes import BRANCH, LEAF, Node, decode_node, nibbles_of
from keymoot.store.trie import EMPTY_ROOT

MAX_PROOF_NODES = 65
"""A key of 32 bytes has 64 half bytes, and a root above them."""


class BrokenProof(Malformed, code="BROKEN_PROOF"):
    """These nodes do not lead from that root: one is missing, altered, superfluous or no node."""


def verify_proof(root: Hash32, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Give the value that `root` commits to under `key`, or None if it commits to absence.

    `key` is 32 bytes (for state: the Keccak-256 of an address or slot); `proof` is the RLP nodes
    from the root down, every one of which must be used.
    """
    if len(proof) > MAX_PROOF_NODES:
        raise BrokenProof(f"a proof has at most {MAX_PROOF_NODES} nodes, got {len(proof)}")
    nibbles = nibbles_of(key)
    expected: Node = None if root == EMPTY_ROOT else bytes(root)
    used = at = 0
    value: bytes | None = None
    while expected is not None:
        if isinstance(expected, bytes):
            if used == len(proof) or keccak256_raw(proof[used]) != expected:
                raise BrokenProof(f"proof node {used} is missing or has another hash")
            node = _decode(proof[used], used)
            used += 1
        else:
            node = expected
        if node[0] == BRANCH:
            if at == len(nibbles):
                raise BrokenProof("the proof goes deeper than the key")
            expected = node[1][nibbles[at]]
            at += 1
            continue
        end = at + len(node[1])
        if node[0] == LEAF:
            value = node[2] if node[1] == nibbles[at:] else None
            break
        expected = node[2] if node[1] == nibbles[at:end] else None
        at = end
    if used != len(proof):
        raise BrokenProof(f"{len(proof) - used} proof nodes are not needed")
    return value


def verify_account(root: Hash32, address: Address, proof: Sequence[bytes]) -> AccountState:
    """Give the account that a state root commits to; an empty one if it is absent."""
    raw = verify_proof(root, keccak256(address), proof)
    return AccountState() if raw is None else AccountState.decode(raw)


def verify_slot(storage_root: Hash32, slot: Bytes32, proof: Sequence[bytes]) -> bytes:
    """Give a slot's value without leading zeros; empty if it is absent."""
    raw = verify_proof(storage_root, keccak256(slot), proof)
    if raw is None:
        return b""
    value = rlp.decode(raw)
    if not isinstance(value, bytes) or len(value) > 32:
        raise BrokenProof("a storage value is at most 32 bytes")
    return value


def _decode(raw: bytes, index: int) -> Node:
    try:
        return decode_node(raw)
    except Malformed as error:
        raise BrokenProof(f"proof node {index}: {error}") from error
