"""Two of four enclaves hang: nothing is certified, and nobody is told otherwise.

Then they go on.
"""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from keymoot.agent.account import Account
from keymoot.agent.errors import AnswerLost
from tests.node.in_memory import in_memory
from tests.node.running import pay, wallet_with_agent


def test_what_waits_while_too_few_enclaves_answer_is_signed_once_they_do(tmp_path: Path) -> None:
    with in_memory(tmp_path) as node, capture_logs() as log:
        owner = node.owner()
        wallet, _, account = wallet_with_agent(node, owner)
        first = account.sign_transaction(pay(0), idempotency_key="0x" + "01" * 32)
        held = [node.world.process(seat) for seat in (1, 2)]
        for one in held:
            one.freeze()
        signed = []
        patient = Account(account._credential, node.url, timeout_seconds=600)
        name = "0x" + "02" * 32

        def ask() -> None:
            signed.append(patient.sign_transaction(pay(1), idempotency_key=name))

        asking = node.beside(ask)
        hasty = Account(account._credential, node.url, timeout_seconds=3)
        with pytest.raises(AnswerLost, match="call again with idempotency_key="):
            hasty.sign_transaction(pay(2), idempotency_key="0x" + "03" * 32)
        stands = node.network.call("eth_blockNumber")
        # What was given before is given again, and what the ledger knows is read as ever.
        again = account.sign_transaction(pay(0), idempotency_key="0x" + "01" * 32)
        assert again.raw_transaction == first.raw_transaction
        assert owner.show(wallet.wallet).log_length == 1
        assert not signed
        assert node.network.call("eth_blockNumber") == stands
        for one in held:
            one.thaw()
        asking.result()
        assert len(signed) == 1
        once = account.sign_transaction(pay(1), idempotency_key=name)
        assert once.raw_transaction == signed[0].raw_transaction
        account.sign_transaction(pay(2), idempotency_key="0x" + "03" * 32)
        entries = owner.log(wallet.wallet, 0)
        ids = [entry["requestId"] for entry in entries]
        assert len(ids) == len(set(ids)) == 3
        assert "network.recovers" not in [one["event"] for one in log]
