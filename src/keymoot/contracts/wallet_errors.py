"""What Wallets refuses, each with its Solidity error."""

from typing import Any

from keymoot.base.fixed import WalletId
from keymoot.base.request import REMEMBERED_SECONDS
from keymoot.base.units import UnixSeconds
from keymoot.contracts.errors import ContractError


class _Bare(ContractError):
    """An error without arguments."""

    def arguments(self) -> tuple[Any, ...]:
        """Give nothing."""
        return ()


class NoSuchWallet(ContractError):
    """No wallet has that id."""

    code = "NO_SUCH_WALLET"
    SIGNATURE = "NoSuchWallet(bytes32)"

    def __init__(self, wallet: WalletId) -> None:
        """Name the id."""
        super().__init__(f"there is no wallet {wallet.hex0x} on this network")
        self.wallet = wallet

    def arguments(self) -> tuple[Any, ...]:
        """Give the id."""
        return (self.wallet,)


class WalletExists(_Bare):
    """The caller has a wallet with that salt."""

    code = "WALLET_EXISTS"
    SIGNATURE = "WalletExists()"

    def __init__(self) -> None:
        """Say what to change."""
        super().__init__("this owner has a wallet with that name or salt: choose another")


class NotOwner(_Bare):
    """Only the wallet's owner may do this."""

    code = "NOT_OWNER"
    SIGNATURE = "NotOwner()"

    def __init__(self) -> None:
        """Say who may."""
        super().__init__("only the wallet's owner may do this, with a signed transaction")


class StalePolicy(ContractError):
    """The policy was changed since the owner looked at it."""

    code = "STALE_POLICY"
    SIGNATURE = "StalePolicy(uint64)"

    def __init__(self, version: int) -> None:
        """Show the version that stands."""
        super().__init__(f"the policy is at version {version} now: look again, then set it")
        self.version = version

    def arguments(self) -> tuple[Any, ...]:
        """Give the version."""
        return (self.version,)


class BadDocument(ContractError):
    """The policy document is not one, or not in its canonical form."""

    code = "BAD_POLICY"

    def __init__(self, why: str) -> None:
        """Repeat the parser's words, which start with the JSON path."""
        super().__init__(f"the policy document is refused: {why}")


class BadRecovery(_Bare):
    """The recovery address is zero."""

    code = "BAD_RECOVERY"
    SIGNATURE = "BadRecovery()"

    def __init__(self) -> None:
        """Say what is needed."""
        super().__init__("the recovery address must not be zero: it is the way out")


class BadExpiry(_Bare):
    """An expiry in the past, or too far away."""

    code = "BAD_EXPIRY"
    SIGNATURE = "BadExpiry()"

    def __init__(self, why: str) -> None:
        """Say what the limits are."""
        super().__init__(why)


class BadCredential(_Bare):
    """This address cannot be a credential."""

    code = "BAD_CREDENTIAL"
    SIGNATURE = "BadCredential()"

    def __init__(self) -> None:
        """Say why."""
        super().__init__("a credential is a key of its own: not the owner's, not zero")


class NoSuchCredential(_Bare):
    """The wallet has not granted that credential."""

    code = "NO_SUCH_CREDENTIAL"
    SIGNATURE = "NoSuchCredential()"

    def __init__(self) -> None:
        """Say what is wrong."""
        super().__init__("this wallet has not granted that credential")


class NotBound(_Bare):
    """There is nothing to release."""

    code = "NOT_BOUND"
    SIGNATURE = "NotBound()"

    def __init__(self, why: str) -> None:
        """Say why."""
        super().__init__(why)


class RequestForgotten(_Bare):
    """What the request was allowed is too long ago to be signed now."""

    code = "REQUEST_FORGOTTEN"
    SIGNATURE = "RequestForgotten()"

    def __init__(self, decided_at: UnixSeconds) -> None:
        """Say until when it could be asked again."""
        super().__init__(
            f"the request was decided at {decided_at} and can be asked again for "
            f"{REMEMBERED_SECONDS} s: see whether what it asked has happened, then use a new id"
        )
        self.decided_at = decided_at


class WithdrawalRefused(ContractError):
    """The owner's transaction does not go to the recovery address."""

    code = "NOT_A_WITHDRAWAL"


class RequestReused(_Bare):
    """The id was used with another body."""

    code = "REQUEST_REUSED"
    SIGNATURE = "RequestReused()"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("this request id was used before with another body: choose a new id")


WALLET_ERRORS: tuple[type[ContractError], ...] = (
    BadCredential,
    BadExpiry,
    BadRecovery,
    NoSuchCredential,
    NoSuchWallet,
    NotBound,
    NotOwner,
    RequestForgotten,
    RequestReused,
    StalePolicy,
    WalletExists,
)
"""Those with a signature of their own; the others come as `Error(string)`."""
