"""Who keeps the keys: as the ledger has it, as this machine runs it, and as it is to be."""

from dataclasses import dataclass

from keymoot.engine.ledger import Ledger
from keymoot.node.membership.changes import SeatChanges
from keymoot.node.membership.recovery import RecoveryStarter
from keymoot.node.membership.refused import RefusedNewcomers
from keymoot.node.membership.roster import Roster
from keymoot.node.supervisor.absent import Absent
from keymoot.node.supervisor.asking import Asking
from keymoot.node.supervisor.enclaves import Enclaves


@dataclass(frozen=True, slots=True)
class Membership:
    """What there is to know of it, for whoever shows it.

    Attributes:
        ledger: The ledger.
        roster: Whom it names.
        enclaves: Who runs here.
        absent: Whose enclaves did not start with the node.
        asking: Who owes an answer to a question about any of this.
        changes: Who is to come, and to go.
        recovery: Begins new generations.
        refused: Which newcomers the ledger did not take in, and why.
    """

    ledger: Ledger
    roster: Roster
    enclaves: Enclaves
    absent: Absent
    asking: Asking
    changes: SeatChanges
    recovery: RecoveryStarter
    refused: RefusedNewcomers
