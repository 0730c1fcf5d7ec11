"""An action of the exchange Hyperliquid as one JSON document, and the digest that it stands for.

The exchange hashes an action's keys in the order in which they were put in, so they keep it.
"""

import json
from collections.abc import Mapping
from typing import Any

from keymoot.agent.errors import BadTransaction
from keymoot.base.fixed import Address, Hash32
from keymoot.crypto.keccak import keccak256
from keymoot.policy.chains.evm.hyperliquid.action import read_action
from keymoot.policy.refusal import NeverSigned


def payload_of(
    action: Mapping[str, Any],
    nonce: int,
    vault_address: str | None,
    expires_after: int | None,
    network: str,
) -> bytes:
    """Write the document that the network decides over."""
    told = {
        "action": action,
        "nonce": nonce,
        "vaultAddress": vault_address,
        "expiresAfter": expires_after,
        "network": network,
    }
    try:
        return json.dumps(told, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise BadTransaction(f"this is no action: {error}", "action") from error


def digest_of(payload: bytes, wallet: Address) -> Hash32:
    """Give what is signed of it; of what never is, a name that no signature is over."""
    try:
        return read_action(payload, wallet).digest
    except NeverSigned:
        # Asked all the same: the refusal then stands in the wallet's log.
        return keccak256(payload)
