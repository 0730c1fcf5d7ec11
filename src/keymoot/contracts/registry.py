"""Which built-in contract stands at which address."""

from keymoot.base.fixed import Address
from keymoot.contracts.contract import Contract
from keymoot.contracts.keys import Keys
from keymoot.contracts.nodes import Nodes
from keymoot.contracts.vault import Vault
from keymoot.contracts.wallets import Wallets
from keymoot.crypto.keccak import keccak256

BUILT_IN: tuple[type[Contract], ...] = (Vault, Wallets, Nodes, Keys)

CODE = b"\xfe"
"""What `eth_getCode` shows for a built-in: one invalid instruction, so that tools see a contract."""

CODE_HASH = keccak256(CODE)


def built_in_registry() -> dict[Address, Contract]:
    """Give every built-in contract by its address."""
    return {kind.ADDRESS: kind() for kind in BUILT_IN}
