"""A recovery order in a block: it builds on a block of this very chain, or it does nothing."""

from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.committee.machine import NO_GENERATION
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.committee.seat import SessionKeys
from keymoot.crypto import ed25519
from keymoot.runtime.receipt import Receipt
from keymoot.threshold.secp256k1 import SECP256K1
from tests.runtime.people import OWNER, VAULT, Scenario
from tests.runtime.transcript import found_committee

IDENTITIES = [Secret(bytes((60 + seat,)) * 32) for seat in range(4)]
ANEW = [Secret(bytes((80 + seat,)) * 32) for seat in range(4)]
POINT = SECP256K1.encode(SECP256K1.base(SECP256K1.scalar(b"\x06" * 32)))


def founded(blocks: int) -> Scenario:
    scenario = Scenario()
    found_committee(scenario, [ed25519.public_key(key) for key in IDENTITIES])
    for value in range(blocks):
        scenario.chain.send(scenario.raw(OWNER, VAULT, b"", value))
    return scenario


def order(scenario: Scenario, base: int, block: Hash32) -> bytes:
    """Give the message in which three of four members end the present generation."""
    generation = scenario.chain.tip.generation
    sessions = {seat: SessionKeys(ed25519.public_key(ANEW[seat - 1]), POINT) for seat in (1, 2, 3)}
    terms = RecoveryOrder(scenario.chain.chain.network, generation, Height(base), block, sessions)
    signed = {at: ed25519.sign(IDENTITIES[at - 1], terms.digest()) for at in sessions}
    body = SignedRecoveryOrder(terms, signed).encode()
    return NodeMessage(scenario.chain.chain.network, generation, 0, Kind.RECOVER, body).encode()


def sent(scenario: Scenario, base: int, block: Hash32) -> Receipt:
    return scenario.chain.send(order(scenario, base, block))


def test_it_begins_a_generation_that_the_header_names() -> None:
    scenario = founded(4)
    base = scenario.chain.blocks[-2].header
    receipt = sent(scenario, base.height, base.hash)
    assert (receipt.status, receipt.error) == (1, "")
    header = scenario.chain.blocks[-1].header
    assert header.generation != NO_GENERATION
    assert scenario.chain.tip.generation == header.generation
    # What follows lives in it.
    scenario.chain.send(scenario.raw(OWNER, VAULT, b"", 9))
    assert scenario.chain.blocks[-1].header.generation == header.generation


def test_the_newest_block_before_it_is_a_base() -> None:
    scenario = founded(2)
    assert sent(scenario, scenario.chain.tip.height, scenario.chain.tip.hash).status == 1


def test_an_order_for_another_branch_is_refused() -> None:
    scenario, other = founded(3), founded(2)
    other.chain.send(other.raw(OWNER, VAULT, b"", 77))
    here, there = scenario.chain.tip, other.chain.tip
    assert (here.height, here.hash != there.hash) == (there.height, True)
    receipt = sent(scenario, there.height, there.hash)
    assert (receipt.status, receipt.error_code) == (0, "UNWANTED")
    assert "not the one that the recovery builds on" in receipt.error
    assert scenario.chain.tip.generation == NO_GENERATION
    assert sent(other, there.height, there.hash).status == 1


def test_neither_its_own_block_nor_the_genesis_nor_a_hash_of_another_height_is_a_base() -> None:
    scenario = founded(3)
    tip, before = scenario.chain.tip, scenario.chain.blocks[-2].header
    for base, block in [
        (tip.height + 1, tip.hash),
        (tip.height + 8191, tip.hash),
        (0, Hash32(scenario.chain.chain.network)),
        (tip.height, before.hash),
        (before.height, tip.hash),
    ]:
        # The chain has grown by the refusals before: the hashes stay what they were.
        receipt = sent(
            scenario, base if base != tip.height + 1 else scenario.chain.tip.height + 1, block
        )
        assert (receipt.status, receipt.error_code) == (0, "UNWANTED"), base
    assert scenario.chain.tip.generation == NO_GENERATION
