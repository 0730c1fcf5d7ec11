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
from keymoot.contracts.context import Context
from keymoot.contracts.errors import (
    BadArguments,
    BadResult,
    ContractError,
    NotPayable,
    UnknownMethod,
)
from keymoot.contracts.types import abi_name, from_abi
from keymoot.crypto.keccak import keccak256_raw

F = TypeVar("F", bound=Callable[..., Any])

SELECTOR_BYTES = 4


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
    """

    view: bool = False
    payable: bool = False
    reentrant: bool = False
    gas_ceiling: int | None = None
    believes_from: bool = False


@dataclass(frozen=True)
class Method:
    """One method with its ABI."""

    name: str
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[str, ...]
    rules: Rules
    function: Callable[..., Any]

    @property
    def signature(self) -> str:
        """Name and argument types, as the selector hashes them."""
        return f"{self.name}({','.join(kind for _, kind in self.inputs)})"

    @cached_property
    def selector(self) -> bytes:
        """First four bytes of the signature's Keccak-256."""
        return keccak256_raw(self.signature.encode())[:SELECTOR_BYTES]

    def decode(self, data: bytes) -> list[Any]:
        """Read the arguments behind the selector; only their canonical encoding.

        Raises:
            BadArguments: anything else.
        """
        try:
            values = decode(self._input_kinds, data)
        except BadEncoding as error:
            raise BadArguments(self.signature, error.reason) from error
        return [from_abi(kind, value) for (_, kind), value in zip(self.inputs, values, strict=True)]

    def encode(self, arguments: Sequence[Any]) -> bytes:
        """Write a call: the selector and the arguments.

        Raises:
            BadValue: they are not those of this method.
        """
        return self.selector + encode(self._input_kinds, arguments)

    def encode_result(self, result: Any) -> bytes:
        """Write what the method returned.

        Raises:
            BadResult: it does not fit the types that the method declares.
        """
        if not self.outputs:
            return b""
        try:
            return encode(self._output_kinds, result if len(self.outputs) > 1 else [result])
        except BadValue as error:
            raise BadResult(self.signature, ",".join(self.outputs)) from error

    def decode_result(self, data: bytes) -> tuple[Any, ...]:
        """Read what `encode_result` wrote.

        Raises:
            BadEncoding: anything else.
        """
        return decode(self._output_kinds, data)

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
        payable=payable,
        reentrant=reentrant,
        gas_ceiling=gas_ceiling,
        believes_from=believes_from,
    )
    return _mark(rules) if function is None else _mark(rules)(function)


def view(function: F) -> F:
    """Make a method callable by anyone, without effect."""
    return _mark(Rules(view=True, reentrant=True))(function)


def _mark(rules: Rules) -> Callable[[F], F]:
    def mark(function: F) -> F:
        function.__keymoot_rules__ = rules  # type: ignore[attr-defined]
        return function

    return mark


class Contract:
    """Base of all contracts. Instances hold nothing: state lives in cells.

    Attributes:
        ADDRESS: Where a built-in contract stands; a test gives others theirs.
        ERRORS: What its methods revert with that has a signature of its own, what the
            contracts that they call revert with included.
    """

    ADDRESS: ClassVar[Address]
    ERRORS: ClassVar[tuple[type[ContractError], ...]] = ()
    METHODS: ClassVar[dict[bytes, Method]] = {}

    def __init_subclass__(cls) -> None:
        """Collect the methods and check that all of them have an ABI."""
        super().__init_subclass__()
        methods = {}
        for name, function in inspect.getmembers(cls, inspect.isfunction):
            rules = getattr(function, "__keymoot_rules__", None)
            if rules is not None:
                method = _method(name, function, rules)
                methods[method.selector] = method
        cls.METHODS = methods

    @classmethod
    def method(cls, name: str) -> Method:
        """Give the method of that (Solidity) name."""
        for method in cls.METHODS.values():
            if method.name == name:
                return method
        raise UnknownMethod(b"")

    def dispatch(self, ctx: Context, data: bytes) -> bytes:
        """Run the method that the calldata names; give its encoded result.

        Raises:
            Refused: no such method, bad arguments, or the method's own refusal.
        """
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


def _method(name: str, function: Callable[..., Any], rules: Rules) -> Method:
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters)[2:]
    inputs = tuple((_camel(one), abi_name(hints[one])) for one in parameters)
    result = hints.get("return", type(None))
    if result is type(None):
        outputs: tuple[str, ...] = ()
    elif get_origin(result) is tuple:
        outputs = tuple(abi_name(part) for part in get_args(result))
    else:
        outputs = (abi_name(result),)
    return Method(_camel(name), inputs, outputs, rules, function)


def _camel(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part.title() for part in rest)  # consensus: a name of ours
