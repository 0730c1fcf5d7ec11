"""Contracts as Python classes with an Ethereum ABI, and the built-in ones."""

from keymoot.contracts.cells import ConfidentialCell, ConfidentialMap, PublicCell, PublicMap
from keymoot.contracts.context import Context
from keymoot.contracts.contract import Contract, call, view
from keymoot.contracts.errors import ContractError
from keymoot.contracts.event import Event
from keymoot.contracts.types import (
    address,
    boolean,
    bytes32,
    dynamic_bytes,
    string,
    uint64,
    uint256,
)

__all__ = [
    "ConfidentialCell",
    "ConfidentialMap",
    "Context",
    "Contract",
    "ContractError",
    "Event",
    "PublicCell",
    "PublicMap",
    "address",
    "boolean",
    "bytes32",
    "call",
    "dynamic_bytes",
    "string",
    "uint64",
    "uint256",
    "view",
]
