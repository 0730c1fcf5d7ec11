"""What an agent would ask for, read from files."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from keymoot.cli.output import fail

if TYPE_CHECKING:
    from keymoot.base.errors import Malformed
    from keymoot.base.fixed import Address, SolanaAddress
    from keymoot.base.strict_json import Json
    from keymoot.base.transaction import EvmTransaction
    from keymoot.policy.chain import Chain

_NOBODY = "0x" + "00" * 19 + "01"
_NOBODY_ON_SOLANA = "1" * 31 + "2"

MAX_FILE_BYTES = 1_048_576
"""Longest file of JSON that is read; what it says may be too long all the same."""


def read_wish(
    file: Path, chain: "Chain", wallet: str | None, *, as_text: bool
) -> "tuple[str, bytes, Address | SolanaAddress]":
    """Give what would be asked: method, payload, and the account that is to sign.

    Args:
        file: A transaction, or a text.
        chain: Whose transactions the file holds.
        wallet: The account's address; None for what the file says.
        as_text: Whether the file is a text to sign as it is.
    """
    from keymoot.base.request import (
        SIGN_MESSAGE,
        SIGN_SOLANA_MESSAGE,
        SIGN_SOLANA_TRANSACTION,
        SIGN_TRANSACTION,
    )
    from keymoot.policy.chain import SOLANA
    from keymoot.policy.errors import BadPolicy
    from keymoot.policy.names import parse_address, parse_solana_address

    try:
        if chain.namespace == SOLANA:
            payer = parse_solana_address(wallet or _NOBODY_ON_SOLANA, "--wallet")
            if as_text:
                return SIGN_SOLANA_MESSAGE, bytes_of(file), payer
            payload, found = solana_message(file, payer)
            return SIGN_SOLANA_TRANSACTION, payload, payer if wallet else found
        if wallet is None and not as_text:
            # The client asks for its own account only, so `from` is who would ask.
            account = parse_address(fields_of(file).get("from") or _NOBODY, "from")
        else:
            account = parse_address(wallet or _NOBODY, "--wallet")
    except BadPolicy as error:
        fail(str(error))
    if as_text:
        return SIGN_MESSAGE, bytes_of(file), account
    return SIGN_TRANSACTION, read_transaction(file, account.hex0x).unsigned_bytes(), account


def read_transaction(file: Path, wallet: str) -> "EvmTransaction":
    """Read a transaction file: web3.py's dictionary as JSON."""
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
        except json.JSONDecodeError as found:
            return f"{error}: {found.msg} at line {found.lineno}, column {found.colno}"
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
    from keymoot.base.solana_message import decode_message, message_of_transaction

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
    """Give what a file holds."""
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
