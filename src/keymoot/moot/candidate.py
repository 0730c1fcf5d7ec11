"""One enclave's way to a seat: invited by the members, it says with which keys it comes."""

from dataclasses import dataclass

from keymoot.base.fixed import Bytes32
from keymoot.moot.admission import Newcomer, write_join
from keymoot.moot.assembly import Assembly
from keymoot.moot.attestation import join_report
from keymoot.moot.duty import Duty
from keymoot.moot.epoch import Stage
from keymoot.moot.epoch_keys import EpochKeys
from keymoot.moot.message import Kind
from keymoot.moot.papers import Papers
from keymoot.moot.seat import Boot
from keymoot.moot.turn import write_turn


@dataclass(slots=True)
class Candidate:
    """The mind of an enclave that has no seat.

    Attributes:
        index: The seat that it wants.
        keys: Its sealing keys; shares of the next epoch are encrypted to the second.
        papers: Who it is.
        boot: The keys of this start.
    """

    index: int
    keys: EpochKeys
    papers: Papers
    boot: Boot

    def joining(self, assembly: Assembly) -> bool:
        """Tell whether the assembly knows that this start comes with the next epoch."""
        newcomer = assembly.turning.admitting.page.joining.get(self.index)
        return newcomer is not None and newcomer.boot == self.boot

    def before(self, assembly: Assembly) -> Boot | None:
        """Give the keys of an earlier start of ours, if it is joining."""
        newcomer = assembly.turning.admitting.page.joining.get(self.index)
        if newcomer is None or newcomer.identity != self.papers.public:
            return None
        return newcomer.boot

    def due(self, assembly: Assembly) -> list[Duty]:
        """Give what is to be done now: ask for the seat, once enough members want us."""
        epoch, admitting = assembly.turning.epoch, assembly.turning.admitting
        if epoch is None or epoch.stage is not Stage.LIVING:
            return []
        taken = assembly.hall.has_seat(self.index) or self.index in admitting.page.joining
        if taken or not admitting.invited(self.papers.public):
            return []
        newcomer = Newcomer(Bytes32(self.papers.public), self.keys.points[1], self.boot)
        report = join_report(
            assembly.hall.network,
            assembly.turning.join_nonce(epoch),
            newcomer.identity,
            newcomer.sealing,
            newcomer.boot,
        )
        evidence = self.papers.quote(report)
        body = write_turn(epoch.number + 1, epoch.attempt, write_join(newcomer, evidence))
        generation = assembly.hall.head.generation.hex()
        name = f"join/{epoch.number}/{epoch.attempt}/{generation}"
        return [Duty(name, lambda _: [(Kind.JOIN, body)])]
