"""What the enclave keeps for ever, sealed in one file: its keys and its network."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from keymoot.base import rlp
from keymoot.base.errors import Defect, Refused
from keymoot.base.fields import fixed_of, list_of, optional_fixed_of, uint, uint_of
from keymoot.base.fixed import Bytes32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.committee.reshare.epoch_keys import GONE, KeyRotation, Role
from keymoot.enclave.platform import Platform
from keymoot.enclave.sealed_file import read_sealed, write_sealed
from keymoot.threshold.secp256k1 import SECP256K1

FILE_NAME = "keep.sealed"
_PURPOSE = "keep"
_SECRET_BYTES = 32

Entropy = Callable[[int], bytes]
"""Gives so many bytes that nobody can guess."""

MAX_STATES = 16
"""State secrets that are kept. A recovery may go back to a state that uses an older version."""


class OtherNetwork(Refused, code="OTHER_NETWORK"):
    message = (
        "this enclave is sealed to another genesis, and nothing at start replaces that: "
        "use the data folder that belongs to it, or start a new network with another --data"
    )


@dataclass(frozen=True, slots=True)
class SealedState:
    """The enclave's own secrets.

    Attributes:
        identity: Ed25519 seed; signs answers.
        states: The network's state secrets by the names of their versions, the newest last.
        epoch: Scalar of secp256k1 to whose point root dealings are encrypted.
        next: The scalar for the next epoch.
        network: Set once, when the enclave joins; None before.
        previous: The scalar of the epoch before, while a recovery may go back to it.
        recoveries: How many recoveries there were when the epoch's keys turned last.
        seated: Height of the first certified block that showed us in our seat; 0 for who has
            none, or has erased what it had for it.
    """

    identity: Secret
    states: tuple[tuple[Bytes32, Secret], ...]
    epoch: Secret
    next: Secret
    network: NetworkId | None
    previous: Secret | None = None
    recoveries: int = 0
    seated: Height = Height(0)

    def joined(self, network: NetworkId) -> "SealedState":
        """Give the state of an enclave that belongs to `network`."""
        if self.network is not None and self.network != network:
            raise OtherNetwork
        return replace(self, network=network)

    @property
    def state(self) -> Secret | None:
        """The newest state secret; None until the members have given one."""
        return self.states[-1][1] if self.states else None

    def holding(self, name: Bytes32, state: Secret, present: Bytes32) -> "SealedState":
        """Give the state of an enclave that has one more of the network's state secrets.

        Those of attempts that came to nothing are not needed again, and each version leads to
        the ones before it. So the oldest go, but never `present`, the one that blocks need now.
        """
        states = (*(kept for kept in self.states if kept[0] != name), (name, state))
        while len(states) > MAX_STATES:
            place = next(at for at, (known, _) in enumerate(states) if known != present)
            states = (*states[:place], *states[place + 1 :])
        return replace(self, states=states)

    def sitting(self, height: Height) -> "SealedState":
        """Give the state of an enclave that a certified block shows in its seat."""
        return replace(self, seated=height)

    def turned(self, turn: KeyRotation, entropy: Entropy = os.urandom) -> "SealedState":
        """Give the state after the epoch's keys have turned; a next key was never posted."""
        held = {Role.LIVING: self.epoch, Role.NEXT: self.next, Role.PREVIOUS: self.previous}
        living = _fresh_scalar(entropy) if turn.living is None else held[turn.living]
        if living is None:
            raise Defect("the key of the epoch before is erased")
        return replace(
            self,
            epoch=living,
            next=self.next if turn.living is Role.LIVING else _fresh_scalar(entropy),
            previous=None if turn.previous is None else held[turn.previous],
            recoveries=turn.recoveries,
            seated=Height(0) if turn.living is None else self.seated,
        )

    def gone(self, entropy: Entropy = os.urandom) -> "SealedState":
        """Give the state of an enclave that is no member any more, nor about to be one.

        No key opens what was dealt to it, and the network's state secrets are not its any more.
        """
        return replace(self.turned(GONE, entropy), states=())


class SealedStateFile:
    """The sealed state in its folder, what it holds now, and where its keys come from."""

    def __init__(self, folder: Path, platform: Platform) -> None:
        """Open it, or make it on the very first start."""
        self._folder = folder
        self._platform = platform
        self.entropy = platform.entropy
        self.now = open_sealed_state(folder, platform)

    def put(self, sealed: SealedState) -> None:
        """Seal another state in its place; it counts once it is on disk."""
        write_sealed_state(self._folder, self._platform, sealed)
        self.now = sealed


def open_sealed_state(folder: Path, platform: Platform) -> SealedState:
    """Open the sealed state; on the very first start make and seal one."""
    raw = read_sealed(folder / FILE_NAME, platform, _PURPOSE)
    if raw is None:
        scalars = _fresh_scalar(platform.entropy), _fresh_scalar(platform.entropy)
        sealed = SealedState(Secret(platform.entropy(_SECRET_BYTES)), (), *scalars, None)
        write_sealed_state(folder, platform, sealed)
        return sealed
    fields = list_of(rlp.decode(raw), 8, "keep")
    identity, epoch, following = (
        Secret(fixed_of(fields[place], Bytes32, "keep")) for place in (0, 2, 3)
    )
    states = tuple(map(_read_state, list_of(fields[1], None, "states")))
    network = optional_fixed_of(fields[4], NetworkId, "network")
    before = optional_fixed_of(fields[5], Bytes32, "previous")
    previous = None if before is None else Secret(before)
    recoveries = uint_of(fields[6], "recoveries", 4)
    seated = Height(uint_of(fields[7], "seated", 8))
    return SealedState(identity, states, epoch, following, network, previous, recoveries, seated)


def write_sealed_state(folder: Path, platform: Platform, sealed: SealedState) -> None:
    content = rlp.encode(
        [
            sealed.identity.expose(),
            [[name, state.expose()] for name, state in sealed.states],
            sealed.epoch.expose(),
            sealed.next.expose(),
            sealed.network or b"",
            b"" if sealed.previous is None else sealed.previous.expose(),
            uint(sealed.recoveries),
            uint(sealed.seated),
        ]
    )
    write_sealed(folder / FILE_NAME, platform, _PURPOSE, content)


def _read_state(item: rlp.Decoded) -> tuple[Bytes32, Secret]:
    name, state = list_of(item, 2, "states")
    return fixed_of(name, Bytes32, "name"), Secret(fixed_of(state, Bytes32, "state"))


def _fresh_scalar(entropy: Entropy) -> Secret:
    return SECP256K1.scalar(entropy(_SECRET_BYTES))
