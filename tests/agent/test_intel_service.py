"""What Intel's service answers becomes the lists that it signed, byte for byte, or an error."""

from urllib.parse import quote

import pytest

from keymoot.agent.https import HttpsAnswer, https_get
from keymoot.agent.intel_service import ROOT_LIST, fetch_intel_lists
from keymoot.attest.certificates import pem_of
from keymoot.base.errors import Malformed
from tests.attest import intel

LISTS = intel.factory().collateral()
SERVICE = "https://cache.test"
AT = f"{SERVICE}/{{}}/certification/v4/"
TCB, IDENTITY = AT.format("tdx") + f"tcb?fmspc={intel.FMSPC}", AT.format("tdx") + "qe/identity"
REVOKED = AT.format("sgx") + "pckcrl?ca=platform&encoding=der"


def signed(name: str, told: bytes, signature: bytes) -> bytes:
    return (
        b'{"' + name.encode() + b'":' + told + b',"signature":"' + signature.hex().encode() + b'"}'
    )


def chain(ders) -> str:
    return quote(pem_of(ders).decode())


def replies() -> dict[str, HttpsAnswer]:
    return {
        TCB: HttpsAnswer(
            signed("tcbInfo", LISTS.tcb_info, LISTS.tcb_signature),
            {"tcb-info-issuer-chain": chain(LISTS.tcb_chain)},
        ),
        IDENTITY: HttpsAnswer(
            signed("enclaveIdentity", LISTS.qe_identity, LISTS.qe_signature),
            {"sgx-enclave-identity-issuer-chain": chain(LISTS.qe_chain)},
        ),
        REVOKED: HttpsAnswer(
            LISTS.pck_crl, {"sgx-pck-crl-issuer-chain": chain(LISTS.pck_crl_chain)}
        ),
        ROOT_LIST: HttpsAnswer(LISTS.root_crl, {}),
    }


def fetched(served: dict[str, HttpsAnswer]):
    return fetch_intel_lists("TDX", intel.FMSPC, served.__getitem__, SERVICE + "/")


def test_what_is_fetched_is_what_intel_signed():
    assert fetched(replies()) == LISTS


@pytest.mark.parametrize("at", [TCB, IDENTITY, REVOKED])
def test_an_answer_without_its_signer_is_refused(at):
    with pytest.raises(Malformed, match="who signed"):
        fetched(replies() | {at: HttpsAnswer(replies()[at].body, {})})


@pytest.mark.parametrize("at", [TCB, IDENTITY])
@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"tcbInfo":{},"signature":"0"}'])
def test_an_answer_that_is_no_signed_list_is_refused(at, body):
    with pytest.raises(Malformed, match="no list with a signature"):
        fetched(replies() | {at: HttpsAnswer(body, replies()[at].headers)})


def test_one_list_is_not_taken_for_another():
    served = replies()
    with pytest.raises(Malformed, match="no list with a signature"):
        fetched(served | {TCB: HttpsAnswer(served[IDENTITY].body, served[TCB].headers)})


@pytest.mark.parametrize(
    ("kind", "fmspc"), [("SNP", intel.FMSPC), ("TDX", "00"), ("TDX", "x" * 12)]
)
def test_what_is_no_kind_of_machine_is_not_asked_for(kind, fmspc):
    with pytest.raises(Malformed, match="TDX:90C06F000000"):
        fetch_intel_lists(kind, fmspc, {}.__getitem__)


def test_nothing_is_fetched_without_tls():
    with pytest.raises(Malformed, match="https"):
        https_get("http://cache.test/")
