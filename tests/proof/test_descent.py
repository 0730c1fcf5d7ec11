"""Proofs of descent: by state, by headers, by both; never by anything else."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keymoot.base.fixed import Hash32
from keymoot.base.units import Gas, Height
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.proof import build
from keymoot.proof.build import PastBlocks, prove, prove_descent, steps
from keymoot.proof.chain import FollowedChain, Shown, read_steps
from keymoot.proof.descent import MAX_LINKS, Descent
from keymoot.proof.errors import NotProven, OtherBranch
from keymoot.store import history
from keymoot.store.header import Header
from keymoot.store.history import HISTORY_ADDRESS, history_slot
from tests.proof.altered import alterations, refusal
from tests.proof.world import World

WORLD = World()
WORLD.run(range(12))
NEWEST = WORLD.blocks[-1]


def links(world: World, newest: int, oldest: int) -> tuple[bytes, ...]:
    """Headers of `newest` down to `oldest`."""
    return tuple(world.blocks[at - 1].encode() for at in range(newest, oldest - 1, -1))


@pytest.mark.parametrize("height", range(12))
def test_the_state_knows_each_block_before(height: int) -> None:
    name = WORLD.blocks[height - 1].hash if height else Hash32(WORLD.network)
    prove_descent(WORLD.state, Height(height)).check(NEWEST, Height(height), name)


def test_headers_alone_or_from_a_block_that_the_state_knows() -> None:
    name = WORLD.blocks[4].hash
    Descent(None, links(WORLD, 11, 6)).check(NEWEST, Height(5), name)
    known = prove_descent(WORLD.state, Height(9)).history
    Descent(known, links(WORLD, 9, 6)).check(NEWEST, Height(5), name)
    # The parent alone needs nothing between.
    Descent(None).check(NEWEST, Height(11), WORLD.blocks[10].hash)


BOTH = Descent(prove_descent(WORLD.state, Height(9)).history, links(WORLD, 9, 6))


@given(st.data())
def test_whatever_is_altered_is_refused(data: st.DataObject) -> None:
    changed = data.draw(alterations(BOTH.to_json()))
    assume(changed is not None)
    name = WORLD.blocks[4].hash
    assert Descent.from_json(BOTH.to_json()).check(NEWEST, Height(5), name) is None
    said = refusal(lambda: Descent.from_json(changed).check(NEWEST, Height(5), name))
    assert said in {"MALFORMED", "NOT_PROVEN", "BROKEN_PROOF", "OTHER_BRANCH"}


def test_it_proves_one_block_and_no_other() -> None:
    proof = prove_descent(WORLD.state, Height(5))
    with pytest.raises(NotProven, match="proved by the slot"):
        proof.check(NEWEST, Height(6), WORLD.blocks[5].hash)
    with pytest.raises(OtherBranch, match="another block of that height"):
        proof.check(NEWEST, Height(5), Hash32(b"x" * 32))
    with pytest.raises(NotProven, match="does not know block 12"):
        prove_descent(WORLD.state, Height(12)).check(NEWEST, Height(12), NEWEST.hash)


def test_another_accounts_slots_are_no_history() -> None:
    slot = history_slot(Height(5))
    with pytest.raises(NotProven, match=HISTORY_ADDRESS.hex0x):
        Descent(prove(WORLD.state, Nodes.ADDRESS, [slot])).check(
            NEWEST, Height(5), WORLD.blocks[4].hash
        )
    both = prove(WORLD.state, HISTORY_ADDRESS, [slot, history_slot(Height(6))])
    with pytest.raises(NotProven, match="and no other"):
        Descent(both).check(NEWEST, Height(5), WORLD.blocks[4].hash)


def test_headers_of_another_branch_lead_nowhere() -> None:
    other = WORLD.branch(7)
    other.run(range(5, 10))
    with pytest.raises(NotProven, match="not the one that the next one names"):
        Descent(None, links(other, 11, 6)).check(NEWEST, Height(5), WORLD.blocks[4].hash)
    altered = replace(WORLD.blocks[7], gas_used=Gas(3)).encode()
    chain = (*links(WORLD, 11, 9), altered, *links(WORLD, 7, 6))
    with pytest.raises(NotProven, match="header of block 8"):
        Descent(None, chain).check(NEWEST, Height(5), WORLD.blocks[4].hash)


def test_headers_that_are_missing_or_too_many_lead_nowhere() -> None:
    name = WORLD.blocks[4].hash
    for chain in (links(WORLD, 11, 7), links(WORLD, 11, 5), links(WORLD, 10, 6)):
        with pytest.raises(NotProven, match="do not lead"):
            Descent(None, chain).check(NEWEST, Height(5), name)
    too_many = {"history": None, "links": ["0x"] * (MAX_LINKS + 1)}
    assert refusal(lambda: Descent.from_json(too_many)) == "MALFORMED"


# -- what a node shows to who was away


def past(world: World, uncertified: set[int]) -> PastBlocks:
    def certified(height: Height) -> Shown:
        found = next(at for at in range(height, len(world.blocks) + 1) if at not in uncertified)
        return world.certify(world.blocks[found - 1])

    def header(height: Height) -> Header:
        return world.blocks[height - 1]

    return PastBlocks(header, certified)


def walked(world: World, seen: int, uncertified: set[int]) -> list[int]:
    """Follow what a node shows; give the heights that were believed on the way."""
    chain = FollowedChain(world.anchor).follow(world.certify(world.blocks[seen - 1]))
    assert chain.newest is not None
    newest = world.certify(world.blocks[-1])
    heights = []
    shown = steps(chain.newest, newest, world.state, past(world, uncertified))
    for step in read_steps([one.to_json() for one in shown]):
        chain = chain.follow(step.shown, step.descent)
        assert chain.newest is not None
        heights.append(chain.newest.height)
    assert chain.newest == newest.header
    return heights


def generations(world: World) -> None:
    """Three generations: blocks 1 to 5, 6 to 9, 10 to 12; the first two ends are uncertified."""
    world.run(range(4))
    world.block()
    for begin in (b"n", b"o"):
        world.block(Hash32(begin * 32))
        world.run(range(3 if begin == b"n" else 2))


def test_who_was_away_for_a_while_takes_one_step(world: World) -> None:
    generations(world)
    for seen in range(1, 12):
        assert walked(world, seen, {5, 6, 9}) == [12]
    assert walked(world, 12, {5, 6, 9}) == []


def test_who_was_away_for_long_crosses_each_generation(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the ring had two slots only.
    monkeypatch.setattr(history, "KEPT_HASHES", 2)
    generations(world)
    # The last certified of each generation, the first of the next, and the newest.
    assert walked(world, 2, {5, 6, 9}) == [4, 7, 8, 10, 12]
    assert walked(world, 4, {5, 6, 9}) == [7, 8, 10, 12]
    assert walked(world, 7, {5, 6, 9}) == [8, 10, 12]
    assert walked(world, 11, {5, 6, 9}) == [12]
    assert walked(world, 12, {5, 6, 9}) == []
    # A whole generation that certified nothing is passed as well.
    assert walked(world, 2, {5, 6, 7, 8, 9}) == [4, 10, 12]


def test_more_blocks_without_a_certificate_than_one_proof_holds_are_not_proved(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "KEPT_HASHES", 2)
    generations(world)
    monkeypatch.setattr(build, "MAX_LINKS", 2)
    assert walked(world, 2, {5, 6, 9}) == [4, 7, 8, 10, 12]
    monkeypatch.setattr(build, "MAX_LINKS", 1)
    with pytest.raises(NotProven, match="2 blocks in a row"):
        walked(world, 2, {5, 6, 9})
