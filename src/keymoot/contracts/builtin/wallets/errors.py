"""What Wallets refuses, each with its Solidity error."""

from keymoot.base.fixed import WalletId
from keymoot.base.request import REMEMBERED_SECONDS
from keymoot.base.units import UnixSeconds
from keymoot.contracts.framework.errors import ContractError, ToldInWords


class NoSuchWallet(ContractError, code="NO_SUCH_WALLET"):
    """No wallet has that id."""

    SIGNATURE = "NoSuchWallet(bytes32)"

    def __init__(self, wallet: WalletId) -> None:
        super().__init__(f"there is no wallet {wallet.hex0x} on this network", wallet)


class WalletExists(ContractError, code="WALLET_EXISTS"):
    """The caller has a wallet with that salt."""

    SIGNATURE = "WalletExists()"
    message = "this owner has a wallet with that name or salt: choose another"


class NotOwner(ContractError, code="NOT_OWNER"):
    """Only the wallet's owner may do this."""

    SIGNATURE = "NotOwner()"
    message = "only the wallet's owner may do this, with a signed transaction"


class StalePolicy(ContractError, code="STALE_POLICY"):
    """The policy was changed since the owner looked at it."""

    SIGNATURE = "StalePolicy(uint64)"

    def __init__(self, version: int) -> None:
        message = f"the policy is at version {version} now: look again, then set it"
        super().__init__(message, version)


class BadDocument(ToldInWords, code="BAD_POLICY"):
    """The policy document is not one, or not in its canonical form."""

    SIGNATURE = "BadDocument(string)"

    def __init__(self, why: str) -> None:
        super().__init__(f"the policy document is refused: {why}")


class NoSuchChain(ToldInWords, code="NO_SUCH_CHAIN"):
    """A chain for which this network keeps no wallets."""

    SIGNATURE = "NoSuchChain(string)"


class BadRecovery(ContractError, code="BAD_RECOVERY"):
    """The recovery address is zero."""

    SIGNATURE = "BadRecovery()"
    message = "the recovery address must not be zero: it is the way out"


class BadExpiry(ContractError, code="BAD_EXPIRY"):
    """An expiry in the past, or too far away."""

    SIGNATURE = "BadExpiry()"


class NotACredential(ContractError, code="BAD_CREDENTIAL"):
    """This address cannot be a credential."""

    SIGNATURE = "BadCredential()"
    message = "a credential is a key of its own: not the owner's, not zero"


class NoSuchCredential(ContractError, code="NO_SUCH_CREDENTIAL"):
    """The wallet has not granted that credential."""

    SIGNATURE = "NoSuchCredential()"
    message = "this wallet has not granted that credential"


class NotBound(ContractError, code="NOT_BOUND"):
    """There is nothing to release."""

    SIGNATURE = "NotBound()"


class RequestTooOld(ContractError, code="REQUEST_FORGOTTEN"):
    """What the request was allowed is too long ago to be signed now."""

    SIGNATURE = "RequestForgotten()"

    def __init__(self, decided_at: UnixSeconds) -> None:
        super().__init__(
            f"the request was decided at {decided_at} and can be asked again for "
            f"{REMEMBERED_SECONDS} s: see whether what it asked has happened, then use a new id"
        )


class WithdrawalRefused(ToldInWords, code="NOT_A_WITHDRAWAL"):
    """The owner's transaction does not go to the recovery address."""

    SIGNATURE = "WithdrawalRefused(string)"


class RequestReused(ContractError, code="REQUEST_REUSED"):
    """The id was used with another body."""

    SIGNATURE = "RequestReused()"
    message = "this request id was used before with another body: choose a new id"


WALLET_ERRORS: tuple[type[ContractError], ...] = (
    NotACredential,
    BadDocument,
    BadExpiry,
    BadRecovery,
    NoSuchChain,
    NoSuchCredential,
    NoSuchWallet,
    NotBound,
    NotOwner,
    RequestTooOld,
    RequestReused,
    StalePolicy,
    WalletExists,
    WithdrawalRefused,
)
