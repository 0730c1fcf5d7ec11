"""May this transaction enter a block now? Asked by the mempool, and again in the block.

Whoever is refused here pays nothing, so nothing here may be costly.
"""

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32, WalletId
from keymoot.base.request import MAX_LIFETIME_SECONDS
from keymoot.base.units import Nonce, UnixSeconds
from keymoot.committee.messages import NodeMessage
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.nodes import Nodes, committee_on
from keymoot.contracts.builtin.wallets.asker import Asker, credential_or_instance
from keymoot.contracts.builtin.wallets.cells import WalletCells
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.errors import RequestReused
from keymoot.contracts.builtin.wallets.record import AskingInstance
from keymoot.contracts.builtin.wallets.wallet import Book
from keymoot.contracts.framework.context import BlockEnvironment
from keymoot.crypto.transactions import request_key
from keymoot.runtime import gas
from keymoot.runtime.inadmissible import (
    CannotDeploy,
    CredentialExpired,
    CredentialRevoked,
    ExpiryTooFar,
    FeeTooLow,
    GasTooHigh,
    GasTooLow,
    InsufficientFunds,
    NoCommittee,
    NonceTooHigh,
    NonceTooLow,
    NotATransaction,
    QuotaEmpty,
    RequestOutdated,
    UnknownCredential,
    UnknownWallet,
)
from keymoot.runtime.transactions import LedgerTransaction
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import State


class AlreadyAnswered(Refused, code="ALREADY_ANSWERED"):
    def __init__(self, key: Hash32) -> None:
        super().__init__(f"request {key.hex0x} is decided: fetch its answer")
        self.key = key


def request_price(block: BlockEnvironment) -> int:
    """Give the wei that a wallet's quota must hold for one request to enter."""
    return gas.REQUEST_LIMIT * block.base_fee


def quota_of(state: State, wallet: WalletId) -> int:
    """Give a wallet's prepaid quota, in wei; 0 where there is no such wallet."""
    store = PublicStore(Journal(state), Wallets.ADDRESS, FreeMeter(), writable=False)
    book = WalletCells.books.get(store, wallet)
    return 0 if book is None else book.quota


def admit(
    journal: Journal, tx: LedgerTransaction, block: BlockEnvironment, nonce: Nonce | None = None
) -> None:
    """Raise unless a transaction may enter a block; the state is unchanged.

    The mempool passes a block dated by its own clock and, where it knows of others waiting, the
    nonce that must come next.
    """
    if tx.message is not None:
        _admit_message(journal, tx.message, block)
    elif tx.request is not None:
        _admit_request(journal, tx, block)
    else:
        _admit_ethereum(journal, tx, block, nonce)


def _admit_ethereum(
    journal: Journal, tx: LedgerTransaction, block: BlockEnvironment, nonce: Nonce | None
) -> None:
    transaction = tx.ethereum
    if transaction is None:
        raise NotATransaction("neither a transaction nor a request")
    # 1. It is a call or a transfer.
    if transaction.to is None:
        raise CannotDeploy("this release has no EVM: contracts cannot be deployed yet")
    # 2. Its gas is enough to start and not more than fits.
    needed = gas.intrinsic(transaction.data, transaction.access_list)
    if transaction.gas < needed:
        raise GasTooLow(
            f"intrinsic gas too low: gas {transaction.gas}, minimum needed {needed}",
        )
    if transaction.gas > gas.TRANSACTION_LIMIT:
        raise GasTooHigh(
            f"intrinsic gas too high: gas {transaction.gas}, at most {gas.TRANSACTION_LIMIT}",
        )
    # 3. It pays the base fee.
    if transaction.max_fee < block.base_fee:
        raise FeeTooLow(
            f"max fee per gas less than block base fee: maxFeePerGas {transaction.max_fee}, "
            f"baseFee {block.base_fee}",
        )
    # 4. Its nonce is the next one.
    account = journal.account(tx.sender)
    expected = account.nonce if nonce is None else nonce
    if transaction.nonce < expected:
        raise NonceTooLow(_nonce_words("low", expected, transaction.nonce))
    if transaction.nonce > expected:
        raise NonceTooHigh(_nonce_words("high", expected, transaction.nonce))
    # 5. The sender can pay for the worst case.
    if account.balance < transaction.max_cost:
        raise InsufficientFunds(
            f"insufficient funds for gas * price + value: have {account.balance} wei, "
            f"want {transaction.max_cost}; this is the ledger's own token, not the target chain's",
        )


def _nonce_words(how: str, expected: Nonce, got: Nonce) -> str:
    return f"nonce too {how}: next nonce {expected}, tx nonce {got}"


def _admit_request(journal: Journal, tx: LedgerTransaction, block: BlockEnvironment) -> None:
    request = tx.request
    if request is None:
        raise NotATransaction("neither a transaction nor a request")
    store = PublicStore(journal, Wallets.ADDRESS, FreeMeter(), writable=False)
    # 1. It was not decided before.
    key = request_key(tx.sender, request.request_id)
    earlier = WalletCells.records.get(store, key)
    if earlier is not None:
        if earlier.body != tx.body:
            raise RequestReused
        raise AlreadyAnswered(key)
    # 2. Its expiry lies ahead, but not far.
    now = block.time
    if request.expires_at < now:
        raise RequestOutdated("the request has expired: sign it anew with a later expiry")
    if request.expires_at > now + MAX_LIFETIME_SECONDS:
        raise ExpiryTooFar(f"a request expires at most {MAX_LIFETIME_SECONDS} s from now")
    # 3. The wallet exists and the credential counts.
    asking_instance(journal, tx, now)
    # 4. The quota holds the price of one request, refusals included.
    book = WalletCells.books.get(store, request.wallet) or Book()
    if book.quota < request_price(block):
        raise QuotaEmpty(
            f"the wallet's quota has {book.quota} wei, a request needs up to "
            f"{request_price(block)}: fund the wallet: `keymoot wallet fund`, or Wallets.fund",
        )


def _admit_message(journal: Journal, message: NodeMessage, block: BlockEnvironment) -> None:
    store = PublicStore(journal, Nodes.ADDRESS, FreeMeter(), writable=False)
    machine = committee_on(store, block.network)
    if not machine.state.founded:
        raise NoCommittee("this network has no committee")
    machine.check_waiting(message)


def asking_instance(
    journal: Journal, tx: LedgerTransaction, now: UnixSeconds
) -> AskingInstance | None:
    """Give the instance of an app that signed a request; None for a credential.

    Raises:
        Inadmissible, AppNotGranted, ContractError: whoever signed it may not ask.
    """
    request = tx.request
    if request is None:
        return None
    store = PublicStore(journal, Wallets.ADDRESS, FreeMeter(), writable=False)
    wallet = WalletCells.wallets.get(store, request.wallet)
    if wallet is None:
        raise UnknownWallet(f"there is no wallet {request.wallet.hex0x} here")
    apps = PublicStore(journal, Apps.ADDRESS, FreeMeter(), writable=False)
    grant = credential_or_instance(store, apps, request.wallet, tx.sender, now)
    if isinstance(grant, Asker):
        return grant.instance
    if grant is None:
        raise UnknownCredential("this wallet has not granted that credential")
    if grant.revoked:
        raise CredentialRevoked("the credential was revoked by the wallet's owner")
    if now > grant.expires_at:
        raise CredentialExpired("the credential has expired: grant a new one")
    return None
