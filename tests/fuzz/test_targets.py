"""Every target of `make fuzz`, for a moment.

Seeds, what was found once, and a few hundred others.
"""

import json
from pathlib import Path
from random import Random

import pytest

from keymoot.base.errors import KeymootError
from tests.fuzz.altered import altered
from tests.fuzz.harvest import PARSERS
from tests.fuzz.records import TOLD
from tests.fuzz.targets import TARGETS

CASES = 120
FINDINGS: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_name("findings.json").read_text()
)
"""By target: inputs that were taken for another thing once, or raised another error."""

NEVER_SEEN = {
    "attest.dcap:DcapCollateral.decode",
    "attest.dcap:DcapCollateral.of_json",
    "attest.eventlog:read_dstack",
    "attest.eventlog:read_log",
    "attest.nitro:NitroEvidence.decode",
    "attest.nitro:read_envelope",
    "attest.quote:read_quote",
    "attest.snp:AmdChain.decode",
    "attest.snp:SnpEvidence.decode",
    "attest.dcap_evidence:DcapEvidence.decode",
    "agent.app_secrets:SecretEnvelope.decode",
    "daemon.cbor:decode",
    "agent.credential:Credential.decode",
    "image.bundle:Bundle.read",
    "image.manifest:parse_manifest",
    "policy.chains.solana.message:message_of_transaction",
    "contracts.builtin.keys:Question.decode",
    "enclave.frames:WatchFrame.of_item",
    "committee.presign.record:PresignatureId.decode",
    "committee.nonces.record:SignerCommitment.decode",
    "committee.nonces.record:NonceBatch",
    "committee.nonces.record:SeatBits",
    "committee.statekey.record:FormerVersions.decode",
    "enclave.messages:ToldFrame.of_item",
    "committee.nonces.record:SignerCommitments.decode",
    "runtime.asked:ExecutedQuery.of_item",
    "runtime.asked:QueryResult.of_item",
    "threshold.ecdsa:SignatureShare.decode",
}
"""Parsers whose seeds come from elsewhere, or which are short enough to be found by fuzzing."""


def feed(name: str, raw: bytes) -> bool:
    """Tell whether an input is read; errors of ours have words."""
    try:
        TARGETS[name].check(raw)
    except KeymootError as error:
        assert str(error)
        return False
    return True


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_what_is_almost_one(name: str) -> None:
    seeds, rng = TARGETS[name].seeds(), Random(name)
    taken = [feed(name, raw) for raw in seeds]
    assert any(taken)
    for _ in range(CASES):
        feed(name, altered(rng.choice(seeds), seeds, rng))


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, kinds in FINDINGS.items() for kind in kinds]
)
def test_what_was_found_once_is_mended(name: str, kind: str) -> None:
    feed(name, bytes.fromhex(FINDINGS[name][kind]))


def test_every_parser_has_seeds_that_it_reads() -> None:
    assert {one for one in PARSERS if not TOLD.get(one)} == NEVER_SEEN
