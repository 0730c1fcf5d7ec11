"""Starts, old disks, clones and recoveries: nothing one-time comes twice."""

import shutil
from pathlib import Path

import pytest

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.committee.task import SeatTask
from keymoot.enclave import messages
from keymoot.runtime.block import Block
from keymoot.runtime.release import find_record
from tests.enclave.box import Box
from tests.enclave.copies import clone
from tests.enclave.network import Network
from tests.enclave.shares import combined, refused, shares_of
from tests.runtime.people import OWNER


def old_disk(network: Network, seat: int, folder: Path) -> Box:
    """Start an enclave on a copy of a seat's disk; what it says reaches nobody."""
    shutil.copytree(network.boxes[seat].folder, folder)
    said: list[bytes] = []
    return Box(seat, folder, said.append, network.clock)


def shown_all(network: Network, box: Box) -> None:
    """Show an enclave all blocks and certificates from where it stands."""
    while box.next <= network.branch.top and not box.lost:
        height = box.next
        box.ballots[height] = box.execute(network.branch.blocks[height])
        if height in network.branch.proofs:
            box.certify(height, network.branch.proofs[height])
        box.next = Height(height + 1)


def test_a_start_signs_only_above_the_certified_block_that_holds_its_keys(network):
    network.mute = True
    one = network.restart(2)
    below = network.order([])
    # It has said with which keys it started, but no block holds them yet.
    assert not one.ballots[below].share
    network.mute = False
    network.settle()
    seat = network.machine.state.seat(2)
    assert seat.session == one.identity.session
    shared = [height for height, ballot in one.ballots.items() if ballot.share]
    assert shared
    assert min(shared) == seat.since + 1
    assert one.ballots[seat.since].hash == network.branch.headers[seat.since].hash


def test_an_old_disk_signs_no_block_and_answers_nothing(network, tmp_path):
    scenario = network.scenario()
    base = network.branch.certified
    twin = old_disk(network, 3, tmp_path / "old")
    key = network.bind(scenario)
    twin.join(network.genesis, 3)
    twin.begin(network.branch.place(base), network.branch)
    shown_all(network, twin)
    assert not any(ballot.share for ballot in twin.ballots.values())
    assert (twin.answer(key)[0].code, twin.answer(key)[0].sealed) == ("NOT_HELD", b"")


def test_on_a_later_start_of_its_own_seat_an_enclave_stops(network, tmp_path):
    scenario = network.scenario()
    twin = clone(network.boxes[4], tmp_path / "clone")
    network.restart(4)
    key = network.bind(scenario)
    # The copy still executes, with all presignatures of the stock in its memory.
    with refused("START_OVER"):
        shown_all(network, twin)
    assert "a later start" in twin.lost
    last = max(twin.ballots)
    assert last < network.height_of(key)
    posted = len(twin.out)
    twin.enclave.poll()
    for word, body in (
        (messages.PULSE, b""),
        (messages.TURN, b""),
        ("answer", [key]),
        ("execute", network.branch.blocks[last]),
    ):
        with refused("START_OVER"):
            twin.ask(word, body)
    # Four refusals, and not a word of its own.
    assert len(twin.out) == posted + 4
    assert not twin.enclave.start.participant.presign._presignatures
    assert not network.boxes[1].answer(key)[0].code


def test_a_later_start_ends_one_that_a_recovery_seated(network, tmp_path):
    network.recover()
    twin = clone(network.boxes[4], tmp_path / "clone")
    posted = len(twin.out)
    new = network.restart(4)
    assert network.machine.state.seat(4).session == new.identity.session
    with refused("START_OVER"):
        shown_all(network, twin)
    height = network.order([])
    assert new.ballots[height].share
    assert height not in twin.ballots
    # Nor does it take the seat back.
    said = [NodeMessage.decode(raw) for raw in twin.out[posted:] if raw[:1] == b"\x4e"]
    assert Kind.SESSION not in {one.kind for one in said}


def test_a_later_start_ends_one_that_an_order_left_out(network, tmp_path):
    """It had the seat before: it would else take it back as soon as it sees the later one."""
    twin = clone(network.boxes[4], tmp_path / "clone")
    network.withheld.add(4)
    network.order([network.recovery((1, 2, 3))])
    assert network.machine.state.seat(4).session is None
    network.withheld.clear()
    new = network.restart(4)
    assert network.machine.state.seat(4).session == new.identity.session
    with refused("START_OVER"):
        shown_all(network, twin)
    assert "a later start" in twin.lost


def test_a_start_that_an_order_left_out_posts_itself_anew(network):
    """Once in each generation, also one that had to post itself in the one before."""
    one = network.restart(4)
    assert network.machine.state.seat(4).session == one.identity.session
    for _ in range(2):
        network.order([network.recovery((1, 2, 3))])
        assert network.machine.state.seat(4).session is None
        network.settle()
        assert network.machine.state.seat(4).session == one.identity.session


def test_a_start_that_is_over_says_nothing_of_what_it_was_still_working_at(network, tmp_path):
    twin = clone(network.boxes[4], tmp_path / "clone")
    speaker, generation = twin.enclave.start.speaker, Hash32(b"g" * 32)
    task = SeatTask("work", lambda _: [], generation)
    tick = [(Kind.TICK, bytes(8))]
    posted = len(twin.out)
    speaker._report(task, tick)
    assert len(twin.out) == posted + 1
    # What was worked at belongs to the generation in which it was begun.
    assert NodeMessage.decode(twin.out[-1]).generation == generation
    network.restart(4)
    with refused("START_OVER"):
        shown_all(network, twin)
    posted = len(twin.out)
    speaker._report(task, tick)
    speaker.post(tick)
    assert len(twin.out) == posted


def test_what_was_dealt_before_a_start_is_gone_with_it(network):
    scenario = network.scenario()
    key = network.bind(scenario)
    network.restart(2)
    answers = shares_of(network, key)
    assert answers[2].code == "NOT_HELD"
    assert combined(network, key, {at: answers[at] for at in (1, 3)})


# -- one start, one chain


def test_a_start_joins_once_and_begins_once(network):
    one = network.boxes[1]
    with refused("JOINED_ALREADY"):
        one.join(network.genesis)
    with refused("BEGUN_ALREADY"):
        one.begin(network.branch.place(), network.branch)
    one.start()
    one.join(network.genesis, 1)
    one.begin(network.branch.place(), network.branch)
    with refused("BEGUN_ALREADY"):
        one.begin(network.branch.place(), network.branch)
    with refused("BEGUN_ALREADY"):
        one.watch(network.branch.place(), network.witness())


def test_an_executed_block_is_answered_again_and_another_of_its_height_is_not(network):
    scenario = network.scenario()
    key = network.bind(scenario)
    height = network.height_of(key)
    raw = network.branch.blocks[height]
    other = network.branch.blocks[Height(height - 1)]
    for one in network.boxes.values():
        assert one.execute(raw) == one.ballots[height]
        tampered = raw[:-1] + bytes((raw[-1] ^ 1,))
        with refused("ANOTHER_BLOCK"):
            one.execute(tampered)
        assert one.execute(other) == one.ballots[Height(height - 1)]
        assert one.answer(key)[0] == network.answers[key][one.seat]
    assert not network.stands_still
    assert network.bind(scenario, 6)


def test_beginning_further_up_does_not_forget_a_pause(network):
    scenario = network.scenario()
    key = network.bind(scenario)
    assert scenario.send(OWNER, "pause", scenario.wallet).status == 1
    one = network.boxes[1]
    assert one.answer(key)[0].code == "NOT_BOUND"
    network.restart(1)
    assert one.answer(key)[0].sealed == b""


# -- recoveries


def test_one_order_seats_who_is_back_and_the_network_goes_on(network):
    scenario = network.scenario()
    key = network.bind(scenario)
    generation = network.machine.state.record.generation
    network.recover()
    head = network.machine.state.record
    assert (head.recoveries, head.generation != generation) == (1, True)
    # Nothing was undone.
    assert find_record(network.state(), key).status == "bound"
    assert {one.code for one in shares_of(network, key).values()} == {"NOT_HELD"}
    again = network.bind(scenario, 6)
    assert combined(network, again, shares_of(network, again))
    # All that serves once is of the new generation.
    for one in network.boxes.values():
        start = one.enclave.start
        assert all(at == head.generation for at, _ in start.participant.presign._presignatures)


def test_a_generation_ends_what_was_bound_before_also_for_whom_did_not_start_anew(network):
    scenario = network.scenario()
    key = network.bind(scenario)
    one = network.boxes[4]
    assert not one.answer(key)[0].code
    waiting = network.request(scenario, b"\x02\xc0")[0]
    assert network.send(waiting).status == 0
    network.recover(waking=frozenset({4}))
    assert one.enclave.start.participant.seated(network.machine)
    # Given before, it is given again: the same bytes say nothing new.
    assert one.answer(key)[0] == network.answers[key][4]
    again = network.bind(scenario, 6)
    assert not one.answer(again)[0].code


def test_what_was_bound_and_not_answered_before_a_generation_never_is(network):
    scenario = network.scenario()
    network.withheld = {4}
    key = network.bind(scenario)
    one = network.boxes[4]
    height = network.height_of(key)
    while one.next <= height:
        one.ballots[one.next] = one.execute(network.branch.blocks[one.next])
        if one.next < height:
            network.show(one, one.next)
        one.next = Height(one.next + 1)
    # It holds the presignature, and waits for the certificate; then an order is executed.
    assert network.answers[key].keys() == {1, 2, 3}
    for seat in (1, 2, 3):
        network.restart(seat, settle=False)
    network.vote()
    network.said.clear()
    assert network.branch.certified == height == network.branch.top
    block = block_of(network, [network.recovery((1, 2, 3))])
    answers = one.enclave.start._course._answers
    assert answers._open[key].held
    one.execute(block)
    assert not answers._open[key].held
    # Now its host has the certificate, and it is the right one.
    released = one.certify(height, network.branch.proofs[height])
    assert {each.code for each in released.answers} <= {"NOT_HELD"}
    assert (one.answer(key)[0].code, one.answer(key)[0].sealed) == ("NOT_HELD", b"")
    assert not one.enclave.start.participant.presign._presignatures


def block_of(network: Network, raws: list[bytes]) -> bytes:
    top = Height(network.branch.top + 1)
    return Block(top, UnixSeconds(network.clock.now), tuple(raws)).encode()


@pytest.fixture
def stopped(network):
    """A network whose enclaves were all started again, and have no order yet."""
    for seat in network.boxes:
        network.restart(seat, settle=False)
    network.said.clear()
    return network


def terms_of(network: Network, base: Height | None = None, /, **changes) -> RecoveryOrder:
    at = network.branch.certified if base is None else base
    header = network.branch.headers[at]
    fields = {
        "network": network.genesis.network,
        "previous": network.machine.state.record.generation,
        "base": at,
        "block": header.hash,
        "sessions": {at: one.identity.session for at, one in network.boxes.items()},
    }
    return RecoveryOrder(**(fields | changes))


def refused_order(network: Network, terms: RecoveryOrder, signers: tuple[int, ...]) -> None:
    """Put an order into a block: it has no effect, and nobody signs that block."""
    unsigned = SignedRecoveryOrder(terms, {}).encode()
    signed = {at: network.boxes[at].endorse(unsigned) for at in signers}
    body = SignedRecoveryOrder(terms, signed).encode()
    made = NodeMessage(network.genesis.network, terms.previous, 0, Kind.RECOVER, body).encode()
    generation = network.machine.state.record.generation
    height = network.order([made])
    assert network.stands_still
    assert not any(one.ballots[height].share for one in network.boxes.values())
    assert network.machine.state.record.generation == generation


@pytest.mark.parametrize("signers", [(1,), (1, 2), (1, 2, 3)])
def test_an_order_needs_enough_signers_and_names_only_who_signed(stopped, signers):
    # It names all four, so all four have to sign.
    refused_order(stopped, terms_of(stopped), signers)
    generation = stopped.machine.state.record.generation
    whole = stopped.recovery((1, 2, 3, 4), previous=generation)
    stopped.order([whole])
    stopped.settle()
    assert not stopped.stands_still


def test_an_enclave_endorses_only_what_names_itself_on_its_own_certified_block(stopped):
    branch, one = stopped.branch, stopped.boxes[1]
    sessions = {at: each.identity.session for at, each in stopped.boxes.items()}
    wrong = [
        terms_of(stopped, network=type(stopped.genesis.network)(b"n" * 32)),
        terms_of(stopped, sessions={at: sessions[at] for at in (2, 3, 4)}),
        terms_of(stopped, sessions=sessions | {1: sessions[2]}),
        terms_of(stopped, block=branch.headers[Height(branch.certified - 1)].hash),
        # Below where it began, it knows no block.
        terms_of(stopped, Height(branch.certified - 1)),
    ]
    for terms in wrong:
        with refused("ORDER_REFUSED"):
            one.endorse(SignedRecoveryOrder(terms, {}).encode())
    # It may endorse again.
    for _ in range(2):
        assert one.endorse(SignedRecoveryOrder(terms_of(stopped), {}).encode())
