"""Addresses of Solana: Ed25519 public keys, in base58."""

from keymoot.base.fixed import SolanaAddress
from keymoot.policy.address import AddressForm
from keymoot.policy.names import parse_solana_address

NAMESPACE = "solana"
"""CAIP-2's."""

SOLANA_ADDRESS = "solanaAddress"
"""What a condition calls one."""

MAX_MEMBERS = 256
"""Addresses in all sets of a policy; base58 takes longer than hex."""


def write(address: SolanaAddress) -> str:
    return address.base58


SOLANA_ADDRESSES = AddressForm(
    SOLANA_ADDRESS,
    SolanaAddress,
    parse_solana_address,
    write,
    most=MAX_MEMBERS,
    several_names=True,  # an owner and its token account
)
