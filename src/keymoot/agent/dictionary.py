"""web3.py's transaction dictionary, read strictly into a transaction.

The same rules as eth_account's: the type may be left out and then follows from the
fees; `from`, if given, is the wallet; unknown fields are refused, for what is not
understood must not be signed around.
"""

from collections.abc import Mapping
from typing import Any

from keymoot.agent.errors import BadTransaction, NotSignable, WrongSender
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32
from keymoot.base.transaction import (
    ACCESS_LIST,
    DYNAMIC_FEE,
    LEGACY,
    MAX_DATA_BYTES,
    AccessEntry,
    EvmTransaction,
    read_access_list,
)
from keymoot.base.units import ChainId, Gas, Nonce, Wei
from keymoot.policy.names import checksummed

_COMMON = {"from", "type", "chainId", "nonce", "gas", "to", "value", "data", "input"}
_FIELDS = {
    LEGACY: _COMMON | {"gasPrice"},
    ACCESS_LIST: _COMMON | {"gasPrice", "accessList"},
    DYNAMIC_FEE: _COMMON | {"maxFeePerGas", "maxPriorityFeePerGas", "accessList"},
}
_AROUND = {
    "maxFeePerBlobGas": "blob transactions (type 3)",
    "blobVersionedHashes": "blob transactions (type 3)",
    "authorizationList": "EIP-7702 authorizations (type 4), which go around every rule",
}
_U64 = 64
_U256 = 256


def read_transaction(fields: Mapping[str, Any], sender: Address) -> EvmTransaction:
    """Read a complete dictionary; integers, hex text and bytes are accepted as web3.py writes them.

    Raises:
        BadTransaction: a field is missing, unknown, or out of bounds; the path names it.
        WrongSender: `from` is another account than the wallet's.
        NotSignable: a type that no policy can allow.
    """
    if not isinstance(fields, Mapping):
        raise BadTransaction(f"a transaction is a dictionary, got {type(fields).__name__}")
    _check_sender(fields, sender)
    kind = _kind(fields)
    unknown = sorted(str(name) for name in fields.keys() - _FIELDS[kind])
    if unknown:
        raise BadTransaction(f"a transaction of type {kind} has no such field", unknown[0])
    chain = (
        None if kind == LEGACY and fields.get("chainId") is None else _uint(fields, "chainId", _U64)
    )
    max_fee = _uint(fields, "maxFeePerGas" if kind == DYNAMIC_FEE else "gasPrice", _U256)
    priority = _uint(fields, "maxPriorityFeePerGas", _U256) if kind == DYNAMIC_FEE else max_fee
    if priority > max_fee:
        raise BadTransaction("the priority fee is above maxFeePerGas", "maxPriorityFeePerGas")
    return EvmTransaction(
        kind=kind,
        chain_id=None if chain is None else ChainId(chain),
        nonce=Nonce(_uint(fields, "nonce", _U64)),
        max_priority_fee=Wei(priority),
        max_fee=Wei(max_fee),
        gas=Gas(_uint(fields, "gas", _U64)),
        to=_to(fields.get("to")),
        value=Wei(_uint(fields, "value", _U256, 0)),
        data=_data(fields),
        access_list=_access_list(fields.get("accessList") or ()),
    )


def _check_sender(fields: Mapping[str, Any], sender: Address) -> None:
    given = fields.get("from")
    if given is not None and _address(given, "from") != sender:
        raise WrongSender(checksummed(_address(given, "from")), checksummed(sender))


def _kind(fields: Mapping[str, Any]) -> int:
    for name, what in _AROUND.items():
        if name in fields:
            raise NotSignable(f"Keymoot does not sign {what}: leave out {name}")
    if fields.get("type") is not None:
        kind = _uint(fields, "type", 8)
        if kind not in _FIELDS:
            raise NotSignable(f"Keymoot signs transactions of type 0, 1 and 2, not {kind}")
        return kind
    if "maxFeePerGas" in fields or "maxPriorityFeePerGas" in fields:
        return DYNAMIC_FEE
    return ACCESS_LIST if "accessList" in fields else LEGACY


def _uint(fields: Mapping[str, Any], name: str, bits: int, default: int | None = None) -> int:
    given = fields.get(name)
    if given is None:
        if default is None:
            raise BadTransaction("this field is missing: fill it from the target chain", name)
        return default
    if isinstance(given, str):
        given = _integer_of_hex(given, name)
    if isinstance(given, bool) or not isinstance(given, int):
        raise BadTransaction(f"an integer is expected, got {type(given).__name__}", name)
    if not 0 <= given < 1 << bits:
        raise BadTransaction(f"an integer of at most {bits} bits is expected", name)
    return given


def _integer_of_hex(text: str, name: str) -> int:
    digits = text[2:]
    if text[:2].lower() != "0x" or not 0 < len(digits) <= 64 or not _is_hex(digits):
        raise BadTransaction("an integer as text starts with 0x and has hex digits", name)
    return int(digits, 16)


def _is_hex(digits: str) -> bool:
    return all(digit in "0123456789abcdefABCDEF" for digit in digits)


def _raw(given: object, name: str) -> bytes:
    if isinstance(given, (bytes, bytearray)):
        return bytes(given)
    if isinstance(given, str):
        digits = given[2:] if given[:2].lower() == "0x" else given
        if len(digits) % 2 == 0 and _is_hex(digits):
            return bytes.fromhex(digits)
    raise BadTransaction("bytes or 0x and an even number of hex digits are expected", name)


def _address(given: object, name: str) -> Address:
    raw = _raw(given, name)
    try:
        address = Address(raw)
    except Malformed as error:
        raise BadTransaction(error.reason, name) from None
    if isinstance(given, str) and not _checksum_fits(given.removeprefix("0x"), address):
        raise BadTransaction("upper and lower case do not fit the address: a typing error?", name)
    return address


def _checksum_fits(digits: str, address: Address) -> bool:
    """Check mixed case against EIP-55; one case alone says nothing."""
    return digits in (digits.lower(), digits.upper()) or digits == checksummed(address)[2:]


def _to(given: object) -> Address | None:
    return None if given is None or given in ("", "0x", b"") else _address(given, "to")


def _data(fields: Mapping[str, Any]) -> bytes:
    data, other = fields.get("data"), fields.get("input")
    if data is not None and other is not None and _raw(data, "data") != _raw(other, "input"):
        raise BadTransaction("data and input differ: give one of them", "input")
    given = data if data is not None else other
    raw = b"" if given is None else _raw(given, "data")
    if len(raw) > MAX_DATA_BYTES:
        raise BadTransaction(f"at most {MAX_DATA_BYTES} bytes are accepted, got {len(raw)}", "data")
    return raw


def _access_list(given: object) -> tuple[AccessEntry, ...]:
    try:
        return read_access_list(given, _address, _slot)
    except BadTransaction:
        raise
    except Malformed as error:
        raise BadTransaction(error.reason, error.path) from None


def _slot(given: object, path: str) -> Bytes32:
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 1 << _U256:
        return Bytes32(given.to_bytes(32, "big"))
    raw = _raw(given, path)
    if len(raw) != Bytes32.LENGTH:
        raise BadTransaction(f"{Bytes32.LENGTH} bytes are expected, got {len(raw)}", path)
    return Bytes32(raw)
