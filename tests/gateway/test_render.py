"""What is in blocks and is no transaction of Ethereum's is shown, whatever its signature is."""

from types import SimpleNamespace

import pytest

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import ChainId
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.gateway.render import waiting_json
from keymoot.runtime.transactions import open_transaction

CHAIN, NETWORK = ChainId(0x5AFD), NetworkId(b"\x01" * 32)


@pytest.mark.parametrize("signature", [b"", b"\x01", bytes(range(64))])
def test_a_message_with_any_signature_is_shown(signature: bytes) -> None:
    message = NodeMessage(NETWORK, Hash32(bytes(32)), 0, Kind.RECOVER, b"", signature)
    ledger = SimpleNamespace(genesis=SimpleNamespace(chain_id=CHAIN))
    shown = waiting_json(ledger, open_transaction(message.encode(), CHAIN, NETWORK))
    whole = signature.ljust(64, b"\0")
    assert int(shown["r"], 16) == int.from_bytes(whole[:32], "big")
    assert int(shown["s"], 16) == int.from_bytes(whole[32:], "big")
