"""Evidence of strangers' machines.

Quotes, reports, documents, and the logs and lists beside them.
"""

from collections.abc import Callable
from functools import partial

from keymoot.attest.dcap import DcapCollateral
from keymoot.attest.eventlog import read_dstack, read_log
from keymoot.attest.evidence import EvidenceRefused
from keymoot.attest.nitro import NitroEvidence, read_envelope
from keymoot.attest.verify import Collateral, verify
from keymoot.base.errors import KeymootError, Malformed
from keymoot.base.units import UnixSeconds
from tests.attest import amd, aws, intel, test_eventlog
from tests.attest.authority import NOW
from tests.fuzz.target import Target

BELIEVED = Collateral(
    (
        intel.factory().believed(),
        amd.factory().believed(),
        aws.factory().believed(),
    )
)
BOUND = bytes(range(64))
QUOTES = [
    intel.factory().evidence(4, intel.td_body(BOUND)),
    intel.factory().evidence(5, intel.td_body(BOUND, long=True)),
    intel.factory().evidence(3, intel.sgx_body(BOUND)),
]
REPORTS = [amd.factory().evidence(BOUND, kind) for kind in ("VCEK", "VLEK")]
DOCUMENTS = [aws.factory().evidence(BOUND), aws.factory().evidence(None)]
GENUINE = {*QUOTES, *REPORTS, *DOCUMENTS}


def check_evidence(raw: bytes) -> None:
    """Our own errors only, and nothing but what was made is believed."""
    try:
        verify(raw, BELIEVED, UnixSeconds(NOW))
    except (Malformed, EvidenceRefused):
        raise
    except KeymootError as error:
        raise AssertionError(type(error).__name__) from error
    assert raw in GENUINE


def check_payload(raw: bytes) -> None:
    """A document's inside, signed by a key that is believed: what is in it may be anything."""
    verify(NitroEvidence(aws.factory().document(raw)).encode(), BELIEVED, UnixSeconds(NOW))


def payload_seeds() -> list[bytes]:
    return [read_envelope(NitroEvidence.decode(one).document)[0] for one in DOCUMENTS]


def check_collateral(raw: bytes) -> None:
    """Lists that anybody may post: no other errors, and what is believed is what was signed."""
    made = intel.factory().collateral()
    altered = DcapCollateral.decode(raw)
    verify(QUOTES[0], Collateral((intel.factory().believed(altered),)), UnixSeconds(NOW))
    assert altered.machines == made.machines


def collateral_seeds() -> list[bytes]:
    return [intel.factory().collateral(kind).encode() for kind in ("TDX", "SGX")]


def check_log(read: Callable[[bytes], object], raw: bytes) -> None:
    """No other errors."""
    read(raw)


def log_seeds() -> list[bytes]:
    return [test_eventlog.LOG]


def dstack_seeds() -> list[bytes]:
    return [test_eventlog.written(test_eventlog.of_dstack("compose-hash", b"\x01" * 32))]


LAW = "nothing else is believed"
TARGETS = [
    Target("Intel's quotes", LAW, check_evidence, lambda: QUOTES, 5, 8_192),
    Target("AMD's reports", LAW, check_evidence, lambda: REPORTS, 5, 8_192),
    Target("AWS's documents", LAW, check_evidence, lambda: DOCUMENTS, 5, 8_192),
    Target("insides of documents", "no other errors", check_payload, payload_seeds, 5, 8_192),
    Target("Intel's lists", LAW, check_collateral, collateral_seeds, 3, 16_384),
    Target("event logs", "no other errors", partial(check_log, read_log), log_seeds, 20),
    Target("dstack's logs", "no other errors", partial(check_log, read_dstack), dstack_seeds, 20),
]
