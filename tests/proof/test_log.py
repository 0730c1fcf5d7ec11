"""A wallet's log: whole pages, each entry in its place; and one request's record."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keymoot.base.fixed import Address, Bytes32, Hash32, WalletId
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.record import RequestRecord
from keymoot.contracts.builtin.wallets.wallet import Book
from keymoot.crypto.transactions import request_key
from keymoot.proof.build import prove, prove_cells, prove_log
from keymoot.proof.bundle import ProofBundle
from keymoot.proof.chain import FollowedChain
from keymoot.proof.errors import NotProven
from keymoot.proof.log import MAX_PAGE, Page, check_log, check_record, index_slot, record_slot
from keymoot.proof.state import AccountProof
from keymoot.proof.wallet import wallet_slots
from tests.proof.altered import alterations, refusal
from tests.proof.world import World, a_record

WALLET = WalletId(b"w" * 32)
OUTCOME = b'{"why":"' + b"x" * 100 + b'"}'


def logged(length: int, kept: Iterable[int] | None = None, world: World | None = None) -> World:
    """Make a world in which a wallet's log has a length; with the entries that are kept."""
    world = world or World()
    book = wallet_slots(WALLET)[2]
    world.put_cells(Wallets.ADDRESS, {book: Book(log_length=length).encode()})
    world.put_log(a_record(WALLET, at, OUTCOME) for at in (range(length) if kept is None else kept))
    return world


def shown(world: World, start: int, count: int) -> object:
    header = world.block()
    return ProofBundle(
        world.certify(header), prove_log(world.state, WALLET, start, count)
    ).to_json()


def believe(told: object, world: World, start: int, count: int) -> Page:
    bundle = ProofBundle.from_json(told)
    newest = FollowedChain(world.anchor).follow(bundle.shown).newest
    assert newest is not None
    return check_log(bundle.proof, newest, WALLET, start, count)


def name_of(record: RequestRecord) -> Hash32:
    return request_key(record.requester, record.request_id)


@pytest.mark.parametrize(
    ("start", "count", "found"),
    [
        (0, 3, [0, 1, 2]),
        (4, 3, [4, 5]),
        (0, 99, range(6)),
        (6, 3, []),
        (2**63, 2**63, []),
        (0, 0, []),
    ],
)
def test_a_page_holds_the_entries_that_there_are(
    start: int, count: int, found: Iterable[int]
) -> None:
    world = logged(6)
    page = believe(shown(world, start, count), world, start, count)
    assert [one.index for one in page.records] == list(found)
    assert all(one.outcome == OUTCOME for one in page.records)
    assert (page.length, page.header) == (6, world.blocks[-1])


def test_a_page_is_bounded() -> None:
    world = logged(MAX_PAGE + 2)
    assert len(believe(shown(world, 0, 10**6), world, 0, 10**6).records) == MAX_PAGE


def test_a_wallet_that_is_not_there_has_no_entries() -> None:
    world = World()
    assert believe(shown(world, 0, 9), world, 0, 9).records == ()


WORLD = logged(3)
TOLD = shown(WORLD, 0, 3)


@given(st.data())
def test_whatever_is_altered_is_refused(data: st.DataObject) -> None:
    changed = data.draw(alterations(TOLD))
    assume(changed is not None)
    said = refusal(lambda: believe(changed, WORLD, 0, 3))
    assert said in {"MALFORMED", "NOT_PROVEN", "BROKEN_PROOF", "NOT_CERTIFIED"}


def test_another_page_is_not_the_one_that_was_asked_for() -> None:
    for start, count in ((0, 2), (1, 3), (0, 3)):
        told = shown(WORLD, start, count)
        for asked in ((0, 2), (1, 3), (0, 3)):
            if asked != (start, count):
                with pytest.raises(NotProven):
                    believe(told, WORLD, *asked)


def test_an_entry_that_the_state_does_not_have_is_no_entry() -> None:
    gap = logged(3, kept=[0, 2])
    slots = [wallet_slots(WALLET)[2], *(index_slot(WALLET, at) for at in range(3))]
    header = gap.block()
    proof = prove_cells(gap.state, Wallets.ADDRESS, slots)
    with pytest.raises(NotProven, match="entry 1 of the log"):
        check_log(proof, header, WALLET, 0, 3)


def test_an_entry_in_anothers_place_is_refused() -> None:
    world = logged(2)
    first, second = (name_of(a_record(WALLET, at, OUTCOME)) for at in range(2))
    swapped = {index_slot(WALLET, 0): bytes(second), index_slot(WALLET, 1): bytes(first)}
    world.put_cells(Wallets.ADDRESS, swapped)
    with pytest.raises(NotProven, match=r"entry 0 of the log of wallet .* is another one's"):
        believe(shown(world, 0, 2), world, 0, 2)
    other = logged(1)
    foreign = replace(a_record(WALLET, 0, OUTCOME), wallet=WalletId(b"v" * 32))
    other.put_cells(Wallets.ADDRESS, {record_slot(first): foreign.encode()})
    with pytest.raises(NotProven, match="is another one's"):
        believe(shown(other, 0, 1), other, 0, 1)


def proved(world: World, address: Address, slots: Iterable[Bytes32]) -> AccountProof:
    world.block()
    return prove_cells(world.state, address, slots)


def test_a_request_has_one_record_or_none() -> None:
    world = logged(1)
    record = a_record(WALLET, 0, OUTCOME)
    name, nobody = name_of(record), Hash32(b"n" * 32)
    both = proved(world, Wallets.ADDRESS, map(record_slot, (name, nobody)))
    storage = both.check(world.blocks[-1].state_root)
    assert check_record(storage, name) == record
    assert check_record(storage, nobody) is None
    with pytest.raises(NotProven, match="is not in the proof"):
        check_record(storage, Hash32(b"m" * 32))
    elsewhere = prove(world.state, Nodes.ADDRESS, [record_slot(name)])
    with pytest.raises(NotProven, match="contract Wallets"):
        check_record(elsewhere.check(world.blocks[-1].state_root), name)


def test_a_record_under_anothers_name_is_refused() -> None:
    world, name = logged(1), Hash32(b"n" * 32)
    raw = a_record(WALLET, 0, OUTCOME).encode()
    world.put_cells(Wallets.ADDRESS, {record_slot(name): raw})
    proof = proved(world, Wallets.ADDRESS, [record_slot(name)])
    with pytest.raises(NotProven, match="is another one's"):
        check_record(proof.check(world.blocks[-1].state_root), name)
