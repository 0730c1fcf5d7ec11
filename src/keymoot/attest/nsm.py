"""Evidence of this very enclave, from AWS: what is asked of /dev/nsm, and what it answers.

AWS, "Nitro Security Module API": requests and answers are CBOR, one `ioctl` each. Pure: whoever
has the device sends the question; `enclave.kernel` does.
"""

from typing import Any

import cbor2

from keymoot.attest.evidence import EvidenceNotMade, ReportData
from keymoot.attest.nitro import MAX_DOCUMENT_BYTES, NitroEvidence
from keymoot.base.shown import shown

MAX_REQUEST_BYTES = 0x1000
MAX_RESPONSE_BYTES = 0x3000


def question(report_data: ReportData) -> bytes:
    """Give the request for a document that binds something."""
    fields = {"user_data": bytes(report_data), "nonce": None, "public_key": None}
    return cbor2.dumps({"Attestation": fields})


def evidence_of(answer: bytes) -> bytes:
    """Give the evidence that an answer holds.

    Args:
        answer: At most `MAX_RESPONSE_BYTES`, from the device.

    Raises:
        EvidenceNotMade: it holds none; it says why.
    """
    try:
        response: Any = cbor2.loads(answer[:MAX_RESPONSE_BYTES], max_depth=4)
    except Exception as error:
        raise EvidenceNotMade("the device's answer is no CBOR: ask anew") from error
    if isinstance(response, dict) and isinstance(why := response.get("Error"), str):
        raise EvidenceNotMade(f"the device made no document: it says {shown(why, 64)}")
    inner = response.get("Attestation") if isinstance(response, dict) else None
    document = inner.get("document") if isinstance(inner, dict) else None
    if not isinstance(document, bytes) or len(document) > MAX_DOCUMENT_BYTES:
        raise EvidenceNotMade("the device's answer has no document in it: ask anew")
    return NitroEvidence(document).encode()
