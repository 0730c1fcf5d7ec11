"""Members come and go: who signs which block, who is believed, and who goes on after a start."""

from dataclasses import replace

import pytest

from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height
from keymoot.committee.errors import NotSeated
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.enclave import messages
from keymoot.enclave.sealed_state import SealedStateFile, open_sealed_state
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.polynomial import interpolate_points
from tests.enclave.box import Box
from tests.enclave.network import Network
from tests.enclave.shares import combined, refused, shares_of


def arrive(network: Network, seat: int) -> Box:
    """Start an enclave that has no seat; it watches, and wants one."""
    one = network.add(seat)
    one.join(network.genesis, seat)
    network.settle()
    return one


def ask_members(network: Network, word: str, body: bytes) -> None:
    for seat in network.machine.state.record.members:
        network.boxes[seat].ask(word, body)
    network.settle()


def change(network: Network, joining=(), leaving=()) -> Height:
    """Let these come and those go; give the height of the block that did it."""
    for seat in joining:
        one = arrive(network, seat)
        ask_members(network, messages.ADMIT, one.identity.identity_key)
    for seat in leaving:
        network.boxes[seat].ask(messages.PART, bytes([seat]))
    network.settle()
    before = members(network, network.branch.certified)
    epoch = network.machine.epochs.current.number
    ask_members(network, messages.TURN, b"")
    assert network.machine.epochs.current.number == epoch + 1
    height = network.branch.certified
    while members(network, Height(height - 1)) != before:
        height = Height(height - 1)
    return height


def members(network: Network, height: Height) -> tuple[int, ...]:
    from keymoot.runtime.committee_pages import committee_in

    return committee_in(network.branch.state(height), network.genesis.network).state.record.members


def signers(network: Network, height: Height) -> set[int]:
    return {at for at, one in network.boxes.items() if (b := one.ballots.get(height)) and b.share}


def more_blocks(network: Network, count: int) -> None:
    for _ in range(count):
        network.order([])
    network.settle()


def test_the_members_of_the_state_before_a_block_sign_it(network):
    at = change(network, [5], [2])
    more_blocks(network, 2)
    assert members(network, at) == (1, 3, 4, 5)
    assert signers(network, at) <= {1, 2, 3, 4}
    # The leaver signs the block that lets it go, and none after; the joiner all from there on.
    assert 2 in signers(network, at)
    for height in range(at + 1, network.branch.certified + 1):
        assert 2 not in signers(network, Height(height))
    assert 5 in signers(network, network.branch.certified)
    # It has the state secret, and executes, before it is a member; it signs nothing then.
    ballots = network.boxes[5].ballots
    assert min(ballots) < at
    assert not any(one.share for height, one in ballots.items() if height <= at)


def test_the_old_members_shares_certify_nothing_after_the_change(network):
    at = change(network, [5], [2])
    block = network.branch.headers[Height(at + 1)]
    # The leaver's copy of its old share would be one of the old sharing: it combines with none.
    from keymoot.committee.certified import certificate_message
    from keymoot.committee.roots import CERTIFICATE
    from keymoot.threshold import bls

    name = network.genesis.network
    message = certificate_message(name, block.generation, block.height, block.hash)
    new = network.machine.state.root(CERTIFICATE)
    shares = {
        seat: network.boxes[seat].enclave.start.participant.shares_in(network.machine)[CERTIFICATE]
        for seat in (1, 3, 4)
    }
    points = {seat: bls.sign(one, message) for seat, one in shares.items()}
    assert bls.verify(new.public, message, interpolate_points(G1, points))
    gone = network.boxes[2].enclave.start.participant
    assert not gone.shares_in(network.machine)


def test_who_left_has_erased_what_could_open_its_shares(network):
    keep = network.boxes[2].enclave.sealed
    keys = {keep.now.epoch.expose(), keep.now.next.expose()}
    change(network, [5], [2])
    more_blocks(network, 2)
    gone = network.boxes[2]
    assert not gone.enclave.start.participant.shares_in(network.machine)
    assert not keys & {keep.now.epoch.expose(), keep.now.next.expose()}
    assert keep.now.state is None
    # Blocks use a secret that it was never given: its start is over.
    with refused("START_OVER"):
        gone.ask(messages.TURN, b"")


def test_requests_are_signed_before_during_and_after(network):
    scenario = network.scenario()
    before = network.bind(scenario)
    assert combined(network, before, shares_of(network, before, (1, 2)))
    change(network, [5])
    change(network, [], [2])
    after = network.bind(scenario, 6)
    for seats in ((1, 5), (3, 5), (3, 4)):
        assert combined(network, after, shares_of(network, after, seats))
    # Who left answers nothing: blocks use a secret that it was never given.
    with refused("START_OVER"):
        shares_of(network, after, (2,))


def test_a_start_goes_on_across_two_changes(network):
    change(network, [5])
    change(network, [6])
    change(network, [], [1])
    late = network.restart(3)
    participant = late.enclave.start.participant
    assert participant.seated(network.machine)
    # It computes its shares from what those dealt who sat before, and one of them is gone.
    scenario = network.scenario()
    key = network.bind(scenario)
    assert participant.shares_in(network.machine)
    assert combined(network, key, shares_of(network, key, (4, 5)))
    # And so does one of those who came.
    network.restart(5)
    key = network.bind(scenario, 6)
    assert network.boxes[5].enclave.start.participant.shares_in(network.machine)
    assert combined(network, key, shares_of(network, key, (4, 6)))


def test_all_recover_after_a_change(network):
    change(network, [5])
    change(network, [], [2])
    assert network.machine.state.record.members == (1, 3, 4, 5)
    network.recover()
    scenario = network.scenario()
    key = network.bind(scenario)
    assert combined(network, key, shares_of(network, key, (1, 5)))
    assert network.machine.state.record.recoveries == 1
    # Whoever left signs no block of it.
    assert 2 not in signers(network, network.branch.certified)


def test_who_is_not_invited_is_not_heard(network):
    one = arrive(network, 5)
    participant = one.enclave.start.participant
    forged = NodeMessage(
        network.genesis.network, network.machine.state.record.generation, 5, Kind.JOIN, b"\xc0"
    )
    with pytest.raises(Exception, match="fields"):
        network.machine.check(forged.signed(one.enclave.sealed.now.identity))
    with pytest.raises(NotSeated):
        network.machine.check(replace(forged, kind=Kind.TICK).signed(participant.session.signing))
    network.settle()
    assert not network.machine.epochs.membership.page.joining


def sealed_keys(box: Box) -> set[bytes]:
    keep = open_sealed_state(box.folder, box.platform)
    found = (keep.epoch, keep.next, keep.previous)
    return {one.expose() for one in found if one is not None}


def test_who_is_killed_as_it_leaves_erases_its_keys_when_it_starts_anew(network, monkeypatch):
    change(network, [5])
    box = network.boxes[2]
    put, keep = SealedStateFile.put, box.enclave.sealed
    keys = sealed_keys(box)

    def dies(file, new):
        fresh = new.epoch is not file.now.epoch and new.epoch is not file.now.next
        if file is keep and fresh:
            raise CannotWrite("the keep", 5)
        put(file, new)

    monkeypatch.setattr(SealedStateFile, "put", dies)
    change(network, [], [2])
    more_blocks(network, 2)
    assert keys & sealed_keys(box)
    late = network.restart(2)
    more_blocks(network, 1)
    assert not keys & sealed_keys(box)
    assert not late.enclave.start.participant.shares_in(network.machine)


def test_old_states_in_which_it_had_no_seat_erase_nothing(network):
    more_blocks(network, 3)
    at = change(network, [5])
    keys = sealed_keys(network.boxes[5])
    # It begins below the block that gave it its seat, and is shown every certificate up to there.
    late = network.restart(5, Height(at - 3), settle=False)
    for height in range(at - 2, at):
        late.execute(network.branch.blocks[Height(height)])
        proof = network.branch.proofs.get(Height(height))
        if proof:
            late.certify(Height(height), proof)
    assert late.enclave.start.speaker._seen.height < at
    assert sealed_keys(late) == keys
    network.settle()
    assert sealed_keys(late) == keys
