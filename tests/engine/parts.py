"""An engine in a temporary folder, with signers in memory and a clock that tests move."""

from dataclasses import dataclass, field
from pathlib import Path

from keymoot.attest.ballot import Ballot, Votes
from keymoot.attest.validators import Ed25519Key
from keymoot.base.fixed import Address, Bytes32
from keymoot.base.secret import Secret
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import LEDGER_CHAIN_ID, ChainId, Gas, Nonce, UnixNanos, Wei
from keymoot.crypto import ed25519
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import signing_hash
from keymoot.engine.ledger import Ledger
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.engine.local import LocalEngine
from keymoot.engine.mempool import Mempool
from keymoot.engine.start import open_application
from keymoot.moot.genesis import BASE_FEE_WEI, Genesis, Member
from keymoot.store.keys import StateKeys
from tests.runtime.people import AGENT, OWNER, STRANGER, Person

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


@dataclass
class MemorySigner:
    """A consensus key in memory that remembers what it signed, and crashes on demand."""

    seed: Secret = field(default_factory=lambda: Secret(b"s" * 32))
    signed: list[Ballot] = field(default_factory=list)
    crash_at: int | None = None

    @property
    def public_key(self) -> Ed25519Key:
        return Ed25519Key(ed25519.public_key(self.seed))

    async def sign(self, ballot: Ballot) -> Votes:
        if self.crash_at == ballot.height:
            raise Crash
        self.signed.append(ballot)
        return Votes(*(ed25519.sign(self.seed, one) for one in ballot.sign_bytes()))


def genesis_of(signers: list[MemorySigner]) -> Genesis:
    people = (OWNER, AGENT, STRANGER)
    return Genesis(
        chain_id=LEDGER_CHAIN_ID,
        development=True,
        base_fee=BASE_FEE_WEI,
        time=START,
        members=tuple(Member(one.public_key, Bytes32(b"i" * 32), 1) for one in signers),
        allocations=tuple((one.address, Wei(10**24)) for one in people),
    )


class Machine:
    """One node's engine; `reopen` is a restart."""

    def __init__(self, folder: Path, signers: int = 1) -> None:
        self.folder = folder
        self.clock = Clock()
        self.signers = [MemorySigner(Secret(bytes([65 + n]) * 32)) for n in range(signers)]
        self.genesis = genesis_of(self.signers)
        self.open()

    def open(self) -> None:
        self.store = LmdbStore(self.folder, map_bytes=1 << 22)
        self.keys = StateKeys(Secret(b"k" * 32), self.genesis.network)
        app = open_application(self.store, self.genesis, self.keys)
        self.engine = LocalEngine(app, self.store, Mempool(), self.signers, self.clock)
        self.ledger = Ledger(self.engine, self.clock)

    def close(self) -> None:
        self.engine.close()
        self.store.close()

    def reopen(self) -> None:
        self.close()
        self.open()

    async def settle(self) -> None:
        """Make blocks until nothing waits."""
        if self.engine.app.committed.height == 0 and self.engine._proposal is None:
            self.engine._propose()
        while True:
            while self.engine._proposal is not None:
                await self.engine.step()
            if not self.engine._waiting() and not self.engine.owes_proof:
                return
            self.engine._propose()

    @property
    def signer(self) -> MemorySigner:
        return self.signers[0]

    @property
    def height(self) -> int:
        return self.engine.app.committed.height


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
