"""No bit of a proof is idle: whichever is turned, the proof is refused by one of our errors.

All of them are turned in the long run; in the short one all of what is cheap to check, and a
drawn part of what costs a pairing or several signatures each.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pytest

from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId, WalletId
from keymoot.proof.chain import Shown
from keymoot.proof.committee import check_committee
from keymoot.proof.founding import Founding
from keymoot.proof.state import AccountProof, SlotProof
from keymoot.proof.wallet import check_wallet
from keymoot.store.header import Header
from tests.proof.dossiers import whole_dossier
from tests.proof.world import World

WORLD = World()
DOSSIER, _ = whole_dossier(WORLD)
HEADER = DOSSIER.shown.header
ROOT = HEADER.state_root
DRAWN = 150
"""Bits that the short run turns where each is expensive."""


def turned(raw: bytes) -> Iterator[bytes]:
    """Give bytes with each of their bits turned, one at a time."""
    for at in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[at // 8] ^= 1 << at % 8
        yield bytes(changed)


def with_nodes(nodes: tuple[bytes, ...]) -> Iterator[tuple[bytes, ...]]:
    for at, node in enumerate(nodes):
        for changed in turned(node):
            yield (*nodes[:at], changed, *nodes[at + 1 :])


def altered_proof(proof: AccountProof) -> Iterator[AccountProof]:
    """Turn each bit of an account's proof: address, nodes, keys, values beside it."""
    for address in turned(proof.address):
        yield replace(proof, address=Address(address))
    for nodes in with_nodes(proof.nodes):
        yield replace(proof, nodes=nodes)
    for at, slot in enumerate(proof.slots):
        for one in altered_slot(slot):
            yield replace(proof, slots=(*proof.slots[:at], one, *proof.slots[at + 1 :]))


def altered_slot(slot: SlotProof) -> Iterator[SlotProof]:
    for key in turned(slot.slot):
        yield replace(slot, slot=Bytes32(key))
    for nodes in with_nodes(slot.nodes):
        yield replace(slot, nodes=nodes)
    for blob in turned(slot.blob):
        yield replace(slot, blob=blob)


def altered_receipt() -> Iterator[Callable[[], object]]:
    proof = DOSSIER.receipt
    assert proof is not None
    for field in ("links", "transaction", "receipt"):
        for nodes in with_nodes(getattr(proof, field)):
            yield lambda field=field, nodes=nodes: replace(proof, **{field: nodes}).check(HEADER)
    for bit in range(32):
        yield lambda bit=bit: replace(proof, index=proof.index ^ 1 << bit).check(HEADER)


def altered_certified() -> Iterator[Callable[[], object]]:
    shown = DOSSIER.shown
    assert shown.certificate is not None
    for raw in turned(HEADER.encode()):
        yield lambda raw=raw: Shown(Header.decode(raw), shown.certificate).check(WORLD.anchor)
    for raw in turned(shown.certificate):
        yield lambda raw=raw: Shown(HEADER, raw).check(WORLD.anchor)
    for raw in turned(WORLD.verifying_key):
        yield lambda raw=raw: shown.check(replace(WORLD.anchor, verifying_key=raw))
    for raw in turned(WORLD.network):
        yield lambda raw=raw: shown.check(replace(WORLD.anchor, network=NetworkId(raw)))


def altered_founding() -> Iterator[Callable[[], object]]:
    told = DOSSIER.founding
    for raw in turned(told.genesis):
        yield lambda raw=raw: Founding(raw, told.record).check(WORLD.network)
    for raw in turned(told.record):
        yield lambda raw=raw: Founding(told.genesis, raw).check(WORLD.network)
    for raw in turned(WORLD.network):
        yield lambda raw=raw: told.check(NetworkId(raw))


def test_every_bit_of_a_state_proof_counts() -> None:
    """Another key may be proved by the same nodes: then what they say of it is true."""
    proof = DOSSIER.account
    assert proof is not None
    keys = {one.slot for one in proof.slots}
    other = 0
    for altered in altered_proof(proof):
        try:
            found = altered.check(ROOT)
        except KeymootError:
            continue
        (key,) = found.slots.keys() - keys
        assert found.slots[key] == WORLD.state.slot(found.address, key) == b""
        other += 1
    assert other < 256


def test_every_bit_of_a_state_root_counts() -> None:
    proof = DOSSIER.account
    assert proof is not None
    refuse(lambda raw=raw: proof.check(Hash32(raw)) for raw in turned(ROOT))


def test_every_bit_of_a_wallets_proof_counts() -> None:
    assert DOSSIER.wallet is not None
    name, proof = DOSSIER.wallet
    refuse(
        lambda one=one: check_wallet(one, HEADER, WORLD.network, name, WORLD.roots)
        for one in altered_proof(proof)
    )
    refuse(
        lambda raw=raw: check_wallet(proof, HEADER, WORLD.network, WalletId(raw), WORLD.roots)
        for raw in turned(name)
    )


def test_every_bit_of_a_receipts_proof_counts() -> None:
    refuse(altered_receipt())


def test_drawn_bits_of_certificates_and_foundings_count() -> None:
    rng = random.Random(7)
    refuse(rng.sample(list(altered_certified()), DRAWN))
    refuse(rng.sample(list(altered_founding()), DRAWN))


@pytest.mark.soak
def test_every_bit_of_a_certified_header_counts() -> None:
    refuse(altered_certified())


@pytest.mark.soak
def test_every_bit_of_a_founding_counts() -> None:
    refuse(altered_founding())


@pytest.mark.soak
def test_every_bit_of_the_members_proof_counts() -> None:
    refuse(
        lambda one=one: check_committee(one, HEADER, WORLD.verifying_key)
        for one in altered_proof(DOSSIER.members)
    )


def refuse(checks: Iterable[Callable[[], object]]) -> None:
    count = 0
    for check in checks:
        count += 1
        try:
            check()
        except KeymootError:
            continue
        pytest.fail(f"alteration {count} was accepted")
    assert count > 0
