"""What an agent would ask for, read from files."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from keymoot.cli.output import fail

if TYPE_CHECKING:
    from keymoot.base.errors import Malformed
    from keymoot.base.fixed import SolanaAddress
    from keymoot.base.strict_json import Json
    from keymoot.base.transaction import EvmTransaction
    from keymoot.base.units import UnixSeconds

MAX_FILE_BYTES = 1_048_576
"""Longest file of JSON that is read; what it says may be too long all the same."""


def read_transaction(file: Path, wallet: str) -> "EvmTransaction":
    from keymoot.agent.dictionary import read_transaction as from_dictionary
    from keymoot.base.errors import Malformed
    from keymoot.base.fixed import Address

    try:
        return from_dictionary(fields_of(file), Address.from_hex(wallet))
    except Malformed as error:
        fail(f"{file}: {error}")


def told_of_json(raw: bytes, error: "Malformed") -> str:
    """Say why a document is not read, and where it breaks.

    Where it breaks the library says in its own words, which the ledger may not repeat.
    """
    import json

    from keymoot.base.strict_json import NOT_JSON

    if error.reason == NOT_JSON:
        try:
            json.loads(raw)
        except json.JSONDecodeError as where:
            return f"{error}: {where.msg} at line {where.lineno}, column {where.colno}"
    return str(error)


def typed_data_of(file: Path) -> bytes:
    """Give the payload that an account asks with for a document of eth_signTypedData_v4."""
    from keymoot.base.strict_json import canonical

    wanted = "no typed data: a JSON object of types, primaryType, domain and message"
    return canonical(fields_of(file, wanted))


def action_of(file: Path, now: "UnixSeconds") -> bytes:
    """Give the payload for an action of Hyperliquid; what is left out is what the SDK would say.

    The keys of the action keep their order, for the exchange hashes them in it.
    """
    import json

    from keymoot.policy.chains.evm.hyperliquid.action import USER_SIGNED

    wanted = (
        'no action: a JSON object such as {"action": {"type": "order", …}, "network": "mainnet"}, '
        "with nonce, vaultAddress and expiresAfter where they matter"
    )
    told = fields_of(file, wanted)
    action = told.get("action")
    if "action" not in told or "network" not in told:
        fail(f"{file} is {wanted}")
    nonce: Json = 1_000 * now
    if isinstance(action, dict) and action.get("type") in USER_SIGNED:
        nonce = action.get(USER_SIGNED[str(action["type"])][2], nonce)
    whole = {"nonce": nonce, "vaultAddress": None, "expiresAfter": None} | told
    return json.dumps(whole, separators=(",", ":")).encode()


NO_TRANSACTION = 'not a transaction: a JSON object such as {"to": "0x…", "value": 0}'


def fields_of(file: Path, wanted: str = NO_TRANSACTION) -> "dict[str, Json]":
    """Read a JSON object, strictly: no key twice, no fractions, no endless nesting.

    `wanted` says, behind "is", what a file with something else should be.
    """
    from keymoot.base.errors import Malformed
    from keymoot.base.strict_json import parse

    raw = bytes_of(file)
    try:
        fields = parse(raw, MAX_FILE_BYTES)
    except Malformed as error:
        fail(f"{file}: {told_of_json(raw, error)}")
    if not isinstance(fields, dict):
        fail(f"{file} is {wanted}")
    return fields


def solana_message(file: Path, payer: "SolanaAddress") -> "tuple[bytes, SolanaAddress]":
    """Give the bytes to sign and who pays, or `payer` where that cannot be read."""
    import base64

    from keymoot.base.errors import Malformed
    from keymoot.policy.chains.solana.message import decode_message, message_of_transaction

    try:
        raw = base64.b64decode(b"".join(bytes_of(file).split()), validate=True)
    except ValueError as error:
        fail(f"{file} is not base64: {error}")
    candidates = [raw]
    with contextlib.suppress(Malformed):
        candidates.append(message_of_transaction(raw))
    for candidate in candidates:
        with contextlib.suppress(Malformed):
            return candidate, decode_message(candidate).accounts[0]
    # Neither can be read, so one of them gets its refusal: what has signatures is a whole
    # transaction.
    return candidates[-1], payer


def bytes_of(file: Path, most: int | None = None) -> bytes:
    """Give a file's bytes; of one that has more than `most` so many and one more."""
    if "\0" in str(file):
        fail(f"{file}: a file's name has no NUL")
    try:
        with file.open("rb") as opened:
            return opened.read(-1 if most is None else most + 1)
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror}): name a file that can")
