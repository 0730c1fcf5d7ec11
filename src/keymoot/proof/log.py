"""What became of requests, proved: one request's record, and pages of a wallet's log.

The log's length stands in the wallet's book, under the same state root as its entries. So a page
is whole: whoever leaves out an entry, or the last ones, proves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keymoot.base.fixed import Bytes32, Hash32, WalletId
from keymoot.contracts.builtin.wallets.cells import log_key
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.record import RequestRecord
from keymoot.contracts.builtin.wallets.wallet import Book
from keymoot.crypto.transactions import request_key
from keymoot.proof.errors import NotProven
from keymoot.proof.state import AccountProof, Storage
from keymoot.proof.wallet import book_key
from keymoot.store.header import Header
from keymoot.store.public import public_slot

MAX_PAGE = 32


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a wallet's log in one certified state; only `check_log` makes one.

    Attributes:
        header: The block after which it stands like this.
        length: How many entries the whole log has.
    """

    header: Header
    length: int
    records: tuple[RequestRecord, ...]


def record_slot(request: Hash32) -> Bytes32:
    return public_slot(Wallets.records.slot_key(request))


def index_slot(wallet: WalletId, index: int) -> Bytes32:
    """The slot that names the request of one entry of a wallet's log."""
    return public_slot(_index(wallet, index))


def check_record(storage: Storage, request: Hash32) -> RequestRecord | None:
    """Give the record of a request; None where it is proved that no block has decided it.

    `storage` is of the contract Wallets, proved under a header that is believed; else NotProven.
    """
    _check_contract(storage)
    raw = storage.cell(Wallets.records.slot_key(request))
    if raw is None:
        return None
    record = RequestRecord.decode(raw)
    if request_key(record.requester, record.request_id) != request:
        raise NotProven(f"the record of request {request.hex0x} is another one's")
    return record


def check_log(
    proof: AccountProof, header: Header, wallet: WalletId, start: int, count: int
) -> Page:
    """Give a page of a wallet's log, of `count` entries (at most `MAX_PAGE`) from `start` on.

    `proof` is of the wallet's book, and of index and record of each entry, under a header that is
    believed (`FollowedChain.follow`). NotProven: another wallet, or entries that are missing, too
    many or out of place.
    """
    storage = proof.check(header.state_root)
    _check_contract(storage)
    # 1. How long the log is.
    raw = storage.cell(book_key(wallet))
    length = 0 if raw is None else Book.decode(raw).log_length
    entries = range(start, min(length, start + min(count, MAX_PAGE)))
    # 2. Every entry of the page, in its place.
    names = [_named(storage, wallet, index) for index in entries]
    records = tuple(
        _record(storage, wallet, at, name) for at, name in zip(entries, names, strict=True)
    )
    # 3. And nothing else.
    wanted = {public_slot(book_key(wallet)), *page_slots(wallet, entries, names)}
    if storage.slots.keys() != wanted:
        raise NotProven(f"a proof of {len(entries)} entries of the log holds other slots too")
    return Page(header, length, records)


def page_slots(wallet: WalletId, entries: range, names: Sequence[Hash32]) -> list[Bytes32]:
    return [*(index_slot(wallet, at) for at in entries), *map(record_slot, names)]


def _named(storage: Storage, wallet: WalletId, index: int) -> Hash32:
    raw = storage.cell(_index(wallet, index))
    if raw is None:
        raise NotProven(f"entry {index} of the log of wallet {wallet.hex0x} is not in the state")
    return Hash32(raw)


def _record(storage: Storage, wallet: WalletId, index: int, name: Hash32) -> RequestRecord:
    record = check_record(storage, name)
    if record is None or (record.wallet, record.index) != (wallet, index):
        raise NotProven(f"entry {index} of the log of wallet {wallet.hex0x} is another one's")
    return record


def _check_contract(storage: Storage) -> None:
    if storage.address != Wallets.ADDRESS:
        raise NotProven(f"a record is proved of the contract Wallets, {Wallets.ADDRESS.hex0x}")


def _index(wallet: WalletId, index: int) -> bytes:
    return Wallets.log_index.slot_key(log_key(wallet, index))
