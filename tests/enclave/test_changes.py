"""Members come and go: who signs which block, who is believed, and who goes on after a start."""

from dataclasses import replace

import pytest

from keymoot.attest.ballot import Ballot
from keymoot.attest.header import BlockId
from keymoot.attest.quorum import TooLittlePower, WrongValidators
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixNanos
from keymoot.enclave import messages
from keymoot.enclave.client import EnclaveRefused
from keymoot.enclave.follower import Diverged, Follower
from keymoot.engine.start import open_application
from keymoot.moot.errors import NotSeated
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.succession import NoSuccession, Succession
from keymoot.runtime.assembly import gather_pages
from keymoot.runtime.members import follow_chain, validators_of
from tests.enclave.delegate import Delegate
from tests.enclave.parliament import Parliament, wall_clock
from tests.enclave.test_cosigning import combined, refused, shares_of


def arrive(parliament: Parliament, seat: int) -> Delegate:
    """Start an enclave that has no seat; it follows, and wants one."""
    one = Delegate(seat, parliament.folder / f"enclave-{seat}", parliament.said, parliament.take)
    one.join(parliament.genesis, seat)
    parliament.delegates[seat] = one
    parliament.engine.seat_signer(one)
    parliament.sync(one)
    return one


def ask_members(parliament: Parliament, word: str, body: bytes) -> None:
    for seat in parliament.assembly.hall.head.members:
        parliament.delegates[seat].ask(word, body)
    parliament.settle()


def change(parliament: Parliament, joining=(), leaving=()) -> Height:
    """Let these come and those go; give the height of the block that did it."""
    for seat in joining:
        one = arrive(parliament, seat)
        ask_members(parliament, messages.ADMIT, one.identity.identity_key)
    for seat in leaving:
        parliament.delegates[seat].ask(messages.PART, bytes([seat]))
    parliament.settle()
    before = parliament.assembly.turning.epoch.number
    ask_members(parliament, messages.TURN, b"")
    assert parliament.assembly.turning.epoch.number == before + 1
    return Height(parliament.assembly.turning.handover.latest.height)


def steps(parliament: Parliament):
    return follow_chain(parliament.genesis, parliament.chain())


def sets(parliament: Parliament):
    return [validators_of(parliament.genesis, one) for one in steps(parliament)]


def more_blocks(parliament: Parliament, until: Height) -> None:
    """Make blocks up to a height; empty ones will do."""
    while parliament.engine.app.committed.height < until:
        parliament.engine._propose()
        parliament.settle()


def follow_to(parliament: Parliament, height: Height) -> Follower:
    follower = Follower(parliament.genesis)
    for at in range(1, height + 1):
        shown = parliament.shown[Height(at)]
        follower.follow(shown.signed, list(shown.transactions), list(shown.receipts))
    return follower


def test_the_new_members_sign_from_two_blocks_above_the_change_on(parliament):
    at = change(parliament, [5])
    more_blocks(parliament, Height(at + 3))
    old, new = sets(parliament)
    headers = {more: parliament.shown[Height(at + more)].signed for more in (-1, 0, 1, 2, 3)}
    named = {
        more: (one.header.validators_hash, one.header.next_validators_hash)
        for more, one in headers.items()
    }
    assert named == {
        -1: (old.hash(), old.hash()),
        0: (old.hash(), old.hash()),
        1: (old.hash(), new.hash()),
        2: (new.hash(), new.hash()),
        3: (new.hash(), new.hash()),
    }
    assert [len(headers[more].commit.signatures) for more in headers] == [4, 4, 4, 5, 5]


def test_a_commit_by_the_old_members_two_blocks_later_is_refused(parliament):
    at = change(parliament, [5])
    more_blocks(parliament, Height(at + 2))
    old, new = sets(parliament)
    follower = follow_to(parliament, Height(at + 1))
    shown = parliament.shown[Height(at + 2)]
    header = replace(shown.signed.header, validators_hash=old.hash())
    forged = parliament.signed_by(header, {1, 2, 3, 4}, old)
    with pytest.raises(WrongValidators):
        follower.follow(forged, list(shown.transactions), list(shown.receipts))
    # nor are three of the five enough, though they were of the four
    few = parliament.signed_by(shown.signed.header, {1, 2, 3}, new)
    with pytest.raises(TooLittlePower):
        follower.follow(few, list(shown.transactions), list(shown.receipts))
    follower.follow(shown.signed, list(shown.transactions), list(shown.receipts))


def test_a_commit_by_the_new_members_one_block_later_is_refused(parliament):
    at = change(parliament, [5])
    more_blocks(parliament, Height(at + 2))
    _, new = sets(parliament)
    follower = follow_to(parliament, at)
    shown = parliament.shown[Height(at + 1)]
    header = replace(shown.signed.header, validators_hash=new.hash())
    forged = parliament.signed_by(header, {1, 2, 3, 4, 5}, new)
    with pytest.raises(WrongValidators):
        follower.follow(forged, list(shown.transactions), list(shown.receipts))
    follower.follow(shown.signed, list(shown.transactions), list(shown.receipts))


def test_a_leaver_votes_once_more_and_a_joiner_not_before_its_turn(parliament):
    change(parliament, [5])
    gone, new = parliament.delegates[2], parliament.delegates[5]
    votes: dict[int, list[int]] = {2: [], 6: []}
    six = arrive(parliament, 6)
    for one in (gone, six):
        real = one.sign

        async def sign(ballot, seat=one.seat, real=real):
            made = await real(ballot)
            votes[seat].append(ballot.height)
            return made

        one.sign = sign
    ask_members(parliament, messages.ADMIT, six.identity.identity_key)
    gone.ask(messages.PART, bytes([2]))
    parliament.settle()
    keys = {gone.room.keep.now.epoch.expose(), gone.room.keep.now.next.expose()}
    ask_members(parliament, messages.TURN, b"")
    at = parliament.assembly.turning.handover.latest.height
    # early, and late, they do not vote, whoever asks
    for one, height in ((six, at + 1), (gone, at + 2)):
        name = Hash32(b"b" * 32)
        chain = parliament.genesis.chain_text
        ballot = Ballot(chain, Height(height), 0, BlockId(name, 1, name), UnixNanos(wall_clock()))
        committed = parliament.engine.app.committed.height
        if committed == height - 1:
            with refused("NO_VOTE"):
                one.ask(messages.SIGN, messages.ballot_item(ballot))
    more_blocks(parliament, Height(at + 3))
    assert max(votes[2]) == at + 1
    assert min(votes[6]) == at + 2
    assert new.room.member.party.shares
    # who left has erased what could open its old shares, and has none
    left = gone.room
    assert not left.member.party.shares
    assert not keys & {left.keep.now.epoch.expose(), left.keep.now.next.expose()}


def test_requests_are_signed_before_during_and_after(parliament):
    play = parliament.play()
    before = parliament.bind(play)
    assert combined(parliament, before, shares_of(parliament, before, (1, 2)))
    change(parliament, [5])
    change(parliament, [], [2])
    after = parliament.bind(play, 6)
    for seats in ((1, 5), (3, 5), (3, 4)):
        assert combined(parliament, after, shares_of(parliament, after, seats))
    with pytest.raises(KeyError):
        shares_of(parliament, after, (6,))
    assert shares_of(parliament, after, (2,))[2].code == "NOT_HELD"


def test_a_start_goes_on_across_two_changes(parliament):
    change(parliament, [5])
    late = parliament.delegates[3]
    change(parliament, [6])
    change(parliament, [], [1])
    parliament.restart(3)
    parliament.settle()
    assert late.room.member.party.seated(parliament.assembly)
    # it computes its shares from what those dealt who sat before, and one of them is gone
    play = parliament.play()
    key = parliament.bind(play)
    assert late.room.member.party.shares
    assert combined(parliament, key, shares_of(parliament, key, (4, 5)))
    # and so does one of those who came
    parliament.restart(5)
    parliament.settle()
    key = parliament.bind(play, 6)
    assert parliament.delegates[5].room.member.party.shares


def test_all_recover_after_a_change(parliament):
    change(parliament, [5])
    change(parliament, [], [2])
    members = {at: parliament.delegates[at] for at in parliament.assembly.hall.head.members}
    parliament.recover()
    play = parliament.play()
    key = parliament.bind(play)
    assert combined(parliament, key, shares_of(parliament, key, (1, 5)))
    assert parliament.assembly.hall.head.recoveries == 1
    # whoever left signs no recovery
    assert set(members) == {1, 3, 4, 5}
    with pytest.raises(EnclaveRefused):
        parliament.delegates[2].ask(messages.ENDORSE, b"")


def test_a_start_believes_no_chain_but_the_one_that_follows_from_the_genesis(parliament):
    change(parliament, [5])
    change(parliament, [], [2])
    more_blocks(parliament, Height(parliament.assembly.turning.handover.latest.height + 2))
    chain = parliament.chain()
    provable = parliament.engine.provable
    root = Hash32(provable.signed.header.app_hash)
    witness = gather_pages(provable.table, root, parliament.genesis.network)

    def sync(links, signed=provable.signed):
        Follower(parliament.genesis).sync(signed, witness, links)

    link = Succession.decode(chain[0])
    some = dict(list(link.signatures.items())[:2])
    with pytest.raises(NoSuccession):
        sync([replace(link, signatures=some).encode(), *chain[1:]])
    keepers = (*link.terms.keepers[:4], replace(link.terms.keepers[4], consensus=b"x" * 32))
    with pytest.raises(NoSuccession):
        sync([replace(link, terms=replace(link.terms, keepers=keepers)).encode(), *chain[1:]])
    with pytest.raises(NoSuccession):
        sync(chain[1:])
    # a chain that is cut short names those who were relieved
    for short in ([], chain[:1]):
        with pytest.raises((WrongValidators, Diverged)):
            sync(short)
    # their keys make no header final any more, whatever it says of itself
    old = validators_of(parliament.genesis, follow_chain(parliament.genesis, chain[:1])[-1])
    header = replace(provable.signed.header, validators_hash=old.hash())
    forged = parliament.signed_by(header, {1, 2, 3, 4, 5}, old)
    for links in (chain, chain[:1]):
        with pytest.raises(Diverged):
            sync(links, forged)
    sync(chain)


def test_a_folder_is_opened_again_at_every_height_around_a_change(parliament):
    at = change(parliament, [5])
    for height in (at + 1, at + 2, at + 3):
        more_blocks(parliament, Height(height))
        app = open_application(parliament.store, parliament.genesis, parliament.keys)
        assert app.committed.height >= height


def test_who_is_not_invited_is_not_heard(parliament):
    one = arrive(parliament, 5)
    party = one.room.member.party
    forged = NodeMessage(
        parliament.genesis.network,
        parliament.assembly.hall.head.generation,
        5,
        Kind.JOIN,
        b"\xc0",
    )
    with pytest.raises(Exception, match="fields"):
        parliament.assembly.check(forged.signed(one.room.keep.now.identity))
    with pytest.raises(NotSeated):
        parliament.assembly.check(replace(forged, kind=Kind.TICK).signed(party.boot.signing))
    parliament.settle()
    assert not parliament.assembly.turning.admitting.page.joining
