"""What AMD publishes of a line: fetched from its service, or out of files in any order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.agent.amd_files import read_amd_chains
from keymoot.agent.amd_service import SERVICE, fetch_amd_chain
from keymoot.agent.errors import NetworkUnreachable
from keymoot.agent.https import HttpsAnswer
from keymoot.attest.certificates import pem_of
from keymoot.attest.snp import AmdChain
from keymoot.base.errors import Malformed
from tests.attest import amd

MILAN, GENOA = amd.factory("Milan"), amd.factory("Genoa")
(CHIP, ROOT), (CLOUD, _) = (MILAN.issuers[kind][0].chain for kind in ("VCEK", "VLEK"))
REVOKED = MILAN.revoked(5)
CHAIN = AmdChain(CHIP, ROOT, REVOKED)
AT = "https://amd.test/vcek/v1/Milan/"
ANSWERS = {
    AT + "cert_chain": HttpsAnswer(pem_of([CHIP, ROOT]), {}),
    AT + "crl": HttpsAnswer(REVOKED, {}),
}


def fetched(answers: dict[str, HttpsAnswer], what: str = "MILAN", kind: str = "VCEK") -> AmdChain:
    return fetch_amd_chain(what, kind, answers.__getitem__, "https://amd.test/")


def test_what_is_fetched_is_what_amd_signed() -> None:
    assert fetched(ANSWERS) == CHAIN
    clouds = {
        "https://amd.test/vlek/v1/Milan/cert_chain": HttpsAnswer(pem_of([CLOUD, ROOT]), {}),
        "https://amd.test/vlek/v1/Milan/crl": HttpsAnswer(REVOKED, {}),
    }
    assert fetched(clouds, kind="VLEK") == AmdChain(CLOUD, ROOT, REVOKED)
    assert SERVICE.startswith("https://")


@pytest.mark.parametrize(("what", "kind"), [("ROME", "VCEK"), ("../", "VCEK"), ("MILAN", "ASK")])
def test_an_unknown_line_asks_nobody(what: str, kind: str) -> None:
    with pytest.raises(Malformed, match="SNP:MILAN"):
        fetched({}, what, kind)


@pytest.mark.parametrize("body", [b"", b"<html>", pem_of([CHIP]), pem_of([CHIP, CLOUD, ROOT])])
def test_an_answer_that_is_no_chain_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        fetched(ANSWERS | {AT + "cert_chain": HttpsAnswer(body, {})})


def test_a_service_that_is_away_is_said_so() -> None:
    def away(url: str) -> HttpsAnswer:
        raise NetworkUnreachable(url, "no route")

    with pytest.raises(NetworkUnreachable, match="no route"):
        fetch_amd_chain("MILAN", "VCEK", away)


FILES = {
    "cert_chain": pem_of([CHIP, ROOT]),
    "crl": REVOKED,
    "asvk.der": CLOUD,
    "genoa.pem": pem_of([GENOA.issuers["VCEK"][0].chain[0]]).replace(b"\n", b"\r\n"),
    "ark.der": GENOA.issuers["VCEK"][0].chain[1],
}
ALL = {
    AmdChain(CHIP, ROOT, REVOKED),
    AmdChain(CLOUD, ROOT, REVOKED),
    AmdChain(*GENOA.issuers["VCEK"][0].chain),
}


def test_files_are_told_apart_by_what_is_in_them() -> None:
    for order in itertools.permutations(FILES.items()):
        chains = read_amd_chains(dict(order))
        assert {chain for _, chain in chains} == ALL
    assert {name for name, _ in chains} == {
        "SEV-VCEK-Milan (cert_chain)", "SEV-VLEK-Milan (asvk.der)", "SEV-VCEK-Genoa (genoa.pem)",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"ask.der": CHIP}, "ask.der: SEV-VCEK-Milan is signed by ARK-Milan"),
        ({"ark.der": ROOT}, "ark.der: ARK-Milan signed none"),
        ({"crl": REVOKED}, "crl: it is ARK-Milan's list of revoked keys"),
        ({"chain": FILES["cert_chain"], "a": REVOKED, "b": MILAN.revoked(6)}, "two lists"),
        ({"text": b"hello"}, "text: neither"),
        ({"half": CHIP[:-1], "ark": ROOT}, "half: neither"),
        ({"empty": b""}, "empty: neither"),
        ({"broken": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, "broken"),
    ],
)
def test_what_is_missing_or_too_much_is_named(files: dict[str, bytes], why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read_amd_chains(files)


@given(st.dictionaries(st.text(max_size=4), st.binary(max_size=64), min_size=1, max_size=3))
def test_no_file_does_more_than_be_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(Malformed):
        read_amd_chains(files)
