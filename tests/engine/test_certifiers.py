"""Who certifies the next block: the living epoch, or after an order perhaps another one."""

import pytest

from keymoot.base import rlp
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.committee.certified import certificate_message
from keymoot.committee.errors import NotReady
from keymoot.committee.messages import NodeMessage
from keymoot.committee.page_store import MemoryPages
from keymoot.committee.record import CommitteeRecord
from keymoot.committee.recovery.order import SignedRecoveryOrder
from keymoot.committee.state import CommitteeState
from keymoot.crypto.keccak import keccak256
from keymoot.engine.certifiers import orders_in, speaks, standing_of
from keymoot.engine.combining import combine
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from tests.engine.committee import DEALT, deal, genesis_of, message, order
from tests.engine.house import House
from tests.engine.parts import transfer
from tests.runtime.people import OWNER

pytestmark = pytest.mark.own_time

NETWORK = NetworkId(keccak256(b"a network"))
OLD, NEW = Hash32(bytes(32)), keccak256(b"an order")
BLOCK = keccak256(b"a block")


@pytest.fixture
def state() -> CommitteeState:
    made = CommitteeState(MemoryPages(), NETWORK)
    made.record = CommitteeRecord((1, 2, 3, 4), OLD, 0, frozenset(), (), 3_600)
    made.put_roots(DEALT[0])
    made.pages.set("roots/voted", b"v" * 32)
    return made


def shares(dealt, generation: Hash32) -> dict[int, bytes]:
    said = certificate_message(NETWORK, generation, Height(9), BLOCK)
    return {seat: G1.encode(bls.sign(one, said)) for seat, one in list(dealt[1].items())[:5]}


@pytest.mark.parametrize("page", ["next/certificate", "before/root/certificate"])
def test_an_order_may_go_to_another_epoch_whose_shares_sign_then(
    state: CommitteeState, page: str
) -> None:
    other = deal(7)
    standing = standing_of(state)
    assert standing.faults == 1
    assert standing.others == ()
    candidates = standing.under_orders(Height(9), BLOCK, (NEW,))
    assert combine(candidates, shares(other, NEW)).signature == b""
    state.pages.set(page, rlp.encode(other[0][3].encode()))
    candidates = standing_of(state).under_orders(Height(9), BLOCK, (NEW,))
    combined = combine(candidates, shares(other, NEW))
    assert combined.generation == NEW
    assert combine(candidates, shares(DEALT, NEW)).generation == NEW
    # Without an order only the living epoch counts, in the generation of the state.
    under = standing_of(state).under(Height(9), BLOCK)
    assert combine([under], shares(DEALT, OLD)).generation == OLD
    assert combine([under], shares(DEALT, NEW)).signature == b""
    assert combine([under], shares(other, OLD)).signature == b""


def test_without_roots_nobody_certifies() -> None:
    bare = CommitteeState(MemoryPages(), NETWORK)
    bare.record = CommitteeRecord((1, 2, 3, 4), OLD, 0, frozenset(), (), 3_600)
    with pytest.raises(NotReady):
        standing_of(bare)


async def test_orders_are_found_among_whatever_a_block_holds(tmp_path) -> None:
    house = House(tmp_path)
    raw = order(house.chain)
    terms = SignedRecoveryOrder.decode(NodeMessage.decode(raw).body).terms
    said = message(genesis_of(), 1)
    assert orders_in([said, raw, b"N", raw, transfer(OWNER, 0)]) == (terms.digest(),)
    assert speaks([transfer(OWNER, 0), said])
    assert not speaks([transfer(OWNER, 0)])
    house.close()
