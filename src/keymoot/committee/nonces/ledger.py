"""Nonce commitments for FROST: each seat posts batches of them ahead, blocks bind them in order.

RFC 9591 has its first round ahead of time. A block that decides a request names its signers,
degree+1 of them, and takes the next commitment of each. What is bound is spent, whatever
becomes of the request: the cursor never goes back, and no number comes again in a start.

Every signer that is named must answer. Where one is silent or lies, the requester asks
again and says whom to leave out (ROAST, 2022/550: who is silent blocks one list at most).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from keymoot.base.errors import Malformed
from keymoot.base.units import Height
from keymoot.committee.errors import Unwanted
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.nonces.record import (
    NONCE_BATCH_SIZE,
    NonceBatch,
    NoncePool,
    SignerCommitment,
)
from keymoot.committee.pages import NONCE_BATCH, NONCE_POOL, PageName
from keymoot.committee.state import CommitteeState
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.frost import Commitment

MIN_LEFT = 64
"""A seat posts another batch while it has fewer left."""

LOW = MIN_LEFT // 2
"""A seat that has fewer left is not posting as it should."""

MAX_LEFT = MIN_LEFT + NONCE_BATCH_SIZE
"""No more of a seat are kept."""


class NonceLedger:
    """The commitments of a state."""

    def __init__(self, state: CommitteeState) -> None:
        self._state = state

    def pool(self, seat: int) -> NoncePool:
        return NONCE_POOL.of(seat).read(self._state.pages) or NoncePool()

    def left(self) -> int:
        pools = sorted((self.pool(seat).left for seat in self._able()), reverse=True)
        need = self.need()
        return pools[need - 1] if len(pools) >= need else 0

    def need(self) -> int:
        return self._state.committee.degree + 1

    def commitment(self, seat: int, number: int) -> Commitment | None:
        """Give a commitment by its number; None once its batch is gone."""
        batch = NONCE_BATCH.of(seat, number // NONCE_BATCH_SIZE).read(self._state.pages)
        return None if batch is None else batch.commitment(number % NONCE_BATCH_SIZE)

    def handle(self, seat: int, kind: Kind, body: bytes, height: Height) -> None:
        if kind is Kind.NONCES:
            self._post(seat, NumberedBody.decode(body))
        else:
            self._complain(seat, SignerCommitment.decode(body), height)

    def choose(self, without: frozenset[int] = frozenset()) -> tuple[SignerCommitment, ...] | None:
        """Choose the signers of the next request; None when too few have commitments.

        They take turns. A seat that has let its commitments run low comes last: one that
        is silent is soon asked no more. Seats in `without` serve only where others are too few.
        """
        pools = {seat: self.pool(seat) for seat in self._able()}
        able = [seat for seat, pool in pools.items() if pool.left]
        need = self.need()
        if len(able) < need:
            return None
        turn = sum(pool.cursor for pool in pools.values()) % len(able)
        able = able[turn:] + able[:turn]
        able.sort(key=lambda seat: (seat in without, pools[seat].left < LOW))
        slots = []
        for seat in sorted(able[:need]):
            number = pools[seat].cursor
            commitment = self.commitment(seat, number)
            if commitment is None:
                return None
            slots.append(SignerCommitment(seat, number, commitment))
        return tuple(slots)

    def spend(self, slots: Sequence[SignerCommitment]) -> None:
        """Raise Unwanted unless each is the next of its seat, and there are degree+1."""
        if len(slots) != self.need() or len({slot.seat for slot in slots}) != len(slots):
            raise Unwanted(f"a signature has {self.need()} signers")
        able = self._able()
        for commitment in slots:
            pool = self.pool(commitment.seat)
            if commitment.seat not in able or commitment.number != pool.cursor or not pool.left:
                raise Unwanted(
                    f"it is not the turn of commitment {commitment.number} of seat {commitment.seat}"
                )
            if self.commitment(commitment.seat, commitment.number) != commitment.commitment:
                raise Unwanted(f"seat {commitment.seat} committed to something else")
        for commitment in slots:
            self._advance(commitment.seat)

    def started_anew(self, seat: int) -> None:
        """Forget what a seat posted before: its nonces are gone with its memory."""
        pool, pages = self.pool(seat), self._state.pages
        for batch in _batches(pool):
            NONCE_BATCH.of(seat, batch).remove(pages)
        NONCE_POOL.of(seat).remove(pages)

    def burn(self) -> None:
        """Burn everything unbound: an epoch begins. No number comes again in a start.

        Of who has left nothing stays, so that whoever has the seat next begins anew.
        """
        pages = self._state.pages
        for seat in range(1, MAX_SIZE + 1):
            pool = self.pool(seat)
            if not pool.end:
                continue
            self.started_anew(seat)
            if self._state.has_seat(seat):
                NONCE_POOL.of(seat).write(pages, NoncePool(pool.end, pool.end))

    def wipe(self) -> None:
        """Forget everything: a generation begins."""
        for seat in self._state.committee.indices:
            self.started_anew(seat)

    def names(self) -> Iterator[PageName[Any]]:
        for seat in self._state.committee.indices:
            yield NONCE_POOL.of(seat)
            yield from (NONCE_BATCH.of(seat, batch) for batch in _batches(self.pool(seat)))

    def _able(self) -> list[int]:
        if not self._state.ready:
            return []
        state, out = self._state, self._state.record.out
        return [at for at in state.committee.indices if at not in out and state.seat(at).session]

    def _post(self, seat: int, said: NumberedBody) -> None:
        pool, batch = self.pool(seat), said.number
        # 1. There are roots to sign for, and the seat is not out.
        if seat not in self._able():
            raise Unwanted(f"seat {seat} posts no commitments now")
        # 2. It is its next batch, and there is room for one.
        if batch * NONCE_BATCH_SIZE != pool.end:
            raise Unwanted(
                f"batch {pool.end // NONCE_BATCH_SIZE} of seat {seat} comes next, not {batch}"
            )
        if pool.left >= MIN_LEFT:
            raise Unwanted(f"seat {seat} has {pool.left} commitments left: that is enough")
        # 3. It is whole. That its parts are points is seen when they serve, see `_complain`.
        NONCE_BATCH.of(seat, batch).write(self._state.pages, NonceBatch(said.content))
        NONCE_POOL.of(seat).write(self._state.pages, replace(pool, end=pool.end + NONCE_BATCH_SIZE))

    def _complain(self, accuser: int, said: SignerCommitment, height: Height) -> None:
        """Judge a commitment that is said to be no point; whoever is wrong is out."""
        out, seat = self._state.record.out, said.seat
        if seat in out or accuser in out or seat not in self._state.committee.indices:
            raise Unwanted(f"seat {seat} or {accuser} has no part in this")
        commitment = self.commitment(seat, said.number)
        if commitment is None or said.number >= self.pool(seat).end:
            raise Unwanted(f"seat {seat} has no commitment {said.number} to complain over")
        # A start counts anew: by its number alone, a bad commitment would be judged by the good
        # one that its seat has posted in the meantime, and the honest accuser put out.
        if commitment != said.commitment:
            raise Unwanted(f"seat {seat} has started anew since, and committed to something else")
        try:
            for part in (commitment.hiding, commitment.binding):
                EDWARDS25519.decode(part)
        except Malformed:
            self._state.caught(seat, height, "committed to a nonce with no point", out=True)
        else:
            self._state.caught(accuser, height, "complained over a good commitment", out=True)

    def _advance(self, seat: int) -> None:
        pool = self.pool(seat)
        after = replace(pool, cursor=pool.cursor + 1)
        # One used batch stays, for complaints over what was bound just now.
        first, later = _batches(pool), _batches(after)
        for batch in first:
            if batch not in later:
                NONCE_BATCH.of(seat, batch).remove(self._state.pages)
        NONCE_POOL.of(seat).write(self._state.pages, after)


def _batches(pool: NoncePool) -> range:
    """Those with something left, and the one before."""
    return range(max(pool.cursor // NONCE_BATCH_SIZE - 1, 0), pool.end // NONCE_BATCH_SIZE)
