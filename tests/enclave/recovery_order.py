"""An order to recover, endorsed by enclaves of a test."""

from collections.abc import Iterable

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.node.membership.recovery import generation_after
from keymoot.runtime.block import Block
from tests.enclave.box import Box, Branch


def endorsed(
    branch: Branch,
    boxes: dict[int, Box],
    seats: Iterable[int],
    base: Height | None = None,
    previous: Hash32 | None = None,
) -> bytes:
    """Have enclaves endorse an order; give its message.

    Args:
        branch: As of which it is made.
        boxes: All enclaves, by seat.
        seats: Who endorses it, and makes up the generation.
        base: The block from which it goes on; None for the newest certified one.
        previous: The generation that it ends; None for the one after all that was executed.
    """
    network = branch.genesis.network
    at = branch.certified if base is None else base
    header = branch.headers[at]
    tail = [
        raw
        for height in range(branch.certified + 1, branch.top + 1)
        for raw in Block.decode(branch.blocks[Height(height)]).transactions
    ]
    if previous is None:
        previous = generation_after(branch.headers[branch.certified].generation, tail)
    sessions = {seat: boxes[seat].identity.session for seat in seats}
    terms = RecoveryOrder(network, previous, at, header.hash, sessions)
    unsigned = SignedRecoveryOrder(terms, {}).encode()
    signed = {seat: boxes[seat].endorse(unsigned) for seat in seats}
    body = SignedRecoveryOrder(terms, signed).encode()
    return NodeMessage(network, previous, 0, Kind.RECOVER, body).encode()
