"""Execute one transaction of a decided block: effects and receipt, or undo and receipt."""

from contextlib import suppress
from dataclasses import dataclass, replace

from keymoot.base.contained import Unexecutable, contained
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Address, WalletId
from keymoot.base.units import Gas, Nonce, Wei
from keymoot.committee.recovery.ledger import Ancestor
from keymoot.contracts.builtin.apps.cells import posted_on
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.nodes import Nodes, committee_on
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.record import REFUSED, RequestRecord
from keymoot.contracts.builtin.wallets.requests import bind
from keymoot.contracts.builtin.wallets.stock import bind_waiting
from keymoot.contracts.framework.context import BlockEnvironment, Context, Mode
from keymoot.contracts.framework.errors import NoCode, revert_data_of
from keymoot.contracts.framework.registry import Active
from keymoot.runtime import gas
from keymoot.runtime.admit import admit, asking_instance
from keymoot.runtime.gas import GasMeter
from keymoot.runtime.inadmissible import CannotDeploy
from keymoot.runtime.machine import CallMachine
from keymoot.runtime.receipt import MAX_OUTPUT_BYTES, Receipt
from keymoot.runtime.transactions import LedgerTransaction
from keymoot.store.journal import Journal
from keymoot.store.keys import VersionKeys
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore


@dataclass(frozen=True, slots=True)
class Execution:
    """What all transactions of one block are executed with.

    Attributes:
        journal: The state before the block, with what its transactions have done so far.
        block: Height, time, and all else that contracts see of it.
        contracts: Those that are active at this height.
        keys: What opens confidential state; None where there is none.
        ancestor: Gives hashes of the blocks before, for recoveries that build on one.
    """

    journal: Journal
    block: BlockEnvironment
    contracts: Active
    keys: VersionKeys | None
    ancestor: Ancestor

    def calls(self, meter: GasMeter, position: int, origin: Address | None = None) -> CallMachine:
        """Give what runs the calls of the transaction at `position`, which `origin` sent."""
        return CallMachine(
            self.journal,
            self.block,
            self.contracts,
            self.keys,
            Mode.EXECUTE,
            meter,
            position,
            origin,
        )


def execute(within: Execution, tx: LedgerTransaction, position: int) -> Receipt:
    """Execute the transaction at `position` of a block; its journal has the effects.

    A refusal is a receipt with status 0, never an exception: what a transaction asked
    for is undone, what it paid is not. One that may not enter pays nothing. What our code
    did not expect is a refusal too (`base.contained`), and takes all the gas there is.

    Raises:
        BrokenStorage: the state cannot be read; the node must stop.
        Defect: we are.
    """
    within.journal.begin_transaction()
    try:
        with contained():
            admit(within.journal, tx, within.block)
    except (Refused, Malformed) as error:
        return _unpaid(tx, within.block, error)
    if tx.message is not None:
        return _execute_message(within, tx, position)
    if tx.request is not None:
        return _execute_request(within, tx, position)
    return _execute_ethereum(within, tx, position)


def _execute_ethereum(within: Execution, tx: LedgerTransaction, position: int) -> Receipt:
    journal, block, transaction = within.journal, within.block, tx.ethereum
    if transaction is None or transaction.to is None:
        return _unpaid(
            tx, block, CannotDeploy("this release has no EVM: contracts cannot be deployed yet")
        )
    # 1. The nonce is used and the most it can cost is taken, whatever comes.
    bought = transaction.gas * block.base_fee
    account = journal.account(tx.sender)
    journal.set_nonce(tx.sender, Nonce(account.nonce + 1))
    journal.set_balance(tx.sender, Wei(account.balance - bought))
    # 2. The call runs.
    meter = GasMeter(transaction.gas)
    meter.charge(gas.intrinsic(transaction.data, transaction.access_list))
    calls = within.calls(meter, position, tx.sender)
    status, output, code, message, fault = 1, b"", "", "", None
    try:
        output = calls.call(tx.sender, transaction.to, transaction.data, transaction.value)
    except (Refused, Malformed) as error:
        status, output, code, message = 0, revert_data_of(error), error.code, str(error)
        fault = _fault(error)
        if fault is not None:
            meter.exhaust()
    # 3. What was not used goes back; what was used is burned.
    left = (transaction.gas - meter.used) * block.base_fee
    journal.set_balance(tx.sender, Wei(journal.account(tx.sender).balance + left))
    return Receipt(
        transaction_hash=tx.hash,
        sender=tx.sender,
        to=transaction.to,
        status=status,
        gas_used=Gas(meter.used),
        price=block.base_fee,
        logs=tuple(calls.logs) if status else (),
        output=output if len(output) <= MAX_OUTPUT_BYTES else b"",
        error_code=code,
        error=message,
        fault=fault,
    )


def _execute_request(within: Execution, tx: LedgerTransaction, position: int) -> Receipt:
    journal, block, request = within.journal, within.block, tx.request
    wallets = within.contracts.get(Wallets.ADDRESS)
    if request is None or not isinstance(wallets, Wallets):
        return _unpaid(tx, block, NoCode("Wallets"))
    asking = asking_instance(journal, tx, block.time)
    meter = GasMeter(gas.REQUEST_LIMIT)
    calls = within.calls(meter, position, tx.sender)
    ctx = Context(calls, Wallets.ADDRESS, tx.sender)
    fault = None
    try:
        meter.charge(gas.intrinsic(tx.raw))
        code, message = calls.attempt(
            lambda: _outcome(bind(wallets, ctx, request, tx.sender, tx.body, asking))
        )
    except (Refused, Malformed) as error:
        code, message, fault = error.code, str(error), _fault(error)
        if fault is not None:
            meter.exhaust()
    # The wallet pays for what was done, answers and refusals alike.
    _charge_quota(journal, wallets, request.wallet, meter.used * block.base_fee)
    return Receipt(
        transaction_hash=tx.hash,
        sender=tx.sender,
        to=Wallets.ADDRESS,
        status=0 if code else 1,
        gas_used=Gas(meter.used),
        price=block.base_fee,
        logs=tuple(calls.logs),
        error_code=code,
        error=message,
        fault=fault,
    )


def _execute_message(within: Execution, tx: LedgerTransaction, position: int) -> Receipt:
    """Let a node's message change the committee, and bind who waited for stock."""
    journal, block = within.journal, within.block
    wallets = within.contracts.get(Wallets.ADDRESS)
    if tx.message is None or not isinstance(wallets, Wallets):
        return _unpaid(tx, block, NoCode("Wallets"))
    meter = GasMeter(gas.MESSAGE_LIMIT)
    calls = within.calls(meter, position)
    ctx = Context(calls, Wallets.ADDRESS, None)
    posted = posted_on(PublicStore(journal, Apps.ADDRESS, FreeMeter(), writable=False))
    machine = committee_on(PublicStore(journal, Nodes.ADDRESS, FreeMeter()), block.network, posted)
    message, code, why, fault = tx.message, "", "", None
    try:
        calls.attempt(lambda: machine.apply(message, block.height, block.time, within.ancestor))
    except (Refused, Malformed) as error:
        code, why, fault = error.code, str(error), _fault(error)
    # What the message did stays, whatever becomes of those who wait: enclaves follow messages,
    # and learn of bindings from events.
    with suppress(Refused, Malformed):
        calls.attempt(lambda: bind_waiting(wallets, ctx))
    return Receipt(
        transaction_hash=tx.hash,
        sender=tx.sender,
        to=Nodes.ADDRESS,
        status=0 if code else 1,
        gas_used=gas.of_message(message),
        price=Wei(0),
        logs=tuple(calls.logs),
        error_code=code,
        error=why,
        fault=fault,
    )


def _fault(error: Refused | Malformed) -> BaseException | None:
    """Give what our code did not expect, if a refusal stands for that."""
    return error.__cause__ if isinstance(error, Unexecutable) else None


def _outcome(record: RequestRecord) -> tuple[str, str]:
    """Give the word and the message of a refusal; nothing where it was none."""
    if record.status != REFUSED:
        return "", ""
    outcome = record.outcome_json()
    data = outcome.get("data")
    word = data.get("reason") if isinstance(data, dict) else None
    return str(word), str(outcome.get("message"))


def _charge_quota(journal: Journal, wallets: Wallets, wallet: WalletId, wei: int) -> None:
    store = PublicStore(journal, Wallets.ADDRESS, FreeMeter())
    book = wallets.books.get(store, wallet)
    if book is not None:
        wallets.books.set(store, wallet, replace(book, quota=book.quota - wei))
    held = journal.account(Wallets.ADDRESS).balance
    journal.set_balance(Wallets.ADDRESS, Wei(held - wei))


def _unpaid(tx: LedgerTransaction, block: BlockEnvironment, error: Refused | Malformed) -> Receipt:
    to = tx.ethereum.to if tx.ethereum is not None else Wallets.ADDRESS
    return Receipt(
        transaction_hash=tx.hash,
        sender=tx.sender,
        to=to,
        status=0,
        gas_used=Gas(0),
        price=block.base_fee,
        error_code=error.code,
        error=str(error),
        fault=_fault(error),
    )
