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
from keymoot.contracts.record import BOUND, REFUSED, Record
from keymoot.contracts.wallet_errors import NotBound
from keymoot.crypto.transactions import request_key
from keymoot.enclave.answer import Answer
from keymoot.engine.ledger import Ledger
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.moot.certified import CertifiedHeader
from keymoot.node.answers.collected import Collected, Heard
from keymoot.node.answers.given import Given, GivenAnswers
from keymoot.node.answers.need import Need, need_of_question, need_of_record
from keymoot.node.answers.requests import Requests, is_settled, signers_json
from keymoot.node.membership.roster import Roster
from keymoot.node.supervisor.asking import Asking
from keymoot.node.supervisor.enclaves import Enclaves
from keymoot.policy.errors import REFUSED_CODE
from keymoot.runtime.release import EXPIRED, RELEASED, WAITING, status_of, stopped

IN_VAULT, BY_ASSEMBLY = "vault", "assembly"

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
        """Answer from a ledger, by the enclaves of this node.

        Args:
            ledger: What was bound.
            enclaves: They answer.
            roster: Who they are to the ledger.
            asking: Has them answer again.
            store: Keeps what was given out.
            describe: Says how the assembly looks from outside.
        """
        self._ledger, self._enclaves, self._roster = ledger, enclaves, roster
        self._asking, self._describe = asking, describe
        self._requests = Requests(ledger)
        self.collected = Collected(
            GivenAnswers(store),
            lambda request: self._requests.need(request, roster.lineup.committee),
            enclaves.saw,
            self._ask,
            ledger.now,
            lambda: roster.lineup.committee.ecdsa_degree + 1 + roster.lineup.committee.faults,
        )

    async def run(self) -> None:
        """Collect answers until cancelled."""
        await self.collected.run()

    async def release(self, request: Hash32, wait_seconds: float) -> dict[str, Json]:
        """Give the answer to a request, or how far it has come.

        Args:
            request: Its name on the ledger.
            wait_seconds: How long to wait for a block that decides it, and for its answers.

        Raises:
            CannotWrite: the disk does not take what is to leave.
        """
        question = self._requests.question(request)
        if question is not None:
            if self._ledger.now() > question.expires_at:
                return self._told(request, EXPIRED)
            asked = need_of_question(question, self._roster.lineup.committee)
            return self._bound(request, asked, await self._given(request, asked, wait_seconds))
        record = await self._decided(request, wait_seconds)
        status = status_of(record, self._ledger.now())
        if record is None or status == WAITING:
            return self._told(request, status)
        if status == REFUSED:
            return self._told(request, status) | {"refusal": record.outcome_json()}
        need = need_of_record(record, self._roster.lineup.committee)
        if need is None:
            return self._told(request, status)
        # What is kept is given again after the request has expired: it left long ago.
        given = await self._given(request, need, 0.0 if status == EXPIRED else wait_seconds)
        if status == EXPIRED and not need.met(_good(given)):
            return self._told(request, EXPIRED)
        why = stopped(self._ledger.state(), record, self._ledger.now())
        if why is not None:
            return self._stopped(record, why)
        if record.bound_to:
            return self._bound(request, need, given)
        return self._in_vault(record, given)

    def assembly(self) -> dict[str, Json]:
        """Say who sits in the assembly, its generation, roots and stock."""
        return self._describe()

    # -- what is told

    def _bound(self, request: Hash32, need: Need, given: Given) -> dict[str, Json]:
        certificate = self._certificate(need.height)
        record = self._requests.record(request)
        # What serves once is burned where its own block has no certificate, or starts are gone.
        lost = not need.met(_good(given)) and (
            (record is not None and certificate is None)
            or self._roster.lineup.forgotten(need.height, need.enough)
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
            "custody": BY_ASSEMBLY,
            "height": need.height,
            "certificate": None if certificate is None else data(certificate),
            "answers": answers,
            "lost": lost,
        }

    def _in_vault(self, record: Record, given: Given) -> dict[str, Json]:
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
        codes = [(one.code, one.message) for one in given.values() if one.code]
        believed = [one for one in codes if codes.count(one) > self._roster.lineup.committee.faults]
        if believed:
            code, message = believed[0]
            return self._stopped(record, message, code)
        return self._told(request, BOUND)

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
        custody = BY_ASSEMBLY if record.bound_to else IN_VAULT
        return self._told(request, BOUND) | {"custody": custody, "refusal": refusal}

    def _told(self, request: Hash32, status: str) -> dict[str, Json]:
        identity = self._enclaves.seats[0].identity
        return {
            "status": status,
            "request": request.hex0x,
            "node": identity.identity_key.hex0x,
            "custody": IN_VAULT,
            "simulated": identity.simulated,
            "refusal": None,
        }

    # -- what it is made of

    async def _given(self, request: Hash32, need: Need, wait_seconds: float) -> Given:
        with self._ledger.answering(need.height):
            return await self.collected.of(request, need, wait_seconds)

    async def _ask(self, requests: Sequence[Hash32]) -> Heard:
        """Have all enclaves answer again; who says no, or nothing in time, is left out."""
        asked = [one for one in self._enclaves.seats if one.alive and one.begun]
        said = await self._asking.each(
            asked, lambda one: one.process.answer(requests), ANSWER_SECONDS
        )
        for seat in sorted(said.silent):
            log.warning("enclave.silent", seat=seat)
        return [
            (seat, answers)
            for seat, answers in said.found.items()
            if [answer.request for answer in answers] == list(requests)
        ]

    def _certificate(self, height: Height) -> bytes | None:
        """Give the certified header of a block that has a certificate of its own."""
        found = self._ledger.certified(height)
        if found is None or found[0].height != height or found[1] is None:
            return None
        return CertifiedHeader(found[0], found[1]).encode()

    async def _decided(self, request: Hash32, wait_seconds: float) -> Record | None:
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


def _good(given: Given) -> dict[int, Answer]:
    return {seat: answer for seat, answer in given.items() if not answer.code}
