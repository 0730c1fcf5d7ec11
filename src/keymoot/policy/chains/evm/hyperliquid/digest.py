"""What a wallet signs of an action, hashed here of what was read.

Most actions stand behind a hash in a document of two fields, the *phantom agent*; those that move
money out are EIP-712 documents of their own. Source: `hyperliquid/utils/signing.py` of the
exchange's Python SDK.
"""

from typing import Final

from keymoot.base.fixed import Address, Hash32
from keymoot.base.strict_json import Json
from keymoot.crypto.keccak import keccak256, keccak256_raw
from keymoot.policy.chains.evm.hyperliquid.msgpack import pack

SIGNATURE_CHAIN = "0x66eee"
"""The chain in the domain of what the user signs, as the exchange's SDK has it; the network is
named beside it."""

_DOMAIN_TYPE: Final = keccak256_raw(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_AGENT_TYPE: Final = keccak256_raw(b"Agent(string source,bytes32 connectionId)")


def _domain(name: bytes, chain: int) -> bytes:
    parts = (keccak256_raw(name), keccak256_raw(b"1"), chain.to_bytes(32, "big"), bytes(32))
    return keccak256_raw(_DOMAIN_TYPE + b"".join(parts))


_EXCHANGE: Final = _domain(b"Exchange", 1_337)
_USERS: Final = _domain(b"HyperliquidSignTransaction", 0x66EEE)


def agent_digest(
    action: Json, nonce: int, vault: Address | None, expires_after: int | None, *, mainnet: bool
) -> Hash32:
    """Hash an action with its nonce, whom it trades for, and when it expires (milliseconds)."""
    told = pack(action) + nonce.to_bytes(8, "big")
    told += b"\x00" if vault is None else b"\x01" + vault
    if expires_after is not None:
        told += b"\x00" + expires_after.to_bytes(8, "big")
    source = keccak256_raw(b"a" if mainnet else b"b")
    return _signed(_EXCHANGE, _AGENT_TYPE + source + keccak256_raw(told))


def user_digest(
    primary: str, fields: tuple[tuple[str, str], ...], values: dict[str, Json]
) -> Hash32:
    """Hash a document of `(type, name)` fields: each a string, a bool or a uint64 that was read."""
    inside = ",".join(f"{kind} {name}" for kind, name in fields)
    body = keccak256_raw(f"HyperliquidTransaction:{primary}({inside})".encode())
    for _, name in fields:
        value = values[name]
        if isinstance(value, str):
            body += keccak256_raw(value.encode())
        else:
            body += int(value).to_bytes(32, "big")  # type: ignore[arg-type]  # consensus: bool or int
    return _signed(_USERS, body)


def _signed(domain: bytes, body: bytes) -> Hash32:
    return keccak256(b"\x19\x01" + domain + keccak256_raw(body))
