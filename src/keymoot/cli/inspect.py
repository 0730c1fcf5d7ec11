"""`keymoot inspect`: decode what other tools show as hex."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from keymoot.cli import settings
from keymoot.cli.dossier import begins_as_json, check_file
from keymoot.cli.output import fail, fields, result

MAX_FILE_BYTES = 1_048_576


def inspect(
    what: str, *, network: str | None = None, url: str | None = None, json: bool = False
) -> None:
    """Decode a transaction, request, header or proof; look a hash up; or check a file of proofs.

    A file of proofs (what keymoot_proof gives) is checked with no network: each step that holds
    is named, and what is left to believe. Exit status 0 only if all of it holds.

    Args:
        what: Hex, a file that holds hex or proofs, or a 32-byte hash of a ledger transaction or
            block.
        network: The network's id that a file of proofs must be of.
        url: The Keymoot RPC, for hashes.
        json: Print the result as JSON.
    """
    if not what.startswith("0x") and begins_as_json(what):
        check_file(what, network, as_json=json)
        return
    raw = _bytes(what)
    shown = _look_up(raw, url) if len(raw) == 32 else _decode(raw)
    lines = fields({name: value for name, value in shown.items() if value is not None})
    result(shown, lines, as_json=json)


def _bytes(what: str) -> bytes:
    from keymoot.base.errors import Malformed
    from keymoot.base.hexes import parse_data

    text = what
    if not what.startswith("0x"):
        try:
            with Path(what).open(encoding="utf-8") as file:
                text = file.read(MAX_FILE_BYTES).strip()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            fail(f"{what[:66]} is neither hex (0x…) nor a file that can be read: {why}")
    try:
        return parse_data(text)
    except Malformed as error:
        fail(f"{what[:66]}: {error}")


def _look_up(raw: bytes, url: str | None) -> dict[str, Any]:
    network = settings.network(url)
    name = "0x" + raw.hex()
    transaction = network.call("eth_getTransactionByHash", name)
    if transaction is not None:
        shown: dict[str, Any] = {"kind": "ledger transaction", **transaction}
        outcome = network.call("keymoot_getOutcome", name)
        if outcome is not None:
            shown |= {f"outcome.{key}": value for key, value in outcome.items()}
        return shown
    block = network.call("eth_getBlockByHash", name, False)  # noqa: FBT003  JSON-RPC's parameter
    if block is not None:
        return {"kind": "ledger block", **block}
    fail(f"{name} is no transaction or block of {network.url}")


def _decode(raw: bytes) -> dict[str, Any]:
    from keymoot.base.errors import Malformed

    readers: tuple[tuple[str, Callable[[bytes], dict[str, Any]]], ...] = (
        ("request (0x4b)", _request),
        ("signed transaction", _signed),
        ("unsigned transaction", _unsigned),
        ("certified header", _certified),
        ("header", _header),
        ("trie node", _node),
    )
    for kind, reader in readers:
        try:
            return {"kind": kind, **reader(raw)}
        except Malformed:
            continue
    fail(
        f"{len(raw)} bytes that are no transaction, request, header or trie node; "
        "a hash has 32 bytes"
    )


def _request(raw: bytes) -> dict[str, Any]:
    from keymoot.base.request import SIGN_TRANSACTION, decode_request
    from keymoot.crypto.transactions import credential_of, request_key

    request, signature = decode_request(raw)
    sender = credential_of(request, signature)
    shown: dict[str, Any] = {
        "credential": sender.hex0x,
        "network": request.network.hex0x,
        "wallet": request.wallet.hex0x,
        "id": request.request_id.hex0x,
        "key": request_key(sender, request.request_id).hex0x,
        "expiresAt": request.expires_at,
        "method": request.method,
    }
    if request.method == SIGN_TRANSACTION:
        wished = {f"asks.{name}": value for name, value in _unsigned(request.payload).items()}
        return shown | wished
    return shown | {"payload": "0x" + request.payload.hex()}


def _signed(raw: bytes) -> dict[str, Any]:
    from keymoot.base.transaction import decode_signed
    from keymoot.crypto.transactions import sender_of, transaction_hash

    transaction, signature = decode_signed(raw)
    shown = {"hash": transaction_hash(raw).hex0x, "from": sender_of(transaction, signature).hex0x}
    return shown | _transaction(transaction)


def _unsigned(raw: bytes) -> dict[str, Any]:
    from keymoot.base.transaction import decode_unsigned
    from keymoot.crypto.transactions import signing_hash

    transaction = decode_unsigned(raw)
    return {"signingHash": signing_hash(transaction).hex0x, **_transaction(transaction)}


def _transaction(transaction: Any) -> dict[str, Any]:
    from keymoot.contracts.builtin.registry import BUILT_IN

    shown = {
        "type": transaction.kind,
        "chainId": transaction.chain_id,
        "nonce": transaction.nonce,
        "to": None if transaction.to is None else transaction.to.hex0x,
        "value": str(transaction.value),
        "gas": transaction.gas,
        "maxFeePerGas": str(transaction.max_fee),
        "data": "0x" + transaction.data.hex(),
    }
    for contract in BUILT_IN:
        method = contract.kind.METHODS.get(transaction.data[:4])
        if transaction.to == contract.address and method is not None:
            shown["calls"] = f"{contract.name}.{method.signature}"
    return shown


def _header(raw: bytes) -> dict[str, Any]:
    from keymoot.store.header import Header

    return _shown_header(Header.decode(raw))


def _certified(raw: bytes) -> dict[str, Any]:
    from keymoot.committee.certified import CertifiedHeader

    certified = CertifiedHeader.decode(raw)
    return _shown_header(certified.header) | {
        "certificate": "0x" + certified.signature.hex(),
        "note": "decoded, not verified: that needs the network's verifying key",
    }


def _shown_header(header: Any) -> dict[str, Any]:
    return {
        "hash": header.hash.hex0x,
        "height": header.height,
        "time": header.time,
        "parent": header.parent_hash.hex0x,
        "stateRoot": header.state_root.hex0x,
        "generation": header.generation.hex0x,
        "gasUsed": header.gas_used,
    }


def _node(raw: bytes) -> dict[str, Any]:
    from keymoot.crypto.keccak import keccak256
    from keymoot.store.nodes import BRANCH, LEAF, decode_node

    node = decode_node(raw)
    kind = {BRANCH: "branch", LEAF: "leaf"}.get(node[0], "extension")
    return {"node": kind, "hash": keccak256(raw).hex0x}
