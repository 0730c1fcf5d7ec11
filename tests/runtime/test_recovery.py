"""A recovery order in a block: it builds on a block of this very chain, or it does nothing."""

from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.crypto import ed25519
from keymoot.moot.assembly import NO_GENERATION
from keymoot.moot.certificate import Certificate, SignedCertificate
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.seat import Boot
from keymoot.runtime.receipt import Receipt
from keymoot.threshold.secp256k1 import SECP256K1
from tests.runtime.people import OWNER, VAULT, Play
from tests.runtime.transcript import found_assembly

IDENTITIES = [Secret(bytes((60 + seat,)) * 32) for seat in range(4)]
ANEW = [Secret(bytes((80 + seat,)) * 32) for seat in range(4)]
POINT = SECP256K1.encode(SECP256K1.base(SECP256K1.scalar(b"\x06" * 32)))


def founded(blocks: int) -> Play:
    play = Play()
    found_assembly(play, [ed25519.public_key(key) for key in IDENTITIES])
    for value in range(blocks):
        play.chain.send(play.raw(OWNER, VAULT, b"", value))
    return play


def order(play: Play, base: int, block: Hash32) -> bytes:
    """Give the message in which three of four members end the present generation."""
    generation = play.chain.tip.generation
    boots = {seat: Boot(ed25519.public_key(ANEW[seat - 1]), POINT) for seat in (1, 2, 3)}
    terms = Certificate(play.chain.chain.network, generation, Height(base), block, boots)
    signed = {at: ed25519.sign(IDENTITIES[at - 1], terms.digest()) for at in boots}
    body = SignedCertificate(terms, signed).encode()
    return NodeMessage(play.chain.chain.network, generation, 0, Kind.RECOVER, body).encode()


def sent(play: Play, base: int, block: Hash32) -> Receipt:
    return play.chain.send(order(play, base, block))


def test_it_begins_a_generation_that_the_header_names() -> None:
    play = founded(4)
    base = play.chain.blocks[-2].header
    receipt = sent(play, base.height, base.hash)
    assert (receipt.status, receipt.error) == (1, "")
    header = play.chain.blocks[-1].header
    assert header.generation != NO_GENERATION
    assert play.chain.tip.generation == header.generation
    # What follows lives in it.
    play.chain.send(play.raw(OWNER, VAULT, b"", 9))
    assert play.chain.blocks[-1].header.generation == header.generation


def test_the_newest_block_before_it_is_a_base() -> None:
    play = founded(2)
    assert sent(play, play.chain.tip.height, play.chain.tip.hash).status == 1


def test_an_order_for_another_branch_is_refused() -> None:
    play, other = founded(3), founded(2)
    other.chain.send(other.raw(OWNER, VAULT, b"", 77))
    here, there = play.chain.tip, other.chain.tip
    assert (here.height, here.hash != there.hash) == (there.height, True)
    receipt = sent(play, there.height, there.hash)
    assert (receipt.status, receipt.error_code) == (0, "UNWANTED")
    assert "not the one that the recovery builds on" in receipt.error
    assert play.chain.tip.generation == NO_GENERATION
    assert sent(other, there.height, there.hash).status == 1


def test_neither_its_own_block_nor_the_genesis_nor_a_hash_of_another_height_is_a_base() -> None:
    play = founded(3)
    tip, before = play.chain.tip, play.chain.blocks[-2].header
    for base, block in [
        (tip.height + 1, tip.hash),
        (tip.height + 8191, tip.hash),
        (0, Hash32(play.chain.chain.network)),
        (tip.height, before.hash),
        (before.height, tip.hash),
    ]:
        # The chain has grown by the refusals before: the hashes stay what they were.
        receipt = sent(play, base if base != tip.height + 1 else play.chain.tip.height + 1, block)
        assert (receipt.status, receipt.error_code) == (0, "UNWANTED"), base
    assert play.chain.tip.generation == NO_GENERATION
