"""What a node says of bytes that it was given: a contract's refusal of them has a receipt."""

from typing import Any
from unittest import mock

import pytest

from keymoot.agent.errors import NetworkRefused, WrongAnswer
from keymoot.agent.nodes import NodeSet
from keymoot.agent.submission import Submission
from keymoot.agent.transport import Transport
from keymoot.base.fixed import Address, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import LEDGER_CHAIN_ID, Gas, Wei

KEY, TO = Secret(b"\x07" * 32), Address(b"\x0c" * 20)
REVERTED = NetworkRefused(3, "execution reverted: it broke")


def sends(gas: int, at_estimate: Any, at_sending: Any) -> list[str]:
    """Send to one node, which answers so; give what it was asked. Whatever it says, it has them."""
    asked = []

    def call(transport: Transport, method: str, params: Any, seconds: float) -> Any:
        asked.append(method)
        answer = {
            "eth_estimateGas": at_estimate,
            "eth_sendRawTransactionSync": at_sending,
            "eth_getTransactionCount": "0x0",
            "eth_getTransactionReceipt": None,
        }[method]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def call_all(transport: Transport, calls: Any, seconds: float) -> Any:
        return [call(transport, method, params, seconds) for method, params in calls]

    identity = mock.Mock(chain_id=LEDGER_CHAIN_ID, base_fee=Wei(1), network=NetworkId(bytes(32)))
    submission = Submission(NodeSet(["http://node.example"]), 1.0, identity, mock.Mock())
    with (
        mock.patch.object(Transport, "call", autospec=True, side_effect=call),
        mock.patch.object(Transport, "call_all", autospec=True, side_effect=call_all),
    ):
        submission.call(KEY, TO, b"", Wei(0), "the transaction", Gas(gas))
    return asked


def test_a_refusal_of_what_is_tried_out_is_a_contracts_and_nothing_was_sent() -> None:
    with pytest.raises(NetworkRefused) as refused:
        sends(0, REVERTED, AssertionError("it was sent"))
    assert refused.value.reverted


@pytest.mark.parametrize("gas", [0, 100_000])
def test_a_contracts_refusal_of_what_was_sent_is_a_receipt_or_a_lie(gas: int) -> None:
    """Else a node takes a payment, says that it failed, and has it paid again."""
    with pytest.raises(WrongAnswer, match="may be in a block"):
        sends(gas, "0x5208", REVERTED)
