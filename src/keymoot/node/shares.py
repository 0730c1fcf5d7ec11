"""Custody's second step, between the gateway that is asked and the enclaves that answer."""

import asyncio

from keymoot.attest.commit import SignedHeader
from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.base.hexes import data
from keymoot.base.strict_json import Json
from keymoot.base.units import Height, seconds_of
from keymoot.contracts.context import BlockEnvironment
from keymoot.contracts.record import BOUND, REFUSED, Record
from keymoot.contracts.wallet_errors import NotBound
from keymoot.crypto.transactions import request_key
from keymoot.enclave.beacon_book import BadBeacon
from keymoot.enclave.custody import Answer
from keymoot.engine.ledger import Ledger
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.engine.local import Provable
from keymoot.node.cosigners import Cosigners
from keymoot.node.given import Given, GivenShares
from keymoot.node.moot import Moot
from keymoot.node.requests import Requests, is_ecdsa, is_settled, signers_json
from keymoot.node.status import assembly_json
from keymoot.node.together import Together
from keymoot.policy.errors import REFUSED_CODE
from keymoot.runtime.release import (
    EXPIRED,
    RELEASED,
    WAITING,
    find_record,
    gather,
    status_of,
    stopped,
)
from keymoot.store.keys import StateKeys
from keymoot.store.state import State

IN_VAULT, BY_ASSEMBLY = "vault", "assembly"

POLL_SECONDS = 0.5
"""How long a request that waits for stock is left alone between two looks."""


class ShareService:
    """Answers `GET /shares/{request}` and `keymoot_cosign`."""

    def __init__(self, ledger: Ledger, moot: Moot, keys: StateKeys, store: LmdbStore) -> None:
        """Answer from `ledger`, by the enclaves of `moot`; keep what was given out in `store`."""
        self._requests = Requests(ledger)
        self._given = GivenShares(ledger, store, self._requests)
        self._ledger = ledger
        self._moot = moot
        self._keys = keys
        self._cosigners = Cosigners(lambda: moot.seats, lambda: moot.committee)
        self._vault: Together[Hash32, tuple[int, Answer]] = Together(self._by_vault)
        self._shares: Together[tuple[Hash32, bytes], Given] = Together(self._by_assembly)

    async def run(self) -> None:
        """Answer what waits, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._vault.run())
            tasks.create_task(self._shares.run())

    async def release(
        self, request: Hash32, wait_seconds: float, *, checked: bool = False
    ) -> dict[str, Json]:
        """Give the answer to a request, or how far it has come.

        In Vault's custody that is the signature; in the assembly's, the shares of the
        beacon under which `cosign` gives shares of the signature.

        Args:
            request: Its name on the ledger.
            wait_seconds: How long to wait for a final block that decides it.
            checked: Leave out shares of the beacon that are bad.
        """
        question = self._requests.question(request)
        if question is not None:
            expired = self._ledger.now() > question.expires_at
            if expired:
                return self._told(request, EXPIRED)
            return await self._bound(request, question.height, wait_seconds, checked=checked)
        record = await self._decided(request, wait_seconds)
        now = self._ledger.now()
        status = status_of(record, now)
        given = self._given.get(request) if record is not None and record.bound_to else None
        if record is not None and given is not None:
            why = stopped(self._ledger.state(), record, now)
            return self._answered(request, given) if why is None else self._stopped(record, why)
        if record is None or status in (EXPIRED, WAITING):
            return self._told(request, status)
        if status == REFUSED:
            return self._told(request, status) | {"refusal": record.outcome_json()}
        if record.bound_to:
            return await self._bound(request, record.bound_at, wait_seconds, checked=checked)
        seat, answer = await self._vault.ask(request)
        if answer.code:
            return self._stopped(record, answer.message, answer.code)
        holder = self._moot.holder(seat)
        told = self._told(request, RELEASED)
        if holder is not None:
            told["node"] = holder.identity.identity_key.hex0x
        return told | {
            "sealed": data(answer.sealed),
            "signature": data(answer.signature),
        }

    def _stopped(self, record: Record, why: str, code: str = NotBound.code) -> dict[str, Json]:
        refusal: Json = {
            "code": REFUSED_CODE,
            "message": f"keymoot refused: {why}",
            "data": {
                "reason": code,
                "requestId": record.request_id.hex0x,
                "policyVersion": record.policy_version,
            },
        }
        request = request_key(record.requester, record.request_id)
        return self._told(request, BOUND) | {"refusal": refusal}

    async def cosign(self, request: Hash32, beacon: bytes) -> dict[str, Json]:
        """Give the enclaves' sealed shares for a bound request, and their refusals."""
        given, record = self._given.get(request), self._requests.record(request)
        if given is None:
            given = await self._under(request, beacon)
        elif record is not None:
            why = stopped(self._ledger.state(), record, self._ledger.now())
            if why is not None:
                no = Answer(request, b"", b"", NotBound.code, why)
                given = [(seat, no) for seat, _ in given]
        return self._answered(request, given)

    async def _under(self, request: Hash32, beacon: bytes) -> Given:
        """Ask the enclaves, unless it is known that the beacon is another's."""
        height, book = self._requests.height_of(request), self._moot.beacons
        if height is not None and not book.fits(height, beacon):
            no = Answer(request, b"", b"", BadBeacon.code, str(BadBeacon(height)))
            return [(seat, no) for seat in self._moot.committee.indices]
        if height is None:
            return await self._shares.ask((request, beacon))
        with self._ledger.answering(height):
            given = await self._shares.ask((request, beacon))
        bad = sum(1 for _, one in given if one.code == BadBeacon.code)
        good = sum(1 for _, one in given if not one.code)
        book.judged(height, beacon, good=good, bad=bad)
        return given

    def _answered(self, request: Hash32, found: Given) -> dict[str, Json]:
        answers: list[Json] = []
        for seat, answer in found:
            holder = self._moot.holder(seat)
            if holder is None:
                # Who has left since signs for nobody any more.
                continue
            told: dict[str, Json] = {"seat": seat, "node": holder.identity.identity_key.hex0x}
            if answer.code:
                told |= {"code": answer.code, "message": answer.message}
            else:
                told |= {"sealed": data(answer.sealed), "signature": data(answer.signature)}
            answers.append(told)
        told = self._told(request, BOUND) | signers_json(self._requests.record(request))
        height = self._requests.height_of(request)
        return told | {"custody": BY_ASSEMBLY, "height": height, "answers": answers}

    def assembly(self) -> dict[str, Json]:
        """Say who sits in the assembly, its generation, roots and stock."""
        return assembly_json(self._moot.assembly(), self._ledger, self._moot)

    async def _bound(
        self, request: Hash32, height: Height, wait: float, *, checked: bool
    ) -> dict[str, Json]:
        lost = self._moot.lineup.forgotten(height)
        patience = 0 if lost else wait
        with self._ledger.answering(height):
            shares = await self._moot.beacons.shares(height, patience, checked=checked)
        return self._told(request, BOUND) | {
            **signers_json(self._requests.record(request)),
            "custody": BY_ASSEMBLY,
            "height": height,
            "beacon": {str(seat): data(share) for seat, share in sorted(shares.items())},
            "lost": lost,
        }

    async def _decided(self, request: Hash32, wait_seconds: float) -> Record | None:
        """Find the record: the assembly's once it is final, Vault's once it is proved."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_seconds
        while True:
            record = self._requests.record(request)
            if is_settled(record):
                return record
            provable = self._ledger.engine.provable
            proved = None if provable is None else find_record(self._state(provable), request)
            left = deadline - loop.time()
            waits = proved is not None and status_of(proved, self._ledger.now()) == WAITING
            if (proved is not None and not waits) or left <= 0:
                return proved
            try:
                async with asyncio.timeout(min(left, POLL_SECONDS)):
                    await self._ledger.new_block()
            except TimeoutError:
                continue

    async def _by_assembly(self, asked: list[tuple[Hash32, bytes]]) -> list[Given]:
        names = (request for request, _ in asked)
        by_all = frozenset(one for one in names if not is_ecdsa(self._requests.record(one)))
        found = await self._cosigners.ask(asked, by_all)
        # On disk before they leave: asked again, also by another start, they are the same.
        self._given.keep(found, self._moot.committee)
        return [found[request] for request, _ in asked]

    async def _by_vault(self, requests: list[Hash32]) -> list[tuple[int, Answer]]:
        provable = self._ledger.engine.provable
        if provable is None:
            raise Refused("no block is final yet")
        header, now = provable.signed.header, self._ledger.now()
        witness, refused = gather(
            provable.table,
            Hash32(header.app_hash),
            self._environment(provable.signed),
            self._ledger.engine.app.contracts,
            self._keys,
            requests,
            now,
            self._ledger.engine.app.cache,
        )
        found = {
            request: (1, Answer(request, b"", b"", error.code, str(error)))
            for request, error in refused.items()
        }
        asked = sorted({request for request in requests if request not in refused})
        if asked:
            seat, answers = await self._moot.release(provable.signed, witness, asked)
            found |= {answer.request: (seat, answer) for answer in answers}
        return [found[request] for request in requests]

    def _state(self, provable: Provable) -> State:
        root = Hash32(provable.signed.header.app_hash)
        return State(provable.table, root, self._ledger.engine.app.cache)

    def _environment(self, signed: SignedHeader) -> BlockEnvironment:
        header, genesis = signed.header, self._ledger.genesis
        return BlockEnvironment(
            network=self._ledger.network,
            chain_id=genesis.chain_id,
            height=header.height,
            time=seconds_of(header.time),
            seed=header.hash(),
            base_fee=genesis.base_fee,
        )

    def _told(self, request: Hash32, status: str) -> dict[str, Json]:
        return {
            "status": status,
            "request": request.hex0x,
            "node": self._moot.seats[0].identity.identity_key.hex0x,
            "custody": IN_VAULT,
            "simulated": self._moot.seats[0].identity.simulated,
            "refusal": None,
            # Whoever knows fewer links asks who keeps the keys now.
            "successions": self._moot.lineup.successions,
        }
