"""Whom a ledger believes about enclaves, nodes and instances alike, loaded where it is needed.

AMD, AWS and Intel by roots that are known here; SIMULATED enclaves where the genesis says so. What
AMD and Intel publish beside that stands in the genesis or is posted by anyone, and is checked
before it is kept. Intel's lists are new every month: an earlier one never takes the place of a
later one.

A client has these modules too, and not the libraries of all vendors (`keymoot[node]`): so each is
imported when it is needed. Enclaves import all of them when they start.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keymoot.attest import simulated as simulated_cpu
from keymoot.attest.collateral import Standing, standing_of
from keymoot.attest.evidence import EvidenceRefused
from keymoot.attest.verify import Believed, tag_of
from keymoot.base.shown import shown
from keymoot.base.units import UnixSeconds

if TYPE_CHECKING:
    from keymoot.attest.certificates import TrustedRoot
    from keymoot.attest.nitro import Aws
    from keymoot.attest.snp import Line

DCAP_TAG: Final = b"keymoot-dcap-evidence/v1"
SNP_TAG: Final = b"keymoot-snp-evidence/v1"
NITRO_TAG: Final = b"keymoot-nitro-evidence/v1"


VENDORS_OF: Final[Mapping[bytes, tuple[str, ...]]] = {
    DCAP_TAG: ("sgx", "tdx"),
    SNP_TAG: ("snp",),
    NITRO_TAG: ("nitro",),
    simulated_cpu.TAG: (simulated_cpu.VENDOR,),
}
"""Whose evidence of each format is."""


class NoAmdChain(EvidenceRefused, code="CHAIN_MISSING"):
    """Nobody has posted what AMD publishes for this chip's line."""

    message = (
        "the ledger does not know who signed this chip's certificate: post the certificates that "
        "AMD publishes for its line (postAmdChain), once for all"
    )


class NoIntelLists(EvidenceRefused, code="LISTS_MISSING"):
    """Nobody has posted what Intel publishes for such machines, as `DcapCollateral.machines`."""

    def __init__(self, kind: str, fmspc: str, authority: str) -> None:
        self.machine = (kind, fmspc, authority)
        super().__init__(
            f"the ledger has no lists of Intel's for {shown(kind, 8)} machines of kind "
            f"{shown(fmspc, 12)} under {shown(authority, 64)}: post what Intel's service gives for "
            "them (postIntelLists)"
        )


class OlderThanKept(EvidenceRefused, code="LISTS_OLDER"):
    """What is kept is newer."""

    message = "one of these lists is older than the one that the ledger has: fetch the newest"


def amd_lines() -> "tuple[Line, ...]":
    from keymoot.attest.snp import LINES  # noqa: PLC0415  see above

    return LINES


def amazon() -> "Aws":
    from keymoot.attest.nitro import Aws  # noqa: PLC0415  see above

    return Aws()


def intel_root() -> "TrustedRoot":
    from keymoot.attest.tdx import INTEL_ROOT  # noqa: PLC0415  see above

    return INTEL_ROOT


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted of vendors, looked up when it is needed.

    Attributes:
        chain: Gives an `AmdChain` by its signing key's name.
        lists: Gives a `DcapCollateral` by the kind of machine.
    """

    chain: Callable[[bytes], bytes | None]
    lists: Callable[[bytes], bytes | None]


NOTHING_POSTED: Final = Posted(lambda _: None, lambda _: None)


def believed_for(
    evidence: bytes,
    simulated: bool,  # noqa: FBT001  as the genesis says
    posted: Posted,
    now: UnixSeconds,
) -> tuple[Believed, ...]:
    """Give who is believed, of those that this evidence could be of.

    Args:
        evidence: Of whatever kind.
        simulated: Whether evidence counts that protects nothing.
        posted: What AMD and Intel publish, as it was posted.
        now: Time of the block being executed.

    Raises:
        Malformed: no evidence.
        NoAmdChain, NoIntelLists: nobody has posted what AMD, or Intel, publishes for it.
        CollateralStale: that is out of its dates.
    """
    tag = tag_of(evidence)
    if tag == NITRO_TAG:
        return (amazon(),)
    if tag == SNP_TAG:
        from keymoot.attest.snp import Amd, AmdChain, signer_of  # noqa: PLC0415  see above

        raw = posted.chain(signer_of(evidence))
        if raw is None:
            raise NoAmdChain
        return (Amd((AmdChain.decode(raw).issuer(now, amd_lines()),)),)
    if tag == DCAP_TAG:
        from keymoot.attest.dcap import DcapCollateral  # noqa: PLC0415  see above
        from keymoot.attest.tdx import Intel, machine_of  # noqa: PLC0415

        machine = machine_of(evidence)
        raw = posted.lists(machine_name(*machine))
        if raw is None:
            raise NoIntelLists(*machine)
        return (Intel((DcapCollateral.decode(raw),), intel_root()),)
    return (simulated_cpu.SimulatedVendor(),) if simulated else ()


def checked_chain(raw: bytes, kept: Callable[[bytes], bytes | None], now: UnixSeconds) -> bytes:
    """Give the name of the signing key of a chain that is AMD's.

    Once a list of revoked keys is kept, only a chain with one that is not older takes its place:
    who was revoked could leave it out otherwise.

    Raises:
        Malformed: no chain.
        ChainRefused, CollateralStale: not AMD's, or out of its dates.
        OlderThanKept: its list is older than the one that is kept, or it has none.
    """
    from keymoot.attest.snp import AmdChain  # noqa: PLC0415  see above

    chain = AmdChain.decode(raw)
    chain.issuer(now, amd_lines())
    before = kept(chain.name)
    if before is not None and chain.is_older(AmdChain.decode(before)):
        raise OlderThanKept
    return chain.name


def machine_name(kind: str, fmspc: str, authority: str) -> bytes:
    """Give the name under which lists for one kind of machine, of one authority, are kept."""
    return f"{kind} {fmspc} {authority}".encode()


def checked_lists(raw: bytes, kept: Callable[[bytes], bytes | None], now: UnixSeconds) -> bytes:
    """Give the name of lists that are Intel's, and not older than those that are kept.

    Raises:
        Malformed: no collateral.
        ChainRefused, CollateralStale: not Intel's, or out of its dates.
        OlderThanKept: one of them is older than the one that is kept.
    """
    from keymoot.attest.dcap import DcapCollateral  # noqa: PLC0415  see above

    made = DcapCollateral.decode(raw)
    name = machine_name(*made.machines)
    made.check(intel_root(), now)
    before = kept(name)
    if before is not None and made.is_older(DcapCollateral.decode(before)):
        raise OlderThanKept
    return name


def standing_of_lists(raw: bytes, now: UnixSeconds) -> tuple[Standing, str, UnixSeconds]:
    """Give what lists are good for, which part of them is the worst, and when the first ends."""
    from keymoot.attest.dcap import DcapCollateral  # noqa: PLC0415  see above

    parts = DcapCollateral.decode(raw).validity()
    standing, what = standing_of(parts, now)
    return standing, what, min(part.until for part in parts)
