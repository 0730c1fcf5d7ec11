"""Refusals of contracts, with the revert data that Ethereum's tools decode."""

from typing import Any, ClassVar

from keymoot.base.abi.encode import encode
from keymoot.base.abi.kinds import parameters
from keymoot.base.errors import Refused
from keymoot.crypto.keccak import keccak256_raw


class ContractError(Refused):
    """A contract says no. Subclasses give `SIGNATURE`, as Solidity writes `error …`.

    Without one, the message travels as `Error(string)`.
    """

    code = "REVERTED"
    SIGNATURE: ClassVar[str] = "Error(string)"

    def arguments(self) -> tuple[Any, ...]:
        """Give the values for `SIGNATURE`."""
        return (str(self),)

    def revert_data(self) -> bytes:
        """Give the selector and the ABI-encoded arguments."""
        return revert_data(self.SIGNATURE, self.arguments())


def revert_data(signature: str, arguments: tuple[Any, ...]) -> bytes:
    """Encode an error as Solidity does."""
    return keccak256_raw(signature.encode())[:4] + encode(parameters(signature), arguments)


class UnknownMethod(ContractError):
    """No method has this selector."""

    code = "UNKNOWN_METHOD"
    SIGNATURE = "UnknownMethod(bytes4)"

    def __init__(self, selector: bytes) -> None:
        """Name the selector."""
        super().__init__(f"this contract has no method with selector 0x{selector.hex()}")
        self.selector = selector[:4].ljust(4, b"\0")

    def arguments(self) -> tuple[Any, ...]:
        """Give the selector."""
        return (self.selector,)


class BadArguments(ContractError):
    """The calldata is not the ABI encoding of the method's arguments."""

    code = "BAD_ARGUMENTS"

    def __init__(self, method: str, why: str) -> None:
        """Name the method, with its types."""
        super().__init__(f"the arguments are not those of {method}: {why}")


class NotPayable(ContractError):
    """Value was sent to a method that takes none."""

    code = "NOT_PAYABLE"
    SIGNATURE = "NotPayable()"

    def __init__(self, method: str) -> None:
        """Name the method."""
        super().__init__(f"{method} takes no value: send 0")

    def arguments(self) -> tuple[Any, ...]:
        """Give nothing."""
        return ()


class Reentered(ContractError):
    """A contract was called while one of its own calls was still running."""

    code = "REENTERED"
    SIGNATURE = "Reentered()"

    def __init__(self, contract: str) -> None:
        """Name the contract."""
        super().__init__(f"{contract} is already running in this transaction")

    def arguments(self) -> tuple[Any, ...]:
        """Give nothing."""
        return ()


class KeyUseRefused(ContractError):
    """A key or randomness was asked for where no final block is being executed."""

    code = "KEY_USE_REFUSED"
    SIGNATURE = "KeyUseRefused()"

    def __init__(self) -> None:
        """Say where it works."""
        super().__init__(
            "keys and randomness work only in transactions of a final block, "
            "never in queries or estimates: send a transaction"
        )

    def arguments(self) -> tuple[Any, ...]:
        """Give nothing."""
        return ()


class InsufficientBalance(ContractError):
    """A transfer of more than there is."""

    code = "INSUFFICIENT_BALANCE"
    SIGNATURE = "InsufficientBalance(uint256,uint256)"

    def __init__(self, has: int, needs: int) -> None:
        """Show both amounts in wei."""
        super().__init__(f"the account has {has} wei, {needs} are needed")
        self.has, self.needs = has, needs

    def arguments(self) -> tuple[Any, ...]:
        """Give what is there and what is needed."""
        return (self.has, self.needs)


class BadResult(Refused):
    """A method returned what its declared types cannot hold."""

    code = "BAD_RESULT"

    def __init__(self, signature: str, outputs: str) -> None:
        """Name the method and its types; never the value."""
        super().__init__(
            f"{signature} returned what does not fit ({outputs}): the contract is wrong, "
            "the call is undone"
        )
        self.signature = signature
        self.outputs = outputs


class Anonymous(ContractError):
    """A call without a sender asked for something that belongs to someone."""

    code = "ANONYMOUS"
    SIGNATURE = "Anonymous()"

    def __init__(self) -> None:
        """Say what is missing."""
        super().__init__("this call has no sender: sign a transaction")

    def arguments(self) -> tuple[Any, ...]:
        """Give nothing."""
        return ()


COMMON: tuple[type[ContractError], ...] = (
    Anonymous,
    InsufficientBalance,
    KeyUseRefused,
    NotPayable,
    Reentered,
    UnknownMethod,
)
"""What a call of any contract can come back with, beside the contract's own errors."""
