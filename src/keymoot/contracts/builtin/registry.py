"""The built-in contracts: name, class, and the block from which each counts."""

from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.keys import Keys
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.contracts.builtin.vault import Vault
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.framework.registry import GENESIS, Deployment, Registry

BUILT_IN = (
    Deployment("Vault", Vault, GENESIS),
    Deployment("Wallets", Wallets, GENESIS),
    Deployment("Nodes", Nodes, GENESIS),
    Deployment("Keys", Keys, GENESIS),
    Deployment("Apps", Apps, GENESIS),
)


def built_in_registry() -> Registry:
    return Registry(BUILT_IN)
