"""Who may sign the next block, and what makes a network founded: read from a state.

The state *before* a block says who signs it; of a block that begins a generation, the state
after it, which names the starts that its recovery order does.
"""

from keymoot.moot.assembly import NO_GENERATION, Assembly
from keymoot.moot.seat import Boot


def signer_of(assembly: Assembly, seat: int) -> Boot | None:
    """Give the one start that speaks and signs for a seat; None for nobody."""
    return assembly.hall.seat(seat).boot if assembly.hall.has_seat(seat) else None


def sessions(assembly: Assembly) -> dict[int, Boot]:
    """Give the starts that may sign, by seat; members without one are left out."""
    seats = assembly.hall.seats()
    return {index: seat.boot for index, seat in seats.items() if seat.boot is not None}


def settled(assembly: Assembly) -> bool:
    """Tell whether all members hold the living epoch's shares: no recovery goes back any more.

    Only once a certified state says so may an enclave erase what is of the epoch before.
    """
    return assembly.turning.before.page is None


def founding_due(assembly: Assembly) -> bool:
    """Tell whether all is there that founders sign for: the founding record names this block.

    The first roots are made and living, the state key exists, and every founder holds it.
    """
    hall = assembly.hall
    if not hall.founded or hall.head.generation != NO_GENERATION:
        return False
    # 1. The epoch that key generation began lives: no other one came since.
    epoch = assembly.turning.epoch
    if epoch is None or epoch.number:
        return False
    # 2. All founders have the state key sealed, so it exists.
    return assembly.handout.standing.holders == frozenset(hall.committee.indices)
