"""What nodes' messages take up in a block: evidence takes longest to check, and counts as that."""

import pytest

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import LEDGER_CHAIN_ID
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.contracts.builtin.apps.evidence import EVIDENCE_GAS
from keymoot.runtime import gas
from keymoot.runtime.block import gas_wanted
from keymoot.runtime.transactions import open_transaction

NETWORK = NetworkId(bytes(32))
FULL_SECONDS = 0.5
"""Of evidence alone; 2.5 ms each, as `make bench` measures it with all certificates new."""


def said(kind: Kind) -> int:
    raw = NodeMessage(NETWORK, Hash32(bytes(32)), 1, kind, b"").encode()
    return gas_wanted(open_transaction(raw, LEDGER_CHAIN_ID, NETWORK))


@pytest.mark.parametrize("kind", Kind)
def test_evidence_counts_as_it_does_for_apps_and_all_else_as_a_message(kind: Kind) -> None:
    dear = kind in (Kind.EVIDENCE, Kind.JOIN)
    assert said(kind) == gas.MESSAGE + (EVIDENCE_GAS if dear else 0)


def test_a_block_that_is_full_of_evidence_is_checked_in_half_a_second() -> None:
    assert gas.BLOCK_LIMIT // said(Kind.JOIN) * 0.0025 < FULL_SECONDS
    # all founders of the largest network show theirs in one
    assert gas.BLOCK_LIMIT // said(Kind.EVIDENCE) >= 64
