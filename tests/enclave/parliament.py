"""Rooms of several enclaves and one ledger in a test's own process, deterministic to its step.

Everything is what a node runs, but for the pipes between: rooms answer at once, their long
arithmetic happens where it is asked for, and what they say waits until the test hands it on.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keymoot.attest.ballot import Ballot
from keymoot.attest.block import results_hash
from keymoot.attest.commit import Commit, CommitSig, Flag, SignedHeader
from keymoot.attest.header import Header
from keymoot.attest.validators import Ed25519Key, ValidatorSet
from keymoot.attest.wire import NO_TIME
from keymoot.base import rlp
from keymoot.base.fixed import Hash32, RequestId
from keymoot.base.request import SIGN_TRANSACTION, Request
from keymoot.base.secret import Secret
from keymoot.base.units import LEDGER_CHAIN_ID, Height, UnixNanos, UnixSeconds, Wei
from keymoot.crypto import ed25519, hpke
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import request_digest, request_key
from keymoot.enclave import messages
from keymoot.enclave.client import EnclaveRefused
from keymoot.enclave.custody import SHARE_INFO, Answer
from keymoot.engine import archive
from keymoot.engine.ledger import Ledger
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.engine.local import LocalEngine
from keymoot.engine.mempool import Mempool
from keymoot.engine.start import open_application
from keymoot.moot.assembly import Assembly
from keymoot.moot.certificate import Certificate, SignedCertificate
from keymoot.moot.genesis import BASE_FEE_WEI, Founder, Genesis, Member
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.outcome import beacon_message
from keymoot.runtime.assembly import assembly_in, gather_pages
from keymoot.runtime.members import chain_of
from keymoot.runtime.query import Query, call
from keymoot.runtime.receipt import Receipt, result_of
from keymoot.runtime.release import find_record
from keymoot.store.keys import StateKeys
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.polynomial import interpolate_points
from tests.enclave.delegate import Delegate
from tests.runtime.people import AGENT, OWNER, STRANGER, Person, Play, payment

REPLY = Secret(b"r" * 32)


def wall_clock() -> UnixNanos:
    return UnixNanos(time.time_ns())


@dataclass
class Shown:
    """A final block as enclaves are shown it."""

    signed: SignedHeader
    transactions: tuple[bytes, ...]
    receipts: tuple[Receipt, ...]


@dataclass
class LedgerChain:
    """The ledger as `Play` wants a chain."""

    parliament: "Parliament"

    @property
    def block(self) -> Any:
        return self.parliament.ledger.block_environment()

    def state(self) -> Any:
        return self.parliament.ledger.state()

    def send(self, raw: bytes) -> Receipt:
        return self.parliament.send(raw)

    def ask(self, to: Any, data: bytes) -> bytes:
        app = self.parliament.engine.app
        keys = self.parliament.keys
        return call(self.state(), self.block, app.contracts, keys, Query(to, data))


@dataclass
class Parliament:
    """`size` enclaves that keep the keys of one network."""

    folder: Path
    size: int = 4
    said: list[bytes] = field(default_factory=list)
    shown: dict[Height, Shown] = field(default_factory=dict)
    withheld: set[int] = field(default_factory=set)
    mute: bool = False
    lie: Callable[[int, Shown], Shown] = lambda _, shown: shown

    def __post_init__(self) -> None:
        seats = range(1, self.size + 1)
        self.delegates = {
            at: Delegate(at, self.folder / f"enclave-{at}", self.said, self.take) for at in seats
        }
        founders = [one.identity for one in self.delegates.values()]
        self.genesis = Genesis(
            chain_id=LEDGER_CHAIN_ID,
            development=True,
            base_fee=BASE_FEE_WEI,
            time=wall_clock(),
            members=tuple(
                Member(
                    Ed25519Key(one.consensus_key),
                    one.identity_key,
                    1,
                    Founder(one.identity_key, one.consensus_key, one.sealing, one.boot),
                )
                for one in founders
            ),
            allocations=tuple((one.address, Wei(10**24)) for one in (OWNER, AGENT, STRANGER)),
        )
        self.keys = StateKeys(None, self.genesis.network)
        for one in self.delegates.values():
            one.join(self.genesis)
        self.store = LmdbStore(self.folder / "data", map_bytes=1 << 26)
        app = open_application(self.store, self.genesis, self.keys)
        signers = list(self.delegates.values())
        self.engine = LocalEngine(app, self.store, Mempool(), signers, wall_clock)
        self.ledger = Ledger(self.engine, wall_clock)
        self.engine.on_committed(self._on_committed)
        self.settle()

    def close(self) -> None:
        self.engine.close()
        self.store.close()

    def take(self, secret: Secret) -> None:
        """Take the state secret over from an enclave, as its node does."""
        self.keys.take(secret)

    @property
    def assembly(self) -> Assembly:
        return assembly_in(self.ledger.state(), self.genesis.network)

    def chain(self) -> list[bytes]:
        """Give all successions so far."""
        return chain_of(self.assembly)

    # -- blocks

    def settle(self) -> None:
        """Make blocks, and hand on what enclaves say, until nobody has anything to say."""
        asyncio.run(self._settle())

    async def _settle(self) -> None:
        if self.engine.app.committed.height == 0 and self.engine._proposal is None:
            self.engine._propose()
        while True:
            while self.engine._proposal is not None:
                await self.engine.step()
            said = [] if self.mute else self.said[:]
            if not self.mute:
                self.said.clear()
            for raw in said:
                await self.ledger.submit(raw)
            if not self.engine._waiting() and not self.engine.owes_proof:
                return
            self.engine._propose()

    def send(self, raw: bytes) -> Receipt:
        async def deliver() -> Hash32:
            name = await self.ledger.submit(raw)
            await self._settle()
            return name

        name = asyncio.run(deliver())
        found = self.ledger.transaction(name)
        assert found is not None
        return found.receipt

    def _on_committed(self, done: Any, commit: Commit) -> None:
        block = done.block
        height = block.header.height
        self.shown[height] = Shown(
            SignedHeader(block.header, commit), tuple(block.transactions), tuple(done.receipts)
        )
        for one in self.delegates.values():
            if one.seat not in self.withheld and not one.asleep:
                self.show(one)

    def show(self, one: Delegate) -> None:
        """Show a delegate every block that it has not seen."""
        while one.next in self.shown:
            block = self.lie(one.seat, self.shown[one.next])
            one.next = Height(one.next + 1)
            try:
                share = one.follow(block.signed, block.transactions, block.receipts)
            except EnclaveRefused as error:
                # It stays behind from here on.
                one.next, one.refusal = Height(10**9), error.code
                return
            if share:
                one.beacons[Height(one.next - 1)] = share

    # -- starting anew

    def restart(self, seat: int) -> None:
        """End an enclave and start it on its folder; it begins at the newest proven state."""
        one = self.delegates[seat]
        one.start()
        one.join(self.genesis, seat)
        self.sync(one)

    def sync(self, one: Delegate) -> None:
        provable = self.engine.provable
        assert provable is not None
        header, network = provable.signed.header, self.genesis.network
        witness = gather_pages(provable.table, Hash32(header.app_hash), network)
        one.ask(messages.SYNC, messages.sync_item(provable.signed, witness, self.chain()))
        one.next = Height(header.height)
        self.show(one)

    def recover(self, waking: frozenset[int] = frozenset()) -> None:
        """Start all enclaves anew on their folders, and begin a new generation.

        Those that are `waking` did not sleep: they go on with their keys and what they know.
        """
        self.said.clear()
        members = {at: self.delegates[at] for at in self.assembly.hall.head.members}
        anew = {at: one for at, one in members.items() if at not in waking}
        for at, one in anew.items():
            one.start()
            one.join(self.genesis, at)
        height = self.engine.app.committed.height
        base = self.shown[height].signed if height else None
        generation = self.assembly.hall.head.generation
        terms = Certificate(
            self.genesis.network,
            generation,
            height,
            Hash32(self.genesis.network) if base is None else base.header.hash(),
            {at: one.identity.boot for at, one in members.items()},
        )
        unsigned = SignedCertificate(terms, {}).encode()
        signatures = {}
        for at, one in members.items():
            signature = one.ask(messages.ENDORSE, unsigned)
            assert isinstance(signature, bytes)
            signatures[at] = signature
        certificate = SignedCertificate(terms, signatures).encode()
        for one in anew.values():
            one.ask(messages.RECOVER, messages.recover_item(base, certificate, self.chain()))
            one.next = Height(height + 10**6)
        message = NodeMessage(self.genesis.network, generation, 0, Kind.RECOVER, certificate)
        assert self.send(message.encode()).status == 1
        for one in anew.values():
            self.sync(one)
        self.settle()

    # -- asking

    def play(self, limit: int = 10**6) -> Play:
        """Give an owner with a wallet, and an agent that may pay."""
        return Play(LedgerChain(self)).ready(limit)  # type: ignore[arg-type]

    def request(
        self,
        play: Play,
        payload: bytes,
        method: str = SIGN_TRANSACTION,
        who: Person = AGENT,
        seconds: int = 300,
    ) -> tuple[bytes, Hash32]:
        """Sign a request; give its bytes and its name on the ledger."""
        request = Request(
            network=self.genesis.network,
            wallet=play.wallet,
            request_id=RequestId(secrets.token_bytes(32)),
            expires_at=UnixSeconds(self.ledger.now() + seconds),
            method=method,
            payload=payload,
            reply_key=hpke.public_key(REPLY),
        )
        raw = request.signed_bytes(sign(who.key, request_digest(request)))
        return raw, request_key(who.address, request.request_id)

    def bind(self, play: Play, value: int = 5) -> Hash32:
        """Have a payment bound in a final block."""
        raw, key = self.request(play, payment(value).unsigned_bytes())
        receipt = self.send(raw)
        assert receipt.status == 1, receipt
        return key

    def height_of(self, key: Hash32) -> Height:
        """Give the height that bound a request."""
        record = find_record(self.ledger.state(), key)
        assert record is not None
        assert record.bound_to
        return record.bound_at

    def beacon(self, height: Height, seats: set[int] | None = None) -> bytes:
        """Combine the beacon of a height from what enclaves gave."""
        need = self.assembly.hall.committee.degree + 1
        shares = {
            at: G1.decode(one.beacons[height])
            for at, one in self.delegates.items()
            if height in one.beacons and at in (seats or self.delegates)
        }
        chosen = {at: shares[at] for at in sorted(shares)[:need]}
        assert len(chosen) == need, f"only {len(chosen)} shares"
        return G1.encode(interpolate_points(G1, chosen))

    def message(self, height: Height) -> bytes:
        """Give what the beacon of a height is over, as the replica executed it."""
        disk = self.engine.snapshot
        block = archive.block_at(disk, height)
        assert block is not None
        receipts = archive.receipts_at(disk, height, len(block.transactions))
        results = results_hash([result_of(one) for one in receipts])
        generation = self.assembly.hall.head.generation
        network = self.genesis.network
        return beacon_message(network, generation, height, block.header.hash(), results)

    def opened(self, key: Hash32, answer: Answer) -> list[bytes]:
        """Open a share as the requester does."""
        network = self.genesis.network
        content = hpke.open_with(REPLY, answer.sealed, SHARE_INFO + network, key)
        found = rlp.decode(content)
        assert isinstance(found, list)
        return [one for one in found if isinstance(one, bytes)]

    # -- forging

    def signed_by(
        self, header: Header, seats: set[int], validators: ValidatorSet | None = None
    ) -> SignedHeader:
        """Sign a header with the consensus keys of some seats, as only a test can."""
        block_id = self.engine._make([]).block.block_id()
        block_id = type(block_id)(header.hash(), block_id.parts_total, block_id.parts_hash)
        by_key = {bytes(one.public_key): one for one in self.delegates.values()}
        time = wall_clock()
        ballot = Ballot(header.chain_id, header.height, 0, block_id, time)
        precommit = list(ballot.sign_bytes())[2]
        places = []
        for validator in (validators or self.genesis.validators()).validators:
            one = by_key[bytes(validator.public_key)]
            if one.seat in seats:
                signature = ed25519.sign(one.room.keep.now.consensus, precommit)
                places.append(CommitSig(Flag.COMMIT, validator.address, time, signature))
            else:
                places.append(CommitSig(Flag.ABSENT, b"", NO_TIME, b""))
        return SignedHeader(header, Commit(header.height, 0, block_id, tuple(places)))
