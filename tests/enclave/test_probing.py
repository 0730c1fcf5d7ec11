"""Invented blocks, clocks that stand still, starts that are to begin twice: what hosts try out."""

from dataclasses import replace

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.contracts.builtin.vault import Vault
from keymoot.runtime.block import Block
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.vote import Vote
from tests.enclave.box import refused
from tests.enclave.network import Network
from tests.runtime.people import STRANGER, calldata, payment


def invented(network: Network, raws: list[bytes], later: int = 0, above: int = 1) -> bytes:
    height = Height(network.branch.top + above)
    return Block(height, UnixSeconds(network.clock.now + later), tuple(raws)).encode()


def test_a_start_begins_once_and_goes_nowhere_else(network: Network) -> None:
    box = network.boxes[1]
    earlier = Height(network.branch.certified - 1)
    for place in (network.branch.place(), network.branch.place(earlier), None):
        with refused("BEGUN_ALREADY"):
            box.begin(place, network.branch)
    with refused("BEGUN_ALREADY"):
        box.watch(network.branch.place(), network.witness())
    with refused("JOINED_ALREADY"):
        box.join(network.genesis, 1)


def test_nothing_but_a_hash_leaves_for_an_invented_block(network: Network) -> None:
    """Whoever starts an enclave again and again learns of a guess no more than of none."""
    scenario = network.scenario()
    born = scenario.raw(STRANGER, Vault.ADDRESS, calldata(Vault, "birth", b"n" * 32))
    raw, key = network.request(scenario, payment(5).unsigned_bytes())
    seen = set()
    for later in range(3):
        box = network.restart(1, settle=False)
        ballot = box.execute(invented(network, [born, raw], later))
        assert ballot == Vote(ballot.hash)
        seen.add(ballot.hash)
        height = Height(network.branch.top + 1)
        for want in Disclosure:
            with refused("NOT_COVERED"):
                box.outcome(height, want)
        assert box.answer(key)[0].code == "NOT_HELD"
        with refused("NOT_CERTIFIED"):
            box.certify(height, network.branch.proofs[network.branch.certified])
    assert len(seen) == 3


def test_a_hash_has_a_part_that_nobody_can_guess(network: Network) -> None:
    """All of a header is known beforehand but its mix: so a guessed state is not confirmed."""
    network.order([])
    header = network.branch.headers[network.branch.certified]
    assert header.mix_hash != Hash32(bytes(32))
    for guess in (bytes(32), bytes(header.parent_hash), bytes(header.transactions_root)):
        assert replace(header, mix_hash=Hash32(guess)).hash != header.hash
    # The same block has the same hash at every start, on every enclave.
    block = network.branch.blocks[network.branch.certified]
    for seat in network.boxes:
        box = network.restart(seat, Height(network.branch.certified - 1), settle=False)
        assert box.execute(block).hash == header.hash


def test_no_duty_follows_from_a_block_without_a_certificate(network: Network) -> None:
    """A dealing that was made on an invented branch could have its dealer named a cheat."""
    generation = network.branch.headers[network.branch.certified].generation
    chain = network.genesis.network
    epoch = network.machine.epochs.current
    assert epoch is not None
    ticks = []
    for seat, box in network.boxes.items():
        start = box.enclave.start
        assert start is not None
        # All seats want the epoch to end: in a certified block that begins a resharing.
        start.speaker.turn()
        made = NodeMessage(chain, generation, seat, Kind.TICK, (1 << 40).to_bytes(8, "big"))
        ticks.append(made.signed(start.participant.session.signing).encode())
    wanted = list(network.said)
    assert [NodeMessage.decode(raw).kind for raw in wanted] == [Kind.END_EPOCH] * 4
    network.said.clear()
    box = network.boxes[1]
    box.execute(invented(network, wanted))
    box.execute(invented(network, ticks, 5_000, 2))
    box.execute(invented(network, [], 9_000, 3))
    box.enclave.poll()
    assert not network.said
    # Certified, the same messages have everybody deal.
    network.boxes.pop(1)
    network.order(wanted)
    assert {NodeMessage.decode(raw).kind for raw in network.said} >= {Kind.RESHARE}


def test_a_clock_that_stands_still_answers_no_later_than_the_newest_certificate(
    network: Network,
) -> None:
    scenario = network.scenario()
    raw, key = network.request(scenario, payment(5).unsigned_bytes(), seconds=30)
    assert network.send(raw).status == 1
    box = network.boxes[2]
    assert not box.answer(key)[0].code
    # The ledger goes on; the clock of this machine does not.
    network.order([], network.clock.now + 60)
    (answer,) = box.answer(key)
    assert (answer.code, "expired" in answer.message) == ("NOT_BOUND", True)


def test_by_its_own_clock_a_request_expires_too(network: Network) -> None:
    scenario = network.scenario()
    raw, key = network.request(scenario, payment(5).unsigned_bytes(), seconds=30)
    assert network.send(raw).status == 1
    network.clock.now += 100
    for box in network.awake:
        assert box.answer(key)[0].code == "NOT_BOUND"
