"""Ask Intel's service, or a cache of it, for its lists for one kind of machine.

Intel, "PCS API", version 4. Nothing of it is believed for where it came from: every list is signed,
and the ledger checks that. Whoever carries it can keep lists back, and no more.
"""

import re
from typing import Final
from urllib.parse import unquote

from keymoot.agent.https import Get, HttpsAnswer
from keymoot.attest.certificates import read_pem
from keymoot.attest.dcap import DcapCollateral
from keymoot.base.errors import Malformed

SERVICE: Final = "https://api.trustedservices.intel.com"
ROOT_LIST: Final = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
"""Where Intel's root publishes whom it revoked."""

_KINDS: Final = {"SGX": "sgx", "TDX": "tdx"}
_FMSPC = re.compile(r"[0-9A-F]{12}", re.ASCII)
_SIGNED = re.compile(rb'\{"(tcbInfo|enclaveIdentity)":(\{.*\}),"signature":"([0-9a-f]{128})"\}\s*',
                     re.DOTALL)  # fmt: skip


def fetch_intel_lists(
    kind: str, fmspc: str, get: Get, service: str = SERVICE, authority: str = "platform"
) -> DcapCollateral:
    """Give what a service has for one kind of machine.

    Args:
        kind: `TDX` or `SGX`.
        fmspc: Of the machine: 12 digits of hex in upper case, as `LISTS_MISSING` names them.
        get: Sends a GET.
        service: Its address, without a path.
        authority: Who signed the machine's key: `platform`, or `processor` (SGX alone).

    Raises:
        Malformed: no such machine, or the answer is not what Intel's service gives.
        NetworkUnreachable: nobody answers.
    """
    if kind not in _KINDS or not _FMSPC.fullmatch(fmspc):
        raise Malformed("a kind of machine is TDX or SGX and 12 digits of hex: TDX:90C06F000000")
    if authority not in ("platform", "processor"):
        raise Malformed("a machine's key is signed by platform or by processor", "ca")
    at = f"{service.rstrip('/')}/{{}}/certification/v4/"
    own, sgx = at.format(_KINDS[kind]), at.format("sgx")
    tcb = get(f"{own}tcb?fmspc={fmspc}")
    identity = get(f"{own}qe/identity")
    revoked = get(f"{sgx}pckcrl?ca={authority}&encoding=der")
    tcb_info, tcb_signature = _signed(tcb, "tcbInfo")
    qe_identity, qe_signature = _signed(identity, "enclaveIdentity")
    return DcapCollateral(
        _chain(revoked, "sgx-pck-crl-issuer-chain"),
        get(ROOT_LIST).body,
        revoked.body,
        _chain(tcb, "tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain"),
        tcb_info,
        tcb_signature,
        _chain(identity, "sgx-enclave-identity-issuer-chain"),
        qe_identity,
        qe_signature,
    )


def _signed(reply: HttpsAnswer, name: str) -> tuple[bytes, bytes]:
    """Give a list, byte for byte as it was signed, and its signature."""
    match = _SIGNED.fullmatch(reply.body)
    if match is None or match[1].decode() != name:
        raise Malformed("the service's answer is no list with a signature behind it", name)
    return match[2], bytes.fromhex(match[3].decode())


def _chain(reply: HttpsAnswer, *names: str) -> tuple[bytes, ...]:
    for name in names:
        if name in reply.headers:
            return read_pem(unquote(reply.headers[name]).rstrip("\n").encode() + b"\n", name)
    raise Malformed("the service does not say who signed its list", names[0])
