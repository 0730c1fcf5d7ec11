"""What runs beneath a contract's context: stores, gas, calls, events, randomness."""

from collections.abc import Callable
from typing import Any, TypeVar

from keymoot.base.contained import contained
from keymoot.base.errors import Defect, Malformed, Refused
from keymoot.base.fixed import Address, Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Gas, Height, Nonce, Wei
from keymoot.contracts.builtin.nodes import Nodes, has_state_key
from keymoot.contracts.framework.context import BlockEnvironment, Context, Mode
from keymoot.contracts.framework.contract import rules_of
from keymoot.contracts.framework.errors import (
    InsufficientBalance,
    KeyUseRefused,
    NotCallable,
    Reentered,
    UndeclaredEvent,
)
from keymoot.contracts.framework.event import Event
from keymoot.contracts.framework.registry import Active
from keymoot.runtime import gas
from keymoot.runtime.gas import GasMeter
from keymoot.runtime.history import ancestor_hash
from keymoot.runtime.receipt import Log
from keymoot.store.confidential import ConfidentialStore, SealingPlace
from keymoot.store.errors import NoStateKeys, StateKeyAwaited
from keymoot.store.journal import Journal
from keymoot.store.keys import VersionKeys
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore

MAX_CALL_DEPTH = 32
"""Deepest chain of calls between contracts."""

QUERY_POSITION = 0xFFFFFF
"""Sealing place of a query's throw-away writes; no transaction of a block has it."""

T = TypeVar("T")


class TooDeep(Refused, code="TOO_DEEP"):
    message = f"calls between contracts go {MAX_CALL_DEPTH} deep at most"


class CallMachine:
    """Runs the calls of one transaction, or of one query."""

    def __init__(
        self,
        journal: Journal,
        block: BlockEnvironment,
        contracts: Active,
        keys: VersionKeys | None,
        mode: Mode,
        meter: GasMeter,
        position: int = QUERY_POSITION,
        origin: Address | None = None,
    ) -> None:
        self.journal = journal
        self.block = block
        self.mode = mode
        self.origin = origin
        self.position = position
        self.meter = meter
        self.logs: list[Log] = []
        self.asked_secrets = False
        """Whether confidential state or randomness was asked for, given or not."""
        self.asked_state = False
        """Whether confidential state was."""
        self._contracts = contracts
        self._keys = keys
        self._draws = 0
        self._running: list[Address] = []
        self._exists: bool | None = None
        self._place = SealingPlace(block.seed, position)

    def public_store(self, contract: Address, *, writable: bool) -> PublicStore:
        return PublicStore(self.journal, contract, self.meter, writable=self._may_write(writable))

    def confidential_store(self, contract: Address, *, writable: bool) -> ConfidentialStore:
        self.asked_secrets = self.asked_state = True
        keys = self._state_keys()
        place = self._place if self._may_write(writable) else None
        return ConfidentialStore(self.journal, contract, keys, place, self.meter)

    def charge(self, gas_units: Gas) -> None:
        self.meter.charge(gas_units)

    def random(self, length: int) -> Secret:
        """Draw in-block randomness; only while a final block is executed."""
        self.asked_secrets = True
        if self.mode is not Mode.EXECUTE or self._keys is None:
            raise KeyUseRefused
        keys = self._state_keys()
        self.meter.charge(gas.RANDOM)
        self._draws += 1
        return keys.random(self.block.seed, self.position, self._draws, length)

    def emit(self, contract: Address, event: Event) -> None:
        running = self._contracts.get(contract)
        if running is None or type(event) not in running.EVENTS:
            raise UndeclaredEvent(type(event).__name__)  # consensus: a name of ours
        topics, data = event.log()
        self.meter.charge(gas.LOG + gas.LOG_TOPIC * len(topics) + gas.LOG_BYTE * len(data))
        self.logs.append(Log(contract, topics, data))

    def transfer(self, sender: Address, to: Address, amount: Wei) -> None:
        if not amount:
            return
        has = self.journal.account(sender).balance
        if has < amount:
            raise InsufficientBalance(has, amount)
        self.journal.set_balance(sender, Wei(has - amount))
        self.journal.set_balance(to, Wei(self.journal.account(to).balance + amount))

    def attempt(self, run: Callable[[], T]) -> T:
        """Run a part; what it wrote and logged is undone if it raises."""
        mark, logs = self.journal.checkpoint(), len(self.logs)
        try:
            with contained():
                return run()
        except (Refused, Malformed):
            self.journal.revert(mark)
            del self.logs[logs:]
            raise

    def invoke(
        self,
        caller: Address,
        method: Callable[..., Any],
        arguments: tuple[Any, ...],
        named: dict[str, Any],
        *,
        writable: bool,
    ) -> Any:
        """Call a contract's Python method from another contract.

        The callee may write if its caller may, and if it is no view.
        """
        self.meter.charge(gas.CALL)
        to = self._contracts.owner_of(method)
        # A later version of the contract may have overridden it.
        function = getattr(self._contracts.get(to), method.__name__)  # consensus: a name of ours
        rules = rules_of(function)
        if rules is None:
            raise NotCallable(method.__qualname__, "its newer version is not marked")
        ctx = Context(self, to, caller, writable=writable and not rules.view)
        return self._enter(ctx, rules.reentrant, lambda: function(ctx, *arguments, **named))

    def name_of(self, address: Address) -> str | None:
        return self._contracts.name_of(address)

    def nonce_of(self, address: Address) -> Nonce:
        return self.journal.account(address).nonce

    def block_hash(self, height: Height) -> Hash32 | None:
        self.meter.charge(gas.READ_COLD)
        if self.mode is Mode.QUERY and height == self.block.height:
            return self.block.seed
        return ancestor_hash(self.journal, height, self.block.height)

    def call(self, sender: Address | None, to: Address, data: bytes, value: Wei) -> bytes:
        """Run a call from outside: a transfer, and the contract at `to` if there is one."""
        contract = self._contracts.get(to)
        ctx = Context(self, to, sender, value)
        if contract is None:
            self._enter(ctx, reentrant=True, run=lambda: b"")
            return b""
        method = contract.METHODS.get(data[:4])
        reentrant = method is not None and method.rules.reentrant
        return self._enter(ctx, reentrant, lambda: contract.dispatch(ctx, data))

    def _enter(self, ctx: Context, reentrant: bool, run: Callable[[], T]) -> T:  # noqa: FBT001
        if len(self._running) >= MAX_CALL_DEPTH:
            raise TooDeep
        if ctx.address in self._running and not reentrant:
            raise Reentered(self._contracts.name_of(ctx.address) or "")

        def enter() -> T:
            if ctx.value and ctx.sender is not None:
                self.transfer(ctx.sender, ctx.address, ctx.value)
            return run()

        self._running.append(ctx.address)
        try:
            return self.attempt(enter)
        finally:
            self._running.pop()

    def _state_keys(self) -> VersionKeys:
        """Give the keys of the state.

        In a release the request itself shows that they exist: its key is sealed under them.
        """
        keys, executes = self._keys, self.mode is Mode.EXECUTE
        if keys is None:
            raise NoStateKeys
        # 1. Whether they exist the ledger says, so that all replicas refuse or accept alike.
        if (executes or self.mode is Mode.QUERY) and not self._ledger_has_them():
            raise StateKeyAwaited
        # 2. A replica that executes has them by then; refusing now would fork.
        if not keys.held:
            if executes:
                raise Defect("the ledger says that the state key exists, and it is not here")
            raise NoStateKeys
        return keys

    def _ledger_has_them(self) -> bool:
        # Only a node's message changes this, and that is a transaction of its own.
        if self._exists is None:
            store = PublicStore(self.journal, Nodes.ADDRESS, FreeMeter(), writable=False)
            self._exists = has_state_key(store, self.block.network)
        return self._exists

    def _may_write(self, writable: bool) -> bool:  # noqa: FBT001
        return writable and self.mode in (Mode.EXECUTE, Mode.QUERY)
