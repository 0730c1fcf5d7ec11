"""A network as runs find it: wallets of all kinds, and everything that serves once in stock."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_abi.abi import decode

from keymoot.base.fixed import Address, SolanaAddress, WalletId
from keymoot.base.strict_json import canonical
from keymoot.committee.nonces import ledger as commitments
from keymoot.committee.nonces import member as nonces
from keymoot.committee.nonces.record import NONCE_BATCH_SIZE, NonceBatch
from keymoot.committee.presign import ledger as stock
from tests.enclave.copies import copied
from tests.enclave.network import Network
from tests.node.solana import RECOVERY as PAYER
from tests.node.solana import policy as solana_policy
from tests.runtime.people import AGENT, OWNER, RECOVERY, policy

FUNDS, LONG = 10**20, 10**6


@dataclass
class Stage:
    """What one run begins with.

    Attributes:
        wallets: By kind: "ecdsa", "frost" and "vault".
        account: Of the wallet on Solana.
    """

    network: Network
    wallets: dict[str, WalletId]
    account: SolanaAddress

    def copy(self, folder: Path) -> "Stage":
        return Stage(copied(self.network, folder), self.wallets, self.account)


def small(patch: pytest.MonkeyPatch) -> None:
    """Let stock run out soon, and cost little."""
    patch.setattr(stock, "BATCH_SIZE", 3)
    patch.setattr(stock, "MIN_READY", 1)
    patch.setattr(stock, "MAX_OPEN", 1)
    for module in (commitments, nonces):
        patch.setattr(module, "NONCE_BATCH_SIZE", 3)
        patch.setattr(module, "MIN_LEFT", 4)
    patch.setattr(NonceBatch, "LENGTH", NonceBatch.LENGTH * 3 // NONCE_BATCH_SIZE)


def build(folder: Path) -> Stage:
    """Found a network, and set it up; `small` has to be in force."""
    network = Network(folder).found()
    scenario = network.scenario(10**9)
    wallets, limits = {"ecdsa": scenario.wallet}, policy(10**9)
    until = network.clock.now + LONG
    made = scenario.send(OWNER, "createInVault", b"v" * 32, RECOVERY, value=FUNDS)
    wallets["vault"] = WalletId(decode(["bytes32", "address"], made.output)[0])
    made = scenario.send(OWNER, "createSolana", b"f" * 32, bytes(PAYER), value=FUNDS)
    wallet, account = decode(["bytes32", "bytes32"], made.output)
    wallets["frost"] = WalletId(wallet)
    for kind, document in (("vault", limits), ("frost", solana_policy())):
        receipt = scenario.send(OWNER, "setPolicy", wallets[kind], canonical(document), 0)
        assert receipt.status == 1, receipt.error
    for name in wallets.values():
        receipt = scenario.send(OWNER, "grant", name, Address(AGENT.address), until)
        assert receipt.status == 1, receipt.error
    network.settle()
    return Stage(network, wallets, SolanaAddress(account))
