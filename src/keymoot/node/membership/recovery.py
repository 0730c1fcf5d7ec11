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
from keymoot.engine.chain_store import ChainStore
from keymoot.engine.ledger import Ledger
from keymoot.moot.assembly import Assembly
from keymoot.moot.certificate import Certificate, SignedCertificate, terms_in
from keymoot.moot.message import Kind, NodeMessage
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


async def order_for(
    chain: ChainStore, assembly: Assembly, tail: Iterable[bytes], holders: Sequence[SeatHolder]
) -> bytes:
    """Have a recovery order endorsed; give it as a transaction.

    Args:
        chain: Its newest certified block is the base.
        assembly: As it stands there.
        tail: Transactions of the blocks decided since.
        holders: The enclaves that run here.

    Raises:
        Refused: too few of them agree.
    """
    network = chain.genesis.network
    orders = [raw for raw in tail if _counts(assembly, raw)]
    previous = generation_after(assembly.hall.head.generation, orders)
    base = chain.tip.height, chain.tip.hash
    last = Refused("nobody is there who could order a recovery")
    # The members; or those before, while only they are sure to hold shares.
    for identities in assembly.recovery.endorsers():
        mine = [one for one in holders if _is(one, identities)]
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
) -> SignedCertificate:
    """Have an order endorsed by all whom it names.

    Raises:
        Refused: too few of them agree.
    """
    present = Committee.among(identities).present
    # It names who signs it: where one does not, the others sign again without it.
    naming = list(holders)
    while True:
        if len(naming) < present:
            raise Refused(f"{len(naming)} of {len(identities)} enclaves agree to a recovery")
        terms = Certificate(*basis, {one.seat: one.identity.boot for one in naming})
        signed = await _endorsed(terms, naming, identities)
        if len(signed.signatures) == len(naming):
            return signed
        naming = [one for one in naming if one.seat in signed.signatures]


def generation_after(generation: Hash32, transactions: Iterable[bytes]) -> Hash32:
    """Give the generation after some transactions: orders among them, each on the one before."""
    for terms in map(terms_in, transactions):
        if terms is not None and terms.previous == generation:
            generation = terms.digest()
    return generation


def _counts(assembly: Assembly, raw: bytes) -> bool:
    """Tell whether the ledger takes an order: enough of those whom it knows have signed it."""
    if terms_in(raw) is None:
        return False
    try:
        assembly.recovery.check_endorsed(NodeMessage.decode(raw).body)
    except (Malformed, Refused):
        return False
    return True


def _is(holder: SeatHolder, identities: Mapping[int, Bytes32]) -> bool:
    known = identities.get(holder.seat)
    return holder.alive and known is not None and holder.identity.identity_key == known


async def _endorsed(
    terms: Certificate, holders: Sequence[SeatHolder], identities: Mapping[int, Bytes32]
) -> SignedCertificate:
    """Have enclaves sign the terms of a recovery; keep what the ledger's identities signed."""
    unsigned = SignedCertificate(terms, {}).encode()
    found = await of_each(holders, lambda one: one.process.endorse(unsigned))
    signed = SignedCertificate(terms, found)
    good = signed.signers(identities)
    return SignedCertificate(terms, {at: found[at] for at in sorted(good)})


class Stillness:
    """Counts how long a ledger stands still for lack of starts that it knows."""

    def __init__(self) -> None:
        """Begin with a ledger that goes on."""
        self._looks = self._patience = 0
        self._height = -1

    def look(self, height: int, *, short: bool, whole: bool) -> bool:
        """Look once more; tell whether a recovery is due.

        Args:
            height: Of the newest certified block.
            short: Whether a block waits for shares, and too few starts are known to give them.
            whole: Whether all members' enclaves run: who may still come is waited for.
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


class Recovery:
    """Begins new generations of one ledger."""

    def __init__(self, ledger: Ledger, roster: Roster, enclaves: Enclaves) -> None:
        """Have `enclaves` order what `ledger` needs.

        Args:
            ledger: It may stand still.
            roster: Whose starts it knows.
            enclaves: Those that run here.
        """
        self._ledger, self._roster, self._enclaves = ledger, roster, enclaves

    async def order(self) -> None:
        """Begin a new generation, with the present starts of the enclaves here.

        Raises:
            Refused: too few of them agree.
        """
        ledger = self._ledger
        tail = [raw for one in ledger.sequencer.tail for raw in one.block.transactions]
        order = await order_for(ledger.chain, self._roster.assembly(), tail, self._enclaves.seats)
        await ledger.submit(order)

    async def run(self) -> None:
        """Recover when so many enclaves started anew at once that no block is certified."""
        sequencer, stillness = self._ledger.sequencer, Stillness()
        while True:
            await asyncio.sleep(HEAL_SECONDS)
            if sequencer.founding:
                continue
            seats, members = self._enclaves.seats, self._roster.committee
            due = stillness.look(
                self._ledger.height(),
                short=sequencer.waits_for_shares and not self._roster.seated(seats),
                whole=all(one.alive for one in seats if one.seat in members),
            )
            if not due:
                continue
            log.warning("network.recovers", height=self._ledger.height())
            try:
                await self.order()
            except KeymootError as error:
                log.warning("network.does_not_recover", reason=str(error))
