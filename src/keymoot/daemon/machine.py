"""Evidence of the machine that the daemon runs on: AWS Nitro, Intel TDX, AMD SEV-SNP.

`attest.nsm` and `attest.tsm` say what is asked, `enclave.kernel` has the kernel's doors.
"""

import os
from collections.abc import Callable
from pathlib import Path

from keymoot.attest import tsm
from keymoot.attest.evidence import ReportData
from keymoot.daemon.errors import NoEvidenceHere
from keymoot.enclave.kernel import NSM, REPORTS, ask_nsm, report_folder


def produce_here(device: Path = NSM, reports: Path = REPORTS) -> Callable[[ReportData], bytes]:
    """Give what makes evidence of this machine.

    Raises:
        NoEvidenceHere: there is no door that is known.
    """
    if device.exists():
        return lambda report: _of_nsm(device, report)
    if reports.is_dir():
        return lambda report: _of_tsm(reports, report)
    raise NoEvidenceHere


def _of_tsm(reports: Path, report: ReportData) -> bytes:
    with report_folder(f"keymoot-{os.getpid()}-{os.urandom(4).hex()}", reports) as folder:
        return tsm.produce(folder, report)


def _of_nsm(device: Path, report: ReportData) -> bytes:
    # It needs cbor2, which a client's install has only where it is asked for.
    from keymoot.attest import nsm  # noqa: PLC0415

    return nsm.evidence_of(ask_nsm(nsm.question(report), nsm.MAX_RESPONSE_BYTES, device))
