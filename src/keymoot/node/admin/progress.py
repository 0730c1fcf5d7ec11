"""What a person sees while the committee makes its keys and hands out the state key."""

import asyncio
from collections.abc import Callable

from keymoot.committee.keygen.record import Phase
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.node.membership.membership import Membership

LOOK_SECONDS = 0.05

_WORDS = {
    Phase.EVIDENCE: "showing evidence",
    Phase.HASHES: "promising dealings",
    Phase.OPENINGS: "dealing shares",
    Phase.VERDICTS: "checking shares",
    Phase.VOTES: "voting for the keys",
}


async def show_founding(
    membership: Membership, store: LmdbStore, say: Callable[[str], None]
) -> None:
    """Say how key generation goes on, until the committee has its keys and some stock.

    A network that has its keys is read, and served, also while its disk takes nothing.
    """
    shown, roster, enclaves = "", membership.roster, membership.enclaves
    while True:
        machine = roster.machine()
        keygen, state = machine.keygen.record, machine.state
        line = ""
        if store.shortage is not None:
            line = f"{store.shortage}; it goes on by itself then"
            if state.ready:
                say(line)
                return
        elif keygen is not None and keygen.phase is not Phase.DONE:
            again = f" (attempt {keygen.attempt + 1})" if keygen.attempt else ""
            line = f"making keys together: {_WORDS[keygen.phase]}{again}"
        elif state.ready and not machine.state_key.status.exists:
            line = "handing out the key of confidential state"
        elif state.ready and not (roster.seated(enclaves.seats) and machine.stock.left()):
            recoveries = state.record.recoveries
            line = "dealing presignatures" + (
                f"; all enclaves started anew: generation {recoveries}" if recoveries else ""
            )
        elif state.ready:
            say(f"{machine.stock.left()} presignatures in stock")
            return
        if line != shown:
            say(line)
            shown = line
        await asyncio.sleep(LOOK_SECONDS)
