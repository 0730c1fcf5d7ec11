"""Methods that send transactions, and look them up."""

from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Hash32
from keymoot.base.hexes import data, parse_quantity
from keymoot.base.request import REQUEST_TYPE
from keymoot.base.strict_json import Json
from keymoot.base.units import Height
from keymoot.contracts.builtin.keys import AppKeyAsked, KeyAsked, Keys
from keymoot.crypto.transactions import request_key
from keymoot.engine.ledger import Included, NotIncluded
from keymoot.gateway.errors import NOT_IN_TIME, REJECTED, RpcError, invalid_params, of_submission
from keymoot.gateway.parameters import count_of, data_of, exactly, hash_of, height_of
from keymoot.gateway.render import receipt_json, transaction_json, waiting_json
from keymoot.gateway.services import Services
from keymoot.policy.errors import REFUSED_CODE
from keymoot.runtime.admit import AlreadyAnswered
from keymoot.runtime.receipt import Receipt
from keymoot.runtime.release import find_record

DEFAULT_SYNC_MILLISECONDS = 10_000
FINISH_SECONDS = 2.0
"""How long keymoot_ask waits beyond the certified block, for enough answers."""

MAX_SYNC_MILLISECONDS = 60_000
"""Longest wait of `eth_sendRawTransactionSync`."""

_ASKED = {event.topic(): event for event in (KeyAsked, AppKeyAsked)}


async def send_raw(services: Services, params: list[Json]) -> Json:
    """eth_sendRawTransaction: take it into the pool and give its hash."""
    raw = data_of(exactly(params, 1, 1)[0], "transaction")
    return (await _submit(services, raw)).hex0x


async def send_raw_sync(services: Services, params: list[Json]) -> Json:
    """eth_sendRawTransactionSync (EIP-7966): give the receipt of the certified block."""
    first, timeout = exactly(params, 1, 2)
    raw, milliseconds = data_of(first, "transaction"), _milliseconds(timeout)
    return receipt_json(await _included(services, raw, milliseconds))


async def ask(services: Services, params: list[Json]) -> Json:
    """keymoot_ask: the two steps of whatever enclaves answer, in one exchange.

    Takes what eth_sendRawTransactionSync takes: a request, or a transaction that asks Keys. Waits
    for its certified block, and gives what `GET /shares/{name}` gives; what is already decided is
    simply answered.
    """
    first, timeout = exactly(params, 1, 2)
    raw, milliseconds = data_of(first, "request"), _milliseconds(timeout)
    tx = services.ledger.open(raw)
    if tx.request is not None:
        await _decided(services, raw, milliseconds)
        name = request_key(tx.sender, tx.request.request_id)
        _check_decided(services, tx.hash, name)
    elif tx.ethereum is not None and tx.ethereum.to == Keys.ADDRESS:
        name = _question_in(await _included(services, raw, milliseconds))
    else:
        raise invalid_params(
            "what enclaves answer is a request (transaction type 0x4b), or a transaction to Keys"
        )
    return await services.shares.release(name, FINISH_SECONDS)


async def _decided(services: Services, raw: bytes, milliseconds: int) -> None:
    try:
        name = await services.ledger.submit(raw)
        await services.ledger.wait(name, milliseconds / 1000)
    except AlreadyAnswered:
        pass
    except KeymootError as error:
        raise of_submission(error, request=True) from error


async def _included(services: Services, raw: bytes, milliseconds: int) -> Included:
    """Submit a transaction, and wait until it is in a certified block."""
    name = await _submit(services, raw)
    try:
        included = await services.ledger.wait(name, milliseconds / 1000)
    except NotIncluded as error:
        raise of_submission(error, request=_is_request(raw)) from error
    if included is None:
        message = f"the transaction waits, but was in no block after {milliseconds} ms"
        raise RpcError(NOT_IN_TIME, message, name.hex0x)
    return included


def _question_in(included: Included) -> Hash32:
    """Name the question that a transaction asked; RpcError where it failed, or asked none."""
    receipt = included.receipt
    if receipt.status == 0:
        raise _refused(receipt)
    for log in receipt.logs:
        event = _ASKED.get(log.topics[0]) if log.address == Keys.ADDRESS else None
        if event is not None:
            return event.read(log.topics, log.data).question
    raise RpcError(REJECTED, "the transaction is in a block, and asked for no key")


def _check_decided(services: Services, name: Hash32, key: Hash32) -> None:
    """Raise for a request that failed in its block without a record: no answer will ever come."""
    if find_record(services.ledger.state(), key) is not None:
        return
    transaction = services.ledger.transaction(name)
    if transaction is not None and transaction.receipt.status == 0:
        raise _refused(transaction.receipt)


def _refused(receipt: Receipt) -> RpcError:
    reason: dict[str, Json] = {"reason": receipt.error_code}
    return RpcError(REFUSED_CODE, f"keymoot refused: {receipt.error}", reason)


async def by_hash(services: Services, params: list[Json]) -> Json:
    name = hash_of(exactly(params, 1, 1)[0], "hash")
    waiting = services.ledger.waiting(name)
    if waiting is not None:
        return waiting_json(services.ledger, waiting)
    transaction = services.ledger.transaction(name)
    return None if transaction is None else transaction_json(services.ledger, transaction)


async def by_block_hash(services: Services, params: list[Json]) -> Json:
    which, index = exactly(params, 2, 2)
    return _at(services, services.ledger.height_of(hash_of(which, "blockHash")), index)


async def by_block_number(services: Services, params: list[Json]) -> Json:
    which, index = exactly(params, 2, 2)
    return _at(services, height_of(services.ledger, which), index)


async def receipt(services: Services, params: list[Json]) -> Json:
    """eth_getTransactionReceipt: once its block is certified."""
    transaction = services.ledger.transaction(hash_of(exactly(params, 1, 1)[0], "hash"))
    return None if transaction is None else receipt_json(transaction)


async def outcome(services: Services, params: list[Json]) -> Json:
    """keymoot_getOutcome: a receipt's refusal in words, which Ethereum's receipts lack."""
    transaction = services.ledger.transaction(hash_of(exactly(params, 1, 1)[0], "hash"))
    if transaction is None:
        return None
    return {
        "status": transaction.receipt.status,
        "errorCode": transaction.receipt.error_code,
        "error": transaction.receipt.error,
        "output": data(transaction.receipt.output),
    }


async def _submit(services: Services, raw: bytes) -> Hash32:
    try:
        return await services.ledger.submit(raw)
    except KeymootError as error:
        raise of_submission(error, request=_is_request(raw)) from error


def _is_request(raw: bytes) -> bool:
    return raw[:1] == bytes((REQUEST_TYPE,))


def _at(services: Services, height: Height | None, index: Json) -> Json:
    position = parse_quantity(index, "index")
    block = None if height is None else services.ledger.block(height)
    if block is None or position >= len(block.transactions):
        return None
    receipts = services.ledger.receipts(block)
    return transaction_json(services.ledger, services.ledger.included(block, receipts, position))


def _milliseconds(value: Json) -> int:
    if value is None:
        return DEFAULT_SYNC_MILLISECONDS
    wanted = count_of(value, "timeout")
    if not 0 < wanted <= MAX_SYNC_MILLISECONDS:
        raise invalid_params(f"a timeout is 1 to {MAX_SYNC_MILLISECONDS} milliseconds")
    return wanted
