"""Methods about accounts and their storage, and calls that read it."""

from dataclasses import replace
from functools import partial

from keymoot.base.errors import KeymootError
from keymoot.base.hexes import data, quantity
from keymoot.base.strict_json import Json
from keymoot.base.units import Height
from keymoot.contracts.framework.registry import CODE
from keymoot.crypto.signed_query import NO_REPLY_KEY, SELECTOR, SignedQuery
from keymoot.gateway.errors import RESOURCE_UNAVAILABLE, RpcError, invalid_params, of_call, of_found
from keymoot.gateway.message import read_message
from keymoot.gateway.parameters import NEWEST, address_of, exactly, slot_of, state_height
from keymoot.gateway.services import Elsewhere, Ran, Services
from keymoot.runtime.asked import ExecutedQuery
from keymoot.runtime.query import AsksSecrets, Query
from keymoot.runtime.query import estimate as run_estimate
from keymoot.store.state import State

MAX_PROOF_SLOTS = 256


async def accounts(services: Services, params: list[Json]) -> Json:
    """eth_accounts: none, for the node signs for nobody."""
    exactly(params, 0, 0)
    return []


async def balance(services: Services, params: list[Json]) -> Json:
    """eth_getBalance, in wei of the ledger's token."""
    who, when = exactly(params, 1, 2)
    state = _state(services, when)
    return quantity(state.account(address_of(who, "address")).balance)


async def transaction_count(services: Services, params: list[Json]) -> Json:
    """eth_getTransactionCount; "pending" counts what waits."""
    who, when = exactly(params, 1, 2)
    address = address_of(who, "address")
    if when == "pending":
        return quantity(services.ledger.pending_nonce(address))
    return quantity(_state(services, when).account(address).nonce)


async def code(services: Services, params: list[Json]) -> Json:
    """eth_getCode: a contract shows one invalid instruction, from its first block on."""
    who, when = exactly(params, 1, 2)
    there = services.ledger.contracts.at(state_height(services.ledger, when))
    return data(CODE) if address_of(who, "address") in there else "0x"


async def storage_at(services: Services, params: list[Json]) -> Json:
    who, where, when = exactly(params, 2, 3)
    raw = _state(services, when).slot(address_of(who, "address"), slot_of(where, "slot"))
    return data(raw.rjust(32, b"\0"))


async def proof(services: Services, params: list[Json]) -> Json:
    """eth_getProof (EIP-1186), under the block's stateRoot."""
    who, slots, when = exactly(params, 2, 3)
    if not isinstance(slots, list) or len(slots) > MAX_PROOF_SLOTS:
        raise invalid_params(f"a list of at most {MAX_PROOF_SLOTS} storage slots is expected")
    state, address = _state(services, when), address_of(who, "address")
    account = state.account(address)
    proofs: list[Json] = []
    for at, storage_slot in enumerate(slots):
        slot = slot_of(storage_slot, f"storageKeys[{at}]")
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


async def call(services: Services, params: list[Json]) -> "Json | Elsewhere":
    """eth_call, on our own disk; what asks for confidential state goes to an enclave.

    Where nobody signed it, only methods of public state take `from` as their sender.
    """
    query, height = _query(services, params)
    ledger, signed = services.ledger, None
    asked = ExecutedQuery(height, query.to, query.data, query.gas)
    if query.data.startswith(SELECTOR):
        signed = ledger.check_signed(query, height)
        query = replace(query, data=signed.data, signer=signed.sender)
    try:
        if signed is None or signed.reply_key == NO_REPLY_KEY:
            return data(ledger.query(query, height))
    except AsksSecrets:
        pass
    except KeymootError as error:
        raise of_call(error) from error
    if height != ledger.height():
        raise RpcError(
            RESOURCE_UNAVAILABLE,
            f"confidential state is read as of the newest block only, which is {ledger.height()}: "
            'ask at "latest"',
        )
    exact = params[1:2] not in ([], [None], *([name] for name in NEWEST))
    return Elsewhere(partial(_ask, services, asked, exact))


async def _ask(services: Services, asked: ExecutedQuery, exact: bool, ran: Ran) -> Json:  # noqa: FBT001
    answer = await services.queries.ask(asked, ran)
    if exact and answer.height != asked.least:
        raise RpcError(
            RESOURCE_UNAVAILABLE,
            f"block {answer.height} has come meanwhile, and confidential state is read as of the "
            'newest block only: ask at "latest"',
        )
    if answer.code:
        raise of_found(answer)
    return data(answer.output)


async def estimate_gas(services: Services, params: list[Json]) -> Json:
    query, height = _query(services, params)
    ledger = services.ledger
    if query.data.startswith(SELECTOR):
        # What is signed needs no proof here: an estimate opens nothing confidential to anybody.
        signed = SignedQuery.decode(query.data)
        query = replace(query, data=signed.data, claimed=signed.sender)
    state, block = ledger.state_at(height), ledger.environment_at(height)
    try:
        estimate = run_estimate(state, block, ledger.contracts, query)
    except KeymootError as error:
        raise of_call(error) from error
    return quantity(estimate)


def _state(services: Services, when: Json) -> State:
    return services.ledger.state_at(state_height(services.ledger, when))


def _query(services: Services, params: list[Json]) -> tuple[Query, Height]:
    message, when, *overrides = exactly(params, 1, 4)
    if any(override not in (None, {}) for override in overrides):
        raise invalid_params("state and block overrides are not supported: leave them out")
    asked = read_message(services.ledger, message)
    height = state_height(services.ledger, when)
    if asked.to is None:
        raise invalid_params("to is missing: this release has no EVM, contracts cannot be deployed")
    query = Query(
        asked.to, asked.data, asked.value, asked.sender, asked.gas, asked.fee, asked.listed
    )
    return query, height
