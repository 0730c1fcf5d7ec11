"""What work costs, and the meter that counts it.

Numbers follow Ethereum's schedule (EIP-2028 calldata, EIP-2929 warm and cold access)
where it has one; sealed values cost a little more than open ones.
"""

from collections.abc import Callable, Sequence

from keymoot.base.errors import Refused
from keymoot.base.transaction import AccessEntry
from keymoot.base.units import Gas
from keymoot.committee.messages import WITH_EVIDENCE, NodeMessage
from keymoot.contracts.builtin.apps.evidence import EVIDENCE_GAS

TRANSACTION = 21_000
CALLDATA_ZERO_BYTE = 4
CALLDATA_BYTE = 16

LISTED_ADDRESS = 2_400
LISTED_SLOT = 1_900
"""Of an access list (EIP-2930), although nothing that it names becomes cheaper here."""

READ_COLD = 2_100
READ_WARM = 100
WRITE_COLD = 5_000
WRITE_WARM = 2_900
READ_WORD = 16
"""A long value is hashed to check it."""

WRITE_WORD = 200
SEALED = 700
"""Extra for opening or sealing a confidential value."""

CALL = 2_600
LOG = 375
LOG_TOPIC = 375
LOG_BYTE = 8
TRANSFER = 9_000
RANDOM = 1_000

WORD_BYTES = 32

REQUEST_LIMIT = 5_000_000
"""Gas that one request of an agent may use; a wallet's quota must hold its price.

More than the longest wish under the longest policy can need (about 4 million), so that
every decided request leaves its record: one that ran out could be charged again.
"""

MESSAGE = Gas(TRANSACTION)
"""What a node's message counts as; nobody pays it."""

EVIDENCE_MESSAGE = Gas(MESSAGE + EVIDENCE_GAS)
"""What one with evidence counts as: milliseconds, and who is refused may say another."""

MESSAGE_LIMIT = 2_000_000_000
"""Bounds the binding of requests that waited for stock.

All who may wait fit, with the longest records: nobody starves by who waits beside him.
"""

BLOCK_LIMIT = 60_000_000
"""Gas of one block: a second of work at the most."""

REQUESTS_SHARE = 8
"""A request counts as an eighth of what it may use: hardly one needs as much."""

USED_LIMIT = REQUESTS_SHARE * BLOCK_LIMIT
"""What a full block can use at most; headers carry it as their gas limit."""

TRANSACTION_LIMIT = 30_000_000
"""Gas of one transaction."""


def of_message(message: NodeMessage) -> Gas:
    """Give what a node's message counts as, in its block and its receipt."""
    return EVIDENCE_MESSAGE if message.kind in WITH_EVIDENCE else MESSAGE


class OutOfGas(Refused, code="OUT_OF_GAS"):
    def __init__(self, limit: int) -> None:
        super().__init__(f"out of gas: {limit} was the limit; estimate again, or send more")


class GasMeter:
    """Counts gas up to a limit; also a `store.Meter`."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    def charge(self, gas: int) -> None:
        """Take gas; when the limit is passed all of it counts as used."""
        if gas > self.limit - self.used:
            self.used = self.limit
            raise OutOfGas(self.limit)
        self.used += gas

    def exhaust(self) -> None:
        """Take all there is: what our code did not expect is not cheap to look for."""
        self.used = self.limit

    def charge_read(self, size_bytes: int, *, warm: bool, confidential: bool) -> None:
        words = -(-size_bytes // WORD_BYTES)
        base = READ_WARM if warm else READ_COLD
        self.charge(base + READ_WORD * words + (SEALED if confidential else 0))

    def charge_write(self, size_bytes: int, *, warm: bool, confidential: bool) -> None:
        words = -(-size_bytes // WORD_BYTES)
        base = WRITE_WARM if warm else WRITE_COLD
        self.charge(base + WRITE_WORD * words + (SEALED if confidential else 0))


class WatchedMeter(GasMeter):
    """Lets somebody else look whenever gas is charged, and stop what runs."""

    __slots__ = ("_watch",)

    def __init__(self, limit: int, watch: Callable[[], None]) -> None:
        super().__init__(limit)
        self._watch = watch

    def charge(self, gas: int) -> None:
        self._watch()
        super().charge(gas)


def intrinsic(data: bytes, listed: Sequence[AccessEntry] = ()) -> Gas:
    """Give what a transaction costs before anything runs: its calldata, and its access list."""
    zeros = data.count(0)
    called = CALLDATA_ZERO_BYTE * zeros + CALLDATA_BYTE * (len(data) - zeros)
    named = sum(LISTED_ADDRESS + LISTED_SLOT * len(entry.slots) for entry in listed)
    return Gas(TRANSACTION + called + named)
