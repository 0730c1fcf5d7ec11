"""The cells of Wallets, and the few ways to read and write them together."""

from dataclasses import replace

from keymoot.base import rlp
from keymoot.base.fields import uint
from keymoot.base.fixed import Address, Hash32, WalletId
from keymoot.base.units import ChainId, Nonce
from keymoot.contracts.builtin.wallets.errors import NoSuchWallet
from keymoot.contracts.builtin.wallets.events import RequestDecided
from keymoot.contracts.builtin.wallets.record import REFUSED, RequestRecord
from keymoot.contracts.builtin.wallets.wallet import Book, GrantedCredential, SignedNonce, Wallet
from keymoot.contracts.framework.cells import PublicCell, PublicMap
from keymoot.contracts.framework.context import Context
from keymoot.contracts.framework.contract import Contract
from keymoot.crypto.transactions import request_key
from keymoot.policy.limit import Usage


class WalletCells(Contract):
    """All public state of all wallets."""

    wallets = PublicMap("wallet", WalletId, Wallet)
    books = PublicMap("book", WalletId, Book)
    policies = PublicMap("policy", WalletId, bytes)
    credentials = PublicMap("credential", bytes, GrantedCredential)
    app_grants = PublicMap("app-grant", bytes, GrantedCredential)
    """What instances of an app may do, by wallet and app."""

    nonces = PublicMap("nonce", bytes, SignedNonce)
    shelved = PublicMap("shelved", bytes, bytes)
    """What was spent of limits that the policy does not have now, by wallet and name."""

    records = PublicMap("record", Hash32, RequestRecord)
    log_index = PublicMap("log", bytes, Hash32)
    queue = PublicCell("queue", bytes)
    frost_queue = PublicCell("frost-queue", bytes)
    stirred = PublicCell("stirred", bool)
    """Whether an owner has changed something since those who wait were last looked at."""

    def known(self, ctx: Context, wallet: WalletId) -> Wallet:
        record = self.wallets.get(ctx.public_store(), wallet)
        if record is None:
            raise NoSuchWallet(wallet)
        return record

    def book(self, ctx: Context, wallet: WalletId) -> Book:
        return self.books.get(ctx.public_store(), wallet) or Book()

    def with_usage_of(self, ctx: Context, wallet: WalletId, limits: set[str]) -> Book:
        """Give a wallet's book with the usage of these limits; that of others is kept elsewhere.

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

    def credential_of(
        self, ctx: Context, wallet: WalletId, holder: Address
    ) -> GrantedCredential | None:
        return self.credentials.get(ctx.public_store(), wallet + holder)

    def signed_nonce(
        self, ctx: Context, wallet: WalletId, chain: ChainId, nonce: Nonce
    ) -> SignedNonce | None:
        """None if that nonce of that chain was never signed."""
        return self.nonces.get(ctx.public_store(), nonce_key(wallet, chain, nonce))

    def append(self, ctx: Context, record: RequestRecord, book: Book, reason: str) -> None:
        """Write a decided record, its place in the log, and the book that it changed."""
        store = ctx.public_store()
        key = request_key(record.requester, record.request_id)
        self.records.set(store, key, record)
        self.log_index.set(store, log_key(record.wallet, record.index), key)
        after = replace(book, log_length=record.index + 1)
        self.books.set(store, record.wallet, after)
        bound = record.status != REFUSED
        ctx.emit(RequestDecided(record.wallet, record.requester, key, bound, reason))

    def record(self, ctx: Context, key: Hash32) -> RequestRecord | None:
        return self.records.get(ctx.public_store(), key)


def nonce_key(wallet: WalletId, chain: ChainId, nonce: Nonce) -> bytes:
    return rlp.encode([wallet, uint(chain), uint(nonce)])


def log_key(wallet: WalletId, index: int) -> bytes:
    return rlp.encode([wallet, uint(index)])
