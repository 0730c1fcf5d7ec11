"""Transactions that were read and whose senders are known, remembered within a bound of bytes."""

from collections.abc import Callable

from keymoot.runtime.transactions import LedgerTransaction

MAX_BYTES = 16_777_216
"""Raw bytes that are remembered: four full blocks. Whoever signs a transaction, with any key
and no funds, has it opened once, and what is made of it takes about twice its bytes."""

MAX_COUNT = 4_096


class SenderCache:
    """What was opened last, so that each sender is recovered once."""

    def __init__(self, open_fresh: Callable[[bytes], LedgerTransaction]) -> None:
        self._open_fresh = open_fresh
        self._kept: dict[bytes, LedgerTransaction] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def open(self, raw: bytes) -> LedgerTransaction:
        """Give a transaction; what was asked for longest ago is forgotten for it."""
        transaction = self._kept.pop(raw, None)
        if transaction is None:
            transaction = self._open_fresh(raw)
            self._bytes += len(raw)
        self._kept[raw] = transaction
        while self._bytes > MAX_BYTES or len(self._kept) > MAX_COUNT:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._bytes -= len(oldest)
        return transaction
