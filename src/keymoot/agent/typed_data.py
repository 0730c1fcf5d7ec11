"""EIP-712 typed data as one canonical JSON document, and the digest that it stands for.

eth_account accepts it in two forms; the ledger takes one, which a policy can read.
"""

from collections.abc import Mapping
from typing import Any

from eth_account.messages import SignableMessage, encode_typed_data

from keymoot.agent.errors import BadTransaction
from keymoot.base.fixed import Hash32
from keymoot.base.strict_json import Json, canonical
from keymoot.crypto.keccak import keccak256

_DOMAIN_TYPES = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
    "salt": "bytes32",
}


def whole(
    domain: Mapping[str, Any] | None,
    types: Mapping[str, Any] | None,
    message: Mapping[str, Any] | None,
    full: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Give the document of eth_signTypedData_v4, from either form of eth_account's call."""
    if full is not None:
        if domain is not None or types is not None or message is not None:
            raise BadTransaction("give the full message, or domain, types and message")
        return _standard(full)
    if domain is None or types is None or message is None:
        raise BadTransaction("give the full message, or domain, types and message")
    own = {name: fields for name, fields in types.items() if name != "EIP712Domain"}
    domain_type = [
        {"name": name, "type": kind} for name, kind in _DOMAIN_TYPES.items() if name in domain
    ]
    return {
        "types": {"EIP712Domain": domain_type, **own},
        "primaryType": _primary(own),
        "domain": dict(domain),
        "message": dict(message),
    }


def _standard(full: Mapping[str, Any]) -> dict[str, Any]:
    """Name the primary type where the document leaves it to be found."""
    types = full.get("types")
    if "primaryType" in full or not isinstance(types, Mapping):
        return dict(full)
    own = {name: fields for name, fields in types.items() if name != "EIP712Domain"}
    return {**full, "primaryType": _primary(own)}


def payload_of(document: Mapping[str, Any]) -> bytes:
    """Write the document canonically; bytes become hex text."""
    return canonical(_plain(document, "typedData"))


def digest_of(document: Mapping[str, Any]) -> tuple[SignableMessage, Hash32]:
    """Give eth_account's encoding of the document, and the digest to be signed."""
    try:
        signable = encode_typed_data(full_message=dict(document))
    except Exception as error:  # eth_account raises many kinds
        raise BadTransaction(f"this is no EIP-712 document: {error}", "typedData") from error
    return signable, signable_digest(signable)


def signable_digest(signable: SignableMessage) -> Hash32:
    """Hash as EIP-191 says: 0x19 ‖ version ‖ header ‖ body."""
    return keccak256(b"\x19" + signable.version + signable.header + signable.body)


def _primary(types: Mapping[str, Any]) -> str:
    """Find the one type that no other contains."""
    try:
        used = {str(field["type"]).split("[")[0] for each in types.values() for field in each}
    except (TypeError, KeyError) as error:
        raise BadTransaction("types are lists of {name, type}", "typedData.types") from error
    free = [name for name in types if name not in used]
    if len(free) != 1:
        raise BadTransaction("exactly one type must be in no other", "typedData.types")
    return free[0]


def _plain(value: object, path: str) -> Json:
    if isinstance(value, (bytes, bytearray)):
        return "0x" + bytes(value).hex()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(each, f"{path}.{name}") for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, f"{path}[{at}]") for at, each in enumerate(value)]
    raise BadTransaction(f"{type(value).__name__} has no place in typed data", path)
