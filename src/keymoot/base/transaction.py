"""Ethereum transactions of types 0, 1 and 2: the values and their bytes.

Follows EIP-155 (legacy with replay protection), EIP-2930 and EIP-1559. Used twice:
for what people send to the ledger (signed), and for what an agent asks a wallet to
sign (unsigned). Hashing and recovery are `crypto`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import (
    bytes_of,
    fixed_of,
    list_of,
    optional_fixed_of,
    signature_fields,
    signature_of,
    uint,
    uint_of,
)
from keymoot.base.fixed import Address, Bytes32, Signature65
from keymoot.base.strict_json import Json
from keymoot.base.units import ChainId, Gas, Nonce, Wei

LEGACY = 0
ACCESS_LIST = 1
DYNAMIC_FEE = 2

MAX_DATA_BYTES = 65_536
"""Calldata that we read; Ethereum's clients relay at most 128 KiB a transaction."""

MAX_ITEMS = 1_024
"""Fields, and addresses, slots and lists of an access list, that are read of one transaction."""

NAMES_NETWORK = Address(b"keymoot:network-id-1")
"""In an access list: its slot is the id of the one network that a ledger transaction is for.

All networks have one chain id, which is all that Ethereum's signature binds. No contract is here.
"""

_U64 = 8
_LEGACY_UNPROTECTED_FIELDS = 6
_LEGACY_PROTECTED_FIELDS = 9
_V_UNPROTECTED = (27, 28)
_V_PROTECTED_BASE = 35


class UnsupportedType(Malformed, code="TRANSACTION_TYPE"):
    """A typed transaction that is neither 0, 1 nor 2 (blob, EIP-7702, unknown)."""

    def __init__(self, kind: int) -> None:
        super().__init__(f"transaction type {kind} is not supported: send type 0, 1 or 2")
        self.kind = kind


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One address and the storage slots that an EIP-2930 list names for it."""

    address: Address
    slots: tuple[Bytes32, ...]

    def to_json(self) -> Json:
        return {"address": self.address.hex0x, "storageKeys": [slot.hex0x for slot in self.slots]}


def read_access_list(
    given: object,
    address_of: Callable[[Any, str], Address],
    slot_of: Callable[[Any, str], Bytes32],
) -> tuple[AccessEntry, ...]:
    """Read an access list as clients give it: Malformed, with the path of what is wrong.

    `address_of` and `slot_of` read a value and know its path.
    """
    if not isinstance(given, (list, tuple)):
        raise Malformed("a list is expected", "accessList")
    entries, items = [], 0
    for at, entry in enumerate(given):
        path = f"accessList[{at}]"
        if not isinstance(entry, Mapping) or set(entry) != {"address", "storageKeys"}:
            raise Malformed("an entry has address and storageKeys", path)
        keys = entry["storageKeys"]
        if not isinstance(keys, (list, tuple)):
            raise Malformed("a list is expected", f"{path}.storageKeys")
        items += 2 + len(keys)
        if items > MAX_ITEMS:
            raise Malformed(f"at most {MAX_ITEMS} items are accepted", "accessList")
        slots = [slot_of(key, f"{path}.storageKeys[{place}]") for place, key in enumerate(keys)]
        entries.append(AccessEntry(address_of(entry["address"], f"{path}.address"), tuple(slots)))
    return tuple(entries)


@dataclass(frozen=True, slots=True)
class EvmTransaction:
    """A transaction before its signature.

    `max_fee` is wei per gas (gasPrice for types 0 and 1, where `max_priority_fee`
    equals it). `chain_id` is None for an unprotected legacy transaction only. `to`
    is None for contract creation.
    """

    kind: int
    chain_id: ChainId | None
    nonce: Nonce
    max_priority_fee: Wei
    max_fee: Wei
    gas: Gas
    to: Address | None
    value: Wei
    data: bytes
    access_list: tuple[AccessEntry, ...] = ()

    def unsigned_bytes(self) -> bytes:
        """The bytes whose Keccak-256 is signed."""
        if self.kind == LEGACY:
            tail = [] if self.chain_id is None else [uint(self.chain_id), b"", b""]
            return rlp.encode([*self._legacy_fields(), *tail])
        return bytes((self.kind,)) + rlp.encode(self._typed_fields())

    def signed_bytes(self, signature: Signature65) -> bytes:
        r, s = signature_fields(signature)
        parity = signature[64]
        if self.kind == LEGACY:
            base = (
                _V_UNPROTECTED[0]
                if self.chain_id is None
                else _V_PROTECTED_BASE + 2 * self.chain_id
            )
            return rlp.encode([*self._legacy_fields(), uint(base + parity), r, s])
        return bytes((self.kind,)) + rlp.encode([*self._typed_fields(), uint(parity), r, s])

    @property
    def max_cost(self) -> int:
        """Most wei the sender can lose: value and all gas at the highest fee."""
        return self.value + self.gas * self.max_fee

    def _legacy_fields(self) -> list[rlp.Item]:
        return [
            uint(self.nonce),
            uint(self.max_fee),
            uint(self.gas),
            self.to or b"",
            uint(self.value),
            self.data,
        ]

    def _typed_fields(self) -> list[rlp.Item]:
        fees = [uint(self.max_fee)]
        if self.kind == DYNAMIC_FEE:
            fees = [uint(self.max_priority_fee), uint(self.max_fee)]
        return [
            uint(self.chain_id or 0),
            uint(self.nonce),
            *fees,
            uint(self.gas),
            self.to or b"",
            uint(self.value),
            self.data,
            [[entry.address, list(entry.slots)] for entry in self.access_list],
        ]


def decode_unsigned(raw: bytes) -> EvmTransaction:
    """Read what `EvmTransaction.unsigned_bytes` wrote; UnsupportedType if it is not 0, 1 or 2."""
    kind, fields = _open(raw)
    if kind == LEGACY:
        if len(fields) == _LEGACY_UNPROTECTED_FIELDS:
            return _legacy(fields, None)
        if len(fields) != _LEGACY_PROTECTED_FIELDS:
            raise Malformed(f"an unsigned legacy transaction has 6 or 9 fields, got {len(fields)}")
        if fields[7] != b"" or fields[8] != b"":
            raise Malformed("an unsigned legacy transaction ends with two empty fields (EIP-155)")
        return _legacy(fields[:6], ChainId(uint_of(fields[6], "chainId", _U64)))
    return _typed(kind, list_of(fields, _typed_length(kind), "transaction"))


def decode_signed(raw: bytes) -> tuple[EvmTransaction, Signature65]:
    """As `decode_unsigned`, with the signature, without recovering the sender."""
    kind, fields = _open(raw)
    if kind == LEGACY:
        list_of(fields, _LEGACY_PROTECTED_FIELDS, "transaction")
        v = uint_of(fields[6], "v", _U64 + 1)
        if v in _V_UNPROTECTED:
            return _legacy(fields[:6], None), signature_of(v - _V_UNPROTECTED[0], fields[7:])
        if v < _V_PROTECTED_BASE + 2:
            raise Malformed(f"v is 27, 28 or at least 37 (EIP-155), got {v}", "v")
        chain_id, parity = divmod(v - _V_PROTECTED_BASE, 2)
        return _legacy(fields[:6], ChainId(chain_id)), signature_of(parity, fields[7:])
    list_of(fields, _typed_length(kind) + 3, "transaction")
    parity = uint_of(fields[-3], "yParity", 1)
    return _typed(kind, fields[:-3]), signature_of(parity, fields[-2:])


def _open(raw: bytes) -> tuple[int, list[rlp.Decoded]]:
    if not raw:
        raise Malformed("a transaction has no bytes")
    if raw[0] >= 0xC0:
        return LEGACY, list_of(rlp.decode(raw, max_items=MAX_ITEMS), None, "transaction")
    if raw[0] not in (ACCESS_LIST, DYNAMIC_FEE):
        raise UnsupportedType(raw[0])
    return raw[0], list_of(rlp.decode(raw[1:], max_items=MAX_ITEMS), None, "transaction")


def _typed_length(kind: int) -> int:
    return 8 if kind == ACCESS_LIST else 9


def _legacy(fields: Sequence[rlp.Decoded], chain_id: ChainId | None) -> EvmTransaction:
    price = Wei(uint_of(fields[1], "gasPrice"))
    return EvmTransaction(
        kind=LEGACY,
        chain_id=chain_id,
        nonce=Nonce(uint_of(fields[0], "nonce", _U64)),
        max_priority_fee=price,
        max_fee=price,
        gas=Gas(uint_of(fields[2], "gas", _U64)),
        to=optional_fixed_of(fields[3], Address, "to"),
        value=Wei(uint_of(fields[4], "value")),
        data=bytes_of(fields[5], "data", MAX_DATA_BYTES),
    )


def _typed(kind: int, fields: list[rlp.Decoded]) -> EvmTransaction:
    chain_id = ChainId(uint_of(fields[0], "chainId", _U64))
    nonce = Nonce(uint_of(fields[1], "nonce", _U64))
    priority = Wei(
        uint_of(fields[2], "maxPriorityFeePerGas" if kind == DYNAMIC_FEE else "gasPrice")
    )
    rest = fields[3:]
    max_fee = priority
    if kind == DYNAMIC_FEE:
        max_fee = Wei(uint_of(rest[0], "maxFeePerGas"))
        rest = rest[1:]
        if priority > max_fee:
            raise Malformed("the priority fee is above maxFeePerGas", "maxPriorityFeePerGas")
    return EvmTransaction(
        kind=kind,
        chain_id=chain_id,
        nonce=nonce,
        max_priority_fee=priority,
        max_fee=max_fee,
        gas=Gas(uint_of(rest[0], "gas", _U64)),
        to=optional_fixed_of(rest[1], Address, "to"),
        value=Wei(uint_of(rest[2], "value")),
        data=bytes_of(rest[3], "data", MAX_DATA_BYTES),
        access_list=_access_list(rest[4]),
    )


def _access_list(item: rlp.Decoded) -> tuple[AccessEntry, ...]:
    entries = []
    for index, pair in enumerate(list_of(item, None, "accessList")):
        path = f"accessList[{index}]"
        address, slots = list_of(pair, 2, path)
        entries.append(
            AccessEntry(
                address=fixed_of(address, Address, f"{path}.address"),
                slots=tuple(
                    fixed_of(slot, Bytes32, f"{path}.storageKeys[{at}]")
                    for at, slot in enumerate(list_of(slots, None, f"{path}.storageKeys"))
                ),
            )
        )
    return tuple(entries)
