"""Which headers a start signs, whatever else of the enclave goes wrong: parents, orders, heights."""

from dataclasses import replace

import pytest

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.enclave.course import Course
from keymoot.enclave.signing import Signer, order_in
from keymoot.moot.assembly import Assembly
from keymoot.moot.certificate import Certificate, SignedCertificate
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.pages import DraftPages
from keymoot.store.header import Header
from tests.enclave.network import Network

OTHER = Hash32(b"x" * 32)


@pytest.fixture
def course(network: Network) -> Course:
    found = network.boxes[1].enclave.start._course
    assert found is not None
    return found


@pytest.fixture
def signer(course: Course) -> Signer:
    return course._signer


@pytest.fixture
def child(network: Network, course: Course) -> Header:
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


def without_us(network: Network, assembly: Assembly) -> Assembly:
    """The same assembly, but that our seat has another start."""
    made = Assembly(DraftPages(assembly._pages), network.genesis.network)
    seat = made.hall.seat(1)
    made.hall.put_seat(1, replace(seat, boot=made.hall.seat(2).boot))
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
    signer.party.shares = {}
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
    shares = signer.party.shares_in(course._before)
    assert signer._share(child, shares)
    twin = replace(child, time=UnixSeconds(child.time + 1))
    lower = replace(child, height=Height(child.height - 1))
    for other in (twin, lower, replace(twin, generation=OTHER)):
        assert not signer._share(other, shares)
        assert not signer.again(other)
    assert signer.again(child)
    assert signer._share(replace(child, height=Height(child.height + 1)), shares)


def order(network: Network, **changes: object) -> Certificate:
    mark = network.boxes[1].enclave.start._course.certified
    boots = {at: one.identity.boot for at, one in network.boxes.items()}
    made = Certificate(network.genesis.network, mark.generation, mark.height, mark.hash, boots)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_block_of_an_order_needs_the_order_that_names_its_generation(
    network, course, signer, child
):
    good, after = order(network), course._before
    boots = good.boots
    without = order(network, boots={at: boots[at] for at in (2, 3, 4)})
    another = order(network, boots=boots | {1: boots[2]})
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
            one.network, one.previous, 0, Kind.RECOVER, SignedCertificate(one, {}).encode()
        ).encode()
        for one in orders
    ]
    raws.insert(0, b"\x02\xc0")
    for one in orders:
        assert order_in(raws, one.digest()) == one
    assert order_in(raws, OTHER) is None
