"""Where a node keeps its things, and on which port it answers."""

import os
from dataclasses import dataclass
from pathlib import Path

from keymoot.base.fixed import Measurement
from keymoot.committee.genesis import NodeAdmission

DEFAULT_PORT = 8645
"""Beside, not on, the 8545 of a developer's own Ethereum node."""

DEFAULT_NODES = 4
"""The smallest committee of which one may fail."""

FUSE_VARIABLE = "KEYMOOT_SIMULATED_CPU"
"""Names the simulated CPU's fuse file; a path, never a key."""


@dataclass(frozen=True, slots=True)
class Config:
    """A node's settings.

    Attributes:
        data: The data folder: the ledger and the enclave's sealed files.
        fuse: The simulated CPU's fuse file, outside `data`.
        host: Address to listen on; loopback unless somebody asks for more.
        port: 0 for any free one.
        nodes: How many enclaves a new network has, and an old one has to have; None for four,
            and for as many as there are.
        epoch_seconds: How long an epoch of a new network lives, and of an old one has to; None
            for the usual, and for whatever it is.
        block_seconds: How long after a block an empty one follows; None for never.
        keep_dealings: Whether dealings of old blocks are kept.
        allow_hosts: Names by which the node may be called, beside its own addresses.
        allow_origins: Web pages and wallets' extensions that may call it.
        admission: Which nodes on hardware a new network lets in, and how they are mixed, and an
            old one has to; None for none, and for whatever it is.
        measurements: What code may keep keys of a new network, beside the one that runs here: the
            same program as other vendors measure it.
    """

    data: Path
    fuse: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    nodes: int | None = None
    epoch_seconds: int | None = None
    block_seconds: int | None = None
    keep_dealings: bool = False
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    admission: NodeAdmission | None = None
    measurements: tuple[Measurement, ...] = ()

    def enclave_folder(self, seat: int) -> Path:
        return self.data / f"enclave-{seat}"

    def fuse_of(self, seat: int) -> Path:
        """Where the fuses of a seat's simulated CPU are: each seat has a machine of its own."""
        return self.fuse.with_name(f"{self.fuse.stem}-{seat}{self.fuse.suffix}")


def lock_file(data: Path) -> Path:
    """Where the node that runs on a data folder says so: it holds the lock."""
    return data / "lock"


def default_data() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "keymoot" / "network"


def default_fuse() -> Path:
    named = os.environ.get(FUSE_VARIABLE)
    if named:
        return Path(named)
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "keymoot" / "simulated-cpu" / "fuse.key"
