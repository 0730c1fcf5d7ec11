"""Why a transaction cannot enter a block: one class for each word that a client may read."""

from keymoot.base.errors import Refused


class Inadmissible(Refused):
    """The transaction cannot enter a block; its class says why."""


class NotATransaction(Inadmissible, code="NOT_A_TRANSACTION"):
    """Neither a transaction nor a request."""


class CannotDeploy(Inadmissible, code="CONTRACT_CREATION"):
    """It would deploy a contract."""


class GasTooLow(Inadmissible, code="INTRINSIC_GAS"):
    """Its gas does not pay for its own bytes."""


class GasTooHigh(Inadmissible, code="GAS_LIMIT"):
    """It wants more gas than a transaction may have."""


class FeeTooLow(Inadmissible, code="FEE_TOO_LOW"):
    """It pays less than the base fee."""


class NonceTooLow(Inadmissible, code="NONCE_TOO_LOW"):
    """Its nonce is used."""


class NonceTooHigh(Inadmissible, code="NONCE_TOO_HIGH"):
    """Others of its sender come before it."""


class InsufficientFunds(Inadmissible, code="INSUFFICIENT_FUNDS"):
    """Its sender cannot pay for the worst case."""


class RequestOutdated(Inadmissible, code="EXPIRED"):
    """The request's time is over."""


class ExpiryTooFar(Inadmissible, code="EXPIRY_TOO_FAR"):
    """The request would live too long."""


class QuotaEmpty(Inadmissible, code="QUOTA_EMPTY"):
    """The wallet's quota does not hold the price of a request."""


class NoCommittee(Inadmissible, code="NO_ASSEMBLY"):
    """A node's message, where there is no committee."""


class UnknownWallet(Inadmissible, code="NO_SUCH_WALLET"):
    """No wallet has that id."""


class UnknownCredential(Inadmissible, code="NO_SUCH_CREDENTIAL"):
    """The wallet has not granted that credential."""


class CredentialRevoked(Inadmissible, code="CREDENTIAL_REVOKED"):
    """The wallet's owner has taken the credential back."""


class CredentialExpired(Inadmissible, code="CREDENTIAL_EXPIRED"):
    """The credential's time is over."""
