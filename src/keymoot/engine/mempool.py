"""Transactions that wait for a block, in memory only: a crash forgets them.

Ordinary transactions wait in the order of their sender's nonces. One that is ahead of its
turn waits for those before it, ten minutes at most; it pays nothing while it waits, so
few may, and the one that is ahead for longest gives way. A second one with the same nonce
replaces the first if it bids a tenth more. Requests have no order. All is bounded: by
count, by bytes, by sender.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from keymoot.base.errors import Refused
from keymoot.base.fixed import Address, Hash32, WalletId
from keymoot.base.units import Nonce, UnixSeconds
from keymoot.runtime.transactions import LedgerTransaction

K = TypeVar("K")

MAX_COUNT = 8_192
MAX_BYTES = 67_108_864
MAX_PER_SENDER = 64
"""Ordinary transactions of one account that may wait."""
MAX_PER_CREDENTIAL = 256
"""Requests of one credential that may wait."""
MAX_AHEAD = 1_024
"""Transactions of all accounts that may be ahead of their turn."""
MAX_AHEAD_BYTES = 16_777_216
AHEAD_SECONDS = 600
"""How long a transaction may be ahead of its turn."""
REPLACEMENT_PERCENT = 10
"""How much more a replacement must bid, as Ethereum's nodes ask."""


class PoolFull(Refused, code="POOL_FULL"):
    """Too much is waiting already."""


class Underpriced(Refused, code="UNDERPRICED"):
    message = (
        f"replacement transaction underpriced: bid {REPLACEMENT_PERCENT} % more "
        "in maxFeePerGas and maxPriorityFeePerGas"
    )


class AlreadyKnown(Refused, code="ALREADY_KNOWN"):
    message = "already known"


@dataclass(slots=True)
class _Account:
    """What one account has waiting, by nonce; `committed` is its next nonce in the state."""

    committed: Nonce
    waiting: dict[Nonce, LedgerTransaction] = field(default_factory=dict)

    def turn(self) -> Iterator[LedgerTransaction]:
        """Give those that can go into a block now, in order."""
        nonce = self.committed
        while nonce in self.waiting:
            yield self.waiting[nonce]
            nonce = Nonce(nonce + 1)


class Mempool:
    """What waits; the engine takes from it, in an order that respects nonces."""

    def __init__(self) -> None:
        self._arrival: dict[Hash32, LedgerTransaction] = {}
        self._accounts: dict[Address, _Account] = {}
        self._ahead: dict[Hash32, UnixSeconds] = {}
        self._requests: dict[Address, int] = {}
        self._wallets: dict[WalletId, int] = {}
        self._bytes = 0
        self._ahead_bytes = 0

    def __len__(self) -> int:
        return len(self._arrival)

    def __contains__(self, name: Hash32) -> bool:
        return name in self._arrival

    def get(self, name: Hash32) -> LedgerTransaction | None:
        return self._arrival.get(name)

    def next_nonce(self, sender: Address, committed: Nonce) -> Nonce:
        """Give the nonce after all that waits without a gap (`pending`)."""
        account = self._accounts.get(sender)
        nonce = committed
        while account is not None and nonce in account.waiting:
            nonce = Nonce(nonce + 1)
        return nonce

    def cost_before(self, sender: Address, nonce: Nonce) -> int:
        """Give the most wei that a sender's waiting transactions can cost, but for one nonce's."""
        account = self._accounts.get(sender)
        if account is None:
            return 0
        return sum(
            tx.ethereum.max_cost
            for at, tx in account.waiting.items()
            if at != nonce and tx.ethereum is not None
        )

    def requests_of(self, wallet: WalletId) -> int:
        return self._wallets.get(wallet, 0)

    def add(
        self,
        tx: LedgerTransaction,
        committed: Nonce = Nonce(0),
        now: UnixSeconds = UnixSeconds(0),
    ) -> None:
        """Let a transaction wait that passed `check`.

        Its sender's next nonce in the newest state is `committed`; requests have none.
        """
        if tx.hash in self._arrival:
            raise AlreadyKnown
        self.expire(now)
        replaced = self._replaced(tx)
        if replaced is None:
            self._check_share(tx)
        self._make_room(tx, replaced, committed)
        if replaced is not None:
            self._drop(replaced)
        self._arrival[tx.hash] = tx
        self._bytes += len(tx.raw)
        if tx.ethereum is None:
            self._requests[tx.sender] = self._requests.get(tx.sender, 0) + 1
            if tx.request is not None:
                wallet = tx.request.wallet
                self._wallets[wallet] = self._wallets.get(wallet, 0) + 1
            return
        account = self._accounts.setdefault(tx.sender, _Account(committed))
        account.committed = committed
        account.waiting[tx.ethereum.nonce] = tx
        self._arrange(account, now)

    def ready(self, limit: int) -> list[LedgerTransaction]:
        """Give at most `limit` that can go into a block now, by arrival and nonces."""
        chosen: list[LedgerTransaction] = []
        served: set[Address] = set()
        for tx in self._arrival.values():
            if len(chosen) >= limit:
                break
            if tx.ethereum is None:
                chosen.append(tx)
            elif tx.sender not in served:
                served.add(tx.sender)
                chosen.extend(self._accounts[tx.sender].turn())
        return chosen[:limit]

    def remove(self, name: Hash32, now: UnixSeconds) -> None:
        """Forget a transaction, if it waits; what is behind it is ahead of its turn now."""
        tx = self._arrival.get(name)
        if tx is None:
            return
        self._drop(tx)
        account = self._accounts.get(tx.sender) if tx.ethereum is not None else None
        if account is not None:
            self._arrange(account, now)

    def advance(
        self, senders: Iterable[Address], nonce_of: Callable[[Address], Nonce], now: UnixSeconds
    ) -> None:
        """Learn the nonces of a block's senders; what is below them can never enter a block."""
        for sender in senders:
            account = self._accounts.get(sender)
            if account is None:
                continue
            account.committed = nonce_of(sender)
            for nonce in [nonce for nonce in account.waiting if nonce < account.committed]:
                self._drop(account.waiting[nonce])
            self._arrange(account, now)

    def expire(self, now: UnixSeconds) -> None:
        """Forget what has been ahead of its turn for too long."""
        while self._ahead:
            name, since = next(iter(self._ahead.items()))
            if now - since <= AHEAD_SECONDS:
                return
            self._drop(self._arrival[name])

    def forget_stale(self, now: UnixSeconds) -> None:
        """Forget requests that have expired, and what was ahead for too long."""
        self.expire(now)
        stale = [
            tx
            for tx in self._arrival.values()
            if tx.request is not None and tx.request.expires_at < now
        ]
        for tx in stale:
            self._drop(tx)

    def _arrange(self, account: _Account, now: UnixSeconds) -> None:
        """Tell those of an account that are ahead of their turn from the others."""
        turn = {tx.hash for tx in account.turn()}
        for tx in account.waiting.values():
            if tx.hash in turn:
                self._catch_up(tx)
            elif tx.hash not in self._ahead:
                self._ahead[tx.hash] = now
                self._ahead_bytes += len(tx.raw)
        # Those behind one that left a block without entering it come on top.
        while len(self._ahead) > MAX_AHEAD or self._ahead_bytes > MAX_AHEAD_BYTES:
            self._evict()

    def _catch_up(self, tx: LedgerTransaction) -> None:
        if self._ahead.pop(tx.hash, None) is not None:
            self._ahead_bytes -= len(tx.raw)

    def _evict(self) -> None:
        """Forget the one that is ahead for longest; nothing in its turn depends on it."""
        self._drop(self._arrival[next(iter(self._ahead))])

    def _replaced(self, tx: LedgerTransaction) -> LedgerTransaction | None:
        account = self._accounts.get(tx.sender) if tx.ethereum is not None else None
        if account is None or tx.ethereum is None:
            return None
        old = account.waiting.get(tx.ethereum.nonce)
        if old is None or old.ethereum is None:
            return None
        bids = (
            (tx.ethereum.max_fee, old.ethereum.max_fee),
            (tx.ethereum.max_priority_fee, old.ethereum.max_priority_fee),
        )
        for bid, before in bids:
            if bid * 100 < before * (100 + REPLACEMENT_PERCENT):
                raise Underpriced
        return old

    def _check_share(self, tx: LedgerTransaction) -> None:
        if tx.ethereum is None:
            if self._requests.get(tx.sender, 0) >= MAX_PER_CREDENTIAL:
                raise PoolFull(f"{MAX_PER_CREDENTIAL} requests of this credential wait already")
            return
        account = self._accounts.get(tx.sender)
        if account is not None and len(account.waiting) >= MAX_PER_SENDER:
            raise PoolFull(f"{MAX_PER_SENDER} transactions of this account wait already")

    def _make_room(
        self, tx: LedgerTransaction, replaced: LedgerTransaction | None, committed: Nonce
    ) -> None:
        """See that the pool holds one more; what is ahead of its turn gives way to what is not."""
        left, less = (1, len(replaced.raw)) if replaced is not None else (0, 0)
        ahead = tx.ethereum is not None and tx.ethereum.nonce > self.next_nonce(
            tx.sender, committed
        )
        while (
            len(self._arrival) - left >= MAX_COUNT or self._bytes - less + len(tx.raw) > MAX_BYTES
        ):
            if ahead or not self._ahead:
                raise PoolFull("too many transactions wait: try again in a moment")
            self._evict()

    def _drop(self, tx: LedgerTransaction) -> None:
        del self._arrival[tx.hash]
        self._bytes -= len(tx.raw)
        self._catch_up(tx)
        if tx.ethereum is None:
            _count_down(self._requests, tx.sender)
            if tx.request is not None:
                _count_down(self._wallets, tx.request.wallet)
            return
        account = self._accounts[tx.sender]
        del account.waiting[tx.ethereum.nonce]
        if not account.waiting:
            del self._accounts[tx.sender]


def _count_down(counts: dict[K, int], key: K) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
