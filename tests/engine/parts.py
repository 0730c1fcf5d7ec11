"""A clock that tests move, and a transfer of tokens."""

from dataclasses import dataclass

from keymoot.base.fixed import Address
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import ChainId, Gas, Nonce, UnixNanos, Wei
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import signing_hash
from tests.runtime.people import STRANGER, Person

SECOND = 10**9
START = UnixNanos(1_800_000_000 * SECOND)


class Crash(Exception):
    """The power goes."""


@dataclass
class Clock:
    now: int = START

    def __call__(self) -> UnixNanos:
        self.now += 1000
        return UnixNanos(self.now)

    def sleep(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


def transfer(
    who: Person, nonce: int, to: Address = STRANGER.address, value: int = 1, fee: int = 10**9
) -> bytes:
    tx = EvmTransaction(
        DYNAMIC_FEE,
        ChainId(0x5AFD),
        Nonce(nonce),
        Wei(0),
        Wei(fee),
        Gas(21_000),
        to,
        Wei(value),
        b"",
    )
    return tx.signed_bytes(sign(who.key, signing_hash(tx)))
