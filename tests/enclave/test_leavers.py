"""Members who have all left, epochs ago: what their enclaves and their disks still can do.

Whoever kept the disks of n−f members from before they left can run a copy of the network from
then: it is a generation of its own, and whoever has seen a later block refuses it. From the
disks that they left with, nothing can be run at all.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.base.units import Height
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.committee.roots import CERTIFICATE
from keymoot.crypto import ed25519
from keymoot.enclave.sealed_state import FILE_NAME
from keymoot.proof.build import prove_descent
from keymoot.proof.chain import FollowedChain, Shown
from keymoot.proof.errors import DescentMissing, OlderHeader, OtherBranch
from keymoot.proof.founding import Anchor
from keymoot.store.header import Header
from tests.enclave.box import Box, refused
from tests.enclave.copies import copied
from tests.enclave.network import Network
from tests.enclave.test_changes import change, members, more_blocks

OLD, NEW = (1, 2, 3, 4), (5, 6, 7, 8)


class Left:
    """A network whose founders have all left; what hosts kept of the time before."""

    def __init__(self, network: Network, kept: Path) -> None:
        self.network, self.base = network, network.branch.certified
        self.kept = kept
        for seat in OLD:
            shutil.copytree(network.boxes[seat].folder, kept / str(seat))
        change(network, NEW[:2])
        change(network, NEW[2:])
        change(network, (), OLD)
        more_blocks(network, 3)
        assert members(network, network.branch.certified) == NEW

    def fork(self, folder: Path, disks: Path | None = None) -> Network:
        """Give a host that has started the founders' enclaves anew, at a block before they left."""
        made = Network.__new__(Network)
        made.__dict__.update(self.network.__dict__)
        made.folder, made.said, made.kept = folder, [], []
        made.withheld, made.boxes, made.answers = set(), {}, {}
        made.branch = self.network.branch.copy(self.base)
        for seat in OLD:
            at = folder / str(seat)
            source = self.network.boxes[seat].folder if disks is None else disks / str(seat)
            shutil.copytree(source, at)
            box = made.boxes[seat] = Box(seat, at, made.receive, made.clock)
            box.join(made.genesis, seat)
            made.enter(box, self.base)
        return made


@pytest.fixture(scope="module")
def all_left(founded: Network, tmp_path_factory: pytest.TempPathFactory) -> Left:
    folder = tmp_path_factory.mktemp("left")
    return Left(copied(founded, folder / "network"), folder / "kept")


def shown(network: Network, height: Height | None = None) -> Shown:
    branch = network.branch
    at = branch.certified if height is None else height
    return Shown(branch.headers[at], branch.proofs[at])


def anchor(network: Network) -> Anchor:
    record = network.branch.record
    assert record is not None
    return Anchor(record.network, record.roots[CERTIFICATE], (record.height, record.block))


def test_from_the_disks_that_they_left_with_nothing_is_certified(
    all_left: Left, tmp_path: Path
) -> None:
    fork = all_left.fork(tmp_path / "fork")
    fork.order([fork.recovery(OLD)])
    assert fork.stands_still
    # They agree with their identities, which stay; what opened their shares is erased, and so is
    # the state secret: none of them executes the block.
    for one in fork.boxes.values():
        assert one.enclave.sealed.now.state is None
        assert not one.began


def test_their_identities_order_no_recovery_of_who_came_after_them(all_left: Left) -> None:
    network = all_left.network
    branch = network.branch
    identities = {at: network.boxes[at].enclave.sealed.now.identity for at in OLD}
    sessions = {at: network.boxes[at].identity.session for at in OLD}
    header = branch.headers[branch.certified]
    terms = RecoveryOrder(
        network.genesis.network, header.generation, header.height, header.hash, sessions
    )
    signed = {at: ed25519.sign(one, terms.digest()) for at, one in identities.items()}
    body = SignedRecoveryOrder(terms, signed).encode()
    made = NodeMessage(network.genesis.network, header.generation, 0, Kind.RECOVER, body)
    assert network.send(made.encode()).status == 0
    assert members(network, branch.certified) == NEW


def copy_of_old_network(all_left: Left, folder: Path, blocks: int) -> Network:
    """Run the founders' enclaves from disks kept before they left, as their hosts can."""
    fork = all_left.fork(folder, all_left.kept)
    fork.order([fork.recovery(OLD)])
    fork.settle()
    assert not fork.stands_still
    while fork.branch.certified < blocks:
        fork.order([])
    return fork


def test_whoever_has_seen_a_later_block_refuses_the_copy_by_name(
    all_left: Left, tmp_path: Path
) -> None:
    network = all_left.network
    fork = copy_of_old_network(all_left, tmp_path / "fork", network.branch.certified + 2)
    chain = FollowedChain(anchor(network)).follow(shown(network))
    # All of it is certified under the verifying key, which never changes; none of it descends.
    newer = shown(fork)
    newer.check(chain.anchor)
    assert newer.header.height > network.branch.certified
    with pytest.raises(DescentMissing):
        chain.follow(newer)
    assert chain.newest is not None
    with pytest.raises(OtherBranch):
        chain.follow(newer, prove_descent(fork.state(), chain.newest.height))
    with pytest.raises(OlderHeader):
        chain.follow(shown(fork, Height(all_left.base + 1)))
    with pytest.raises(OtherBranch):
        chain.follow(shown(fork, network.branch.certified))


def test_one_kept_disk_too_few_makes_no_copy(all_left: Left, tmp_path: Path) -> None:
    fork = all_left.fork(tmp_path / "fork", all_left.kept)
    for seats in (OLD[:2], OLD[1:3]):
        fork.order([fork.recovery(seats)])
        assert fork.stands_still
        assert not any(one.ballots[fork.branch.top].share for one in fork.boxes.values())


def test_the_copy_has_nothing_of_a_member_that_runs_or_starts(
    all_left: Left, tmp_path: Path
) -> None:
    network = copied(all_left.network, tmp_path / "network")
    fork = copy_of_old_network(all_left, tmp_path / "fork", network.branch.certified + 1)
    before = network.boxes[5]
    with refused("ANOTHER_BLOCK"):
        before.execute(fork.branch.blocks[network.branch.certified])
    with refused("NOT_CERTIFIED", "NOT_EXECUTED", "COVERED"):
        before.certify(network.branch.certified, fork.branch.proofs[network.branch.certified])
    sealed = before.folder / FILE_NAME
    keep = sealed.read_bytes()
    # Its owner starts it on the copy: there it is nobody, and says nothing.
    before.start()
    before.join(network.genesis, 5)
    network.said.clear()
    before.begin(fork.branch.place(), fork.branch)
    top = fork.order([])
    ballot = before.execute(fork.branch.blocks[top])
    assert ballot.hash == fork.branch.headers[top].hash
    assert not ballot.share
    before.certify(top, fork.branch.proofs[top])
    assert not network.said
    # To the enclave it has left, and it erases its keys: its owner could as well have burned its
    # disk. With that disk put back it has its seat again, on the chain of its network.
    sealed.write_bytes(keep)
    network.restart(5)
    assert network.boxes[5].ballots[network.order([])].share


def test_a_header_that_names_old_members_needs_a_certificate_like_any_other(
    all_left: Left,
) -> None:
    """What an older version believed: pages of a host, signed by those who had left."""
    network = all_left.network
    place = network.branch.place()
    header = Header.decode(place.header)
    box = network.add(9)
    box.join(network.genesis, 9)
    other = replace(header, state_root=network.branch.headers[all_left.base].state_root)
    with refused("NOT_CERTIFIED"):
        box.watch(replace(place, header=other.encode()), network.witness(all_left.base))
    del network.boxes[9]
