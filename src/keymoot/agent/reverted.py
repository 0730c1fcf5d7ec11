"""The word for a refusal, where a node tried a call and tells it as Ethereum's nodes do: in ABI.

Only errors with a signature of their own can be told apart; the others come as `Error(string)`,
in words for people.
"""

from functools import cache

from keymoot.contracts.builtin.apps.errors import APP_ERRORS
from keymoot.crypto.keccak import keccak256_raw

_SELECTOR_DIGITS = 2 + 2 * 4


def word_of(data: object) -> str:
    """Give the code of the error of Apps that revert data are of, or nothing."""
    return _words().get(data[:_SELECTOR_DIGITS].lower(), "") if isinstance(data, str) else ""


@cache
def _words() -> dict[str, str]:
    return {
        "0x" + keccak256_raw(error.SIGNATURE.encode())[:4].hex(): error.code for error in APP_ERRORS
    }
