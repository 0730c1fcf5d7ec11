"""Transactions that wait for a block, in memory only: a crash forgets them.

Ordinary transactions wait in the order of their sender's nonces; a gap waits for what
fills it. A second one with the same nonce replaces the first if it bids a tenth more.
Requests have no order. All is bounded: by count, by bytes, by sender.
"""

from collections.abc import Callable
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
REPLACEMENT_PERCENT = 10
"""How much more a replacement must bid, as Ethereum's nodes ask."""


class PoolFull(Refused):
    """Too much is waiting already."""

    code = "POOL_FULL"


class Underpriced(Refused):
    """A transaction with the same nonce waits and bids as much."""

    code = "UNDERPRICED"

    def __init__(self) -> None:
        """Say what would be enough."""
        super().__init__(
            f"replacement transaction underpriced: bid {REPLACEMENT_PERCENT} % more "
            "in maxFeePerGas and maxPriorityFeePerGas"
        )


class AlreadyKnown(Refused):
    """The very same transaction waits already."""

    code = "ALREADY_KNOWN"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("already known")


class Mempool:
    """What waits; the engine takes from it, in an order that respects nonces."""

    def __init__(self) -> None:
        """Start empty."""
        self._arrival: dict[Hash32, LedgerTransaction] = {}
        self._accounts: dict[Address, dict[Nonce, LedgerTransaction]] = {}
        self._requests: dict[Address, int] = {}
        self._wallets: dict[WalletId, int] = {}
        self._bytes = 0

    def __len__(self) -> int:
        """Count what waits."""
        return len(self._arrival)

    def __contains__(self, name: Hash32) -> bool:
        """Tell whether a transaction waits."""
        return name in self._arrival

    def get(self, name: Hash32) -> LedgerTransaction | None:
        """Give a waiting transaction by its hash."""
        return self._arrival.get(name)

    def next_nonce(self, sender: Address, committed: Nonce) -> Nonce:
        """Give the nonce after all that waits without a gap (`pending`)."""
        account = self._accounts.get(sender)
        nonce = committed
        while account is not None and nonce in account:
            nonce = Nonce(nonce + 1)
        return nonce

    def cost_before(self, sender: Address, nonce: Nonce) -> int:
        """Give the most wei that a sender's waiting transactions can cost, but for one nonce's."""
        account = self._accounts.get(sender, {})
        return sum(
            tx.ethereum.max_cost
            for at, tx in account.items()
            if at != nonce and tx.ethereum is not None
        )

    def requests_of(self, wallet: WalletId) -> int:
        """Count the requests to one wallet that wait."""
        return self._wallets.get(wallet, 0)

    def add(self, tx: LedgerTransaction) -> None:
        """Let a transaction wait that passed `check`.

        Raises:
            AlreadyKnown: it waits already.
            Underpriced: its nonce is taken by one that bids as much.
            PoolFull: too much waits, of its sender or in all.
        """
        if tx.hash in self._arrival:
            raise AlreadyKnown
        replaced = self._replaced(tx)
        if replaced is None:
            self._make_room(tx)
        else:
            self._drop(replaced)
        self._arrival[tx.hash] = tx
        self._bytes += len(tx.raw)
        if tx.ethereum is None:
            self._requests[tx.sender] = self._requests.get(tx.sender, 0) + 1
            if tx.request is not None:
                wallet = tx.request.wallet
                self._wallets[wallet] = self._wallets.get(wallet, 0) + 1
        else:
            account = self._accounts.setdefault(tx.sender, {})
            account[tx.ethereum.nonce] = tx

    def ready(self, nonce_of: Callable[[Address], Nonce], limit: int) -> list[LedgerTransaction]:
        """Give what can go into a block now, in the order of arrival and nonces.

        Args:
            nonce_of: The committed nonce of an account.
            limit: How many at most.
        """
        chosen: list[LedgerTransaction] = []
        served: set[Address] = set()
        for tx in self._arrival.values():
            if len(chosen) >= limit:
                break
            if tx.ethereum is None:
                chosen.append(tx)
            elif tx.sender not in served:
                served.add(tx.sender)
                account, nonce = self._accounts[tx.sender], nonce_of(tx.sender)
                while nonce in account and len(chosen) < limit:
                    chosen.append(account[nonce])
                    nonce = Nonce(nonce + 1)
        return chosen

    def remove(self, name: Hash32) -> None:
        """Forget a transaction, if it waits."""
        tx = self._arrival.get(name)
        if tx is not None:
            self._drop(tx)

    def forget_stale(self, nonce_of: Callable[[Address], Nonce], now: UnixSeconds) -> list[Hash32]:
        """Forget what can never enter a block; give the hashes."""
        stale = [
            tx
            for tx in self._arrival.values()
            if (tx.ethereum is not None and tx.ethereum.nonce < nonce_of(tx.sender))
            or (tx.request is not None and tx.request.expires_at < now)
        ]
        for tx in stale:
            self._drop(tx)
        return [tx.hash for tx in stale]

    def _replaced(self, tx: LedgerTransaction) -> LedgerTransaction | None:
        account = self._accounts.get(tx.sender) if tx.ethereum is not None else None
        if account is None or tx.ethereum is None:
            return None
        old = account.get(tx.ethereum.nonce)
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

    def _make_room(self, tx: LedgerTransaction) -> None:
        if len(self._arrival) >= MAX_COUNT or self._bytes + len(tx.raw) > MAX_BYTES:
            raise PoolFull("too many transactions wait: try again in a moment")
        if tx.ethereum is None:
            if self._requests.get(tx.sender, 0) >= MAX_PER_CREDENTIAL:
                raise PoolFull(f"{MAX_PER_CREDENTIAL} requests of this credential wait already")
            return
        account = self._accounts.get(tx.sender)
        if account is not None and len(account) >= MAX_PER_SENDER:
            raise PoolFull(f"{MAX_PER_SENDER} transactions of this account wait already")

    def _drop(self, tx: LedgerTransaction) -> None:
        del self._arrival[tx.hash]
        self._bytes -= len(tx.raw)
        if tx.ethereum is None:
            _count_down(self._requests, tx.sender)
            if tx.request is not None:
                _count_down(self._wallets, tx.request.wallet)
            return
        account = self._accounts[tx.sender]
        del account[tx.ethereum.nonce]
        if not account:
            del self._accounts[tx.sender]


def _count_down(counts: dict[K, int], key: K) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
