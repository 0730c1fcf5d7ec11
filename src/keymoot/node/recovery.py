"""Recovery: too few enclaves are left that the ledger knows, so a generation begins.

The enclaves here endorse an order that names their present starts, on the newest certified
block; it goes to the ledger as a transaction, and those it names sign the block that holds it.
Whatever was decided since that block is executed all the same: nothing is undone.
"""

from collections.abc import Iterable, Mapping, Sequence

import structlog

from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Hash32
from keymoot.engine.chain_store import ChainStore
from keymoot.moot.assembly import Assembly
from keymoot.moot.certificate import Certificate, SignedCertificate
from keymoot.moot.message import MESSAGE_TYPE, Kind, NodeMessage
from keymoot.moot.seat import Seat
from keymoot.node.asking import of_each
from keymoot.node.seats import SeatHolder

HEAL_SECONDS = 0.5
HEAL_LOOKS = 2
"""How often, and how many times in a row, a network must be found standing still."""

HEAL_PATIENCE = 40
"""How many times in a row, where not all enclaves run: who does not start is not waited for.
Also after an order, which its block may still make good."""

_MESSAGE = bytes((MESSAGE_TYPE,))

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
    hall, network = assembly.hall, chain.genesis.network
    known, present = hall.seats(), hall.committee.present
    previous = generation_after(hall.head.generation, tail)
    height, block = chain.tip.height, chain.tip.hash
    # It names who signs it: where one does not, the others sign again without it.
    naming = [one for one in holders if one.seat in known and one.alive]
    while True:
        if len(naming) < present:
            raise Refused(f"{len(naming)} of {len(known)} enclaves agree to a recovery")
        boots = {one.seat: one.identity.boot for one in naming}
        terms = Certificate(network, previous, height, block, boots)
        signed = await _endorsed(terms, naming, known)
        if len(signed.signatures) == len(naming):
            body = signed.encode()
            return NodeMessage(network, previous, 0, Kind.RECOVER, body).encode()
        naming = [one for one in naming if one.seat in signed.signatures]


def generation_after(generation: Hash32, transactions: Iterable[bytes]) -> Hash32:
    """Give the generation after some transactions: orders among them, each on the one before."""
    for raw in transactions:
        if raw[:1] != _MESSAGE:
            continue
        try:
            message = NodeMessage.decode(raw)
            if message.kind is not Kind.RECOVER:
                continue
            terms = SignedCertificate.decode(message.body).terms
        except Malformed:
            continue
        if terms.previous == generation:
            generation = terms.digest()
    return generation


async def _endorsed(
    terms: Certificate, holders: Sequence[SeatHolder], known: Mapping[int, Seat]
) -> SignedCertificate:
    """Have enclaves sign the terms of a recovery; keep what the ledger's identities signed."""
    unsigned = SignedCertificate(terms, {}).encode()
    found = await of_each(holders, lambda one: one.client.endorse(unsigned))
    signed = SignedCertificate(terms, found)
    good = signed.signers({at: one.identity for at, one in known.items()})
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
