"""The machine on which a network in memory lives: its folders, its enclaves' processes, its faults."""

import shutil
from pathlib import Path
from random import Random

from keymoot.base.fixed import Measurement
from keymoot.base.storage import CannotWrite
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.node.config import Config
from keymoot.node.feed.process import Process
from keymoot.store.table import Batch
from keymoot.testing.loop import VirtualLoop
from keymoot.testing.process import MemoryProcess, Pace

DISK_FULL = 28
"""The system's number for a disk that is full."""


class MemoryDisk(LmdbStore):
    """The node's file, on a disk that may be full."""

    full = False

    def write(self, batch: Batch) -> None:
        """Write, unless the disk is full; see `LmdbStore`."""
        if self.full:
            self.shortage = CannotWrite("the ledger's file", DISK_FULL)
            raise self.shortage
        super().write(batch)


class Machine:
    """Folders, and the processes that run on them.

    Attributes:
        processes: The newest start of each seat.
        starts: How many starts there were.
        disk: The node's, while it runs.
        codes: What enclaves of some seats say that they run, where it is not what they do run.
    """

    def __init__(self, config: Config, loop: VirtualLoop, dice: Random, pace: Pace) -> None:
        """Begin with nothing.

        Args:
            config: The node's.
            loop: Time.
            dice: Of everything that happens here.
            pace: How long things take.
        """
        self.config = config
        self.processes: dict[int, MemoryProcess] = {}
        self.starts = 0
        self.codes: dict[int, Measurement] = {}
        self.disk: MemoryDisk | None = None
        self._loop, self._dice, self._pace = loop, dice, pace
        self._copies: list[tuple[int, Path]] = []

    async def launch(self, seat: int) -> Process:
        """Start the enclave of a seat on its folder; a `Launch`."""
        made = await self._start(seat, self.config.enclave_folder(seat))
        self.processes[seat] = made
        return made

    def open(self, folder: Path) -> MemoryDisk:
        """Open the node's file."""
        self.disk = MemoryDisk(folder)
        return self.disk

    def running(self) -> list[int]:
        """Give the seats whose enclaves run, in order."""
        return sorted(seat for seat, one in self.processes.items() if one.runs)

    def wipe(self, seat: int) -> None:
        """Forget a seat: its folder, and what it ran."""
        self.codes.pop(seat, None)
        shutil.rmtree(self.config.enclave_folder(seat), ignore_errors=True)

    # -- faults

    def copy_folder(self, seat: int) -> None:
        """Keep what an enclave has on its disk now."""
        source = self.config.enclave_folder(seat)
        if source.exists():
            to = self.config.data.parent / f"copy-{len(self._copies)}"
            shutil.copytree(source, to)
            self._copies.append((seat, to))

    def restore_folder(self, seat: int) -> bool:
        """Kill an enclave, and put an old copy in its folder's place; tell whether there is one."""
        found = [to for at, to in self._copies if at == seat]
        if not found:
            return False
        self.processes[seat].kill()
        folder = self.config.enclave_folder(seat)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._dice.choice(found), folder)
        return True

    async def clone(self, seat: int) -> MemoryProcess | None:
        """Start an enclave on a copy of a folder, beside the one that runs; None: no copy."""
        found = [to for at, to in self._copies if at == seat]
        if not found:
            return None
        folder = self.config.data.parent / f"clone-{self.starts}"
        shutil.copytree(self._dice.choice(found), folder)
        return await self._start(seat, folder)

    async def _start(self, seat: int, folder: Path) -> MemoryProcess:
        self.starts += 1
        dice = Random(self._dice.random())  # noqa: S311  a run's dice
        code = self.codes.get(seat)
        made = MemoryProcess(seat, folder, self._loop, dice, self._pace, code)
        await made.greet()
        return made
