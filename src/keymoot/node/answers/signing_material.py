"""How many enclaves have to answer a request, and until when answers are kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from keymoot.base.request import REMEMBERED_SECONDS
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.nonces.record import SignerCommitments
from keymoot.committee.presign.record import PresignatureId
from keymoot.contracts.builtin.keys import Question
from keymoot.contracts.builtin.wallets.record import BOUND, RequestRecord
from keymoot.threshold.committee import Committee

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SigningMaterial:
    """What makes the answer to one request.

    Attributes:
        height: The block that bound it.
        until: Answers are kept until then.
        enough: So many good answers make one, where nobody lies.
        well: So many do where as many lie as may be broken; nobody is waited for then.
        signers: Those that are named, all of whom it takes; empty where anyone will do.
        burns: Whether enclaves burn what makes an answer, so that it has to be on disk before it
            leaves; else whoever lost one asks anew, and has the same key.
    """

    height: Height
    until: UnixSeconds
    enough: int
    well: int
    signers: frozenset[int] = frozenset()
    burns: bool = True

    def met(self, seats: Iterable[int]) -> bool:
        return self._count(seats, self.enough)

    def met_well(self, seats: Iterable[int]) -> bool:
        """Tell whether good answers of these seats are enough, whoever lies."""
        return self._count(seats, self.well)

    def chosen(self, given: Mapping[int, T]) -> dict[int, T]:
        """Give what is worth keeping of good answers: the first that are enough, whoever lies."""
        if self.signers:
            return {seat: answer for seat, answer in given.items() if seat in self.signers}
        return dict(list(given.items())[: self.well])

    def _count(self, seats: Iterable[int], needed: int) -> bool:
        signers = frozenset(seats)
        # Whoever answers and is no signer stands for none of them.
        return signers >= self.signers if self.signers else len(signers) >= needed


def need_of_record(record: RequestRecord, committee: Committee) -> SigningMaterial | None:
    """Give what a request needs; None while there is nothing to answer."""
    until = UnixSeconds(max(record.expires_at, record.time + REMEMBERED_SECONDS))
    if record.status != BOUND:
        return None
    if not record.bound_to:
        return SigningMaterial(record.height, until, 1, 1)
    if len(record.bound_to) > PresignatureId.LENGTH:
        signers = frozenset(slot.seat for slot in SignerCommitments.decode(record.bound_to).slots)
        return SigningMaterial(record.bound_at, until, len(signers), len(signers), signers)
    enough = committee.ecdsa_degree + 1
    return SigningMaterial(record.bound_at, until, enough, enough + committee.faults)


def need_of_question(question: Question, committee: Committee) -> SigningMaterial:
    enough = committee.degree + 1
    well = min(enough + committee.faults, committee.size)
    return SigningMaterial(question.height, question.expires_at, enough, well, burns=False)
