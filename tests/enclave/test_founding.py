"""The record that ends a founding: whole, of this very chain, and of the block that it names."""

from dataclasses import replace
from pathlib import Path

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.machine import NO_GENERATION
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.enclave.frames import ReleasedFrame
from tests.enclave.box import refused
from tests.enclave.network import Network


def test_a_founder_ends_its_founding_with_the_whole_record_of_its_own_chain(
    tmp_path: Path,
) -> None:
    network = Network(tmp_path)
    network.prepare()
    last, shown = network.boxes[4], network.boxes[4].certify
    tried: list[Height] = []

    def lie(height: Height, proof: bytes) -> ReleasedFrame:
        if tried:
            return shown(height, proof)
        record = FoundingRecord.decode(proof)
        some = replace(record, signatures={at: record.signatures[at] for at in (1, 2, 4)})
        # Whoever had the sessions of all founders could sign another block's.
        other = replace(record, block=Hash32(b"x" * 32), signatures={})
        for seat, box in network.boxes.items():
            other = other.signed(seat, other.sign(box.enclave._session.signing))
        other.check(network.genesis)
        for bad, code in ((some, "NOT_FOUNDED"), (other, "FOREIGN_RECORD")):
            with refused(code):
                shown(height, bad.encode())
        with refused("MISPLACED_RECORD"):
            shown(Height(height - 1), proof)
        # While it is founding it answers nothing, and endorses nothing.
        assert last.answer(Hash32(bytes(32)))[0].code == "NOT_HELD"
        sessions = {4: last.identity.session}
        begun = RecoveryOrder(
            network.genesis.network, NO_GENERATION, Height(0), Hash32(record.network), sessions
        )
        with refused("ORDER_REFUSED"):
            last.endorse(SignedRecoveryOrder(begun, {}).encode())
        assert last.enclave.sealed.now.network is None
        tried.append(height)
        return shown(height, proof)

    last.certify = lie  # type: ignore[assignment,method-assign]
    network.settle()
    assert tried
    assert network.branch.record is not None
    assert network.branch.record.height == tried[0]
    assert {box.enclave.sealed.now.network for box in network.boxes.values()} == {
        network.genesis.network
    }


def test_a_founder_signs_no_record_while_it_lacks_a_share_or_the_state_secret(
    tmp_path: Path,
) -> None:
    """All others may be ready: what it does not hold, its signature must not vouch for."""
    network = Network(tmp_path)
    network.begin()
    record = network.branch.record
    assert record is not None
    start = network.boxes[1].enclave.start
    assert start is not None
    course = start._course
    assert course is not None
    founder, step = course._founder, course._steps[record.height]
    after, participant = step.after, start.participant
    assert founder.sign(step.header, after) == record.signatures[1]
    # 1. Of another block.
    assert not founder.sign(replace(step.header, mix_hash=Hash32(b"x" * 32)), after)
    # 2. Without the state secret sealed.
    held, participant.state_key.held = participant.state_key.held, frozenset()
    assert not founder.sign(step.header, after)
    participant.state_key.held = held
    # 3. While the state names another start.
    session, participant.session = (
        participant.session,
        replace(participant.session, public=network.boxes[2].identity.session),
    )
    assert not founder.sign(step.header, after)
    participant.session = session
    # 4. Without one of the shares.
    for name in list(participant.dkg.shares_in(after)):
        share = participant.dkg.shares_in(after).pop(name)
        assert not founder.sign(step.header, after)
        participant.dkg.shares_in(after)[name] = share
    assert founder.sign(step.header, after) == record.signatures[1]


def test_the_founding_record_is_shown_again_and_vouches_for_no_other_block(
    tmp_path: Path,
) -> None:
    network = Network(tmp_path)
    network.begin()
    record, box = network.branch.record, network.boxes[1]
    assert record is not None
    first, again = (box.certify(record.height, record.encode()) for _ in range(2))
    assert first == again
    assert first.outcomes
    with refused("MALFORMED"):
        box.certify(record.height, bytes(48))
    after = Height(record.height + 1)
    with refused("MALFORMED"):
        box.certify(after, record.encode())
    assert box.certify(after, network.branch.proofs[after]).outcomes
