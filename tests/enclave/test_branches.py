"""Two blocks of one height, certificates that come late or never, orders: what starts sign."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.certified import certificate_message
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.committee.roots import CERTIFICATE
from keymoot.committee.seat import NewSession
from keymoot.runtime.block import Block
from keymoot.runtime.vote import Vote
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from tests.enclave.box import Box, refused
from tests.enclave.network import Network
from tests.runtime.people import payment


def block(network: Network, height: int, raws: Iterable[bytes] = (), late: int = 0) -> bytes:
    return Block(Height(height), UnixSeconds(network.clock.now + late), tuple(raws)).encode()


def asked(network: Network) -> tuple[bytes, Hash32]:
    """Give a request that the next block may bind, and its name."""
    return network.request(network.scenario(), payment(5).unsigned_bytes())


def anew(network: Network, seat: int, height: Height | None = None) -> Box:
    """Start a seat anew on its disk; nobody hears what it says."""
    network.mute = True
    box = network.restart(seat, height, settle=False)
    network.said.clear()
    network.mute = False
    return box


def test_a_start_executes_one_block_of_a_height(network: Network) -> None:
    box, top = network.boxes[1], network.branch.top + 1
    first = box.execute(block(network, top))
    with refused("ANOTHER_BLOCK"):
        box.execute(block(network, top, late=1))
    # The one that it has executed is given again: the same hash, the same share.
    assert box.execute(block(network, top)) == first
    assert first.share


def test_of_two_blocks_of_a_height_at_most_one_gets_enough_shares(network: Network) -> None:
    top = network.branch.top + 1
    one, other = block(network, top), block(network, top, late=1)
    shares = {at: network.boxes[at].execute(one).share for at in (1, 2)}
    more = {at: network.boxes[at].execute(other).share for at in (3, 4)}
    assert all(shares.values())
    assert all(more.values())
    # The hosts start anything they like anew: nobody whom the state names signs the other one.
    for at in (1, 2):
        assert not anew(network, at).execute(other).share
    for at in (3, 4):
        assert not anew(network, at).execute(one).share


def test_without_the_certificate_of_its_parent_a_block_gets_no_share(network: Network) -> None:
    box, top = network.boxes[1], network.branch.top + 1
    assert box.execute(block(network, top)).share
    second = block(network, top + 1)
    assert not box.execute(second).share
    assert not box.execute(block(network, top + 2)).share
    # Other enclaves certify the parent: then its child is signed, and not the grandchild.
    network.branch.blocks[Height(top)] = block(network, top)
    network.vote()
    assert network.branch.certified == top
    assert box.execute(second).share
    assert not box.execute(block(network, top + 2)).share


def test_a_start_that_the_state_does_not_name_signs_nothing(network: Network) -> None:
    box = anew(network, 1)
    for late in range(3):
        ballot = box.execute(block(network, network.branch.top + 1 + late))
        assert ballot == Vote(ballot.hash)


def test_what_a_block_bound_is_burned_when_only_a_later_certificate_covers_it(
    network: Network,
) -> None:
    """The certificate of the binding's own height, shown later, unlocks nothing any more."""
    raw, key = asked(network)
    top = network.branch.top + 1
    one, two = block(network, top, [raw]), block(network, top + 1)
    late = network.boxes[4]
    for at in (1, 2, 3):
        network.boxes[at].execute(one)
    late.execute(one)
    late.execute(two)
    network.withheld.add(4)
    network.branch.blocks[Height(top)] = one
    network.vote()
    network.branch.blocks[Height(top + 1)] = two
    network.vote()
    assert network.branch.certified == top + 1
    assert sorted(network.answers[key]) == [1, 2, 3]
    # The host of the fourth shows it the second certificate, and then the first.
    released = late.certify(Height(top + 1), network.branch.proofs[Height(top + 1)])
    assert released.first == top
    assert not released.answers
    assert not late.enclave.start._course._answers.bound_at(Height(top))
    assert late.answer(key)[0].code == "NOT_HELD"
    with refused("COVERED"):
        late.certify(Height(top), network.branch.proofs[Height(top)])
    assert late.answer(key)[0].code == "NOT_HELD"


def test_a_certificate_of_another_block_unlocks_nothing(network: Network) -> None:
    raw, key = asked(network)
    top = Height(network.branch.top + 1)
    network.order([])
    box = anew(network, 1, Height(top - 1))
    box.execute(block(network, top, [raw]))
    with refused("NOT_CERTIFIED"):
        box.certify(top, network.branch.proofs[top])
    with refused("NOT_COVERED"):
        box.outcome(top)
    assert box.answer(key)[0].code == "NOT_HELD"


def test_an_answer_is_the_same_however_often_it_is_asked_for(network: Network) -> None:
    key = network.bind(network.scenario())
    height = network.height_of(key)
    for at, box in network.boxes.items():
        given = network.answers[key][at]
        assert box.answer(key) == [given]
        assert [one for one in box.certify(height, network.branch.proofs[height]).answers] == [
            given
        ]


def test_the_block_of_an_order_is_signed_by_whom_it_names_and_by_no_others(
    network: Network,
) -> None:
    """One that the state names, and the order does not, has no say in the new generation."""
    starts = {at: anew(network, at) for at in (1, 2)}
    order = network.recovery([1, 2, 3])
    top = Height(network.branch.top + 1)
    raw = block(network, top, [order])
    shares = {at: network.boxes[at].execute(raw).share for at in (1, 2, 3)}
    assert all(shares.values())
    assert not network.boxes[4].execute(raw).share
    assert starts[1].execute(raw).share == shares[1]


def test_a_start_that_is_named_and_replaced_in_one_block_does_not_sign_it(
    network: Network,
) -> None:
    """An order names a start of seat 1, and a session behind it another one: neither signs."""
    named = anew(network, 1)
    order = network.recovery([1, 2, 3])
    generation = SignedRecoveryOrder.decode(NodeMessage.decode(order).body).terms.digest()
    other = Box(1, named.folder, network.said.append, network.clock)
    other.join(network.genesis, 1)
    other.begin(network.branch.place(), network.branch)
    network.said.clear()
    body = NewSession(
        named.identity.session and named.identity.session.signing, other.identity.session
    ).encode()
    session = NodeMessage(network.genesis.network, generation, 1, Kind.SESSION, body)
    raws = [order, session.signed(named.enclave.sealed.now.identity).encode()]
    raw = block(network, network.branch.top + 1, raws)
    assert not named.execute(raw).share
    assert not other.execute(raw).share
    assert network.boxes[2].execute(raw).share
    assert network.boxes[3].execute(raw).share


def test_an_order_is_endorsed_only_on_a_certified_block_of_ones_own_chain(
    network: Network,
) -> None:
    branch, box = network.branch, network.boxes[1]
    chain, name = network.genesis.network, branch.headers[branch.certified].hash
    sessions = {1: box.identity.session}
    previous = branch.headers[branch.certified].generation

    def terms(height: int, block: Hash32, **changes: object) -> bytes:
        made = RecoveryOrder(chain, previous, Height(height), block, sessions)
        return SignedRecoveryOrder(replace(made, **changes), {}).encode()  # type: ignore[arg-type]

    assert box.endorse(terms(branch.certified, name)) == box.endorse(terms(branch.certified, name))
    earlier = branch.certified - 2
    assert box.endorse(terms(earlier, branch.headers[Height(earlier)].hash))
    uncertified = box.execute(block(network, branch.top + 1))
    for bad in (
        terms(branch.certified, Hash32(b"\x01" * 32)),
        terms(branch.top + 1, uncertified.hash),
        terms(branch.certified, name, network=NetworkId(b"\x02" * 32)),
        terms(branch.certified, name, sessions={1: network.boxes[2].identity.session}),
        terms(branch.certified, name, sessions={2: box.identity.session}),
    ):
        with refused("ORDER_REFUSED"):
            box.endorse(bad)


def test_what_was_answered_is_given_again_in_a_new_generation(network: Network) -> None:
    raw, key = asked(network)
    top = Height(network.branch.top + 1)
    network.mute = True
    network.order([raw])
    assert network.branch.certified == top
    order = network.recovery([1, 2, 3, 4])
    network.mute = False
    network.send(order)
    for at in (1, 2, 3):
        (answer,) = network.boxes[at].answer(key)
        assert answer == network.answers[key][at]


def test_a_certificate_of_the_generation_before_that_comes_late_unlocks_nothing(
    network: Network,
) -> None:
    """It is shown only after the start has executed the order that ends its generation."""
    raw, key = asked(network)
    top = Height(network.branch.top + 1)
    one = block(network, top, [raw])
    late = network.boxes[4]
    network.withheld.add(4)
    network.branch.blocks[top] = one
    network.vote()
    assert network.branch.certified == top
    order = network.recovery([1, 2, 3])
    two = block(network, top + 1, [order])
    late.execute(one)
    late.execute(two)
    released = late.certify(top, network.branch.proofs[top])
    assert [answer.code for answer in released.answers] == ["NOT_HELD"]
    assert late.answer(key)[0].code == "NOT_HELD"


def test_an_order_for_another_branch_is_not_executed_in_this_one(
    network: Network, tmp_path: Path
) -> None:
    """Its base is on a chain that was undone: here it changes nothing."""
    other = network.fork(tmp_path / "other", Height(network.branch.certified - 1))
    other.clock.now += 7
    order = other.recovery([1, 2, 3, 4])
    other.order([order])
    assert other.branch.certified == other.branch.top
    previous = other.branch.headers[other.branch.certified].generation
    terms = RecoveryOrder(
        other.genesis.network,
        previous,
        other.branch.certified,
        other.branch.headers[other.branch.certified].hash,
        {at: one.identity.session for at, one in other.boxes.items()},
    )
    unsigned = SignedRecoveryOrder(terms, {}).encode()
    signed = {at: one.endorse(unsigned) for at, one in other.boxes.items()}
    with refused("ORDER_REFUSED"):
        network.boxes[1].endorse(unsigned)
    body = SignedRecoveryOrder(terms, signed).encode()
    message = NodeMessage(network.genesis.network, previous, 0, Kind.RECOVER, body).encode()
    assert network.send(message).status == 0
    assert network.branch.headers[network.branch.certified].generation != terms.digest()


def test_a_share_is_of_the_root_that_certifies(network: Network) -> None:
    """What `share` is: a share of the certificate's root over the message of that very block."""
    top = Height(network.branch.top + 1)
    ballot = network.boxes[2].execute(block(network, top))
    generation = network.branch.headers[network.branch.certified].generation
    message = certificate_message(network.genesis.network, generation, top, ballot.hash)
    root = network.machine.state.root(CERTIFICATE)
    assert bls.check(root, 2, message, G1.decode(ballot.share))
