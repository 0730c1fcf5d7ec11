"""Vault's custody on a whole network: at once, through any seat's enclave, and after a restart."""

from pathlib import Path

from eth_account import Account as EthAccount

from tests.node.in_memory import in_memory
from tests.node.running import pay, wallet_with_agent


def test_a_wallet_in_vault_signs_at_once_through_any_seat_and_after_a_restart(
    tmp_path: Path,
) -> None:
    with in_memory(tmp_path) as node:
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
        node.world.process(1).kill()
        for nonce in range(1, 4):
            signs(nonce)
        node.stop()
        node.start()
        signs(4)
        again = node.network.call("keymoot_assembly")["stateKey"]
        assert again["since"] == standing["since"]
        assert again["holders"] == [1, 2, 3, 4]
        assert again["asking"] == []
