"""What verified evidence says of an enclave. Only a verifier makes claims.

Evidence before the check is bytes; claims after it are this class, which cannot be called:
`Claims.verified` is for the vendors' modules, and a test holds everybody else to that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NoReturn, Self

from keymoot.attest.evidence import ReportData
from keymoot.base.errors import Defect
from keymoot.base.fixed import Measurement
from keymoot.base.units import UnixSeconds

UNRATED = "Unrated"
"""TCB status where the vendor signs version numbers and no verdict on them (AMD, AWS)."""

UP_TO_DATE = "UpToDate"
"""Intel's word for a platform that lacks nothing."""


class _MadeByVerifiers(type):
    def __call__(cls, *_fields: Any, **_named: Any) -> NoReturn:
        """Refuse: claims that nobody verified are none."""
        raise Defect(f"{cls.__name__} is made by a verifier: attest.verify(evidence, …, now)")


@dataclass(frozen=True, slots=True)
class Tcb:
    """How new the vendor's own code on the machine is.

    Attributes:
        status: Intel's word; `Unrated` of vendors that give none.
        advisories: Open security advisories that Intel names, in its order.
        parts: Security version numbers by part, as AMD signs them.
    """

    status: str = UNRATED
    advisories: tuple[str, ...] = ()
    parts: Mapping[str, int] = field(default_factory=dict)


NOTHING_KNOWN: Final = Tcb()
NOTHING_MEASURED: Final[Mapping[str, bytes]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Claims(metaclass=_MadeByVerifiers):
    """What verified evidence says.

    Attributes:
        vendor: `tdx`, `sgx`, `snp`, `nitro` or `simulated`.
        measurement: What the enclave started with; each vendor's module says of what it is made.
        report_data: What it binds; see `evidence.bind`.
        debug: Its memory can be read from outside: never admitted with secrets.
        simulated: Nothing but a file's permissions protects it.
        migratable: Its memory may be taken to another machine, by somebody else's agent.
        registers: Everything that was measured, by the vendor's own names.
        tcb: The vendor's code on that machine.
        chip: Which machine it is, where the vendor says so: 16 or 64 bytes.
        made_at: When it was made, where evidence says so; by a clock of the host's cloud.
        valid_until: When the first of the certificates and lists it was checked by ends.
    """

    vendor: str
    measurement: Measurement
    report_data: ReportData
    debug: bool
    simulated: bool
    migratable: bool
    registers: Mapping[str, bytes]
    tcb: Tcb
    chip: bytes | None
    made_at: UnixSeconds | None
    valid_until: UnixSeconds

    @classmethod
    def verified(
        cls,
        *,
        vendor: str,
        measurement: Measurement,
        report_data: ReportData,
        valid_until: UnixSeconds,
        debug: bool = False,
        simulated: bool = False,
        migratable: bool = False,
        registers: Mapping[str, bytes] = NOTHING_MEASURED,
        tcb: Tcb = NOTHING_KNOWN,
        chip: bytes | None = None,
        made_at: UnixSeconds | None = None,
    ) -> Self:
        """Make claims: for verifiers, when every check has been passed."""
        made: Self = type.__call__(
            cls,
            vendor,
            measurement,
            report_data,
            debug,
            simulated,
            migratable,
            registers,
            tcb,
            chip,
            made_at,
            valid_until,
        )
        return made
