"""Which blocks are believed: certified, not older, on the branch that was seen."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keymoot.base.fixed import Hash32
from keymoot.base.units import Gas
from keymoot.committee.certified import NotCertified
from keymoot.proof.build import prove_descent
from keymoot.proof.chain import FollowedChain, Shown
from keymoot.proof.errors import DescentMissing, NotProven, OlderHeader, OtherBranch
from keymoot.proof.founding import Anchor
from keymoot.store.history import KEPT_HASHES, keeps_hash
from keymoot.threshold.bls12381 import G1
from tests.proof.altered import alterations, refusal
from tests.proof.world import World

NEXT, OTHER = Hash32(b"n" * 32), Hash32(b"o" * 32)


def followed(world: World, height: int) -> FollowedChain:
    return FollowedChain(world.anchor).follow(world.certify(world.blocks[height - 1]))


def test_a_certified_header_is_believed_and_remembered(world: World) -> None:
    world.run(range(5))
    chain = followed(world, 2)
    assert chain.newest == world.blocks[1]
    # In one generation a certificate is enough, however far ahead.
    assert chain.follow(world.certify(world.blocks[4])).newest == world.blocks[4]
    # The same again is nothing new.
    assert chain.follow(world.certify(world.blocks[1])) == chain


WORLD = World()
WORLD.run(range(2))
SHOWN = WORLD.certify(WORLD.blocks[1])


@given(st.data())
def test_whatever_is_altered_is_refused(data: st.DataObject) -> None:
    changed = data.draw(alterations(SHOWN.to_json()))
    assume(changed is not None)
    said = refusal(lambda: FollowedChain(WORLD.anchor).follow(Shown.from_json(changed)))
    assert said in {"MALFORMED", "NOT_CERTIFIED", "NOT_PROVEN"}


def test_another_networks_block_is_refused(world: World) -> None:
    other = World("another")
    with pytest.raises(NotCertified):
        FollowedChain(world.anchor).follow(other.certify(other.block()))
    # Nor is one whose certificate names another network, under the same key.
    anchor = Anchor(other.network, world.verifying_key)
    with pytest.raises(NotCertified):
        FollowedChain(anchor).follow(world.certify(world.block()))


def test_a_certificate_is_of_one_block_only(world: World) -> None:
    first, second = world.certify(world.block()), world.certify(world.block())
    with pytest.raises(NotCertified):
        FollowedChain(world.anchor).follow(Shown(first.header, second.certificate))


def test_the_point_at_infinity_certifies_nothing(world: World) -> None:
    infinity = bytes((0xC0,)) + bytes(G1.POINT_BYTES - 1)
    with pytest.raises(NotCertified):
        FollowedChain(world.anchor).follow(Shown(world.block(), infinity))


def test_the_founding_record_certifies_its_block_and_no_other(world: World) -> None:
    world.run(range(3))
    block = world.blocks[1]
    anchor = world.founding(2, block.hash).check(world.network).anchor
    assert FollowedChain(anchor).follow(Shown(block, None)).newest == block
    for other in (world.blocks[0], world.blocks[2], replace(block, gas_used=Gas(9))):
        with pytest.raises(NotProven, match="no certificate"):
            FollowedChain(anchor).follow(Shown(other, None))
    # Who pinned the verifying key alone has not seen the record.
    with pytest.raises(NotProven, match="no certificate"):
        FollowedChain(world.anchor).follow(Shown(block, None))


def test_an_older_block_is_refused_by_name(world: World) -> None:
    world.run(range(5))
    chain = followed(world, 4)
    with pytest.raises(OlderHeader, match="block 3 was shown, and block 4") as caught:
        chain.follow(world.certify(world.blocks[2]))
    assert (caught.value.shown, caught.value.seen) == (3, 4)


def test_a_certified_sibling_is_refused(world: World) -> None:
    world.run(range(5))
    chain = followed(world, 5)
    # A recovery from a base before: its blocks are certified too.
    other = world.branch(4)
    sibling = other.block(OTHER)
    with pytest.raises(OtherBranch, match="a recovery has left behind"):
        chain.follow(other.certify(sibling))
    # Two of one generation: nobody could explain them.
    twin = world.branch(4).block(mark=7)
    with pytest.raises(OtherBranch, match="more enclaves are broken"):
        chain.follow(world.certify(twin))


def test_another_generation_needs_proof_of_descent(world: World) -> None:
    world.run(range(5))
    chain = followed(world, 3)
    world.block(NEXT)
    newest = world.certify(world.block())
    with pytest.raises(DescentMissing) as caught:
        chain.follow(newest)
    assert caught.value.seen == 3
    assert chain.follow(newest, prove_descent(world.state, 3)).newest == newest.header


def test_a_branch_that_left_the_seen_block_behind_is_refused(world: World) -> None:
    world.run(range(5))
    chain = followed(world, 5)
    other = world.branch(3)
    other.block(OTHER)
    other.run(range(4))
    newest = other.certify(other.blocks[-1])
    # Its own history says which block 5 it builds on.
    with pytest.raises(OtherBranch, match="another block of that height"):
        chain.follow(newest, prove_descent(other.state, 5))
    # And the history of what was seen does not lead from it.
    said = refusal(lambda: chain.follow(newest, prove_descent(world.state, 4)))
    assert said in {"NOT_PROVEN", "BROKEN_PROOF"}


def test_the_old_branch_cannot_come_back(world: World) -> None:
    world.run(range(4))
    before = world.branch(4)
    world.block(NEXT)
    chain = followed(world, 5)
    before.run(range(6))
    ahead = before.certify(before.blocks[-1])
    with pytest.raises(DescentMissing):
        chain.follow(ahead)
    with pytest.raises(OtherBranch):
        chain.follow(ahead, prove_descent(before.state, 5))


def test_history_reaches_so_far() -> None:
    assert keeps_hash(KEPT_HASHES + 5, 5)
    assert not keeps_hash(KEPT_HASHES + 5, 4)
