"""JSON-RPC 2.0: bytes in, bytes out; nothing that comes in can do worse than an error."""

import asyncio
import json
from collections.abc import Callable

from keymoot.base.errors import Malformed
from keymoot.base.strict_json import Json, parse
from keymoot.gateway.errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RpcError,
    invalid_params,
    of_anything,
)
from keymoot.gateway.limits import MAX_BATCH, MAX_BODY_BYTES, MAX_JSON_DEPTH
from keymoot.gateway.methods import Method

MAX_ID_LENGTH = 256

Report = Callable[[str, Exception], None]


async def answer(methods: dict[str, Method], body: bytes, report: Report) -> bytes:
    """Answer a body: one call, or a batch. Empty bytes where only notifications came.

    Args:
        methods: From `method_table`.
        body: What came.
        report: Is told of every error that was not foreseen.
    """
    try:
        question = _read(body)
    except Malformed as error:
        return _dump(_error(None, RpcError(PARSE_ERROR, f"parse error: {error}")))
    if not isinstance(question, list):
        found = await _one(methods, question, report)
        return b"" if found is None else _dump(found)
    if not 0 < len(question) <= MAX_BATCH:
        message = f"a batch has 1 to {MAX_BATCH} calls, got {len(question)}"
        return _dump(_error(None, RpcError(INVALID_REQUEST, message)))
    answers = []
    for one in question:
        answers.append(await _one(methods, one, report))
        # Blocks are made between two calls of a batch.
        await asyncio.sleep(0)
    given: list[Json] = [one for one in answers if one is not None]
    return _dump(given) if given else b""


def calls_in(body: bytes) -> int:
    """Guess how many calls a body holds, for the rate limit: at least one."""
    return max(1, body.count(b'"method"')) if body[:1] == b"[" else 1


def _read(body: bytes) -> Json:
    return parse(body, MAX_BODY_BYTES, MAX_JSON_DEPTH, floats=True)


async def _one(
    methods: dict[str, Method], question: Json, report: Report
) -> dict[str, Json] | None:
    if not isinstance(question, dict):
        return _error(None, RpcError(INVALID_REQUEST, "a call is a JSON object"))
    number = question.get("id")
    plain = number is None or (isinstance(number, (str, int)) and not isinstance(number, bool))
    if not plain or (isinstance(number, str) and len(number) > MAX_ID_LENGTH):
        return _error(None, RpcError(INVALID_REQUEST, "an id is short text or a whole number"))
    name, params = question.get("method"), question.get("params", [])
    if question.get("jsonrpc") != "2.0" or not isinstance(name, str):
        return _error(number, RpcError(INVALID_REQUEST, 'a call has "jsonrpc": "2.0" and a method'))
    try:
        found = await _run(methods, name, params)
    except Exception as error:  # noqa: BLE001  a call never takes the node down
        told = of_anything(error)
        if told.code == INTERNAL_ERROR:
            report(name, error)
        given = _error(number, told)
    else:
        given = {"jsonrpc": "2.0", "id": number, "result": found}
    return given if "id" in question else None


async def _run(methods: dict[str, Method], name: str, params: Json) -> Json:
    method = methods.get(name)
    if method is None:
        message = f"the method {name[:64]} does not exist or is not available"
        raise RpcError(METHOD_NOT_FOUND, message)
    if params is None:
        params = []
    if not isinstance(params, list):
        raise invalid_params("params is a list, in the method's order")
    return await method(params)


def _error(number: Json, error: RpcError) -> dict[str, Json]:
    return {"jsonrpc": "2.0", "id": number, "error": error.to_json()}


def _dump(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
