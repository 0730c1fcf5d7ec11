"""Put together what is to be shown: by whoever has the state, for whoever believes nothing.

A state that was read from a broken disk makes no proof: it raises, as every read of it does.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from keymoot.base.fixed import Address, Bytes32, WalletId
from keymoot.base.units import Height
from keymoot.committee.pages import HEAD
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.contracts.builtin.wallets.cells import log_key
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.proof.chain import ChainStep, Shown
from keymoot.proof.committee import page_names, page_slot
from keymoot.proof.descent import MAX_LINKS, Descent
from keymoot.proof.errors import NotProven
from keymoot.proof.log import MAX_PAGE, page_slots
from keymoot.proof.state import AccountProof, SlotProof
from keymoot.proof.wallet import book_key, wallet_slots
from keymoot.store.entry import has_blob
from keymoot.store.header import Header
from keymoot.store.history import HISTORY_ADDRESS, history_slot, keeps_hash
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore, public_slot
from keymoot.store.state import State


def prove(state: State, address: Address, slots: Iterable[Bytes32]) -> AccountProof:
    """Prove an account and some of its slots: numbers and hashes, as other contracts keep them."""
    proofs = (SlotProof(slot, tuple(state.prove_slot(address, slot))) for slot in slots)
    return AccountProof(address, tuple(state.prove_account(address)), tuple(proofs))


def prove_cells(state: State, address: Address, slots: Iterable[Bytes32]) -> AccountProof:
    """As `prove`, for cells of ours, with the values that are longer than a slot."""
    proof = prove(state, address, slots)
    return replace(proof, slots=tuple(_with_blob(state, address, slot) for slot in proof.slots))


def _with_blob(state: State, address: Address, proof: SlotProof) -> SlotProof:
    if not has_blob(state.slot(address, proof.slot)):
        return proof
    return replace(proof, blob=state.entry(address, proof.slot) or b"")


def prove_committee(state: State) -> AccountProof:
    """Prove the pages that say who keeps the keys."""
    raw = state.entry(Nodes.ADDRESS, page_slot(HEAD.name))
    if raw is None:
        raise NotProven("this network has no committee")
    names = page_names(HEAD.content.decode(raw))
    return prove_cells(state, Nodes.ADDRESS, (page_slot(name) for name in names))


def prove_wallet(state: State, wallet: WalletId) -> AccountProof:
    """Also that there is none."""
    return prove_cells(state, Wallets.ADDRESS, wallet_slots(wallet))


def prove_log(state: State, wallet: WalletId, start: int, count: int) -> AccountProof:
    """At most `MAX_PAGE` entries from `start` on."""
    store = PublicStore(Journal(state), Wallets.ADDRESS, FreeMeter(), writable=False)
    book = Wallets.books.get(store, wallet)
    entries = range(start, min(book.log_length if book else 0, start + min(count, MAX_PAGE)))
    names = [Wallets.log_index.get(store, log_key(wallet, at)) for at in entries]
    numbers = [name for name in names if name is not None]
    slots = [public_slot(book_key(wallet)), *page_slots(wallet, entries, numbers)]
    return prove_cells(state, Wallets.ADDRESS, slots)


def prove_descent(state: State, height: Height) -> Descent:
    """The state must know the older height's block (`keeps_hash`)."""
    return Descent(prove(state, HISTORY_ADDRESS, [history_slot(height)]))


@dataclass(frozen=True, slots=True)
class PastBlocks:
    """What a node keeps of the blocks before.

    Attributes:
        header: Gives the header of a height.
        certified: Gives the oldest certified block that covers a height, with its certificate.
    """

    header: Callable[[Height], Header]
    certified: Callable[[Height], Shown]


def steps(seen: Header, newest: Shown, state: State, past: PastBlocks) -> list[ChainStep]:
    """Give what leads from a block of ours that somebody saw to the newest certified one.

    Where the newest state still knows the old block, that is all. Else each generation between
    adds two steps: its last certified block, and the first one of what came after it.

    NotProven: over `MAX_LINKS` blocks of a generation's beginning were never certified.
    """
    chain: list[ChainStep] = []
    at = seen
    while at.generation != newest.header.generation:
        if keeps_hash(newest.header.height, at.height):
            return [*chain, ChainStep(newest, prove_descent(state, at.height))]
        last = _last_certified(at, newest.header.height, past)
        if last is not None:
            chain.append(ChainStep(last, None))
            at = last.header
        first = past.certified(Height(at.height + 1))
        count = first.header.height - at.height - 1
        if count > MAX_LINKS:
            raise NotProven(f"{count} blocks in a row were never certified")
        links = (past.header(Height(at.height + below)).encode() for below in range(count, 0, -1))
        chain.append(ChainStep(first, Descent(None, tuple(links))))
        at = first.header
    if at != newest.header:
        chain.append(ChainStep(newest, None))
    return chain


def _last_certified(seen: Header, newest: Height, past: PastBlocks) -> Shown | None:
    """None if one of its own is the last."""
    # 1. Its last block: a generation that has ended does not come again.
    last, beyond = seen.height, newest
    while beyond - last > 1:
        middle = Height((last + beyond) // 2)
        if past.header(middle).generation == seen.generation:
            last = middle
        else:
            beyond = middle
    # 2. The last one that has a certificate of its own.
    for height in range(last, seen.height, -1):
        shown = past.certified(Height(height))
        if shown.header.height == height:
            return shown
    return None
