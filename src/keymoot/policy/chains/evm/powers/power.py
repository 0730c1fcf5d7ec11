"""What a known function gives away, to whom, and how much of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from keymoot.policy.chains.evm.signature import Argument, Function, parse_function

APPROVAL = "APPROVAL"
APPROVAL_FOR_ALL = "APPROVAL_FOR_ALL"
PERMIT = "PERMIT"
TRANSFER_FROM = "TRANSFER_FROM"
WRAPPER = "WRAPPER"
OWNERSHIP = "OWNERSHIP"
DELEGATION = "DELEGATION"
TRANSFER = "TRANSFER"
DEPOSIT = "DEPOSIT"
WITHDRAWAL = "WITHDRAWAL"
SWAP = "SWAP"
REVOCATION = "REVOCATION"

_GIVES = {
    APPROVAL: "gives a spender the tokens",
    APPROVAL_FOR_ALL: "gives everything to an operator",
    PERMIT: "approves a spender",
    TRANSFER_FROM: "moves tokens of somebody to somebody",
    WRAPPER: "hides other calls",
    OWNERSHIP: "gives control away",
    DELEGATION: "lets somebody act or vote for the wallet",
    TRANSFER: "sends value",
    DEPOSIT: "credits somebody with what the wallet pays",
    WITHDRAWAL: "pays out",
    SWAP: "exchanges tokens and pays out",
    REVOCATION: "takes power back",
}

REFUSED_BY_NAME = frozenset(
    (APPROVAL, APPROVAL_FOR_ALL, PERMIT, TRANSFER_FROM, WRAPPER, OWNERSHIP, DELEGATION)
)
"""Kinds whose own word a refusal carries where no rule names the function."""

_MARK = "$"
_WHOM, _AMOUNTS, _SOURCES, _ASSETS = (f"{_MARK}{at}" for at in range(4))
_AS_NAMES = {ord(">"): _WHOM, ord("#"): _AMOUNTS, ord("<"): _SOURCES, ord("@"): _ASSETS}
"""Marks in the order of a Power's fields, as beginnings of names that the parser takes."""
_CONTINUED = re.compile(r",\n *")

Way = tuple[int, ...]
"""Position of an argument, then of a tuple's parts: a policy may give them other names."""


@dataclass(frozen=True, slots=True)
class Power:
    """One known function.

    Where two standards give one selector different meanings (`withdraw(address,uint256)`: to
    whom, or which asset), it is in no row, for a row that is wrong refuses good policies.

    Attributes:
        kind: What it gives, as one of the words above.
        function: Its signature with the names that its standard gives the arguments.
        whom: Arguments that decide who gets value or control. Calldata within an argument
            decides that too.
        amounts: Arguments that say how much leaves the wallet.
        sources: Arguments that say whose value it is.
        assets: Arguments that name what is bought, or where value is put to work: an
            attacker's own token or market is as good as his address.
    """

    kind: str
    function: Function
    whom: tuple[Way, ...] = ()
    amounts: tuple[Way, ...] = ()
    sources: tuple[Way, ...] = ()
    assets: tuple[Way, ...] = ()

    @property
    def gives(self) -> str:
        """What it does, for people."""
        return f"{self.function.name} {_GIVES[self.kind]}"


def powers(kind: str, rows: str) -> tuple[Power, ...]:
    """Read rows of the table: a signature a line, which goes on behind a comma.

    Its arguments carry marks: `>to` decides who gets value or control, `#amount` says how much
    leaves the wallet, `<from` whose value it is, `@asset` what is bought or where value goes.
    """
    whole = _CONTINUED.sub(",", rows).translate(_AS_NAMES)
    return tuple(_power(kind, row.strip(" ")) for row in whole.split("\n") if row.strip(" "))


def _power(kind: str, row: str) -> Power:
    marked = parse_function(row, "")
    ways: dict[str, list[Way]] = {mark: [] for mark in _AS_NAMES.values()}
    for path, place in marked.places.items():
        mark = path.rpartition(".")[2][: len(_WHOM)]
        if mark in ways:
            ways[mark].append(place.way)
    function = Function(marked.name, tuple(map(_plain, marked.arguments)))
    return Power(kind, function, *map(tuple, ways.values()))


def _plain(argument: Argument) -> Argument:
    """Take the mark from a name, and from those of its parts."""
    name = argument.name
    name = name[len(_WHOM) :] if name.startswith(_MARK) else name
    return argument._replace(name=name, parts=tuple(map(_plain, argument.parts)))


def named(function: Function, ways: tuple[Way, ...]) -> Iterator[str]:
    """Give the paths that a policy's own signature has for these positions."""
    for way in ways:
        for path, place in function.places.items():
            if place.way == way:
                yield path
