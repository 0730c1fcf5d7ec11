"""Which headers a start signs, whatever else of the enclave goes wrong.

Parents, orders, heights.
"""

from dataclasses import replace

import pytest

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.page_store import DraftPages
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.enclave.executed_chain import ExecutedChain
from keymoot.enclave.signing import Signer, order_in
from keymoot.store.header import Header
from tests.enclave.network import Network

OTHER = Hash32(b"x" * 32)


@pytest.fixture
def course(network: Network) -> ExecutedChain:
    found = network.boxes[1].enclave.start._course
    assert found is not None
    return found


@pytest.fixture
def signer(course: ExecutedChain) -> Signer:
    return course._signer


@pytest.fixture
def child(network: Network, course: ExecutedChain) -> Header:
    """A header above the certified block, of its generation."""
    mark = course.certified
    newest = network.branch.headers[mark.height]
    return replace(newest, height=Height(mark.height + 1), parent_hash=mark.hash)


def test_a_parent_is_the_certified_block_in_its_generation(course, signer, child):
    for other in (
        replace(child, parent_hash=OTHER),
        replace(child, height=Height(child.height + 1)),
        replace(child, generation=OTHER),
    ):
        assert not signer.by_parent(other, course.certified, course._before)
    assert signer.by_parent(child, course.certified, course._before)


def without_us(network: Network, machine: CommitteeMachine) -> CommitteeMachine:
    """The same committee, but that our seat has another start."""
    made = CommitteeMachine(DraftPages(machine._pages), network.genesis.network)
    seat = made.state.seat(1)
    made.state.put_seat(1, replace(seat, session=made.state.seat(2).session))
    return made


def test_a_state_that_names_another_start_lets_us_sign_nothing(network, course, signer, child):
    other = without_us(network, course._before)
    assert not signer.by_parent(child, course.certified, other)
    named = order(network)
    assert not signer.by_order(replace(child, generation=named.digest()), named, other)


@pytest.mark.parametrize("ordered", [False, True])
def test_the_shares_are_those_of_the_state_that_says_who_signs(
    network, course, signer, child, ordered
):
    """Not of the epoch that was entered last: the newest certified state may be another one's."""
    signer.participant.shares = {}
    if ordered:
        named = order(network)
        child = replace(child, generation=named.digest())
        assert signer.by_order(child, named, course._before)
    else:
        assert signer.by_parent(child, course.certified, course._before)


def test_without_a_share_nothing_is_signed(course, signer, child):
    assert not signer._share(child, {})
    assert signer.by_parent(child, course.certified, course._before)


def test_heights_rise(course, signer, child):
    """Not even two ways to one height, nor a way back, give a second share."""
    shares = signer.participant.shares_in(course._before)
    assert signer._share(child, shares)
    twin = replace(child, time=UnixSeconds(child.time + 1))
    lower = replace(child, height=Height(child.height - 1))
    for other in (twin, lower, replace(twin, generation=OTHER)):
        assert not signer._share(other, shares)
        assert not signer.again(other)
    assert signer.again(child)
    assert signer._share(replace(child, height=Height(child.height + 1)), shares)


def order(network: Network, **changes: object) -> RecoveryOrder:
    mark = network.boxes[1].enclave.start._course.certified
    sessions = {at: one.identity.session for at, one in network.boxes.items()}
    made = RecoveryOrder(network.genesis.network, mark.generation, mark.height, mark.hash, sessions)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_block_of_an_order_needs_the_order_that_names_its_generation(
    network, course, signer, child
):
    good, after = order(network), course._before
    sessions = good.sessions
    without = order(network, sessions={at: sessions[at] for at in (2, 3, 4)})
    another = order(network, sessions=sessions | {1: sessions[2]})
    first = replace(child, generation=good.digest())
    assert not signer.by_order(first, None, after)
    assert not signer.by_order(first, order(network, block=OTHER), after)
    for other in (without, another):
        assert not signer.by_order(replace(child, generation=other.digest()), other, after)
    assert signer.by_order(first, good, after)


def test_the_order_of_a_block_is_the_one_that_names_its_generation(network):
    orders = [order(network, base=Height(base)) for base in (3, 4, 5)]
    raws = [
        NodeMessage(
            one.network, one.previous, 0, Kind.RECOVER, SignedRecoveryOrder(one, {}).encode()
        ).encode()
        for one in orders
    ]
    raws.insert(0, b"\x02\xc0")
    for one in orders:
        assert order_in(raws, one.digest()) == one
    assert order_in(raws, OTHER) is None
