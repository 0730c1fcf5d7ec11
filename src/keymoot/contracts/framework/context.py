"""What a contract knows of the call that it is running, and what it may do."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from keymoot.base.fixed import Address, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import ChainId, Gas, Height, Nonce, UnixSeconds, Wei
from keymoot.contracts.framework.event import Event
from keymoot.store.confidential import ConfidentialStore
from keymoot.store.errors import ReadOnly
from keymoot.store.public import PublicStore

P = ParamSpec("P")
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
            keys. A block's own hash is not known while it is executed; for a query, it is that.
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
    origin: Address | None
    position: int

    def public_store(self, contract: Address, *, writable: bool) -> PublicStore: ...

    def confidential_store(self, contract: Address, *, writable: bool) -> ConfidentialStore: ...

    def charge(self, gas: Gas) -> None:
        """Raise OutOfGas where none is left."""
        ...

    def random(self, length: int) -> Secret:
        """Raise KeyUseRefused but in the execution of a final block."""
        ...

    def emit(self, contract: Address, event: Event) -> None: ...

    def transfer(self, sender: Address, to: Address, amount: Wei) -> None: ...

    def attempt(self, run: Callable[[], T]) -> T:
        """Run a part; what it did is undone if it raises."""
        ...

    def invoke(
        self,
        caller: Address,
        method: Callable[..., Any],
        arguments: tuple[Any, ...],
        named: dict[str, Any],
        *,
        writable: bool,
    ) -> Any: ...

    def name_of(self, address: Address) -> str | None: ...

    def nonce_of(self, address: Address) -> Nonce: ...

    def block_hash(self, height: Height) -> Hash32 | None: ...


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
        return self.machine.block

    @property
    def mode(self) -> Mode:
        return self.machine.mode

    @property
    def origin(self) -> Address | None:
        """Who signed the transaction that runs, or the query; None where nobody did."""
        return self.machine.origin

    @property
    def position(self) -> int:
        """The place of the transaction in its block, from 0."""
        return self.machine.position

    @property
    def nonce(self) -> Nonce:
        """How many transactions the sender has signed, this one included; 0 without a sender."""
        return Nonce(0) if self.sender is None else self.machine.nonce_of(self.sender)

    def block_hash(self, height: Height) -> Hash32 | None:
        """Give the hash of one of the last 8,191 blocks, else None.

        A query sees the newest one's, a transaction that of its block's parent.
        """
        return self.machine.block_hash(height)

    def public_store(self) -> PublicStore:
        return self.machine.public_store(self.address, writable=self.writable)

    def confidential_store(self) -> ConfidentialStore:
        """Raise NoStateKeys where this node has no keys of the state (yet)."""
        return self.machine.confidential_store(self.address, writable=self.writable)

    def charge(self, gas: int) -> None:
        """Pay for computation, or raise OutOfGas."""
        self.machine.charge(Gas(gas))

    def random(self, length: int) -> Secret:
        """Draw bytes nobody knew before this block was decided; the same on all replicas."""
        return self.machine.random(length)

    def emit(self, event: Event) -> None:
        """Log an event; a view may not (ReadOnly)."""
        self._require_writable()
        self.machine.emit(self.address, event)

    def transfer(self, to: Address, amount: Wei) -> None:
        """Send native tokens of this contract; a view may not (ReadOnly)."""
        self._require_writable()
        self.machine.transfer(self.address, to, amount)

    @property
    def calling_contract(self) -> str | None:
        """The name under which the registry has the sender; None where it is no contract."""
        return None if self.sender is None else self.machine.name_of(self.sender)

    def call(
        self,
        method: Callable[Concatenate[Any, "Context", P], T],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> T:
        """Call another contract's method, such as `Nodes.take`, with this contract as the sender.

        The registry says where it stands. What the callee wrote is undone if it raises; the error
        comes up to us. What a view calls may write no more than the view itself.

        Raises:
            NoCode: no contract with that method is active at this height.
        """
        result: T = self.machine.invoke(
            self.address, method, arguments, named, writable=self.writable
        )
        return result

    def attempt(self, run: Callable[[], T]) -> T:
        """Run a part of a call that may fail alone: what it did is undone if it raises.

        What our code did not expect comes up as Unexecutable.
        """
        return self.machine.attempt(run)

    def as_view(self) -> "Context":
        return replace(self, writable=False)

    def _require_writable(self) -> None:
        if not self.writable:
            raise ReadOnly
