"""Refusals of contracts, with the revert data that Ethereum's tools decode."""

from typing import Any, ClassVar

from keymoot.base.abi.encode import encode
from keymoot.base.abi.kinds import parameters
from keymoot.base.errors import KeymootError, Refused
from keymoot.crypto.keccak import keccak256_raw

ANY_REFUSAL = "Refused(string,string)"
"""The error of whatever has none of its own: its word for programs, its message for people."""


class ContractError(Refused, code="REVERTED"):
    """A contract says no. Subclasses give `SIGNATURE`, as Solidity writes `error …`.

    Without one, code and message travel as `ANY_REFUSAL`.
    """

    SIGNATURE: ClassVar[str] = ANY_REFUSAL

    def __init__(self, message: str = "", *values: Any) -> None:
        """Take the words, and the values of what `SIGNATURE` lists."""
        super().__init__(message)
        self._values = values

    def arguments(self) -> tuple[Any, ...]:
        return (self.code, str(self)) if self.SIGNATURE == ANY_REFUSAL else self._values

    def revert_data(self) -> bytes:
        return revert_data(self.SIGNATURE, self.arguments())


class ToldInWords(ContractError):
    """An error whose one value is its message: subclasses have a `SIGNATURE` of one string."""

    def arguments(self) -> tuple[Any, ...]:
        return (str(self),)


def revert_data_of(error: KeymootError) -> bytes:
    """Give the error data of whatever a call came to, be it a contract's own word or not."""
    if isinstance(error, ContractError):
        return error.revert_data()
    return revert_data(ANY_REFUSAL, (error.code, str(error)))


def selector_of(signature: str) -> bytes:
    """Give the four bytes by which error data tell which error they are of."""
    return keccak256_raw(signature.encode())[:4]


def revert_data(signature: str, arguments: tuple[Any, ...]) -> bytes:
    return selector_of(signature) + encode(parameters(signature), arguments)


class UnknownMethod(ContractError, code="UNKNOWN_METHOD"):
    """No method has this selector."""

    SIGNATURE = "UnknownMethod(bytes4)"

    def __init__(self, selector: bytes) -> None:
        message = f"this contract has no method with selector 0x{selector.hex()}"
        super().__init__(message, selector[:4].ljust(4, b"\0"))


class BadArguments(ContractError, code="BAD_ARGUMENTS"):
    """The calldata is not the ABI encoding of the method's arguments."""

    SIGNATURE = "BadArguments(string,string)"

    def __init__(self, method: str, why: str) -> None:
        super().__init__(f"the arguments are not those of {method}: {why}", method, why)


class NotPayable(ContractError, code="NOT_PAYABLE"):
    """Value was sent to a method that takes none."""

    SIGNATURE = "NotPayable()"

    def __init__(self, method: str) -> None:
        super().__init__(f"{method} takes no value: send 0")


class Reentered(ContractError, code="REENTERED"):
    """A contract was called while one of its own calls was still running."""

    SIGNATURE = "Reentered()"

    def __init__(self, contract: str) -> None:
        super().__init__(f"{contract} is already running in this transaction")


class KeyUseRefused(ContractError, code="KEY_USE_REFUSED"):
    """A key or randomness was asked for where no final block is being executed."""

    SIGNATURE = "KeyUseRefused()"
    message = (
        "keys and randomness work only in transactions of a final block, "
        "never in queries or estimates: send a transaction"
    )


class InsufficientBalance(ContractError, code="INSUFFICIENT_BALANCE"):
    """A transfer of more than there is."""

    SIGNATURE = "InsufficientBalance(uint256,uint256)"

    def __init__(self, has: int, needs: int) -> None:
        super().__init__(f"the account has {has} wei, {needs} are needed", has, needs)


class BadResult(Refused, code="BAD_RESULT"):
    """A method returned what its declared types cannot hold."""

    def __init__(self, signature: str, outputs: str) -> None:
        """The value itself is never repeated."""
        super().__init__(
            f"{signature} returned what does not fit ({outputs}): the contract is wrong, "
            "the call is undone"
        )
        self.signature = signature
        self.outputs = outputs


class UndeclaredEvent(Refused, code="UNDECLARED_EVENT"):
    """A contract emits an event that is not in its interface."""

    def __init__(self, event: str) -> None:
        super().__init__(
            f"{event} is not among the EVENTS of the contract that emits it: the contract is "
            "wrong, the call is undone"
        )


class NotCallable(Refused, code="NOT_CALLABLE"):
    """A contract calls what no contract offers to others."""

    def __init__(self, method: str, why: str) -> None:
        super().__init__(f"{method} cannot be called: {why}")


class NoCode(ContractError, code="NO_CODE"):
    """A contract called another one that is not there, or not yet."""

    SIGNATURE = "NoCode(string)"

    def __init__(self, method: str) -> None:
        super().__init__(f"no contract with {method} is active at this height", method)


class Anonymous(ContractError, code="ANONYMOUS"):
    """A call without a sender asked for something that belongs to someone."""

    SIGNATURE = "Anonymous()"
    message = "this call has no sender: sign a transaction"


COMMON: tuple[type[ContractError], ...] = (
    Anonymous,
    BadArguments,
    InsufficientBalance,
    KeyUseRefused,
    NoCode,
    NotPayable,
    Reentered,
    UnknownMethod,
)
"""What a call of any contract can come back with, beside the contract's own errors."""
