"""Keys that are not an enclave's own, members of before, and starts that were never named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.committee.certified import certificate_message
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.genesis import Founder, Genesis, Member
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.roots import CERTIFICATE, ROOTS
from keymoot.committee.seat import NewSession, SessionKeys
from keymoot.contracts.builtin.nodes import Nodes, committee_on
from keymoot.crypto import ed25519
from keymoot.enclave.frames import CertifiedPlace
from keymoot.enclave.watching import OldPlace
from keymoot.runtime.block import Block
from keymoot.runtime.committee_pages import gather_pages
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.table import OverlayTable
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.polynomial import interpolate_points
from keymoot.threshold.root import Root, Share
from keymoot.threshold.secp256k1 import SECP256K1
from tests.enclave.box import Branch, refused
from tests.enclave.genesis import genesis_of
from tests.enclave.network import Network

HOST = Secret(b"\x42" * 32)
HOST_KEY = Bytes32(ed25519.public_key(HOST))
HOST_POINT = SECP256K1.encode(SECP256K1.base(SECP256K1.scalar(b"\x42" * 32)))


def _founder(**changes: object) -> Callable[[Founder], Founder]:
    return lambda one: replace(one, **changes)  # type: ignore[arg-type]


def _session(**changes: object) -> Callable[[Founder], Founder]:
    return lambda one: replace(one, session=replace(one.session, **changes))  # type: ignore[arg-type]


FOREIGN = {
    "identity": _founder(identity=HOST_KEY),
    "sealing": _founder(sealing=HOST_POINT),
    "session signing": _session(signing=HOST_KEY),
    "session sealing": _session(sealing=HOST_POINT),
}
"""Each of the four keys that a genesis lists of a founder, in the host's hands instead."""


def foreign(genesis: Genesis, seat: int, change: Callable[[Founder], Founder]) -> Genesis:
    """Give a genesis that lists another key at one seat."""

    def changed(at: int, member: Member) -> Member:
        assert member.founder is not None
        founder = change(member.founder) if at == seat else member.founder
        return replace(member, identity_key=founder.identity, founder=founder)

    members = tuple(changed(at, one) for at, one in enumerate(genesis.members, 1))
    return replace(genesis, members=members)


@pytest.mark.parametrize("which", list(FOREIGN))
def test_a_founder_joins_no_genesis_with_a_foreign_key_beside_its_own(
    tmp_path: Path, which: str
) -> None:
    network = Network(tmp_path)
    listed = genesis_of([one.identity for one in network.boxes.values()])
    genesis = foreign(listed, 4, FOREIGN[which])
    for seat in (0, 4):
        with refused("NOT_MEMBER"):
            network.boxes[4].join(genesis, seat)
    # Nothing is sealed by that: it founds another network with a genesis that is right.
    assert network.found().branch.record is not None


def test_a_founder_sits_where_the_genesis_says_whatever_it_is_told(tmp_path: Path) -> None:
    network = Network(tmp_path)
    box = network.boxes[4]
    genesis = genesis_of([one.identity for one in network.boxes.values()])
    box.join(genesis, 2)
    box.begin(None, Branch(genesis))
    assert {NodeMessage.decode(raw).seat for raw in network.said} == {4}


def test_a_founder_believes_no_record_that_it_has_not_signed(network: Network) -> None:
    """Whoever runs the sessions of all seats could sign one; an enclave's own is sealed first."""
    record = network.branch.record
    assert record is not None
    other = replace(record, height=Height(record.height + 1), signatures={})
    for seat, box in network.boxes.items():
        other = other.signed(seat, other.sign(box.enclave._session.signing))
    other.check(network.genesis)
    box = network.boxes[1]
    keep = box.enclave.sealed
    keep.put(replace(keep.now, network=None))
    box.start()
    box.join(network.genesis)
    place = network.branch.place()
    with refused("FOREIGN_RECORD"):
        box.begin(replace(place, record=other.encode()), network.branch)
    box.begin(place, network.branch)


def test_a_founder_that_was_killed_before_it_saw_the_record_begins_with_it(
    tmp_path: Path,
) -> None:
    network = Network(tmp_path)
    network.prepare()
    last, shown = network.boxes[4], network.boxes[4].certify
    killed: list[int] = []

    def kill(*_: object) -> None:
        killed.append(4)
        last.start()
        last.join(network.genesis)
        raise AssertionError

    last.certify = kill  # type: ignore[assignment,method-assign]
    with pytest.raises(AssertionError):
        network.settle()
    last.certify = shown  # type: ignore[method-assign]
    assert killed == [4]
    assert last.enclave.sealed.now.network is None
    last.begin(network.branch.place(), network.branch)
    network.settle()
    assert last.enclave.sealed.now.network == network.genesis.network
    assert network.machine.state.seat(4).session == last.identity.session


def test_a_start_that_the_genesis_does_not_list_founds_nothing(tmp_path: Path) -> None:
    network = Network(tmp_path, 5)
    listed = [network.boxes[at].identity for at in (1, 2, 3, 4)]
    genesis = genesis_of(listed)
    stranger = network.boxes[5]
    with refused("NOT_MEMBER"):
        stranger.join(genesis)
    stranger.join(genesis, 5)
    with refused("NOT_LISTED"):
        stranger.begin(None, Branch(genesis))
    # Nor does a founder's later start: its shares were made for the one that is listed.
    late = network.boxes[1]
    late.start()
    with refused("NOT_MEMBER"):
        late.join(genesis)


def test_before_the_record_blocks_hold_nothing_but_messages_of_nodes(tmp_path: Path) -> None:
    network = Network(tmp_path)
    network.branch = Branch(genesis_of([one.identity for one in network.boxes.values()]))
    box = network.boxes[1]
    box.join(network.genesis)
    box.begin(None, network.branch)
    block = Block(Height(1), network.clock(), (b"\x02" + bytes(100),))
    with refused("BAD_BLOCK"):
        box.execute(block.encode())
    assert not box.lost


def forged(network: Network, seats: dict[int, Share]) -> tuple[CertifiedPlace, dict[bytes, bytes]]:
    """A newer header over pages of a host, certified by whatever shares there are; its witness."""
    branch = network.branch
    state = network.state()
    journal = Journal(state)
    journal.begin_transaction()
    store = PublicStore(journal, Nodes.ADDRESS, FreeMeter())
    machine = committee_on(store, network.genesis.network)
    for at, seat in machine.state.seats().items():
        machine.state.put_seat(at, replace(seat, next=HOST_POINT))
    root, batch = state.updated(journal.changes())
    last = branch.headers[branch.certified]
    header = replace(last, height=Height(last.height + 1), parent_hash=last.hash, state_root=root)
    message = certificate_message(
        network.genesis.network, header.generation, header.height, header.hash
    )
    shares = {at: bls.sign(one, message) for at, one in seats.items()}
    signature = G1.encode(interpolate_points(G1, shares))
    assert branch.record is not None
    table = OverlayTable(branch.tables[branch.certified], batch)
    witness = gather_pages(table, root, network.genesis.network)
    return CertifiedPlace(branch.record.encode(), header.encode(), signature), witness


def share_of(network: Network, seat: int) -> Share:
    """Take a seat's share of the certificate's root out of its enclave, as only a test can."""
    start = network.boxes[seat].enclave.start
    assert start is not None
    return start.participant.shares[CERTIFICATE]


def test_too_few_shares_convince_no_enclave_of_other_pages(network: Network) -> None:
    """Neither do identities, sessions or the record: nothing but the verifying key counts."""
    shares = {at: share_of(network, at) for at in network.boxes}
    root: Root = network.machine.state.root(CERTIFICATE)
    assert len(shares) > root.degree
    for count in range(1, root.degree + 1):
        place, _ = forged(network, dict(list(shares.items())[:count]))
        for box in (network.boxes[1], network.boxes[2]):
            box.start()
            box.join(network.genesis, box.seat)
            with refused("NOT_CERTIFIED"):
                box.begin(place, network.branch)


def test_a_watcher_is_convinced_by_certificates_alone(network: Network) -> None:
    newcomer = network.add(5)
    newcomer.join(network.genesis, 5)
    place, witness = forged(network, {1: share_of(network, 1)})
    with refused("NOT_CERTIFIED"):
        newcomer.watch(place, witness)
    # The record's signatures vouch for its own block and for no other.
    with refused("CERTIFICATE_MISSING"):
        newcomer.watch(replace(place, signature=b""), witness)
    # And pages that do not lead to the certified root end it.
    newcomer.watch(network.branch.place(), network.witness())
    network.order([])
    with refused("START_OVER"):
        newcomer.watch(network.branch.place(), witness)


def test_a_record_needs_all_founders_and_nobody_else(network: Network) -> None:
    record = network.branch.record
    assert record is not None
    box = network.boxes[1]
    box.start()
    box.join(network.genesis, 1)
    place = network.branch.place()
    own = {kind.name: record.roots[kind.name] for kind in ROOTS}
    mine = FoundingRecord(
        record.network, record.height, record.block, own | {CERTIFICATE: G2.encode(G2.generator)}
    )
    for seat in network.boxes:
        mine = mine.signed(seat, mine.sign(HOST))
    some = replace(record, signatures=dict(list(record.signatures.items())[:3]))
    for bad in (mine, some):
        with refused("NOT_FOUNDED"):
            box.begin(replace(place, record=bad.encode()), network.branch)
    box.begin(place, network.branch)


def test_a_boot_that_no_identity_signed_changes_nothing(network: Network) -> None:
    seat = network.machine.state.seat(2)
    assert seat.session is not None
    session = SessionKeys(HOST_KEY, HOST_POINT)
    generation = network.branch.headers[network.branch.certified].generation
    body = NewSession(seat.session and seat.session.signing, session).encode()
    made = NodeMessage(network.genesis.network, generation, 2, Kind.SESSION, body)
    assert network.send(made.signed(HOST).encode()).status == 0
    assert network.machine.state.seat(2).session == seat.session


def test_a_watcher_sees_newer_blocks_only(network: Network) -> None:
    """It may have endorsed, or asked, as of what it saw: neither it nor its host goes back."""
    newcomer = network.add(5)
    newcomer.join(network.genesis, 5)
    first = network.branch.certified
    places = [(network.branch.place(), network.witness())]
    for _ in range(2):
        height = network.order([])
        places.append((network.branch.place(height), network.witness(height)))
    newcomer.watch(*places[1])
    # The same one again, and newer ones.
    newcomer.watch(*places[1])
    with refused("OLD_PLACE"):
        newcomer.watch(*places[0])
    watching = newcomer.enclave.start._watching
    newest = network.branch.headers[Height(first + 1)]
    assert watching.knows(newest.height, newest.hash)
    assert not watching.knows(newest.height, Hash32(b"x" * 32))
    assert not watching.knows(Height(first), network.branch.headers[first].hash)
    # Another block of that height is beside it: certified or not, it is not newer.
    with pytest.raises(OldPlace):
        watching.check(replace(newest, mix_hash=Hash32(b"x" * 32)))
    newcomer.watch(*places[2])
    # Nor does it begin below what it saw, once it has the state secret.
    newcomer.enclave.start.keys.take(Secret(b"s" * 32))
    with refused("OLD_PLACE"):
        newcomer.begin(places[1][0], network.branch)
