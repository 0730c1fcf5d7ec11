"""The machine on which a network in memory lives.

Its folders, its enclaves' processes, its faults.
"""

import shutil
from collections.abc import Callable
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

NO_DISK = 5
"""Its number for a disk that is not there any more."""

WRITE = "write"
"""The step that brings something to the node's disk.

All others are words that enclaves are asked.
"""


Step = Callable[[str, str], None]
"""Is told of a step by its word, and whether that is `before` it or `after` it."""


class MemoryDisk(LmdbStore):
    """The node's file, on a disk that may be `full`, or `off` for want of power."""

    full = off = False

    def __init__(self, folder: Path, step: Step) -> None:
        super().__init__(folder)
        self._step = step

    def write(self, batch: Batch) -> None:
        """Write, unless the disk takes nothing; see `LmdbStore`."""
        self._step(WRITE, "before")
        if self.full or self.off:
            self.shortage = CannotWrite("the ledger's file", NO_DISK if self.off else DISK_FULL)
            raise self.shortage
        super().write(batch)
        self._step(WRITE, "after")


class MemoryHost:
    """Folders, and the processes that run on them.

    Attributes:
        processes: The newest start of each seat.
        starts: How many starts there were.
        disk: The node's, while it runs.
        codes: What enclaves of some seats say that they run, where it is not what they do run.
    """

    def __init__(self, config: Config, loop: VirtualLoop, rng: Random, pace: Pace) -> None:
        self.config = config
        self.processes: dict[int, MemoryProcess] = {}
        self.starts = 0
        self.codes: dict[int, Measurement] = {}
        self.disk: MemoryDisk | None = None
        self._at: tuple[str, str, Callable[[], None]] | None = None
        self._left = 0
        self._loop, self._rng, self._pace = loop, rng, pace
        self._copies: list[tuple[int, Path]] = []

    async def launch(self, seat: int) -> Process:
        made = await self._start(seat, self.config.enclave_folder(seat))
        self.processes[seat] = made
        return made

    def open(self, folder: Path) -> MemoryDisk:
        self.disk = MemoryDisk(folder, self._step)
        return self.disk

    def running(self) -> list[int]:
        return sorted(seat for seat, process in self.processes.items() if process.runs)

    def wipe(self, seat: int) -> None:
        self.codes.pop(seat, None)
        shutil.rmtree(self.config.enclave_folder(seat), ignore_errors=True)

    # -- faults

    def at(self, word: str, count: int, moment: str, do: Callable[[], None]) -> None:
        """Do something once at a step to come, in place of what was to be done before.

        `word` is what an enclave is asked, such as `execute`, `certify` and `stored`; or `write`,
        which brings something to the node's disk. `count` is the how manieth from now on, of all
        enclaves together; `moment` is `before` or `after` it.
        """
        self._at, self._left = (word, moment, do), count

    def cut_power(self) -> None:
        """End all that runs; what is not on a disk now is lost."""
        for process in self.processes.values():
            process.kill()
        if self.disk is not None:
            self.disk.off = True

    def _step(self, word: str, moment: str) -> None:
        if self._at is None or (word, moment) != self._at[:2]:
            return
        self._left -= 1
        if self._left == 0:
            (_, _, do), self._at = self._at, None
            do()

    def copy_folder(self, seat: int) -> None:
        source = self.config.enclave_folder(seat)
        if source.exists():
            to = self.config.data.parent / f"copy-{len(self._copies)}"
            shutil.copytree(source, to)
            self._copies.append((seat, to))

    def restore_folder(self, seat: int) -> bool:
        """Kill an enclave, and put an old copy in its folder's place; tell whether there is one."""
        folders = [to for at, to in self._copies if at == seat]
        if not folders:
            return False
        self.processes[seat].kill()
        folder = self.config.enclave_folder(seat)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._rng.choice(folders), folder)
        return True

    async def clone(self, seat: int) -> MemoryProcess | None:
        """Start an enclave on a copy of a folder, beside the one that runs; None: no copy."""
        folders = [to for at, to in self._copies if at == seat]
        if not folders:
            return None
        folder = self.config.data.parent / f"clone-{self.starts}"
        shutil.copytree(self._rng.choice(folders), folder)
        return await self._start(seat, folder)

    async def _start(self, seat: int, folder: Path) -> MemoryProcess:
        self.starts += 1
        rng = Random(self._rng.random())  # noqa: S311  a run's own
        code = self.codes.get(seat)
        made = MemoryProcess(seat, folder, self._loop, rng, self._pace, code)
        made.step = self._step
        await made.greet()
        return made
