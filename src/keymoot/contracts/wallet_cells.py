"""The cells of Wallets, and the few ways to read and write them together."""

from dataclasses import replace

from keymoot.base import rlp
from keymoot.base.fields import uint
from keymoot.base.fixed import Address, Bytes32, Hash32, WalletId
from keymoot.base.units import ChainId, Nonce
from keymoot.contracts.cells import PublicCell, PublicMap
from keymoot.contracts.context import Context
from keymoot.contracts.contract import Contract
from keymoot.contracts.record import REFUSED, Record
from keymoot.contracts.types import boolean, bytes32, dynamic_bytes
from keymoot.contracts.wallet import Book, Credential, SignedNonce, Wallet
from keymoot.contracts.wallet_errors import NoSuchWallet
from keymoot.contracts.wallet_events import RequestDecided
from keymoot.crypto.transactions import request_key
from keymoot.policy.limit import Usage


class WalletCells(Contract):
    """All public state of all wallets."""

    wallets = PublicMap("wallet", bytes32, Wallet)
    books = PublicMap("book", bytes32, Book)
    policies = PublicMap("policy", bytes32, dynamic_bytes)
    credentials = PublicMap("credential", dynamic_bytes, Credential)
    nonces = PublicMap("nonce", dynamic_bytes, SignedNonce)
    shelved = PublicMap("shelved", dynamic_bytes, dynamic_bytes)
    """What was spent of limits that the policy does not have now, by wallet and name."""

    records = PublicMap("record", bytes32, Record)
    log_index = PublicMap("log", dynamic_bytes, bytes32)
    queue = PublicCell("queue", dynamic_bytes)
    frost_queue = PublicCell("frost-queue", dynamic_bytes)
    stirred = PublicCell("stirred", boolean)
    """Whether an owner has changed something since those who wait were last looked at."""

    def known(self, ctx: Context, wallet: WalletId) -> Wallet:
        """Give a wallet.

        Raises:
            NoSuchWallet: there is none of that id.
        """
        found = self.wallets.get(ctx.public_store(), Bytes32(wallet))
        if found is None:
            raise NoSuchWallet(wallet)
        return found

    def book(self, ctx: Context, wallet: WalletId) -> Book:
        """Give a wallet's book."""
        return self.books.get(ctx.public_store(), Bytes32(wallet)) or Book()

    def with_usage_of(self, ctx: Context, wallet: WalletId, limits: set[str]) -> Book:
        """Give a wallet's book with the usage of these limits; that of others is put away, and kept.

        Forgotten, a limit that is dropped and set again would be whole, and the nonces that
        hold some of it would give it back once more.
        """
        store, book = ctx.public_store(), self.book(ctx, wallet)
        usage = {name: spent for name, spent in book.usage.items() if name in limits}
        for name in sorted(book.usage.keys() - limits):
            self.shelved.set(store, wallet + name.encode(), rlp.encode(book.usage[name].encode()))
        for name in sorted(limits - usage.keys()):
            away = self.shelved.get(store, wallet + name.encode())
            if away is not None:
                usage[name] = Usage.decode(rlp.decode(away))
                self.shelved.set(store, wallet + name.encode(), None)
        return replace(book, usage=usage)

    def credential_of(self, ctx: Context, wallet: WalletId, holder: Address) -> Credential | None:
        """Give what a wallet granted to an address, or None."""
        return self.credentials.get(ctx.public_store(), wallet + holder)

    def signed_nonce(
        self, ctx: Context, wallet: WalletId, chain: ChainId, nonce: Nonce
    ) -> SignedNonce | None:
        """Give what is known of one nonce of one chain, or None if it was never signed."""
        return self.nonces.get(ctx.public_store(), nonce_key(wallet, chain, nonce))

    def append(self, ctx: Context, record: Record, book: Book, reason: str) -> None:
        """Write a decided record, its place in the log, and the book that it changed."""
        store = ctx.public_store()
        key = Bytes32(request_key(record.requester, record.request_id))
        self.records.set(store, key, record)
        self.log_index.set(store, log_key(record.wallet, record.index), key)
        after = replace(book, log_length=record.index + 1)
        self.books.set(store, Bytes32(record.wallet), after)
        bound = record.status != REFUSED
        ctx.emit(RequestDecided(Bytes32(record.wallet), record.requester, key, bound, reason))

    def record(self, ctx: Context, key: Hash32) -> Record | None:
        """Give the record of a request, or None."""
        return self.records.get(ctx.public_store(), Bytes32(key))


def nonce_key(wallet: WalletId, chain: ChainId, nonce: Nonce) -> bytes:
    """Name one nonce of one chain of one wallet."""
    return rlp.encode([wallet, uint(chain), uint(nonce)])


def log_key(wallet: WalletId, index: int) -> bytes:
    """Name one entry of one wallet's log."""
    return rlp.encode([wallet, uint(index)])
