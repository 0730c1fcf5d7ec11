"""Who may sign the next block, and what makes a network founded: read from a state.

The state *before* a block says who signs it; of a block that begins a generation, the state
after it, which names the starts that its recovery order does.
"""

from keymoot.committee.machine import NO_GENERATION, CommitteeMachine
from keymoot.committee.seat import SessionKeys


def signer_of(machine: CommitteeMachine, seat: int) -> SessionKeys | None:
    """The one start that speaks and signs for a seat."""
    return machine.state.seat(seat).session if machine.state.has_seat(seat) else None


def sessions(machine: CommitteeMachine) -> dict[int, SessionKeys]:
    """Give the starts that may sign, by seat; members without one are left out."""
    seats = machine.state.seats()
    return {index: seat.session for index, seat in seats.items() if seat.session is not None}


def settled(machine: CommitteeMachine) -> bool:
    """Tell whether all members hold the living epoch's shares: no recovery goes back any more.

    Only once a certified state says so may an enclave erase what is of the epoch before.
    """
    return machine.epochs.previous.page is None


def founding_due(machine: CommitteeMachine) -> bool:
    """Tell whether all is there that founders sign for: the founding record names this block.

    The first roots are made and living, the state key exists, and every founder holds it.
    """
    state = machine.state
    if not state.founded or state.record.generation != NO_GENERATION:
        return False
    # 1. The epoch that key generation began lives: no other one came since.
    epoch = machine.epochs.current
    if epoch is None or epoch.number:
        return False
    # 2. All founders have the state key sealed, so it exists.
    return machine.state_key.status.holders == frozenset(state.committee.indices)
