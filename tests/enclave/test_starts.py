"""Starts, old disks, clones and recoveries: nothing one-time comes twice."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.attest.ballot import Ballot
from keymoot.attest.header import BlockId
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixNanos
from keymoot.enclave import messages
from keymoot.enclave.client import EnclaveRefused
from keymoot.enclave.member import SYNC_BLOCKS
from keymoot.engine.ledger import Ledger
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.engine.local import LocalEngine
from keymoot.engine.mempool import Mempool
from keymoot.engine.start import open_application
from keymoot.moot.batch import PresignatureId
from keymoot.moot.certificate import Certificate, SignedCertificate
from keymoot.moot.message import Kind, NodeMessage
from keymoot.runtime.assembly import gather_pages
from keymoot.runtime.release import find_record
from tests.enclave.delegate import Delegate
from tests.enclave.parliament import Parliament, wall_clock
from tests.enclave.test_cosigning import combined, refused, shares_of
from tests.enclave.test_frost import retold
from tests.runtime.people import OWNER


def ballot(parliament, height, block=b"b"):
    name = Hash32(block * 32)
    chain = parliament.genesis.chain_text
    return Ballot(chain, Height(height), 0, BlockId(name, 1, name), UnixNanos(wall_clock()))


def vote(one: Delegate, ballot_):
    return one.ask(messages.SIGN, messages.ballot_item(ballot_))


def clone_of(one: Delegate, folder: Path) -> Delegate:
    """Keep a second process of a seat, as a host does that copies a machine's memory."""
    clone = object.__new__(Delegate)
    clone.__dict__.update(one.__dict__)
    clone.said, clone.beacons = [], {}
    clone.room.member._say = clone.said.append
    clone.folder = folder
    return clone


def test_a_start_votes_only_above_the_final_block_that_holds_its_keys(parliament):
    one = parliament.delegates[2]
    height = parliament.engine.app.committed.height
    one.start()
    one.ask(messages.JOIN, messages.join_item(parliament.genesis.encode(), 0))
    with refused("NO_VOTE"):
        vote(one, ballot(parliament, height + 1))
    one.next = Height(10**6)
    parliament.sync(one)
    # It has said with which keys it started, but no block holds them yet.
    with refused("NO_VOTE"):
        vote(one, ballot(parliament, height + 1))
    parliament.settle()
    seat = parliament.assembly.hall.seat(2)
    assert seat.boot == one.identity.boot
    for below in range(1, seat.since + 1):
        with pytest.raises(EnclaveRefused):
            vote(one, ballot(parliament, below))
    assert vote(one, ballot(parliament, parliament.engine.app.committed.height + 1))


def test_an_old_disk_does_not_vote_twice(parliament, tmp_path):
    one = parliament.delegates[3]
    old = tmp_path / "old"
    shutil.copytree(one.folder, old)
    height = parliament.engine.app.committed.height
    play = parliament.play()
    now = parliament.engine.app.committed.height
    assert now > height
    twin = Delegate(3, old, [])
    twin.ask(messages.JOIN, messages.join_item(parliament.genesis.encode(), 0))
    # Its memory of votes ends below: what keeps it from voting again is its start.
    for at in range(height, now + 2):
        with refused("NO_VOTE"):
            vote(twin, ballot(parliament, at, b"x"))
    key = parliament.bind(play)
    answer = twin.cosign(key, parliament.beacon(parliament.height_of(key)))
    assert (answer.code, answer.sealed) == ("NOT_HELD", b"")


def test_on_a_later_start_of_its_own_seat_an_enclave_stops(parliament, tmp_path):
    play = parliament.play()
    clone = clone_of(parliament.delegates[4], tmp_path / "clone")
    parliament.delegates[4] = Delegate(4, parliament.delegates[4].folder, parliament.said)
    new = parliament.delegates[4]
    new.ask(messages.JOIN, messages.join_item(parliament.genesis.encode(), 0))
    new.next = Height(10**6)
    parliament.sync(new)
    parliament.settle()
    key = parliament.bind(play)
    height = parliament.height_of(key)
    # The copy still follows, with all presignatures of the stock in its memory.
    parliament.show(clone)
    assert clone.room.member.follower.height >= height
    assert clone.beacons == {}
    signature = parliament.beacon(height, {1, 2, 3})
    assert clone.cosign(key, signature).code == "NOT_HELD"
    with refused("NO_VOTE"):
        vote(clone, ballot(parliament, parliament.engine.app.committed.height + 1))
    posted = len(clone.said)
    clone.room.look()
    clone.ask(messages.PULSE, b"")
    with refused("NOT_SEATED"):
        clone.ask(messages.TURN, b"")
    assert len(clone.said) == posted
    assert not parliament.delegates[1].cosign(key, signature).code


def test_a_later_start_ends_one_that_a_recovery_seated(parliament, tmp_path):
    parliament.recover()
    clone = clone_of(parliament.delegates[4], tmp_path / "clone")
    parliament.delegates[4] = Delegate(4, parliament.delegates[4].folder, parliament.said)
    new = parliament.delegates[4]
    new.ask(messages.JOIN, messages.join_item(parliament.genesis.encode(), 0))
    new.next = Height(10**6)
    parliament.sync(new)
    parliament.settle()
    assert parliament.assembly.hall.seat(4).boot == new.identity.boot
    parliament.show(clone)
    height = parliament.engine.app.committed.height
    assert vote(new, ballot(parliament, height + 1))
    with refused("NO_VOTE"):
        vote(clone, ballot(parliament, height + 1, b"x"))
    # Nor does it take the seat back.
    parliament.sync(clone)
    assert not [raw for raw in clone.said if NodeMessage.decode(raw).kind is Kind.BOOT]
    with refused("NO_VOTE"):
        vote(clone, ballot(parliament, height + 1, b"x"))


def test_what_was_dealt_before_a_start_is_gone_with_it(parliament):
    play = parliament.play()
    key = parliament.bind(play)
    parliament.restart(2)
    parliament.settle()
    answers = shares_of(parliament, key)
    assert answers[2].code == "NOT_HELD"
    _, signature = combined(parliament, key, {at: answers[at] for at in (1, 3)})
    assert signature


# -- beginning again within a start


def test_a_start_joins_once(parliament):
    one = parliament.delegates[1]
    with refused("JOINED_ALREADY"):
        one.ask(messages.JOIN, messages.join_item(parliament.genesis.encode(), 0))


def provable_now(parliament):
    """Give what an enclave is shown to begin at the newest proven state, and its first block."""
    provable = parliament.engine.provable
    header = provable.signed.header
    network = parliament.genesis.network
    witness = gather_pages(provable.table, Hash32(header.app_hash), network)
    return messages.sync_item(provable.signed, witness, parliament.chain()), header.height


def test_led_back_and_told_of_other_receipts_an_enclave_makes_no_second_beacon(parliament):
    play = parliament.play()
    back, first = provable_now(parliament)
    key = parliament.bind(play)
    height = parliament.height_of(key)
    other = Hash32(b"o" * 32)
    for one in parliament.delegates.values():
        assert one.beacons[height]
        one.ask(messages.SYNC, back)
        shares = []
        for at in range(first, height + 1):
            shown = parliament.shown[Height(at)]
            if at == height:
                shown = retold(shown, lambda _: {"key": other, "digest": other})
            shares.append(one.follow(shown.signed, shown.transactions, shown.receipts))
        assert not any(shares)
        assert one.cosign(other, parliament.beacon(height)).code == "NOT_HELD"


def test_told_of_a_presignature_whose_turn_it_is_not_an_enclave_follows_no_further(parliament):
    play = parliament.play()
    parliament.withheld = {1}
    one = parliament.delegates[1]
    before, key = parliament.bind(play), parliament.bind(play, 6)
    used, true = (
        PresignatureId.decode(find_record(parliament.ledger.state(), name).bound_to)
        for name in (before, key)
    )
    height = parliament.height_of(key)
    for at in range(one.next, height):
        shown = parliament.shown[Height(at)]
        one.follow(shown.signed, shown.transactions, shown.receipts)
    for wrong in (used, replace(true, place=true.place + 1)):
        told = {"bound_to": wrong.encode()}
        shown = retold(parliament.shown[height], lambda _, told=told: told)
        with refused("DIVERGED"):
            one.follow(shown.signed, shown.transactions, shown.receipts)


def test_beginning_further_up_does_not_forget_a_pause(parliament):
    play = parliament.play()
    key = parliament.bind(play)
    assert play.send(OWNER, "pause", play.wallet).status == 1
    assert parliament.send(parliament.request(play, b"\x02\xc0")[0]).status == 0
    one = parliament.delegates[1]
    beacon = parliament.beacon(parliament.height_of(key))
    assert one.cosign(key, beacon).code == "NOT_BOUND"
    parliament.sync(one)
    assert one.cosign(key, beacon).sealed == b""


# -- recoveries that undo


class Undone:
    """A ledger and all enclaves' disks of a moment, to go back to."""

    def __init__(self, parliament: Parliament, folder: Path) -> None:
        self.folder = folder
        self.height = parliament.engine.app.committed.height
        self.shown = dict(parliament.shown)
        shutil.copytree(parliament.folder / "data", folder / "data")
        for at, one in parliament.delegates.items():
            shutil.copytree(one.folder, folder / f"enclave-{at}")

    def go_back(self, parliament: Parliament, *, disks: bool) -> None:
        """Put the old ledger in place, and with `disks` what every enclave had sealed."""
        parliament.close()
        parliament.shown = dict(self.shown)
        if disks:
            for at, one in parliament.delegates.items():
                shutil.rmtree(one.folder)
                shutil.copytree(self.folder / f"enclave-{at}", one.folder)
        parliament.store = LmdbStore(self.folder / "data", map_bytes=1 << 26)
        app = open_application(parliament.store, parliament.genesis, parliament.keys)
        signers = list(parliament.delegates.values())
        parliament.engine = LocalEngine(app, parliament.store, Mempool(), signers, wall_clock)
        parliament.ledger = Ledger(parliament.engine, wall_clock)
        parliament.engine.on_committed(parliament._on_committed)


def test_enclaves_do_not_help_to_undo_what_they_voted_for(parliament, tmp_path):
    play = parliament.play()
    past = Undone(parliament, tmp_path / "past")
    parliament.bind(play)
    past.go_back(parliament, disks=False)
    with pytest.raises(EnclaveRefused, match="has voted for height"):
        parliament.recover()


def test_after_blocks_were_undone_no_presignature_signs_a_second_time(parliament, tmp_path):
    play = parliament.play()
    past = Undone(parliament, tmp_path / "past")
    before = parliament.assembly.hall.head.generation
    # 1. A request is bound and answered; all messages since are remembered.
    key = parliament.bind(play, 11)
    first = shares_of(parliament, key)
    digest, signature = combined(parliament, key, first)
    for value in range(12, 20):
        parliament.bind(play, value)
    undone = [
        raw
        for height, block in parliament.shown.items()
        if height > past.height
        for raw in block.transactions
    ]
    # 2. All hosts together put their old disks back, and the operators recover.
    past.go_back(parliament, disks=True)
    parliament.recover()
    generation = parliament.assembly.hall.head.generation
    assert generation != before
    # 3. Everything that was undone is said again.
    kinds = set()
    refusals = 0
    for raw in undone:
        if raw[:1] == b"\x4e":
            kinds.add(NodeMessage.decode(raw).kind)
        try:
            parliament.send(raw)
        except Exception:
            refusals += 1
    assert {Kind.FIRST, Kind.SECOND, Kind.ACK} <= kinds
    assert refusals >= len([raw for raw in undone if raw[:1] == b"\x4e"])
    # 4. The request is bound again: to a presignature of the new generation, so another nonce.
    assert find_record(parliament.ledger.state(), key).status == "bound"
    answers = shares_of(parliament, key)
    again, other = combined(parliament, key, answers)
    assert again == digest
    assert bytes(other)[:32] != bytes(signature)[:32]
    # 5. No enclave has anything left of the generation that was undone.
    for one in parliament.delegates.values():
        party = one.room.member.party
        assert all(at == generation for at, _ in party.presigner._presignatures)
        assert {held.generation for held in one.room.member.cosigner._open.values()} == {generation}


def test_a_generation_ends_what_was_bound_before_also_for_whom_did_not_start_anew(parliament):
    play = parliament.play()
    key = parliament.bind(play)
    beacon = parliament.beacon(parliament.height_of(key))
    parliament.recover(waking=frozenset({4}))
    one = parliament.delegates[4]
    assert one.room.member.party.seated(parliament.assembly)
    assert one.room.member.follower.height == parliament.engine.app.committed.height
    answer = one.cosign(key, beacon)
    assert (answer.code, answer.sealed) == ("NOT_HELD", b"")
    again = parliament.bind(play, 6)
    assert not one.cosign(again, parliament.beacon(parliament.height_of(again))).code


def test_a_recovery_needs_a_final_block_and_enough_signers(parliament):
    height = parliament.engine.app.committed.height
    base = parliament.shown[height].signed
    for one in parliament.delegates.values():
        one.start()
        one.ask(messages.JOIN, messages.join_item(parliament.genesis.encode(), 0))
    boots = {at: one.identity.boot for at, one in parliament.delegates.items()}
    head = parliament.assembly.hall.head
    terms = Certificate(
        parliament.genesis.network, head.generation, height, base.header.hash(), boots
    )
    unsigned = SignedCertificate(terms, {}).encode()
    signatures = {
        at: one.ask(messages.ENDORSE, unsigned) for at, one in parliament.delegates.items()
    }
    one = parliament.delegates[1]
    few = {at: signatures[at] for at in (1, 2)}
    with pytest.raises(EnclaveRefused, match="this one by 2"):
        one.ask(
            messages.RECOVER,
            messages.recover_item(base, SignedCertificate(terms, few).encode(), []),
        )
    without = {at: signatures[at] for at in (1, 2, 3)}
    with pytest.raises(EnclaveRefused, match="seat 4 did not"):
        one.ask(
            messages.RECOVER,
            messages.recover_item(base, SignedCertificate(terms, without).encode(), []),
        )
    whole = SignedCertificate(terms, signatures).encode()
    with pytest.raises(EnclaveRefused, match="another block"):
        one.ask(messages.RECOVER, messages.recover_item(None, whole, []))
    forged = parliament.signed_by(base.header, {1, 2})
    with refused("TOO_LITTLE_POWER"):
        one.ask(messages.RECOVER, messages.recover_item(forged, whole, []))
    one.ask(messages.RECOVER, messages.recover_item(base, whole, []))
    assert vote(one, ballot(parliament, height + 1))
    # Without being shown a block it votes for no more than the first few.
    assert vote(one, ballot(parliament, height + SYNC_BLOCKS))
    with refused("NO_VOTE"):
        vote(one, ballot(parliament, height + SYNC_BLOCKS + 1))
