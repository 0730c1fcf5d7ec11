"""Keys of the state: from the network's state secret of each version, a pair for each contract.

A secret may come late: a network's first blocks make one, and members raise its version when
somebody who had it has left. Which one a state uses is a fact of the ledger, and not decided
here. Who has the newest opens the older ones: each lies in public state, sealed under the next.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

from keymoot.base.errors import Defect
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId
from keymoot.base.forms import Exactly
from keymoot.base.record import Record
from keymoot.base.secret import Secret
from keymoot.crypto.kdf import derive
from keymoot.crypto.sealing import KEY_BYTES, NONCE_BYTES, TAG_BYTES, SealBroken, Sealer

WRAPPED_BYTES = KEY_BYTES + TAG_BYTES
"""Length of a secret that is sealed under the next version's."""

FIRST_NAME = Bytes32(bytes(32))
"""Name of version 0, which the founders make."""

_NONCE = b"nonce"
"""Begins what a nonce is drawn from. No cell's key begins so: they are lists in RLP."""

_WRAP_NONCE = bytes(NONCE_BYTES)
"""Each wrapping key seals one secret."""


@dataclass(frozen=True, slots=True)
class Former(Record):
    """A version of before, in public state.

    `wrapped` is its secret, sealed under the next version's; empty until the first block under that
    one, for those who execute the block before need not have it.
    """

    name: Bytes32
    wrapped: Annotated[bytes, Exactly(0, WRAPPED_BYTES)]


@dataclass(frozen=True, slots=True)
class Version:
    """Which state secret a state uses.

    Attributes:
        name: What tells it from every other secret of the network, on all branches.
        former: The versions before it, version 0 first.
    """

    name: Bytes32 = FIRST_NAME
    former: tuple[Former, ...] = ()

    @property
    def number(self) -> int:
        return len(self.former)


@dataclass(frozen=True, slots=True)
class ContractKeys:
    """One contract's keys.

    Attributes:
        blind: Hides which cell a slot is. It is version 0's for ever, so that slots stay.
        version: What is sealed now is sealed under this one.
    """

    blind: Secret
    version: int
    sealer: Callable[[int], Sealer]

    def slot(self, key: bytes) -> Bytes32:
        """HMAC-SHA-256 under the blinding key."""
        return Bytes32(hmac.digest(self.blind.expose(), key, "sha256"))

    def nonce(self, seed: Hash32, position: int, counter: int) -> bytes:
        """Give the sealing nonce (12 bytes) of one confidential write: HMAC-SHA-256, cut.

        `seed` is of the block being executed: forks of one height have other seeds, so none of
        them repeats another's nonces.
        """
        place = position.to_bytes(4, "big") + counter.to_bytes(4, "big")
        message = _NONCE + seed + place
        return hmac.digest(self.blind.expose(), message, "sha256")[:NONCE_BYTES]


class StateKeys:
    """The state secrets that are here, by name; a replica has one of these."""

    def __init__(self, secret: Secret | None, network: NetworkId) -> None:
        """Begin with the 32 bytes of version 0, or None if they come later, by `take`."""
        self.network = network
        self._secrets: dict[Bytes32, Secret] = {}
        self._blinds: dict[Address, Secret] = {}
        self._sealers: dict[tuple[Bytes32, Address], Sealer] = {}
        if secret is not None:
            self.take(secret)

    def take(self, secret: Secret, name: Bytes32 = FIRST_NAME) -> None:
        """Take a secret over; the first one of a name counts, and another one is a Defect."""
        known = self._secrets.setdefault(name, secret)
        if not hmac.compare_digest(known.expose(), secret.expose()):
            raise Defect("two different state secrets of one version came")

    def at(self, version: Version) -> "VersionKeys":
        """The keys of a state that uses `version`, whether its secret is here or not."""
        return VersionKeys(self, version)

    def secret(self, version: Version, number: int) -> Secret:
        """Give the secret of a version up to `version`; older ones are unwrapped from the next."""
        names = [*(former.name for former in version.former), version.name]
        # 1. The oldest from here on that is at hand.
        at = next(
            (place for place in range(number, len(names)) if names[place] in self._secrets), None
        )
        if at is None:
            raise Defect("the state secret is used before it is here")
        # 2. Each opens the one before.
        while at > number:
            opener, at = self._secrets[names[at]], at - 1
            self.take(self._unwrap(opener, at, version.former[at]), names[at])
        return self._secrets[names[number]]

    def wrap(self, version: Version, number: int) -> bytes:
        """Seal the secret of a version before `version` under the one after it."""
        inner, outer = self.secret(version, number), self.secret(version, number + 1)
        aad = self._wrap_aad(number, version.former[number].name)
        return _wrapper(outer).seal(_WRAP_NONCE, inner.expose(), aad)

    def blind(self, version: Version, address: Address) -> Secret:
        kept = self._blinds.get(address)
        if kept is None:
            first = self.secret(version, 0)
            kept = derive(first, "state/blind", self.network, address)
            self._blinds[address] = kept
        return kept

    def sealer(self, version: Version, address: Address, number: int) -> Sealer:
        """What seals a contract's values under a version up to `version`."""
        name = version.former[number].name if number < version.number else version.name
        kept = self._sealers.get((name, address))
        if kept is None:
            key = derive(self.secret(version, number), "state/seal", self.network, address)
            kept = self._sealers[name, address] = Sealer(key)
        return kept

    def names(self) -> tuple[Bytes32, ...]:
        return tuple(self._secrets)

    def holds(self, name: Bytes32) -> bool:
        return name in self._secrets

    def _unwrap(self, opener: Secret, number: int, former: Former) -> Secret:
        if not former.wrapped:
            raise Defect("the state secret of the version before is used before it is here")
        aad = self._wrap_aad(number, former.name)
        try:
            opened = _wrapper(opener).open(_WRAP_NONCE, former.wrapped, aad, "a state secret")
        except SealBroken as error:
            raise Defect("a former state secret does not open under the one after it") from error
        return Secret(opened)

    def _wrap_aad(self, number: int, name: Bytes32) -> bytes:
        return self.network + number.to_bytes(4, "big") + name


@dataclass(frozen=True, slots=True)
class VersionKeys:
    """What opens the confidential state that uses a version, and feeds in-block randomness.

    All but `held` raise Defect where a secret that they need is not here.
    """

    keys: StateKeys
    version: Version

    @property
    def network(self) -> NetworkId:
        return self.keys.network

    @property
    def held(self) -> bool:
        """Whether all that the next block needs is here."""
        loose = (former.name for former in self.version.former if not former.wrapped)
        return all(map(self.keys.holds, (self.version.name, *loose)))

    def wrapped(self) -> tuple[Former, ...] | None:
        """The versions before with all of them wrapped; None where all were."""
        former = self.version.former
        if all(version.wrapped for version in former):
            return None
        return tuple(
            version
            if version.wrapped
            else replace(version, wrapped=self.keys.wrap(self.version, number))
            for number, version in enumerate(former)
        )

    def contract_keys(self, address: Address) -> ContractKeys:
        return ContractKeys(
            self.keys.blind(self.version, address),
            self.version.number,
            partial(self.keys.sealer, self.version, address),
        )

    def random(self, seed: Hash32, position: int, counter: int, length: int) -> Secret:
        """Give 8 to 1024 bytes that nobody knew before the block was decided, the same everywhere.

        They are of draw `counter` of the transaction at `position` in the block with this seed.
        """
        return derive(
            derive(self._present, "state/random", self.network),
            "state/draw",
            seed,
            position.to_bytes(4, "big"),
            counter.to_bytes(4, "big"),
            length=length,
        )

    def mix(self, seed: Hash32) -> Hash32:
        """The mix hash of the block with this seed: of no use but in its header."""
        return Hash32(derive(self._present, "state/mix", self.network, seed).expose())

    @property
    def _present(self) -> Secret:
        return self.keys.secret(self.version, self.version.number)


def _wrapper(secret: Secret) -> Sealer:
    return Sealer(derive(secret, "state/wrap"))
