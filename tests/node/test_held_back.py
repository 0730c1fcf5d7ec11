"""Two of four enclaves hang: nothing is certified, and nobody is told otherwise; then they go on."""

import os
import signal
import threading
from pathlib import Path

import pytest

from keymoot.agent.account import Account
from keymoot.agent.errors import AnswerLost
from tests.node.running import pay, running, until, wallet_with_agent


@pytest.mark.timeout(900)
def test_what_waits_while_too_few_enclaves_answer_is_signed_once_they_do(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        owner = node.owner()
        wallet, _, account = wallet_with_agent(node, owner)
        first = account.sign_transaction(pay(0), idempotency_key="0x" + "01" * 32)
        held = node.enclaves()[:2]
        for pid in held:
            os.kill(pid, signal.SIGSTOP)
        signed = []
        patient = Account(account._credential, node.url, timeout_seconds=600)
        name = "0x" + "02" * 32

        def ask() -> None:
            signed.append(patient.sign_transaction(pay(1), idempotency_key=name))

        asking = threading.Thread(target=ask)
        asking.start()
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
        for pid in held:
            os.kill(pid, signal.SIGCONT)
        asking.join()
        assert len(signed) == 1
        once = account.sign_transaction(pay(1), idempotency_key=name)
        assert once.raw_transaction == signed[0].raw_transaction
        account.sign_transaction(pay(2), idempotency_key="0x" + "03" * 32)
        entries = until(lambda: owner.log(wallet.wallet, 0))
        ids = [entry["requestId"] for entry in entries]
        assert len(ids) == len(set(ids)) == 3
        assert "moot.recovers" not in node.log.read_text()
