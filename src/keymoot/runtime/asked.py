"""What a host may ask an enclave of confidential state, and what it gets.

    query    = rlp([least, to, data, gas])
    answer   = rlp([height, output, code, message, revert data])

`data` is calldata, or a `signedQuery`; gas 0 means as much as a query may use. The code is
empty where the call did not fail.
"""

from dataclasses import dataclass

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, text_of, uint, uint_of
from keymoot.base.fixed import Address
from keymoot.base.units import Gas, Height

MAX_DATA_BYTES = 131_072
"""Longest calldata; a gateway takes no longer one either."""

MAX_MESSAGE_BYTES = 4_096
"""What is kept of the words of a call that failed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call without effect on the newest certified state that an enclave has executed.

    Attributes:
        least: The height below which that state is too old for whoever asks.
        gas: The most that it may use; None for as much as a query may.
    """

    least: Height
    to: Address
    data: bytes
    gas: Gas | None = None

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        return [uint(self.least), self.to, self.data, uint(self.gas or 0)]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Asked":
        """Read the RLP item.

        Raises:
            Malformed: not a query, or one with more calldata than is read.
        """
        least, to, data, gas = list_of(item, 4, "query")
        calldata = bytes_of(data, "data")
        if len(calldata) > MAX_DATA_BYTES:
            raise Malformed(f"calldata has at most {MAX_DATA_BYTES} bytes, got {len(calldata)}")
        return Asked(
            Height(uint_of(least, "least", 8)),
            fixed_of(to, Address, "to"),
            calldata,
            Gas(uint_of(gas, "gas", 8)) or None,
        )


@dataclass(frozen=True, slots=True)
class Found:
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
    code: str = ""
    message: str = ""
    revert: bytes = b""

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        message = self.message.encode()[:MAX_MESSAGE_BYTES].decode("utf-8", "ignore")
        return [uint(self.height), self.output, self.code.encode(), message.encode(), self.revert]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Found":
        """Read the RLP item.

        Raises:
            Malformed: not an answer.
        """
        height, output, code, message, revert = list_of(item, 5, "found")
        return Found(
            Height(uint_of(height, "height", 8)),
            bytes_of(output, "output"),
            text_of(code, "code", 64),
            text_of(message, "message", MAX_MESSAGE_BYTES),
            bytes_of(revert, "revert"),
        )
