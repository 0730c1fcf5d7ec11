"""Recovery: too few enclaves are left that the ledger knows, so a generation begins.

The enclaves here endorse an order that names their present starts, on the newest certified
block; it goes to the ledger as a transaction, and those it names sign the block that holds it.
Whatever was decided since that block is executed all the same: nothing is undone.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog

from keymoot.base.errors import KeymootError, Malformed, Refused
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder, terms_in
from keymoot.engine.chain_store import ChainStore
from keymoot.engine.ledger import Ledger
from keymoot.node.membership.roster import Roster
from keymoot.node.supervisor.asking import of_each
from keymoot.node.supervisor.enclaves import Enclaves
from keymoot.node.supervisor.holder import SeatHolder
from keymoot.threshold.committee import Committee

HEAL_SECONDS = 0.5
HEAL_LOOKS = 2
"""How often, and how many times in a row, a network must be found standing still."""

HEAL_PATIENCE = 40
"""How many times in a row, where not all enclaves run: who does not start is not waited for.
Also after an order, which its block may still make good."""

log = structlog.get_logger("keymoot.recovery")


class TooFewAgree(Refused, code="TOO_FEW_AGREE"):
    """Not enough enclaves agree to a recovery."""

    def __init__(self, agree: int, present: int) -> None:
        super().__init__(
            f"{agree} of {present} enclaves agree to a recovery"
            if present
            else "nobody is there who could order a recovery"
        )


async def order_for(
    chain: ChainStore,
    machine: CommitteeMachine,
    tail: Iterable[bytes],
    holders: Sequence[SeatHolder],
) -> bytes:
    """Have a recovery order endorsed by `holders`; give it as a transaction.

    Its base is the newest certified block, with the committee as it stands there; `tail` has the
    transactions of the blocks decided since.
    """
    network = chain.genesis.network
    orders = [raw for raw in tail if _counts(machine, raw)]
    previous = generation_after(machine.state.record.generation, orders)
    base = chain.tip.height, chain.tip.hash
    last: Refused = TooFewAgree(0, 0)
    # The members; or those before, while only they are sure to hold shares.
    for identities in machine.recovery.endorsers():
        mine = [holder for holder in holders if _is(holder, identities)]
        try:
            signed = await _agreed((network, previous, *base), mine, identities)
        except Refused as error:
            last = error
            continue
        return NodeMessage(network, previous, 0, Kind.RECOVER, signed.encode()).encode()
    raise last


async def _agreed(
    basis: tuple[NetworkId, Hash32, Height, Hash32],
    holders: Sequence[SeatHolder],
    identities: Mapping[int, Bytes32],
) -> SignedRecoveryOrder:
    """Have an order endorsed by all whom it names."""
    present = Committee.among(identities).present
    # It names who signs it: where one does not, the others sign again without it.
    naming = list(holders)
    while True:
        if len(naming) < present:
            raise TooFewAgree(len(naming), len(identities))
        terms = RecoveryOrder(
            *basis, {enclave.seat: enclave.identity.session for enclave in naming}
        )
        signed = await _endorsed(terms, naming, identities)
        if len(signed.signatures) == len(naming):
            return signed
        naming = [enclave for enclave in naming if enclave.seat in signed.signatures]


def generation_after(generation: Hash32, transactions: Iterable[bytes]) -> Hash32:
    """Give the generation after some transactions: orders among them, each on the one before."""
    for terms in map(terms_in, transactions):
        if terms is not None and terms.previous == generation:
            generation = terms.digest()
    return generation


def _counts(machine: CommitteeMachine, raw: bytes) -> bool:
    """Tell whether the ledger takes an order: enough of those whom it knows have signed it."""
    if terms_in(raw) is None:
        return False
    try:
        machine.recovery.check_endorsed(NodeMessage.decode(raw).body)
    except (Malformed, Refused):
        return False
    return True


def _is(holder: SeatHolder, identities: Mapping[int, Bytes32]) -> bool:
    known = identities.get(holder.seat)
    return holder.alive and known is not None and holder.identity.identity_key == known


async def _endorsed(
    terms: RecoveryOrder, holders: Sequence[SeatHolder], identities: Mapping[int, Bytes32]
) -> SignedRecoveryOrder:
    """Have enclaves sign the terms of a recovery; keep what the ledger's identities signed."""
    unsigned = SignedRecoveryOrder(terms, {}).encode()
    endorsements = await of_each(holders, lambda holder: holder.process.endorse(unsigned))
    signed = SignedRecoveryOrder(terms, endorsements)
    good = signed.signers(identities)
    return SignedRecoveryOrder(terms, {at: endorsements[at] for at in sorted(good)})


class StallCounter:
    """Counts how long a ledger stands still for lack of starts that it knows."""

    def __init__(self) -> None:
        self._looks = self._patience = 0
        self._height = -1

    def observe(self, height: int, *, short: bool, whole: bool) -> bool:
        """Look once more; tell whether a recovery is due.

        It is `short` where a block waits for shares, and too few starts are known to give them;
        `whole` where all members' enclaves run: who may still come is waited for.
        """
        still = short and height == self._height
        if height != self._height:
            self._patience = 0
        self._height = height
        self._looks = self._looks + 1 if still else 0
        enough = HEAL_LOOKS if whole else HEAL_PATIENCE
        if self._looks < max(enough, self._patience):
            return False
        # The block that holds the order may take its time on a busy machine.
        self._looks, self._patience = 0, HEAL_PATIENCE
        return True


class RecoveryStarter:
    """Begins new generations of one ledger."""

    def __init__(self, ledger: Ledger, roster: Roster, enclaves: Enclaves) -> None:
        self._ledger, self._roster, self._enclaves = ledger, roster, enclaves

    async def order(self) -> None:
        """Begin a new generation, with the present starts of the enclaves here."""
        ledger = self._ledger
        tail = [raw for kept in ledger.sequencer.tail for raw in kept.block.transactions]
        order = await order_for(ledger.chain, self._roster.machine(), tail, self._enclaves.seats)
        await ledger.submit(order)

    async def run(self) -> None:
        """Recover when so many enclaves started anew at once that no block is certified."""
        sequencer, stillness = self._ledger.sequencer, StallCounter()
        while True:
            await asyncio.sleep(HEAL_SECONDS)
            if sequencer.founding:
                continue
            seats, members = self._enclaves.seats, self._roster.committee
            due = stillness.observe(
                self._ledger.height(),
                short=sequencer.waits_for_shares and not self._roster.seated(seats),
                whole=all(seat.alive for seat in seats if seat.seat in members),
            )
            if not due:
                continue
            log.warning("network.recovers", height=self._ledger.height())
            try:
                await self.order()
            except KeymootError as error:
                log.warning("network.does_not_recover", reason=str(error))
