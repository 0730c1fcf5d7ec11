"""Which contract stands where, under which name, and from which block on.

A registry is part of the measured code, so all replicas of a release have the same one. A new
contract, or a new version of one, is a row with the height from which it counts: at every
height below there is no code at that address, or the version before. Replicas that run
the release before that height is reached agree on every block, whenever each was started anew.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from keymoot.base.errors import Defect
from keymoot.base.fixed import Address
from keymoot.base.units import Height
from keymoot.contracts.framework.contract import Contract, rules_of
from keymoot.contracts.framework.errors import NoCode, NotCallable
from keymoot.crypto.keccak import keccak256

CODE = b"\xfe"
"""What `eth_getCode` shows for a contract: one invalid instruction, so that tools see one."""

CODE_HASH = keccak256(CODE)

GENESIS = Height(0)
"""What is active from here on is in the state before the first block."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One version of one contract.

    Attributes:
        name: The contract's name; all its versions have the same, and no other contract has it.
        kind: Its class, which says the address.
        active_from: The first block in which it runs.
    """

    name: str
    kind: type[Contract]
    active_from: Height = GENESIS

    @property
    def address(self) -> Address:
        return self.kind.ADDRESS


class Active:
    """The contracts that are there at one height."""

    def __init__(self, deployments: Iterable[Deployment]) -> None:
        """Of several at an address the last one counts."""
        newest = {row.address: row for row in deployments}
        self._contracts = {at: version.kind() for at, version in newest.items()}
        self._names = {at: version.name for at, version in newest.items()}
        self._owners: dict[Callable[..., Any], list[Address]] = {}
        for at, contract in self._contracts.items():
            for function in _callable(type(contract)):
                self._owners.setdefault(function, []).append(at)

    def __contains__(self, address: Address) -> bool:
        return address in self._contracts

    def get(self, address: Address) -> Contract | None:
        return self._contracts.get(address)

    def name_of(self, address: Address) -> str | None:
        return self._names.get(address)

    def owner_of(self, method: Callable[..., Any]) -> Address:
        """Give the address of the one contract that has a method, as its class gives it."""
        name = method.__qualname__  # consensus: a name of ours
        if rules_of(method) is None:
            raise NotCallable(name, "mark it with @call, @view or @internal")
        owners = self._owners.get(method, [])
        if not owners:
            raise NoCode(name)
        if len(owners) > 1:
            raise NotCallable(name, "several contracts have it")
        return owners[0]


class Registry:
    """All contracts of a network, at all heights."""

    def __init__(self, deployments: Iterable[Deployment]) -> None:
        """Two addresses of one name, two names or two versions of one place are a Defect."""
        self.deployments = tuple(sorted(deployments, key=lambda deployment: deployment.active_from))
        names: dict[str, Address] = {}
        addresses: dict[Address, str] = {}
        starts: set[tuple[Address, Height]] = set()
        for row in self.deployments:
            at, start = row.address, (row.address, row.active_from)
            if names.setdefault(row.name, at) != at or addresses.setdefault(at, row.name) != (
                row.name
            ):
                raise Defect(f"{row.name} stands where another contract stands, or at two places")
            if start in starts:
                raise Defect(f"two versions of {row.name} are active from block {start[1]} on")
            starts.add(start)
        self._heights = sorted({GENESIS, *(row.active_from for row in self.deployments)})
        self._active = [
            Active(row for row in self.deployments if row.active_from <= height)
            for height in self._heights
        ]

    def at(self, height: Height) -> Active:
        """Give the contracts that run in a block, and in queries on the state after it."""
        return self._active[bisect_right(self._heights, height) - 1]

    def starting_at(self, height: Height) -> list[Address]:
        return [row.address for row in self.deployments if row.active_from == height]

    def plus(self, *more: Deployment) -> "Registry":
        return Registry((*self.deployments, *more))


def _callable(kind: type[Contract]) -> list[Callable[..., Any]]:
    """Give what other contracts may call, the methods that a version overrides included."""
    methods: list[Callable[..., Any]] = []
    for base in kind.__mro__:
        methods += [member for member in base.__dict__.values() if rules_of(member) is not None]
    return methods
