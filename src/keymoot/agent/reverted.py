"""The word for a refusal, where a node tells it as Ethereum's nodes do: in ABI, as error data.

Each error of the contracts here has a signature of its own; whatever else a call comes to is
`Refused(string,string)`, which carries the word. A stranger's contract may say anything there, so
only what looks like a word counts as one.
"""

import re
from functools import cache

from keymoot.base.abi.decode import decode
from keymoot.base.abi.kinds import parameters
from keymoot.base.errors import Malformed
from keymoot.contracts.builtin.registry import BUILT_IN
from keymoot.contracts.framework.errors import ANY_REFUSAL, COMMON, ContractError, selector_of

_SELECTOR_BYTES = 4
_WORD = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)


def word_of(data: object, errors: tuple[type[ContractError], ...] = ()) -> str:
    """Give the code of the error that revert data are of, or nothing.

    Args:
        data: Bytes, or 0x and hex digits; anything else has no word.
        errors: Those of a contract that is not built in.
    """
    raw = _bytes_of(data)
    selector = raw[:_SELECTOR_BYTES]
    if selector != selector_of(ANY_REFUSAL):
        theirs = {selector_of(error.SIGNATURE): error.code for error in errors}
        return theirs.get(selector, "") or _words().get(selector, "")
    try:
        word = str(decode(parameters(ANY_REFUSAL), raw[_SELECTOR_BYTES:])[0])
    except Malformed:
        return ""
    return word if _WORD.fullmatch(word) else ""


def _bytes_of(data: object) -> bytes:
    if isinstance(data, bytes):
        return data
    try:
        return bytes.fromhex(data[2:]) if isinstance(data, str) and data[:2] == "0x" else b""
    except ValueError:
        return b""


@cache
def _words() -> dict[bytes, str]:
    errors = {error for row in BUILT_IN for error in (*COMMON, *row.kind.ERRORS)}
    return {selector_of(error.SIGNATURE): error.code for error in errors}
