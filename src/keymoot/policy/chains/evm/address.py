"""Addresses of EVM chains: hex with EIP-55's checksum, the same on every one of them."""

from collections.abc import Sequence

from keymoot.base.fixed import Address
from keymoot.base.strict_json import Json
from keymoot.policy.address import AddressForm
from keymoot.policy.names import checksummed, parse_address

EIP155 = "eip155"
"""CAIP-2's namespace of EVM chains."""

MAX_MEMBERS = 1_024
"""Addresses in all sets of a policy."""


def _known(members: Sequence[Json]) -> list[Address]:
    """Read addresses whose checksums were right before: all at once."""
    return [Address(bytes.fromhex(str(member)[2:])) for member in members]


EVM_ADDRESSES = AddressForm("address", Address, parse_address, checksummed, _known, MAX_MEMBERS)
