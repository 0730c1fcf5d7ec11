"""What a contract knows of the call that it is running, and what it may do."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Protocol, TypeVar

from keymoot.base.fixed import Address, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import ChainId, Gas, Height, UnixSeconds, Wei
from keymoot.contracts.event import Event
from keymoot.store.confidential import ConfidentialStore
from keymoot.store.errors import ReadOnly
from keymoot.store.public import PublicStore

T = TypeVar("T")


class Mode(Enum):
    """Why code runs, which decides whether keys may be used."""

    EXECUTE = "execute"
    """A transaction of a decided block: effects, keys born, randomness."""
    QUERY = "query"
    """A call or estimate on a snapshot: no effect, no key, no randomness."""
    RELEASE = "release"
    """The second step of custody, for a request bound in a final block: keys sign."""


@dataclass(frozen=True, slots=True)
class BlockEnvironment:
    """The block in which code runs; for a query, the newest committed one.

    Attributes:
        time: In whole seconds.
        seed: What the block's randomness and sealing nonces are drawn from, under the state's
            keys. A block's own hash is not known while it is executed.
    """

    network: NetworkId
    chain_id: ChainId
    height: Height
    time: UnixSeconds
    seed: Hash32
    base_fee: Wei


class Machine(Protocol):
    """What `runtime` provides beneath a context."""

    mode: Mode
    block: BlockEnvironment

    def public_store(self, contract: Address, *, writable: bool) -> PublicStore:
        """Open a contract's public store."""
        ...

    def confidential_store(self, contract: Address, *, writable: bool) -> ConfidentialStore:
        """Open a contract's confidential store."""
        ...

    def charge(self, gas: Gas) -> None:
        """Take gas, or raise OutOfGas."""
        ...

    def random(self, length: int) -> Secret:
        """Draw in-block randomness, or raise KeyUseRefused."""
        ...

    def emit(self, contract: Address, event: Event) -> None:
        """Log an event."""
        ...

    def transfer(self, sender: Address, to: Address, amount: Wei) -> None:
        """Move native tokens."""
        ...

    def attempt(self, run: Callable[[], T]) -> T:
        """Run a part; what it did is undone if it raises."""
        ...

    def invoke(
        self,
        caller: Address,
        target: type[Any],
        method: str,
        arguments: tuple[Any, ...],
        value: Wei,
        *,
        writable: bool,
    ) -> Any:
        """Call another contract's method."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """One call of one contract.

    Attributes:
        address: The running contract.
        sender: Who called: an account or a contract. None in a query, which nobody signed,
            unless its method takes the claim (`believes_from`); None is no address, so it
            never equals an owner that was never set.
        value: Wei that came with the call.
    """

    machine: Machine
    address: Address
    sender: Address | None
    value: Wei = Wei(0)
    writable: bool = True

    @property
    def block(self) -> BlockEnvironment:
        """The block in which the call runs."""
        return self.machine.block

    @property
    def mode(self) -> Mode:
        """Why the call runs."""
        return self.machine.mode

    def public_store(self) -> PublicStore:
        """Open this contract's public store."""
        return self.machine.public_store(self.address, writable=self.writable)

    def confidential_store(self) -> ConfidentialStore:
        """Open this contract's confidential store.

        Raises:
            NoStateKeys: this node has no keys of the state (yet).
        """
        return self.machine.confidential_store(self.address, writable=self.writable)

    def charge(self, gas: int) -> None:
        """Pay for computation.

        Raises:
            OutOfGas: none is left.
        """
        self.machine.charge(Gas(gas))

    def random(self, length: int) -> Secret:
        """Draw bytes nobody knew before this block was decided; the same on all replicas.

        Raises:
            KeyUseRefused: this is not the execution of a final block.
        """
        return self.machine.random(length)

    def emit(self, event: Event) -> None:
        """Log an event.

        Raises:
            ReadOnly: this is a view.
        """
        self._require_writable()
        self.machine.emit(self.address, event)

    def transfer(self, to: Address, amount: Wei) -> None:
        """Send native tokens of this contract.

        Raises:
            InsufficientBalance: it has less.
            ReadOnly: this is a view.
        """
        self._require_writable()
        self.machine.transfer(self.address, to, amount)

    def call(self, target: type[Any], method: str, *arguments: Any, value: Wei = Wei(0)) -> Any:
        """Call another built-in contract, with this contract as the sender.

        What the callee wrote is undone if it raises; the error comes up to us. What a view
        calls may write no more than the view itself.

        Raises:
            ReadOnly: a view sends value.
        """
        if value:
            self._require_writable()
        return self.machine.invoke(
            self.address, target, method, arguments, value, writable=self.writable
        )

    def attempt(self, run: Callable[[], T]) -> T:
        """Run a part of a call that may fail alone: what it did is undone if it raises.

        Raises:
            Refused, Malformed: what `run` raised.
            Unexecutable: our code did not expect what it was given.
        """
        return self.machine.attempt(run)

    def as_view(self) -> "Context":
        """Give the same call without the right to write."""
        return replace(self, writable=False)

    def _require_writable(self) -> None:
        if not self.writable:
            raise ReadOnly
