"""Contracts as Python classes with an Ethereum ABI, and the built-in ones."""

from keymoot.contracts.framework.cells import (
    ConfidentialCell,
    ConfidentialMap,
    PublicCell,
    PublicMap,
)
from keymoot.contracts.framework.context import Context
from keymoot.contracts.framework.contract import Contract, built_in, call, internal, view
from keymoot.contracts.framework.errors import ContractError
from keymoot.contracts.framework.event import Event
from keymoot.contracts.framework.types import uint64, uint256

__all__ = [
    "ConfidentialCell",
    "ConfidentialMap",
    "Context",
    "Contract",
    "ContractError",
    "Event",
    "PublicCell",
    "PublicMap",
    "built_in",
    "call",
    "internal",
    "uint64",
    "uint256",
    "view",
]
