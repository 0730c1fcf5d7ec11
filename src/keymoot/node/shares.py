"""Custody's second step, between the gateway that is asked and the enclave that answers.

Requests that come together are answered together: one witness, one message.
"""

import asyncio

from keymoot.attest.commit import SignedHeader
from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.base.hexes import data
from keymoot.base.strict_json import Json
from keymoot.base.units import seconds_of
from keymoot.contracts.context import BlockEnvironment
from keymoot.contracts.record import BOUND, REFUSED, Record
from keymoot.enclave.client import EnclaveClient
from keymoot.enclave.custody import Answer
from keymoot.enclave.messages import MAX_BATCH
from keymoot.engine.ledger import Ledger
from keymoot.engine.local import Provable
from keymoot.runtime.release import EXPIRED, RELEASED, find_record, gather, status_of
from keymoot.store.keys import StateKeys
from keymoot.store.state import State

_Waiting = tuple[Hash32, "asyncio.Future[Answer]"]


class ShareService:
    """Answers `GET /shares/{request}` for one node."""

    def __init__(self, ledger: Ledger, enclave: EnclaveClient, keys: StateKeys) -> None:
        """Answer from `ledger`, by `enclave`."""
        self._ledger = ledger
        self._enclave = enclave
        self._keys = keys
        self._queue: list[_Waiting] = []
        self._wake = asyncio.Event()

    async def release(self, request: Hash32, wait_seconds: float) -> dict[str, Json]:
        """Give the answer to a request, or how far it has come.

        Args:
            request: Its name on the ledger.
            wait_seconds: How long to wait for a final block that decides it.
        """
        record = await self._decided(request, wait_seconds)
        status = status_of(record, self._ledger.now())
        if record is None or status == EXPIRED:
            return self._told(request, status)
        if status == REFUSED:
            return self._told(request, status) | {"refusal": record.outcome_json()}
        if status != BOUND:
            return self._told(request, status)
        answer = await self._ask(request)
        if answer.code:
            refusal: Json = {
                "code": 4100,
                "message": f"keymoot refused: {answer.message}",
                "data": {
                    "reason": answer.code,
                    "requestId": record.request_id.hex0x,
                    "policyVersion": record.policy_version,
                },
            }
            return self._told(request, BOUND) | {"refusal": refusal}
        return self._told(request, RELEASED) | {
            "sealed": data(answer.sealed),
            "signature": data(answer.signature),
        }

    async def run(self) -> None:
        """Answer what waits, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                batch, self._queue = self._queue[:MAX_BATCH], self._queue[MAX_BATCH:]
                await self._answer(batch)

    async def _decided(self, request: Hash32, wait_seconds: float) -> Record | None:
        """Find the record in the state that the newest final header proves."""
        deadline = asyncio.get_running_loop().time() + wait_seconds
        while True:
            provable = self._ledger.engine.provable
            record = None if provable is None else find_record(self._state(provable), request)
            left = deadline - asyncio.get_running_loop().time()
            if record is not None or left <= 0:
                return record
            try:
                async with asyncio.timeout(left):
                    await self._ledger.new_block()
            except TimeoutError:
                return None

    async def _ask(self, request: Hash32) -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.append((request, future))
        self._wake.set()
        return await future

    async def _answer(self, batch: list[_Waiting]) -> None:
        provable = self._ledger.engine.provable
        try:
            if provable is None:
                raise Refused("no block is final yet")
            found = await self._by_enclave(provable, [request for request, _ in batch])
        except Exception as error:  # noqa: BLE001  handed to everyone who waits
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for request, future in batch:
            if not future.done():
                future.set_result(found[request])

    async def _by_enclave(self, provable: Provable, requests: list[Hash32]) -> dict[Hash32, Answer]:
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
            request: Answer(request, b"", b"", error.code, str(error))
            for request, error in refused.items()
        }
        asked = sorted({request for request in requests if request not in refused})
        if asked:
            answers = await self._enclave.release(provable.signed, witness, asked)
            found |= {answer.request: answer for answer in answers}
        return found

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
            hash=header.hash(),
            base_fee=genesis.base_fee,
        )

    def _told(self, request: Hash32, status: str) -> dict[str, Json]:
        identity = self._enclave.identity
        return {
            "status": status,
            "request": request.hex0x,
            "node": identity.identity_key.hex0x if identity else None,
            "simulated": identity.simulated if identity else True,
            "refusal": None,
        }
