"""Every target of `make fuzz`, for a moment: seeds, what was found once, and a few hundred others."""

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
    "agent.credential:type.decode",
    "base.solana_message:message_of_transaction",
    "contracts.keys:Question.decode",
    "enclave.frames:read_watch",
    "moot.batch:PresignatureId.decode",
    "moot.commitments:read_complaint",
    "moot.slot:read_seats",
    "moot.slot:read_slots",
    "runtime.asked:Asked.decode",
    "runtime.asked:Found.decode",
    "threshold.ecdsa:SignatureShare.decode",
}
"""Parsers whose seeds come from elsewhere, or which are short enough to be found by fuzzing."""


def give(name: str, raw: bytes) -> bool:
    """Tell whether an input is read; errors of ours have words."""
    try:
        TARGETS[name].check(raw)
    except KeymootError as error:
        assert str(error)
        return False
    return True


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_what_is_almost_one(name: str) -> None:
    seeds, dice = TARGETS[name].seeds(), Random(name)
    taken = [give(name, raw) for raw in seeds]
    assert any(taken)
    for _ in range(CASES):
        give(name, altered(dice.choice(seeds), seeds, dice))


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, kinds in FINDINGS.items() for kind in kinds]
)
def test_what_was_found_once_is_mended(name: str, kind: str) -> None:
    give(name, bytes.fromhex(FINDINGS[name][kind]))


def test_every_parser_has_seeds_that_it_reads() -> None:
    assert {one for one in PARSERS if not TOLD.get(one)} == NEVER_SEEN
