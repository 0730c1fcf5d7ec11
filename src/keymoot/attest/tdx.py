"""Quotes of Intel TDX and SGX become claims, by Intel's own rules as dcap-qvl has them.

dcap-qvl walks the certificates, the revocation lists and the signatures, and finds the TCB level.
Beside it stands here what one has to know of it: every bit of a quote has one meaning, the
lists are within their dates, debug mode and what the library cannot say are refused.

    evidence = rlp([b"keymoot-dcap-evidence/v1", quote])

The measurement of a trust domain is SHA-384 of canonical RLP over [b"keymoot-tdx/v1", MRTD, RTMR0,
RTMR1, RTMR2, MRCONFIGID, MROWNER, MROWNERCONFIG]: firmware, its settings, kernel, command line
and initial disk; RTMR3 is for what the measured code adds, and stands among the registers.
Domains that can be migrated are refused by dcap-qvl, so claims of Intel's never are.
That of an SGX enclave is SHA-384 over [b"keymoot-sgx/v1", MRENCLAVE].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha384
from typing import ClassVar, Final

import dcap_qvl

from keymoot.attest.certificates import TrustedRoot, check_chain, read_pem
from keymoot.attest.claims import Claims, Tcb
from keymoot.attest.dcap import DcapCollateral, authority_of
from keymoot.attest.dcap_evidence import TAG, DcapEvidence
from keymoot.attest.evidence import (
    DebugEnclave,
    EvidenceRefused,
    ReportData,
)
from keymoot.attest.quote import SGX, Quote, read_quote
from keymoot.base import rlp
from keymoot.base.errors import KeymootError, Malformed
from keymoot.base.fixed import Bytes32, Measurement
from keymoot.base.shown import shown
from keymoot.base.units import UnixSeconds

INTEL_ROOT: Final = TrustedRoot(
    "Intel SGX Root CA",
    Bytes32.from_hex("0x44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"),
)

TDX_VENDOR, SGX_VENDOR = "tdx", "sgx"

_SGX_DEBUG = 1 << 1
_TD_DEBUG_BITS = 0xFF
_TD_MEASURED = ("MRTD", "RTMR0", "RTMR1", "RTMR2", "MRCONFIGID", "MROWNER", "MROWNERCONFIG")
_FMSPC = bytes.fromhex("060a2a864886f84d010d01040406")
"""How a certificate of a machine's key writes which kind of machine it is: then come 6 bytes."""

_WORDS: Final = {
    "No matching TCB level": "Intel's list has no level for code as old as that of this machine: "
    "update its firmware",
    "Failed to verify certificate chain": "the certificates do not lead to Intel's root, or one "
    "is revoked",
    "TCBInfo expired": "Intel's TCB list ended: post a newer one",
    "TD migration is enabled": "the domain can be migrated, with its memory: start it without the "
    "MIGRATABLE attribute",
    "Invalid MR service TD": "the domain has a service domain, which can take its memory away: "
    "start it without",
    "SEPT_VE_DISABLE": "the host may take pages away unseen: start the domain with SEPT_VE_DISABLE",
    "Fmspc mismatch": "the collateral is for machines of another kind (FMSPC)",
}
"""What dcap-qvl says, by how that begins, and what it means to whoever reads it here."""


class DcapRefused(EvidenceRefused, code="DCAP_REFUSED"):
    """Intel's rules refuse the quote.

    Attributes:
        reason: In dcap-qvl's words.
    """

    def __init__(self, reason: str) -> None:
        self.reason = shown(reason, 200)
        meant = [words for begin, words in _WORDS.items() if begin in reason]
        super().__init__(f"the quote is refused: {meant[0] if meant else self.reason}")


@dataclass(frozen=True, slots=True)
class Intel:
    """Intel, believed.

    Attributes:
        collateral: What Intel publishes, one for each kind of machine that is admitted.
        root: Where trust begins.
    """

    collateral: Sequence[DcapCollateral]
    root: TrustedRoot = INTEL_ROOT
    vendors: ClassVar[tuple[str, ...]] = (TDX_VENDOR, SGX_VENDOR)
    tag: ClassVar[bytes] = TAG

    def verify(self, evidence: bytes, now: UnixSeconds) -> Claims:
        """Give the claims of a quote.

        Args:
            evidence: A `DcapEvidence`.
            now: Time of the block being executed.

        Raises:
            Malformed: no quote in the one form that is read.
            DebugEnclave: it was started for debugging.
            CollateralStale: one of Intel's lists is out of its dates.
            EvidenceRefused: nobody vouches for it, or its machine is not known.
        """
        raw = DcapEvidence.decode(evidence).quote
        # 1. It has a quote's form, in every byte.
        quote = read_quote(raw)
        chain = read_pem(quote.chain, "certificates")
        machine = _machine_of(chain, quote.tee)
        # 2. It was not started for debugging: known before anything is spent on it.
        if quote.attributes & (_SGX_DEBUG if quote.tee == SGX else _TD_DEBUG_BITS):
            raise DebugEnclave
        # 3. There is collateral for such machines, within its dates.
        known = [collateral for collateral in self.collateral if collateral.machines == machine]
        if not known:
            kinds = ", ".join(" ".join(kind) for kind in self._machines())
            raise EvidenceRefused(
                f"no collateral for {machine[0]} machines of kind {machine[1]} under "
                f"{shown(machine[2], 64)}: there is some for "
                f"{kinds or 'none'}; fetch it from Intel's service, and post it"
            )
        parts = known[0].validity()
        for part in parts:
            part.check(now)
        # 4. Certificates lead to the root: dcap-qvl is told the root, and skips some of these.
        ends = [
            check_chain(certificates, self.root, now, "certificates")
            for certificates in (
                chain,
                known[0].pck_crl_chain,
                known[0].tcb_chain,
                known[0].qe_chain,
            )
        ]
        # 5. Intel's rules let it pass.
        report = _verified(raw, known[0], now)
        return _claims(quote, report, UnixSeconds(min(*ends, *(part.until for part in parts))))

    def _machines(self) -> list[tuple[str, str, str]]:
        return [collateral.machines for collateral in self.collateral]


def machine_of(evidence: bytes) -> tuple[str, str, str]:
    """Give which collateral evidence is checked by, as `DcapCollateral.machines`.

    Raises:
        Malformed: no evidence of Intel's form.
    """
    quote = read_quote(DcapEvidence.decode(evidence).quote)
    return _machine_of(read_pem(quote.chain, "certificates"), quote.tee)


def _machine_of(chain: Sequence[bytes], tee: int) -> tuple[str, str, str]:
    """Give what collateral is looked for; whether it fits is dcap-qvl's to say."""
    at = chain[0].find(_FMSPC)
    if at < 0:
        raise Malformed("the machine's certificate does not say of what kind it is", "certificates")
    begin = at + len(_FMSPC)
    fmspc = f"{chain[0][begin : begin + 6].hex()}".translate(_UP)
    return "SGX" if tee == SGX else "TDX", fmspc, authority_of(chain[1:2])


_UP: Final = str.maketrans("abcdef", "ABCDEF")


def _verified(raw: bytes, collateral: DcapCollateral, now: UnixSeconds) -> dcap_qvl.VerifiedReport:
    try:
        root = collateral.tcb_chain[-1]
        return dcap_qvl.verify_with_root_ca(raw, _prepared(collateral), root, now)
    except ValueError as error:
        raise DcapRefused(str(error)) from error  # consensus: dcap-qvl is measured, with its words
    except (KeymootError, MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # A panic of Rust is no Exception; the same input panics on every machine.
        raise DcapRefused("the library gave up on it") from error


@lru_cache(maxsize=16)
def _prepared(collateral: DcapCollateral) -> dcap_qvl.QuoteCollateralV3:
    """Give the library's own object, which takes a while to make."""
    return dcap_qvl.QuoteCollateralV3(*collateral.texts())


def _claims(quote: Quote, verified: dcap_qvl.VerifiedReport, until: UnixSeconds) -> Claims:
    fields = dict(quote.fields)
    report = ReportData(fields.pop("reportData"))
    attributes = fields.pop("attributes")
    if quote.tee == SGX:
        vendor, measured = SGX_VENDOR, [b"keymoot-sgx/v1", fields["MRENCLAVE"]]
    else:
        vendor, measured = (
            TDX_VENDOR,
            [b"keymoot-tdx/v1", *(fields[field] for field in _TD_MEASURED)],
        )
    return Claims.verified(
        vendor=vendor,
        measurement=Measurement(sha384(rlp.encode(measured)).digest()),
        report_data=report,
        registers={**fields, "ATTRIBUTES": attributes},
        tcb=Tcb(verified.status, tuple(verified.advisory_ids)),
        chip=verified.ppid,
        valid_until=until,
    )
