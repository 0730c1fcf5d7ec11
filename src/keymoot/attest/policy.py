"""What claims have to say before somebody relies on them: small policies that compose.

`baseline` is what everybody should ask for. What it refuses by default, debug mode and machines
that move, no policy here lets in again: a network that wants them leaves it out, in words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from keymoot.attest.claims import UP_TO_DATE, Claims
from keymoot.attest.evidence import EvidenceRefused, ReportData
from keymoot.base.fixed import Measurement
from keymoot.base.shown import shown
from keymoot.base.units import Seconds, UnixSeconds


class EvidencePolicy(Protocol):
    """Decides about claims."""

    def check(self, claims: Claims) -> None:
        """Raise unless the claims suffice.

        Raises:
            EvidenceRefused: they do not; it says in what.
        """
        ...


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of some policies; of none, nothing suffices."""

    policies: Sequence[EvidencePolicy]

    def check(self, claims: Claims) -> None:
        """Raise what the first that is not content raises."""
        if not self.policies:
            raise EvidenceRefused("no policy says what evidence has to show")
        for policy in self.policies:
            policy.check(claims)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of some policies; of none, nothing suffices."""

    policies: Sequence[EvidencePolicy]

    def check(self, claims: Claims) -> None:
        """Raise what the last raises, if none is content."""
        last = EvidenceRefused("no policy says what evidence has to show")
        for policy in self.policies:
            try:
                policy.check(claims)
            except EvidenceRefused as error:
                last = error
            else:
                return
        raise last


@dataclass(frozen=True, slots=True)
class MeasurementIs:
    """The enclave started with this code."""

    measurement: Measurement

    def check(self, claims: Claims) -> None:
        """Raise unless it did."""
        if claims.measurement != self.measurement:
            raise EvidenceRefused(
                f"the enclave runs other code: it measured {claims.measurement.hex()}, "
                f"admitted is {self.measurement.hex()}"
            )


@dataclass(frozen=True, slots=True)
class Vendor:
    """This vendor vouches for it."""

    name: str

    def check(self, claims: Claims) -> None:
        if claims.vendor != self.name:
            raise EvidenceRefused(f"{claims.vendor} vouches for the enclave, not {self.name}")


@dataclass(frozen=True, slots=True)
class DebugOff:
    """Nobody reads its memory from outside."""

    def check(self, claims: Claims) -> None:
        """Raise if it runs in debug mode."""
        if claims.debug:
            raise EvidenceRefused("the enclave runs in debug mode: its memory is open to its host")


@dataclass(frozen=True, slots=True)
class Binds:
    """It was made for these keys, this network and this nonce; see `evidence.bind`."""

    report_data: ReportData

    def check(self, claims: Claims) -> None:
        if claims.report_data != self.report_data:
            raise EvidenceRefused(
                "the evidence binds other keys, another network or another nonce: "
                "ask the enclave for evidence anew"
            )


@dataclass(frozen=True, slots=True)
class NotMigratable:
    """Its memory stays on its machine."""

    def check(self, claims: Claims) -> None:
        """Raise if somebody may take it elsewhere."""
        if claims.migratable:
            raise EvidenceRefused(
                "the enclave's machine can be migrated, with its memory: start it without a "
                "migration agent (TDX: no MIGRATABLE attribute, no service domain; SNP: no "
                "MIGRATE_MA in the policy)"
            )


@dataclass(frozen=True, slots=True)
class NotSimulated:
    """Hardware stands behind it."""

    def check(self, claims: Claims) -> None:
        """Raise if a file does."""
        if claims.simulated:
            raise EvidenceRefused("the enclave is SIMULATED: it protects nothing")


@dataclass(frozen=True, slots=True)
class TcbStatusIn:
    """The vendor calls its own code on that machine one of these; Intel only."""

    statuses: Sequence[str] = (UP_TO_DATE,)

    def check(self, claims: Claims) -> None:
        """Raise unless it does."""
        if claims.tcb.status not in self.statuses:
            raise EvidenceRefused(
                f"the machine's TCB status is {shown(claims.tcb.status, 64)}, admitted is "
                f"{', '.join(self.statuses) or 'none'}: update its firmware and microcode"
            )


@dataclass(frozen=True, slots=True)
class AdvisoriesIn:
    """No advisory is open but these, of which somebody decided that they do not matter here."""

    known: Sequence[str] = ()

    def check(self, claims: Claims) -> None:
        """Raise if another is."""
        others = [advisory for advisory in claims.tcb.advisories if advisory not in self.known]
        if others:
            raise EvidenceRefused(
                f"the machine is open to {shown(', '.join(others), 200)}: update it, or admit "
                "these advisories by name"
            )


@dataclass(frozen=True, slots=True)
class TcbAtLeast:
    """Each part of the vendor's code is at least so new; AMD's names are in `snp`."""

    parts: Mapping[str, int]

    def check(self, claims: Claims) -> None:
        """Raise unless it is, and is named."""
        for name, least in self.parts.items():
            part = claims.tcb.parts.get(name)
            if part is None or part < least:
                raise EvidenceRefused(
                    f"{name} of the machine's TCB is "
                    f"{'not told' if part is None else part}, at least {least} is admitted: "
                    "update its firmware"
                )


@dataclass(frozen=True, slots=True)
class RegisterIs:
    """One of the vendor's own registers has this value."""

    name: str
    value: bytes

    def check(self, claims: Claims) -> None:
        """Raise unless it has, and is told."""
        register = claims.registers.get(self.name)
        if register != self.value:
            raise EvidenceRefused(
                f"{self.name} is {'not told' if register is None else register.hex()}, "
                f"admitted is {self.value.hex()}"
            )


@dataclass(frozen=True, slots=True)
class ChipIn:
    """It runs on one of these machines, which somebody knows."""

    chips: frozenset[bytes]

    def check(self, claims: Claims) -> None:
        """Raise unless it does, and the vendor says so."""
        if claims.chip is None:
            raise EvidenceRefused("the evidence does not say on which machine it was made")
        if claims.chip not in self.chips:
            raise EvidenceRefused(f"the machine {claims.chip.hex()} is not one that is admitted")


@dataclass(frozen=True, slots=True)
class MadeWithin:
    """It was made at most so long ago, where evidence has a time; else a nonce says how new it is.

    Attributes:
        now: Time of the block being executed.
        seconds: Greatest age, and how far its clock may be ahead.
    """

    now: UnixSeconds
    seconds: Seconds

    def check(self, claims: Claims) -> None:
        """Raise unless it was, and says so."""
        if claims.made_at is None:
            raise EvidenceRefused("the evidence has no time: demand a nonce (Binds) of it")
        age = self.now - claims.made_at
        if not -self.seconds <= age <= self.seconds:
            raise EvidenceRefused(
                f"the evidence is {age} s old, at most {self.seconds} s is accepted: ask the "
                "enclave for evidence anew"
            )


def baseline(measurements: Sequence[Measurement], report: ReportData) -> AllOf:
    """Give what everybody should ask for: admitted code, this very question, closed machines.

    Args:
        measurements: What code is admitted; none admits nobody.
        report: What the evidence has to bind.
    """
    code = AnyOf(tuple(MeasurementIs(measurement) for measurement in measurements))
    return AllOf((DebugOff(), NotMigratable(), code, Binds(report)))
