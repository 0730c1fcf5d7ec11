"""Vault's custody on a real node: at once, through any seat's enclave, and after a restart."""

import os
import signal
from pathlib import Path

from eth_account import Account as EthAccount

from tests.node.running import Running, pay, running, wallet_with_agent


def enclave_of(node: Running, seat: int) -> int:
    """Give the process id of a seat's enclave."""
    folder = str(node.config.enclave_folder(seat))
    for pid in node.enclaves():
        if folder.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            return pid
    raise AssertionError(f"seat {seat} has no enclave")


def test_a_wallet_in_vault_signs_at_once_through_any_seat_and_after_a_restart(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "node") as node:
        # The door opens when the state key exists: nothing is to be waited for.
        standing = node.network.call("keymoot_assembly")["stateKey"]
        assert standing["version"] == 0
        assert standing["since"] > 0
        assert len(standing["holders"]) >= 3
        _, _, account = wallet_with_agent(node, node.owner(), in_vault=True)

        def signs(nonce: int) -> None:
            signed = account.sign_transaction(pay(nonce))
            assert EthAccount.recover_transaction(signed.raw_transaction) == account.address

        signs(0)
        os.kill(enclave_of(node, 1), signal.SIGKILL)
        for nonce in range(1, 4):
            signs(nonce)
        assert node.stop() == 0
        node.start()
        signs(4)
        again = node.network.call("keymoot_assembly")["stateKey"]
        assert again["since"] == standing["since"]
        assert again["holders"] == [1, 2, 3, 4]
        assert again["asking"] == []
