"""What a proposer puts into a block without asking anybody: it costs the block nothing."""

import pytest

from keymoot.moot.message import Kind, NodeMessage


@pytest.mark.parametrize("kind", [Kind.RECOVER, Kind.JOIN])
@pytest.mark.parametrize("body", [b"", b"\x01", b"\xc0", b"\xc3\x01\x01\x80"])
def test_a_message_that_cannot_be_read_enters_no_block(parliament, kind, body):
    generation = parliament.assembly.hall.head.generation
    made = NodeMessage(parliament.genesis.network, generation, 4, kind, body, b"\0" * 64)
    tx = parliament.ledger.open(made.encode())
    # As if it had been checked.
    parliament.engine.mempool.add(tx)
    height = parliament.ledger.height()
    parliament.settle()
    assert parliament.ledger.height() > height
    assert parliament.ledger.transaction(tx.hash) is None
    assert not len(parliament.engine.mempool)
