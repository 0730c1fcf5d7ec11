"""A contract is a class: its cells are attributes, its methods have an ABI.

```python
class Counter(Contract):
    count = ConfidentialCell("count", uint256)

    @call
    def bump(self, ctx: Context) -> uint256:
        n = self.count.get(ctx.confidential_store()) or 0
        self.count.set(ctx.confidential_store(), n + 1)
        return n
```
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints, overload

from keymoot.base.abi.decode import BadEncoding, decode
from keymoot.base.abi.encode import BadValue, encode
from keymoot.base.abi.kinds import Kind, parse_kinds
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address
from keymoot.contracts.framework.context import Context
from keymoot.contracts.framework.errors import (
    BadArguments,
    BadResult,
    ContractError,
    NotPayable,
    UnknownMethod,
)
from keymoot.contracts.framework.event import Event
from keymoot.contracts.framework.types import AbiType, abi_type
from keymoot.crypto.keccak import keccak256_raw

F = TypeVar("F", bound=Callable[..., Any])

SELECTOR_BYTES = 4

_RULES = "__keymoot_rules__"
"""The attribute of a function that carries its rules."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a method may be called.

    Attributes:
        view: It changes nothing, and is refused if it tries.
        payable: It takes value.
        reentrant: It may be called while its contract is already running.
        gas_ceiling: What an estimate answers, for a method that uses keys or
            randomness and so cannot be tried out; None for all others.
        believes_from: In a query, which nobody signs, it takes the claimed `from` as its
            sender, and nothing confidential opens to it. For methods that read public
            state only; all others have no sender in a query.
        internal: Other contracts may call it, and nobody else: it has no ABI.
    """

    view: bool = False
    payable: bool = False
    reentrant: bool = False
    gas_ceiling: int | None = None
    believes_from: bool = False
    internal: bool = False


@dataclass(frozen=True)
class Method:
    """One method with its ABI; `name` and those of `arguments` are written as in Solidity."""

    name: str
    arguments: tuple[tuple[str, AbiType], ...]
    results: tuple[AbiType, ...]
    rules: Rules
    function: Callable[..., Any]

    @cached_property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, kind.name) for name, kind in self.arguments)

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        return tuple(kind.name for kind in self.results)

    @property
    def signature(self) -> str:
        return f"{self.name}({','.join(kind for _, kind in self.inputs)})"

    @cached_property
    def selector(self) -> bytes:
        return keccak256_raw(self.signature.encode())[:SELECTOR_BYTES]

    def decode(self, data: bytes) -> list[Any]:
        """Read the arguments behind the selector, each as the type that the method names."""
        try:
            values = decode(self._input_kinds, data)
        except BadEncoding as error:
            raise BadArguments(self.signature, error.reason) from error
        return [kind.of(value) for (_, kind), value in zip(self.arguments, values, strict=True)]

    def encode(self, arguments: Sequence[Any]) -> bytes:
        """Write a call: the selector and the arguments."""
        return self.selector + encode(self._input_kinds, arguments)

    def encode_result(self, result: Any) -> bytes:
        """Write what the method returned; BadResult where its declared types cannot hold it."""
        if not self.outputs:
            return b""
        try:
            return encode(self._output_kinds, result if len(self.outputs) > 1 else [result])
        except BadValue as error:
            raise BadResult(self.signature, ",".join(self.outputs)) from error

    def decode_result(self, data: bytes) -> tuple[Any, ...]:
        """Read what `encode_result` wrote."""
        values = decode(self._output_kinds, data)
        return tuple(kind.of(value) for kind, value in zip(self.results, values, strict=True))

    @cached_property
    def _input_kinds(self) -> tuple[Kind, ...]:
        return parse_kinds(kind for _, kind in self.inputs)

    @cached_property
    def _output_kinds(self) -> tuple[Kind, ...]:
        return parse_kinds(self.outputs)


@overload
def call(function: F) -> F: ...
@overload
def call(
    *,
    payable: bool = False,
    reentrant: bool = False,
    gas_ceiling: int | None = None,
    believes_from: bool = False,
) -> Callable[[F], F]: ...
def call(
    function: F | None = None,
    *,
    payable: bool = False,
    reentrant: bool = False,
    gas_ceiling: int | None = None,
    believes_from: bool = False,
) -> Any:
    """Make a method callable by transactions and by other contracts."""
    rules = Rules(
        payable=payable, reentrant=reentrant, gas_ceiling=gas_ceiling, believes_from=believes_from
    )
    return _mark(rules) if function is None else _mark(rules)(function)


def view(function: F) -> F:
    """Make a method callable by anyone, without effect."""
    return _mark(Rules(view=True, reentrant=True))(function)


def internal(function: F) -> F:
    """Make a method callable by other contracts alone; no transaction and no query reaches it."""
    return _mark(Rules(internal=True))(function)


def rules_of(function: object) -> Rules | None:
    rules: Rules | None = getattr(function, _RULES, None)
    return rules


def _mark(rules: Rules) -> Callable[[F], F]:
    def mark(function: F) -> F:
        setattr(function, _RULES, rules)
        return function

    return mark


class Contract:
    """Base of all contracts. Instances hold nothing: state lives in cells.

    Attributes:
        ADDRESS: Where it stands: written here, and read everywhere else.
        ERRORS: What its methods revert with that has a signature of its own, what the
            contracts that they call revert with included.
        EVENTS: What it may emit.
    """

    ADDRESS: ClassVar[Address]
    ERRORS: ClassVar[tuple[type[ContractError], ...]] = ()
    EVENTS: ClassVar[tuple[type[Event], ...]] = ()
    METHODS: ClassVar[dict[bytes, Method]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        methods = {}
        for name, function in inspect.getmembers(cls, inspect.isfunction):
            rules = rules_of(function)
            if rules is not None and not rules.internal:
                method = _method(name, function, rules)
                methods[method.selector] = method
        cls.METHODS = methods

    @classmethod
    def method(cls, name: str) -> Method:
        for method in cls.METHODS.values():
            if method.name == name:
                return method
        raise UnknownMethod(b"")

    def dispatch(self, ctx: Context, data: bytes) -> bytes:
        """Run the method that the calldata names; give its encoded result."""
        method = self.METHODS.get(data[:SELECTOR_BYTES])
        if method is None:
            raise UnknownMethod(data[:SELECTOR_BYTES])
        if ctx.value and not method.rules.payable:
            raise NotPayable(method.name)
        arguments = method.decode(data[SELECTOR_BYTES:])
        try:
            result = method.function(self, ctx.as_view() if method.rules.view else ctx, *arguments)
        except Malformed as error:
            raise BadArguments(method.signature, str(error)) from error
        return method.encode_result(result)


def built_in(number: int) -> Address:
    """Give the address of the built-in contract with a number, 1 to 255."""
    return Address(b"keymoot".ljust(19, b"\0") + bytes((number,)))


def _method(name: str, function: Callable[..., Any], rules: Rules) -> Method:
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters)[2:]
    arguments = tuple((_camel(parameter), abi_type(hints[parameter])) for parameter in parameters)
    result = hints.get("return", type(None))
    if result is type(None):
        results: tuple[AbiType, ...] = ()
    elif get_origin(result) is tuple:
        results = tuple(abi_type(part) for part in get_args(result))
    else:
        results = (abi_type(result),)
    return Method(_camel(name), arguments, results, rules, function)


def _camel(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part.title() for part in rest)  # consensus: a name of ours
