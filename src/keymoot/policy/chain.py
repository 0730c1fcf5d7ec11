"""The chain that a policy is for, as CAIP-2 writes it."""

from dataclasses import dataclass

from keymoot.base.base58 import ALPHABET
from keymoot.base.digits import decimal
from keymoot.base.strict_json import Json
from keymoot.policy.errors import BadPolicy

EIP155, SOLANA = "eip155", "solana"

MAX_CHAIN_ID = 2**63 - 1

SOLANA_REFERENCE_LENGTH = 32
"""CAIP-2: so many characters of the genesis block's hash, in base58."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain.

    Attributes:
        namespace: EIP155 (secp256k1 keys) or SOLANA (Ed25519 keys).
        reference: The chain id in decimal, or the start of the genesis hash.
    """

    namespace: str
    reference: str

    def __str__(self) -> str:
        """Write it as the document does."""
        return f"{self.namespace}:{self.reference}"


def parse_chain(json: Json) -> Chain:
    """Read `eip155:8453`, or `solana:` and 32 characters of base58.

    Raises:
        BadPolicy: anything else.
    """
    namespace, _, reference = json.partition(":") if isinstance(json, str) else ("", "", "")
    if namespace == EIP155 and _is_chain_id(reference):
        return Chain(EIP155, reference)
    long_enough = len(reference) == SOLANA_REFERENCE_LENGTH
    if namespace == SOLANA and long_enough and set(reference) <= set(ALPHABET):
        return Chain(SOLANA, reference)
    raise BadPolicy(
        'a chain is written as "eip155:8453" or "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"', "chain"
    )


def _is_chain_id(text: str) -> bool:
    number = decimal(text, 19)
    return number is not None and text[0] != "0" and number <= MAX_CHAIN_ID
