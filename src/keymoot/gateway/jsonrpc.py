"""JSON-RPC 2.0: bytes in, bytes out; nothing that comes in can do worse than an error."""

import asyncio
import json
import time
from collections.abc import Callable

from keymoot.base.errors import Defect, Malformed
from keymoot.base.strict_json import Json, parse
from keymoot.gateway.errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    LIMIT_EXCEEDED,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RpcError,
    invalid_params,
    of_anything,
)
from keymoot.gateway.limits import MAX_BATCH, MAX_BODY_BYTES, MAX_JSON_DEPTH, MAX_REFUSED, Payer
from keymoot.gateway.methods import Method
from keymoot.gateway.services import Elsewhere

MAX_ID_LENGTH = 256

QUERIES = frozenset({"eth_call", "eth_estimateGas"})
"""Methods that run a contract, and await nothing meanwhile.

What follows is paid by its own time.
"""

TOO_MANY = RpcError(LIMIT_EXCEEDED, "too many calls: wait a second")

Report = Callable[[str, Exception], None]


async def answer(methods: dict[str, Method], body: bytes, report: Report, payer: Payer) -> bytes:
    """Answer a body: one call, or a batch. Empty bytes where only notifications came.

    `payer` pays for the time of reading and of queries, and for further calls of a batch; the first
    is paid. `report` is told of every error that was not foreseen.
    """
    # A megabyte of empty lists is one call, and takes as long as a long query.
    started = time.thread_time()
    try:
        question = _read(body)
    except Malformed as error:
        return _dump(_error(None, RpcError(PARSE_ERROR, f"parse error: {error}")))
    finally:
        payer.owe(time.thread_time() - started)
    if not isinstance(question, list):
        single = await _answered(methods, question, report, payer)
        return b"" if single is None else _dump(single)
    if not 0 < len(question) <= MAX_BATCH:
        message = f"a batch has 1 to {MAX_BATCH} calls, got {len(question)}: send several"
        return _refuse_all(question, RpcError(INVALID_REQUEST, message))
    if not payer.take(len(question) - 1):
        return _refuse_all(question, TOO_MANY)
    answers = []
    for call in question:
        answers.append(await _answered(methods, call, report, payer))
        # Blocks are made between two calls of a batch.
        await asyncio.sleep(0)
    given: list[Json] = [call for call in answers if call is not None]
    return _dump(given) if given else b""


def _refuse_all(question: list[Json], error: RpcError) -> bytes:
    """Refuse each call of a batch by its id; one that is far too long as a whole."""
    if not 0 < len(question) <= MAX_REFUSED:
        return _dump(_error(None, error))
    refused: list[Json] = []
    for call in question:
        if not isinstance(call, dict):
            refused.append(_error(None, error))
        elif "id" in call:
            number = call["id"]
            refused.append(_error(number if _is_id(number) else None, error))
    return _dump(refused) if refused else b""


def _is_id(number: Json) -> bool:
    if isinstance(number, str):
        return len(number) <= MAX_ID_LENGTH
    return number is None or (isinstance(number, int) and not isinstance(number, bool))


def _read(body: bytes) -> Json:
    return parse(body, MAX_BODY_BYTES, MAX_JSON_DEPTH, floats=True)


async def _answered(
    methods: dict[str, Method], question: Json, report: Report, payer: Payer
) -> dict[str, Json] | None:
    if not isinstance(question, dict):
        return _error(None, RpcError(INVALID_REQUEST, "a call is a JSON object"))
    number = question.get("id")
    if not _is_id(number):
        return _error(None, RpcError(INVALID_REQUEST, "an id is short text or a whole number"))
    name, params = question.get("method"), question.get("params", [])
    if question.get("jsonrpc") != "2.0" or not isinstance(name, str):
        return _error(number, RpcError(INVALID_REQUEST, 'a call has "jsonrpc": "2.0" and a method'))
    try:
        result = await _run(methods, name, params, payer)
    except Exception as error:  # noqa: BLE001  a call never takes the node down
        told = of_anything(error)
        if told.code == INTERNAL_ERROR:
            report(name, error)
        given = _error(number, told)
    else:
        given = {"jsonrpc": "2.0", "id": number, "result": result}
    return given if "id" in question else None


async def _run(methods: dict[str, Method], name: str, params: Json, payer: Payer) -> Json:
    method = methods.get(name)
    if method is None:
        message = f"the method {name[:64]} does not exist or is not available"
        raise RpcError(METHOD_NOT_FOUND, message)
    if params is None:
        params = []
    if not isinstance(params, list):
        raise invalid_params("params is a list, in the method's order")
    if name not in QUERIES:
        return _here(await method(params))
    # A query that nobody signs is paid by nobody either: its sender owes its time.
    if not payer.take(0):
        raise TOO_MANY
    started = time.thread_time()
    try:
        result = await method(params)
    finally:
        payer.owe(time.thread_time() - started)
    return await result.run(payer.owe) if isinstance(result, Elsewhere) else result


def _here(result: "Json | Elsewhere") -> Json:
    if isinstance(result, Elsewhere):
        raise Defect("only queries are answered elsewhere")
    return result


def _error(number: Json, error: RpcError) -> dict[str, Json]:
    return {"jsonrpc": "2.0", "id": number, "error": error.to_json()}


def _dump(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
