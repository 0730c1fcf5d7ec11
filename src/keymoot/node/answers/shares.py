"""Custody's second step, between whoever asked and the enclaves that answer.

An enclave answers what a block bound once it is shown the block's certificate. So answers are
there a moment after the block, and the requester gets them, with the certificate, at once.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from keymoot.base.fixed import Hash32
from keymoot.base.hexes import data
from keymoot.base.strict_json import Json
from keymoot.base.units import Height
from keymoot.committee.certified import CertifiedHeader
from keymoot.contracts.builtin.wallets.record import BOUND, REFUSED, RequestRecord
from keymoot.contracts.builtin.wallets.wallet import BY_COMMITTEE, CUSTODY_WORDS, IN_VAULT
from keymoot.crypto.transactions import request_key
from keymoot.enclave.answer import RequestAnswer
from keymoot.engine.ledger import Ledger
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.node.answers.requests import Requests, is_settled, signers_json
from keymoot.node.answers.response_cache import Given, ResponseCache
from keymoot.node.answers.share_collector import Heard, ShareCollector
from keymoot.node.answers.signing_material import SigningMaterial, need_of_question, need_of_record
from keymoot.node.membership.roster import Roster
from keymoot.node.supervisor.asking import Asking
from keymoot.node.supervisor.enclaves import Enclaves
from keymoot.policy.errors import REFUSED_CODE
from keymoot.runtime.release import EXPIRED, RELEASED, WAITING, status_of, stopped

ANSWER_SECONDS = 2.0
"""How long others wait for an enclave that has been asked for answers."""

POLL_SECONDS = 0.5
"""How long a request that waits for stock is left alone between two looks."""

log = structlog.get_logger("keymoot.shares")


class ShareService:
    """Answers `GET /shares/{request}` and `keymoot_ask`."""

    def __init__(
        self,
        ledger: Ledger,
        enclaves: Enclaves,
        roster: Roster,
        asking: Asking,
        store: LmdbStore,
        describe: Callable[[], dict[str, Json]],
    ) -> None:
        self._ledger, self._enclaves, self._roster = ledger, enclaves, roster
        self._asking, self._describe = asking, describe
        self._requests = Requests(ledger)
        self.collected = ShareCollector(
            ResponseCache(store),
            lambda request: self._requests.need(request, roster.snapshot.committee),
            enclaves.saw,
            self._ask,
            ledger.now,
            lambda: roster.snapshot.committee.ecdsa_degree + 1 + roster.snapshot.committee.faults,
        )

    async def run(self) -> None:
        await self.collected.run()

    async def release(self, request: Hash32, wait_seconds: float) -> dict[str, Json]:
        """Give the answer to a request, or how far it has come.

        A block that decides it, and answers to it, are waited for up to `wait_seconds`.
        """
        question = self._requests.question(request)
        if question is not None:
            if self._ledger.now() > question.expires_at:
                return self._told(request, EXPIRED)
            asked = need_of_question(question, self._roster.snapshot.committee)
            return self._bound(request, asked, await self._given(request, asked, wait_seconds))
        record = await self._decided(request, wait_seconds)
        status = status_of(record, self._ledger.now())
        if record is None or status == WAITING:
            return self._told(request, status)
        if status == REFUSED:
            return self._told(request, status) | {"refusal": record.outcome_json()}
        need = need_of_record(record, self._roster.snapshot.committee)
        if need is None:
            return self._told(request, status)
        # What is kept is given again after the request has expired: it left long ago.
        given = await self._given(request, need, 0.0 if status == EXPIRED else wait_seconds)
        if status == EXPIRED and not need.met(_good(given)):
            return self._told(request, EXPIRED)
        why = stopped(self._ledger.state(), record, self._ledger.now())
        if why is not None:
            return self._stopped(record, why.why, why.reason)
        if record.bound_to:
            return self._bound(request, need, given)
        return self._in_vault(record, given)

    def committee_status(self) -> dict[str, Json]:
        return self._describe()

    # -- what is told

    def _bound(self, request: Hash32, need: SigningMaterial, given: Given) -> dict[str, Json]:
        certificate = self._certificate(need.height)
        record = self._requests.record(request)
        # What serves once is burned where its own block has no certificate, or starts are gone.
        lost = not need.met(_good(given)) and (
            (record is not None and certificate is None)
            or self._roster.snapshot.forgotten(need.height, need.enough)
        )
        answers: list[Json] = []
        for seat, answer in given.items():
            holder = self._enclaves.holder(seat)
            if holder is None:
                # Who has left since signs for nobody any more.
                continue
            told: dict[str, Json] = {"seat": seat, "node": holder.identity.identity_key.hex0x}
            if answer.code:
                told |= {"code": answer.code, "message": answer.message}
            else:
                told |= {"sealed": data(answer.sealed), "signature": data(answer.signature)}
            answers.append(told)
        return self._told(request, BOUND) | {
            **signers_json(record),
            "custody": CUSTODY_WORDS[BY_COMMITTEE],
            "height": need.height,
            "certificate": None if certificate is None else data(certificate),
            "answers": answers,
            "lost": lost,
        }

    def _in_vault(self, record: RequestRecord, given: Given) -> dict[str, Json]:
        request = request_key(record.requester, record.request_id)
        for seat, answer in _good(given).items():
            holder = self._enclaves.holder(seat)
            if holder is not None:
                return self._told(request, RELEASED) | {
                    "node": holder.identity.identity_key.hex0x,
                    "sealed": data(answer.sealed),
                    "signature": data(answer.signature),
                }
        # One enclave's word is worth nothing; where more than may be broken say it, it is true.
        codes = [(refused.code, refused.message) for refused in given.values() if refused.code]
        believed = [
            pair for pair in codes if codes.count(pair) > self._roster.snapshot.committee.faults
        ]
        if believed:
            code, message = believed[0]
            return self._stopped(record, message, code)
        return self._told(request, BOUND)

    def _stopped(self, record: RequestRecord, why: str, code: str) -> dict[str, Json]:
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
        custody = CUSTODY_WORDS[BY_COMMITTEE if record.bound_to else IN_VAULT]
        return self._told(request, BOUND) | {"custody": custody, "refusal": refusal}

    def _told(self, request: Hash32, status: str) -> dict[str, Json]:
        identity = self._enclaves.seats[0].identity
        return {
            "status": status,
            "request": request.hex0x,
            "node": identity.identity_key.hex0x,
            "custody": CUSTODY_WORDS[IN_VAULT],
            "simulated": identity.simulated,
            "refusal": None,
        }

    # -- what it is made of

    async def _given(self, request: Hash32, need: SigningMaterial, wait_seconds: float) -> Given:
        with self._ledger.answering(need.height):
            return await self.collected.of(request, need, wait_seconds)

    async def _ask(self, requests: Sequence[Hash32]) -> Heard:
        """Have all enclaves answer again; who says no, or nothing in time, is left out."""
        asked = [enclave for enclave in self._enclaves.seats if enclave.alive and enclave.begun]
        said = await self._asking.each(
            asked, lambda enclave: enclave.process.answer(requests), ANSWER_SECONDS
        )
        for seat in sorted(said.silent):
            log.warning("enclave.silent", seat=seat)
        return [
            (seat, answers)
            for seat, answers in said.answers.items()
            if [answer.request for answer in answers] == list(requests)
        ]

    def _certificate(self, height: Height) -> bytes | None:
        """Give the certified header of a block that has a certificate of its own."""
        certified = self._ledger.certified(height)
        if certified is None or certified[0].height != height or certified[1] is None:
            return None
        return CertifiedHeader(certified[0], certified[1]).encode()

    async def _decided(self, request: Hash32, wait_seconds: float) -> RequestRecord | None:
        """Find the record, once a certified block has decided it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_seconds
        while True:
            record = self._requests.record(request)
            left = deadline - loop.time()
            waits = record is None or status_of(record, self._ledger.now()) == WAITING
            if is_settled(record) or not waits or left <= 0:
                return record
            try:
                async with asyncio.timeout(min(left, POLL_SECONDS)):
                    await self._ledger.new_block()
            except TimeoutError:
                continue


def _good(given: Given) -> dict[int, RequestAnswer]:
    return {seat: answer for seat, answer in given.items() if not answer.code}
