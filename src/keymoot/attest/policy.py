"""What claims have to say before somebody relies on them: small policies that compose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from keymoot.attest.evidence import Claims, EvidenceRefused, ReportData
from keymoot.base.fixed import Measurement


class Policy(Protocol):
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

    policies: Sequence[Policy]

    def check(self, claims: Claims) -> None:
        """Raise what the first that is not content raises."""
        if not self.policies:
            raise EvidenceRefused("no policy says what evidence has to show")
        for policy in self.policies:
            policy.check(claims)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of some policies; of none, nothing suffices."""

    policies: Sequence[Policy]

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
class Measured:
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
        """Raise unless it does."""
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
        """Raise unless it was."""
        if claims.report_data != self.report_data:
            raise EvidenceRefused(
                "the evidence binds other keys, another network or another nonce: "
                "ask the enclave for evidence anew"
            )
