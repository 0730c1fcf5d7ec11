"""What a known function gives away, to whom, and how much of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from keymoot.policy.evm.signature import Function, parse_function

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

_PAID = ("amount", "amounts", "assets", "shares", "liquidity")

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


def power(
    kind: str,
    signature: str,
    whom: str = "",
    amounts: str = "",
    sources: str = "",
    assets: str = "",
) -> Power:
    """Write one row; paths of arguments are apart by spaces."""
    function = parse_function(signature, "")

    def ways(paths: str) -> tuple[Way, ...]:
        return tuple(function.places[path].way for path in paths.split(" ") if path)

    return Power(kind, function, ways(whom), ways(amounts), ways(sources), ways(assets))


def payout(signature: str, whom: str, sources: str = "") -> Power:
    """Write one row of a function that pays out; its amounts go by the usual names."""
    function = parse_function(signature, "")
    amounts = [name for name in _PAID if (function.kind_of(name) or "").startswith("uint")]
    return power(WITHDRAWAL, signature, whom, " ".join(amounts), sources)


def named(function: Function, ways: tuple[Way, ...]) -> Iterator[str]:
    """Give the paths that a policy's own signature has for these positions."""
    for way in ways:
        for path, place in function.places.items():
            if place.way == way:
                yield path
