"""May this transaction enter a block now? Asked by the mempool, and again in the block.

Whoever is refused here pays nothing, so nothing here may be costly.
"""

from keymoot.base.errors import Refused
from keymoot.base.fixed import Bytes32, Hash32, WalletId
from keymoot.base.request import MAX_LIFETIME_SECONDS
from keymoot.base.units import Nonce, UnixSeconds
from keymoot.contracts.context import BlockEnvironment
from keymoot.contracts.nodes import Nodes, assembly_on
from keymoot.contracts.wallet import Book, Credential, Wallet
from keymoot.contracts.wallet_cells import WalletCells
from keymoot.contracts.wallet_errors import RequestReused
from keymoot.contracts.wallets import Wallets
from keymoot.crypto.transactions import request_key
from keymoot.moot.message import NodeMessage
from keymoot.runtime import gas
from keymoot.runtime.transactions import LedgerTransaction
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import State


class Inadmissible(Refused):
    """The transaction cannot enter a block; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        """Carry the word and the message."""
        super().__init__(message)
        self.code = code  # type: ignore[misc]


class AlreadyAnswered(Refused):
    """A request with this id and body has its answer: fetch it, nothing is charged."""

    code = "ALREADY_ANSWERED"

    def __init__(self, key: Hash32) -> None:
        """Name the request."""
        super().__init__(f"request {key.hex0x} is decided: fetch its answer")
        self.key = key


def request_price(block: BlockEnvironment) -> int:
    """Give the wei that a wallet's quota must hold for one request to enter."""
    return gas.REQUEST_LIMIT * block.base_fee


def quota_of(state: State, wallet: WalletId) -> int:
    """Give a wallet's prepaid quota, in wei; 0 where there is no such wallet."""
    store = PublicStore(Journal(state), Wallets.ADDRESS, FreeMeter(), writable=False)
    book = WalletCells.books.get(store, Bytes32(wallet))
    return 0 if book is None else book.quota


def admit(
    journal: Journal, tx: LedgerTransaction, block: BlockEnvironment, nonce: Nonce | None = None
) -> None:
    """Check a transaction against state.

    Args:
        journal: The state to check against.
        tx: An opened transaction.
        block: The block it would enter; the mempool passes its own clock as the time.
        nonce: The nonce that must come next, where the mempool knows of others waiting.

    Raises:
        Inadmissible: it may not enter; the state is unchanged.
        AlreadyAnswered: a request that was decided before.
        RequestReused: its id was used with another body.
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
        raise Inadmissible("NOT_A_TRANSACTION", "neither a transaction nor a request")
    # 1. It is a call or a transfer.
    if transaction.to is None:
        raise Inadmissible(
            "CONTRACT_CREATION", "this release has no EVM: contracts cannot be deployed yet"
        )
    # 2. Its gas is enough to start and not more than fits.
    needed = gas.intrinsic(transaction.data, transaction.access_list)
    if transaction.gas < needed:
        raise Inadmissible(
            "INTRINSIC_GAS",
            f"intrinsic gas too low: gas {transaction.gas}, minimum needed {needed}",
        )
    if transaction.gas > gas.TRANSACTION_LIMIT:
        raise Inadmissible(
            "GAS_LIMIT",
            f"intrinsic gas too high: gas {transaction.gas}, at most {gas.TRANSACTION_LIMIT}",
        )
    # 3. It pays the base fee.
    if transaction.max_fee < block.base_fee:
        raise Inadmissible(
            "FEE_TOO_LOW",
            f"max fee per gas less than block base fee: maxFeePerGas {transaction.max_fee}, "
            f"baseFee {block.base_fee}",
        )
    # 4. Its nonce is the next one.
    account = journal.account(tx.sender)
    expected = account.nonce if nonce is None else nonce
    if transaction.nonce < expected:
        raise Inadmissible("NONCE_TOO_LOW", _nonce_words("low", expected, transaction.nonce))
    if transaction.nonce > expected:
        raise Inadmissible("NONCE_TOO_HIGH", _nonce_words("high", expected, transaction.nonce))
    # 5. The sender can pay for the worst case.
    if account.balance < transaction.max_cost:
        raise Inadmissible(
            "INSUFFICIENT_FUNDS",
            f"insufficient funds for gas * price + value: have {account.balance} wei, "
            f"want {transaction.max_cost}; this is the ledger's own token, not the target chain's",
        )


def _nonce_words(how: str, expected: Nonce, got: Nonce) -> str:
    return f"nonce too {how}: next nonce {expected}, tx nonce {got}"


def _admit_request(journal: Journal, tx: LedgerTransaction, block: BlockEnvironment) -> None:
    request = tx.request
    if request is None:
        raise Inadmissible("NOT_A_TRANSACTION", "neither a transaction nor a request")
    store = PublicStore(journal, Wallets.ADDRESS, FreeMeter(), writable=False)
    # 1. It was not decided before.
    key = request_key(tx.sender, request.request_id)
    earlier = WalletCells.records.get(store, key)  # type: ignore[arg-type]
    if earlier is not None:
        if earlier.body != tx.body:
            raise RequestReused
        raise AlreadyAnswered(key)
    # 2. Its expiry lies ahead, but not far.
    now = block.time
    if request.expires_at < now:
        raise Inadmissible("EXPIRED", "the request has expired: sign it anew with a later expiry")
    if request.expires_at > now + MAX_LIFETIME_SECONDS:
        raise Inadmissible(
            "EXPIRY_TOO_FAR", f"a request expires at most {MAX_LIFETIME_SECONDS} s from now"
        )
    # 3. The wallet exists and the credential counts.
    _check_credential(store, tx, now)
    # 4. The quota holds the price of one request, refusals included.
    book: Book = WalletCells.books.get(store, request.wallet) or Book()  # type: ignore[arg-type]
    if book.quota < request_price(block):
        raise Inadmissible(
            "QUOTA_EMPTY",
            f"the wallet's quota has {book.quota} wei, a request needs up to "
            f"{request_price(block)}: fund the wallet: `keymoot wallet fund`, or Wallets.fund",
        )


def _admit_message(journal: Journal, message: NodeMessage, block: BlockEnvironment) -> None:
    store = PublicStore(journal, Nodes.ADDRESS, FreeMeter(), writable=False)
    assembly = assembly_on(store, block.network)
    if not assembly.hall.founded:
        raise Inadmissible("NO_ASSEMBLY", "this network has no assembly")
    assembly.check_waiting(message)


def _check_credential(store: PublicStore, tx: LedgerTransaction, now: UnixSeconds) -> None:
    request = tx.request
    if request is None:
        return
    wallet: Wallet | None = WalletCells.wallets.get(store, request.wallet)  # type: ignore[arg-type]
    if wallet is None:
        raise Inadmissible("NO_SUCH_WALLET", f"there is no wallet {request.wallet.hex0x} here")
    found: Credential | None = WalletCells.credentials.get(store, request.wallet + tx.sender)
    if found is None:
        raise Inadmissible("NO_SUCH_CREDENTIAL", "this wallet has not granted that credential")
    if found.revoked:
        raise Inadmissible("CREDENTIAL_REVOKED", "the credential was revoked by the wallet's owner")
    if now > found.expires_at:
        raise Inadmissible("CREDENTIAL_EXPIRED", "the credential has expired: grant a new one")
