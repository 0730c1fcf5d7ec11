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


def fields_of(file: Path) -> "dict[str, Json]":
    """Read a JSON object, strictly: no key twice, no fractions, no endless nesting."""
    from keymoot.base.errors import Malformed
    from keymoot.base.strict_json import parse

    raw = bytes_of(file)
    try:
        fields = parse(raw, MAX_FILE_BYTES)
    except Malformed as error:
        fail(f"{file}: {told_of_json(raw, error)}")
    if not isinstance(fields, dict):
        fail(f'{file} is not a transaction: a JSON object such as {{"to": "0x…", "value": 0}}')
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


def bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror}): name a file that can")
