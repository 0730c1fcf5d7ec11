"""Methods about accounts and their storage, and calls that read it."""

from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Address
from keymoot.base.hexes import data, parse_quantity, quantity
from keymoot.base.strict_json import Json
from keymoot.base.units import Wei
from keymoot.contracts.registry import CODE
from keymoot.gateway.errors import INVALID_PARAMS, RpcError, invalid_params, of_call
from keymoot.gateway.parameters import address_of, data_of, exactly, newest_only, slot_of
from keymoot.gateway.services import Services
from keymoot.runtime.query import estimate as run_estimate

MAX_PROOF_SLOTS = 256

_MESSAGE_FIELDS = {
    "from",
    "to",
    "gas",
    "gasPrice",
    "maxFeePerGas",
    "maxPriorityFeePerGas",
    "value",
    "data",
    "input",
    "nonce",
    "type",
    "chainId",
    "accessList",
}


async def accounts(services: Services, params: list[Json]) -> Json:
    """eth_accounts: none, for the node signs for nobody."""
    exactly(params, 0, 0)
    return []


async def balance(services: Services, params: list[Json]) -> Json:
    """eth_getBalance, in wei of the ledger's token."""
    who, when = exactly(params, 1, 2)
    newest_only(services.ledger, when)
    return quantity(services.ledger.state().account(address_of(who, "address")).balance)


async def transaction_count(services: Services, params: list[Json]) -> Json:
    """eth_getTransactionCount; "pending" counts what waits."""
    who, when = exactly(params, 1, 2)
    newest_only(services.ledger, when)
    address = address_of(who, "address")
    if when == "pending":
        return quantity(services.ledger.pending_nonce(address))
    return quantity(services.ledger.state().account(address).nonce)


async def code(services: Services, params: list[Json]) -> Json:
    """eth_getCode: built-in contracts show one invalid instruction."""
    who, when = exactly(params, 1, 2)
    newest_only(services.ledger, when)
    built_in = address_of(who, "address") in services.ledger.engine.app.contracts
    return data(CODE) if built_in else "0x"


async def storage_at(services: Services, params: list[Json]) -> Json:
    """eth_getStorageAt."""
    who, where, when = exactly(params, 2, 3)
    newest_only(services.ledger, when)
    raw = services.ledger.state().slot(address_of(who, "address"), slot_of(where, "slot"))
    return data(raw.rjust(32, b"\0"))


async def proof(services: Services, params: list[Json]) -> Json:
    """eth_getProof (EIP-1186), under the newest block's stateRoot."""
    who, slots, when = exactly(params, 2, 3)
    newest_only(services.ledger, when)
    if not isinstance(slots, list) or len(slots) > MAX_PROOF_SLOTS:
        raise invalid_params(f"a list of at most {MAX_PROOF_SLOTS} storage slots is expected")
    state, address = services.ledger.state(), address_of(who, "address")
    account = state.account(address)
    proofs: list[Json] = []
    for at, one in enumerate(slots):
        slot = slot_of(one, f"storageKeys[{at}]")
        nodes: list[Json] = [data(node) for node in state.prove_slot(address, slot)]
        value = int.from_bytes(state.slot(address, slot), "big")
        proofs.append({"key": slot.hex0x, "value": quantity(value), "proof": nodes})
    return {
        "address": address.hex0x,
        "balance": quantity(account.balance),
        "codeHash": account.code_hash.hex0x,
        "nonce": quantity(account.nonce),
        "storageHash": account.storage_root.hex0x,
        "accountProof": [data(node) for node in state.prove_account(address)],
        "storageProof": proofs,
    }


async def call(services: Services, params: list[Json]) -> Json:
    """eth_call: without a signature it has no sender, whatever `from` says."""
    message, when, *rest = exactly(params, 1, 3)
    newest_only(services.ledger, when)
    if rest[0]:
        raise RpcError(INVALID_PARAMS, "state overrides are not supported")
    _, to, body, value = _message(message)
    if to is None:
        raise RpcError(INVALID_PARAMS, "to is missing: contracts cannot be deployed yet")
    engine = services.ledger.engine
    try:
        result = engine.app.query(engine.snapshot, to, body, value)
    except KeymootError as error:
        raise of_call(error) from error
    return data(result)


async def estimate_gas(services: Services, params: list[Json]) -> Json:
    """eth_estimateGas."""
    message, when, *rest = exactly(params, 1, 3)
    newest_only(services.ledger, when)
    if rest[0]:
        raise RpcError(INVALID_PARAMS, "state overrides are not supported")
    sender, to, body, value = _message(message)
    ledger, app = services.ledger, services.ledger.engine.app
    try:
        found = run_estimate(
            ledger.state(), ledger.block_environment(), app.contracts, sender, to, body, value
        )
    except KeymootError as error:
        raise of_call(error) from error
    return quantity(found)


def _message(message: Json) -> tuple[Address | None, Address | None, bytes, Wei]:
    if not isinstance(message, dict):
        raise invalid_params("a transaction object is expected")
    unknown = message.keys() - _MESSAGE_FIELDS
    if unknown:
        raise invalid_params(f"unknown field: {', '.join(sorted(unknown))[:128]}")
    given = {name: value for name, value in message.items() if value is not None}
    if "data" in given and "input" in given and given["data"] != given["input"]:
        raise invalid_params("data and input differ: send one of them")
    body = given.get("input", given.get("data", "0x"))
    return (
        address_of(given["from"], "from") if "from" in given else None,
        address_of(given["to"], "to") if "to" in given else None,
        data_of(body, "input"),
        Wei(parse_quantity(given["value"], "value")) if "value" in given else Wei(0),
    )
