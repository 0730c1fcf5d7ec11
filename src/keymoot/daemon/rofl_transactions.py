"""Transactions as ROFL's clients write them, read into a call of the ledger.

Their daemon signs with the instance's own key, and so does this one: `is_authorized_origin` holds
of what it sends. Contracts that act on that key's word alone are not called so: they have routes
of their own, where each call is held against what the app allows.
"""

from collections.abc import Mapping
from typing import Any

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address
from keymoot.base.shown import bounded, unarmed
from keymoot.base.strict_json import Json
from keymoot.base.transaction import MAX_DATA_BYTES
from keymoot.base.units import Gas, Wei
from keymoot.contracts.framework.contract import built_in
from keymoot.daemon import fields
from keymoot.daemon.cbor import Cbor, decode, encode
from keymoot.daemon.errors import BadArgument, TransactionRefused
from keymoot.daemon.port import CallOutcome, LedgerCall

_MAX_BUILT_IN = 255
_EVM = "evm"
_REVERTED = 8
"""The code of ROFL's EVM for a call that was refused."""

_MAX_WORDS_BYTES = 1_024
"""Of a refusal that no receipt proves."""

_ADDRESS = "malformed address"
_METHOD = "transaction method not allowed"
_ENCRYPT = "use the encrypt flag for encryption"
_BUILT_IN = frozenset(built_in(number) for number in range(_MAX_BUILT_IN + 1))


def read_submission(asked: Mapping[str, Json]) -> LedgerCall:
    """Read the body of `tx/sign-submit`.

    `encrypt` says nothing here: calldata of this ledger is public, but for signed queries.

    Raises:
        BadArgument: the body is another.
        TransactionRefused: understood, and not signed.
    """
    fields.flag(asked, "encrypt", default=True)
    tx = asked.get("tx")
    if not isinstance(tx, dict):
        raise BadArgument("an object with kind and data is expected", "tx")
    kind, data = tx.get("kind"), tx.get("data")
    if kind == "eth" and isinstance(data, dict):
        call = _ethereum(data)
    elif kind == "std" and isinstance(data, str):
        call = _standard(fields.raw(tx, "data", MAX_DATA_BYTES, prefix=False))
    else:
        raise BadArgument("a transaction is of kind eth with an object, or std with hex", "tx")
    if call.to in _BUILT_IN:
        raise TransactionRefused(
            "the network's own contracts are not called with an instance's key: derived keys, "
            "metadata and signatures have routes of their own"
        )
    return call


def result_of(outcome: CallOutcome) -> bytes:
    """Give the SDK's CallResult, in CBOR; of a node's words what an agent may well read."""
    told: Cbor = {"ok": outcome.output}
    if not outcome.fine:
        words = f"{outcome.reason}: {outcome.message}".strip(": ")
        message = bounded(unarmed(words), _MAX_WORDS_BYTES)
        told = {"fail": {"module": _EVM, "code": _REVERTED, "message": message}}
    return encode(told)


def _ethereum(data: Mapping[str, Json]) -> LedgerCall:
    # Their Python client leaves out `to` where a contract is made.
    to = fields.raw(data, "to", MAX_DATA_BYTES, prefix=True, default="")
    return LedgerCall(
        to=_address(to),
        value=Wei(fields.number(data, "value", 128)),
        data=fields.raw(data, "data", MAX_DATA_BYTES, prefix=True),
        gas=Gas(fields.number(data, "gas_limit", 64)),
    )


def _standard(raw: bytes) -> LedgerCall:
    """Read the SDK's Transaction: {v, call: {format, method, body}, ai: {fee: {gas}}}."""
    try:
        return _called(decode(raw))
    except Malformed as error:
        raise TransactionRefused(str(error)) from error


def _called(told: Cbor) -> LedgerCall:
    call = _entry(told, "call", dict)
    if call.get("format", 0) != 0:
        raise TransactionRefused(_ENCRYPT)
    method = call.get("method")
    body = call.get("body")
    if method not in ("evm.Call", "evm.Create"):
        raise TransactionRefused(_METHOD)
    fee = _entry(_entry(told, "ai", dict), "fee", dict)
    gas = fee.get("gas", 0)
    if isinstance(gas, bool) or not isinstance(gas, int) or not 0 <= gas < 1 << 64:
        raise Malformed("fee.gas is a whole number")
    value = _entry(body, "value", bytes)
    if len(value) > 32:
        raise Malformed("value has at most 32 bytes")
    making = method == "evm.Create"
    return LedgerCall(
        to=None if making else _address(_entry(body, "address", bytes) or b"\0"),
        value=Wei(int.from_bytes(value, "big")),
        data=_entry(body, "init_code" if making else "data", bytes),
        gas=Gas(gas),
    )


def _entry(within: Any, name: str, kind: type) -> Any:
    value = within.get(name) if isinstance(within, dict) else None
    if not isinstance(value, kind):
        raise Malformed(f"{name} is missing, or of another type")
    return value


def _address(raw: bytes) -> Address | None:
    if not raw:
        return None
    if len(raw) != Address.LENGTH:
        raise TransactionRefused(_ADDRESS)
    return Address(raw)
