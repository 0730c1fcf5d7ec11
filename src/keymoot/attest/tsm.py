"""Evidence of this very machine, from Linux: TDX and SEV-SNP by configfs-tsm.

Linux, "Documentation/ABI/testing/configfs-tsm-report" (6.7 and later). A report is a folder under
/sys/kernel/config/tsm/report: what is to be bound goes into `inblob`, the quote comes out of
`outblob`. Pure: the folder is an argument, whose real one is `enclave.kernel`'s.
"""

from typing import Final, Protocol

from keymoot.attest.certificates import MAX_CERTIFICATE_BYTES
from keymoot.attest.dcap_evidence import MAX_QUOTE_BYTES, DcapEvidence
from keymoot.attest.evidence import EvidenceNotMade, ReportData
from keymoot.attest.quote import read_quote, without_filling
from keymoot.attest.snp import REPORT_BYTES, SnpEvidence
from keymoot.base.digits import decimal
from keymoot.base.errors import Malformed

TDX_GUEST, SNP_GUEST = "tdx_guest", "sev_guest"
"""Providers, as the kernel calls them."""

MAX_TABLE_BYTES = 32_768
"""Longest table of certificates that is read."""

_ENTRY, _GUID, _MAX_ENTRIES = 24, 16, 16
_KEYS: Final = {
    bytes.fromhex("63da758de6644564adc5f4b93be8accd"): "VCEK",
    bytes.fromhex("a8074bc2a25a483eaae639c045a0b8a1"): "VLEK",
}
"""What certificates of signing keys are filed under: AMD, "Guest Hypervisor Communication Block",
56421, section 4.1.8.1. The bytes stand in the order in which a GUID is written."""


class ReportFolder(Protocol):
    """A folder of configfs-tsm."""

    def write(self, attribute: str, value: bytes) -> None:
        """Write one attribute, at once."""
        ...

    def read(self, attribute: str, most: int) -> bytes:
        """Give one attribute, of at most so many bytes."""
        ...


def produce(folder: ReportFolder, report_data: ReportData, certificate: bytes = b"") -> bytes:
    """Give evidence of this machine that binds something.

    Args:
        folder: Made for this question; removed by whoever made it.
        report_data: What it is to bind.
        certificate: Of the key that signs on this chip, where the host does not give it: AMD's
            service has it. Unused for TDX.

    Raises:
        EvidenceNotMade: the kernel gave none, or that of another question.
    """
    # 1. Which kind of machine this is.
    provider = folder.read("provider", 64).strip(b"\n\x00").decode("ascii", "replace")
    if provider not in (TDX_GUEST, SNP_GUEST):
        raise EvidenceNotMade(
            f"the kernel's provider of reports is not one that is known here: admitted are "
            f"{TDX_GUEST} and {SNP_GUEST}"
        )
    # 2. The question, and the answer; nobody else asked in between.
    before = _generation(folder)
    folder.write("inblob", report_data)
    answer = folder.read("outblob", MAX_QUOTE_BYTES)
    table = folder.read("auxblob", MAX_TABLE_BYTES) if provider == SNP_GUEST else b""
    if _generation(folder) != before + 1:
        raise EvidenceNotMade("somebody else wrote to this report's folder: ask anew")
    # 3. It is an answer to this question.
    try:
        if provider == TDX_GUEST:
            quote = without_filling(answer)
            told, made = read_quote(quote).fields["reportData"], DcapEvidence(quote).encode()
        else:
            key = certificate or certificate_of(table)
            told, made = answer[0x50:0x90], SnpEvidence(answer[:REPORT_BYTES], key).encode()
    except Malformed as error:
        raise EvidenceNotMade(f"what the kernel gave is no evidence: {error}") from error
    if told != report_data:
        raise EvidenceNotMade("the kernel's answer binds something else: ask anew")
    return made


def _generation(folder: ReportFolder) -> int:
    text = folder.read("generation", 32).strip(b"\n\x00").decode("ascii", "replace")
    count = decimal(text)
    if count is None:
        raise EvidenceNotMade("the kernel does not count what is written to a report")
    return count


def certificate_of(table: bytes) -> bytes:
    """Give the certificate of the signing key from a host's table: a chip's, else a cloud's.

    Raises:
        EvidenceNotMade: there is none.
    """
    entries: dict[str, bytes] = {}
    for at in range(0, _MAX_ENTRIES * _ENTRY, _ENTRY):
        entry = table[at : at + _ENTRY]
        if len(entry) < _ENTRY or not any(entry):
            break
        begin, size = (int.from_bytes(entry[start : start + 4], "little") for start in (16, 20))
        kind = _KEYS.get(entry[:_GUID])
        if kind and size <= MAX_CERTIFICATE_BYTES and begin + size <= len(table):
            entries[kind] = table[begin : begin + size]
    if not entries:
        raise EvidenceNotMade(
            "the host gives no certificate of the chip's key: fetch it from AMD's service for this "
            "chip and firmware, and name it"
        )
    return entries.get("VCEK") or entries["VLEK"]
