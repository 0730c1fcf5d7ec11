"""What a host may ask an enclave of confidential state, and what it gets.

    query    = rlp([least, to, data, gas])
    answer   = rlp([height, output, code, message, revert data])

`data` is calldata, or a `signedQuery`; gas 0 means as much as a query may use. The code is
empty where the call did not fail.
"""

from dataclasses import dataclass
from typing import Annotated

from keymoot.base.fixed import Address
from keymoot.base.forms import AtMost, Cut
from keymoot.base.record import Record
from keymoot.base.units import Gas, Height

MAX_DATA_BYTES = 131_072
"""Longest calldata; a gateway takes no longer one either."""

MAX_MESSAGE_BYTES = 4_096
"""What is kept of the words of a call that failed."""


@dataclass(frozen=True, slots=True)
class ExecutedQuery(Record):
    """A call without effect on the newest certified state that an enclave has executed.

    Attributes:
        least: The height below which that state is too old for whoever asks.
        gas: The most that it may use; None for as much as a query may.
    """

    least: Height
    to: Address
    data: Annotated[bytes, AtMost(MAX_DATA_BYTES)]
    gas: Gas | None = None


@dataclass(frozen=True, slots=True)
class QueryResult(Record):
    """What a call gave.

    Attributes:
        height: Of the state on which it ran.
        output: What it returned, or what is sealed to the asker's reply key.
        code: Why it failed; empty where it did not.
        message: The same in words.
        revert: The same as Solidity's error data; empty where no contract said it.
    """

    height: Height
    output: bytes
    code: Annotated[str, AtMost(64)] = ""
    message: Annotated[str, Cut(MAX_MESSAGE_BYTES)] = ""
    revert: bytes = b""
