"""What is asked of the machine that an enclave runs on: of nodes and of apps' instances alike.

Each vendor tells other things of its machines, so each part is asked of its vendor's alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, TypeAlias

from keymoot.attest.claims import UP_TO_DATE
from keymoot.attest.policy import (
    AdvisoriesIn,
    AllOf,
    ChipIn,
    EvidencePolicy,
    NotMigratable,
    TcbAtLeast,
    TcbStatusIn,
)
from keymoot.attest.quorum import MAKERS
from keymoot.base.errors import Malformed
from keymoot.base.forms import U64, AtMost, Check, rises
from keymoot.base.record import Record

MAX_CHIPS = 32

_WORD = 32
"""Bytes of a vendor's word at most: a status, an advisory, a part of a TCB."""


def check_known(vendors: Sequence[str]) -> None:
    """Raise Malformed where a vendor is named whose evidence nobody here reads."""
    if unknown := [vendor for vendor in vendors if vendor not in MAKERS]:
        raise Malformed(f"vendors are {', '.join(MAKERS)}; {len(unknown)} others are named")


Vendors: TypeAlias = Annotated[
    tuple[Annotated[str, AtMost(_WORD)], ...],
    AtMost(len(MAKERS)),
    Check(rises),
    Check(check_known),
]
"""Who may vouch for enclaves, in rising order; see `quorum.MAKERS`."""

TcbStatuses: TypeAlias = Annotated[
    tuple[Annotated[str, AtMost(_WORD)], ...], AtMost(8), Check(rises)
]
Advisories: TypeAlias = Annotated[
    tuple[Annotated[str, AtMost(_WORD)], ...], AtMost(32), Check(rises)
]
TcbParts: TypeAlias = Annotated[Mapping[Annotated[str, AtMost(_WORD)], U64], AtMost(16)]
Chips: TypeAlias = Annotated[
    tuple[Annotated[bytes, AtMost(64)], ...], AtMost(MAX_CHIPS), Check(rises)
]


@dataclass(frozen=True, slots=True)
class MachineDemands(Record):
    """What a machine has to be like. One that can be migrated, with its memory, never is.

    Attributes:
        tcb_statuses: What Intel may call a machine; of other vendors nothing is asked.
        advisories: Open advisories that do not matter here; Intel only.
        tcb_parts: How new each part of the vendor's code is at least; AMD only.
        chips: On which machines, as evidence names them; none asks nothing.
    """

    tcb_statuses: TcbStatuses = (UP_TO_DATE,)
    advisories: Advisories = ()
    tcb_parts: TcbParts = field(default_factory=dict)
    chips: Chips = ()

    def of(self, vendor: str) -> EvidencePolicy:
        """Give what is asked of machines of one vendor."""
        asked: list[EvidencePolicy] = [NotMigratable()]
        maker = MAKERS.get(vendor)
        if maker == MAKERS["tdx"]:
            asked += [TcbStatusIn(self.tcb_statuses), AdvisoriesIn(self.advisories)]
        if maker == MAKERS["snp"]:
            asked.append(TcbAtLeast(self.tcb_parts))
        if self.chips:
            asked.append(ChipIn(frozenset(self.chips)))
        return AllOf(asked)


CLOSED_AND_UP_TO_DATE: Final = MachineDemands()
"""What is asked where nothing else is said."""
