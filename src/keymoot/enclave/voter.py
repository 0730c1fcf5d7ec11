"""The consensus key: one vote for one height and round, remembered before it leaves.

Two records take turns in one small file, each sealed and synced before its signature is
given out. A write that a crash tore leaves the other, older one, whose vote was the
last that anybody can have seen.
"""

import errno
import os
import weakref
from pathlib import Path

from keymoot.attest.ballot import Ballot, Votes
from keymoot.attest.validators import Ed25519Key
from keymoot.base import rlp
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height
from keymoot.crypto.ed25519 import SigningKey
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.sealing import NONCE_BYTES, SealBroken, Sealer
from keymoot.enclave.platform import Platform
from keymoot.enclave.whole_file import write_whole

FILE_NAME = "votes.sealed"
_PURPOSE = "votes"
_RECORD_BYTES = 256
_LENGTH_BYTES = 2
_AAD = b"keymoot-votes/v1"


class SecondVote(Refused):
    """A vote for another block at a height and round that has one, or for an older height."""

    code = "SECOND_VOTE"

    def __init__(self, height: int, signed: int) -> None:
        """Name both heights."""
        super().__init__(
            f"refused to vote twice: height {height} is asked for, {signed} is signed already"
        )


class MemoryLost(Refused):
    """The record of the last vote is gone, so no vote is safe."""

    code = "MEMORY_LOST"

    def __init__(self, path: Path) -> None:
        """Name the file, and say what to do."""
        super().__init__(
            f"{path} is missing or damaged, so this enclave cannot know what it has signed: "
            "restore the data folder whole, or have the seat leave and another one join, "
            "`keymoot net leave` and `keymoot net join`"
        )


class Voter:
    """Signs ballots, in rising order of height and round."""

    def __init__(self, folder: Path, platform: Platform, seed: Secret, *, fresh: bool) -> None:
        """Open the memory of votes.

        Args:
            folder: The enclave's folder.
            platform: Seals the memory.
            seed: The consensus key.
            fresh: Whether the enclave has joined no network yet, so that no memory is due.

        Raises:
            MemoryLost: the file is missing or damaged.
            CannotWrite: it may not be written, so nothing may be signed.
        """
        self._key = SigningKey(seed)
        self.public_key = Ed25519Key(self._key.public_key)
        self._sealer = Sealer(platform.sealing_key(_PURPOSE))
        self._path = path = folder / FILE_NAME
        if fresh and not path.exists():
            write_whole(path, bytes(2 * _RECORD_BYTES))
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise MemoryLost(path) from error
        except OSError as error:
            raise CannotWrite(str(path), error.errno) from error
        # Also where it does not open, and where a process has one after another.
        weakref.finalize(self, os.close, self._file)
        self._turn = 0
        self.height, self._round, self._digest = Height(0), 0, Hash32(bytes(32))
        self._recall(fresh=fresh)

    def sign(self, ballot: Ballot) -> Votes:
        """Propose and vote.

        Raises:
            SecondVote: another ballot has this height and round, or a later one was signed.
            CannotWrite: the disk does not take the vote, so nobody gets it; ask again.
        """
        messages = ballot.sign_bytes()
        digest = keccak256(rlp.encode(list(messages)))
        place, last = (ballot.height, ballot.round), (self.height, self._round)
        if place < last or (place == last and digest != self._digest):
            raise SecondVote(ballot.height, self.height)
        if place != last:
            self._write(ballot.height, ballot.round, digest)
        return Votes(*(self._key.sign(message) for message in messages))

    def _write(self, height: Height, round_: int, digest: Hash32) -> None:
        content = rlp.encode([uint(height), uint(round_), digest])
        nonce = os.urandom(NONCE_BYTES)
        record = rlp.encode([nonce, self._sealer.seal(nonce, content, _AAD)])
        record = len(record).to_bytes(_LENGTH_BYTES, "big") + record
        record = record.ljust(_RECORD_BYTES, b"\0")
        # Until both succeed the other record counts, and the same place is written again.
        try:
            if os.pwrite(self._file, record, self._turn * _RECORD_BYTES) != len(record):
                raise CannotWrite(str(self._path), errno.ENOSPC)
            os.fdatasync(self._file)
        except OSError as error:
            raise CannotWrite(str(self._path), error.errno) from error
        self._turn = 1 - self._turn
        self.height, self._round, self._digest = height, round_, digest

    def _recall(self, *, fresh: bool) -> None:
        found = False
        for turn in (0, 1):
            record = self._read(turn)
            if record is None:
                continue
            found = True
            if record[:2] >= (self.height, self._round):
                self.height, self._round, self._digest = record
                self._turn = 1 - turn
        if found:
            return
        if not fresh:
            raise MemoryLost(self._path)
        # That nothing is signed yet is a memory too: it may join now, and start anew before it votes.
        self._write(self.height, self._round, self._digest)

    def _read(self, turn: int) -> tuple[Height, int, Hash32] | None:
        raw = os.pread(self._file, _RECORD_BYTES, turn * _RECORD_BYTES)
        try:
            length = _LENGTH_BYTES + int.from_bytes(raw[:_LENGTH_BYTES], "big")
            nonce, sealed = list_of(rlp.decode(raw[_LENGTH_BYTES:length]), 2, "vote")
            content = self._sealer.open(
                bytes_of(nonce, "nonce"), bytes_of(sealed, "sealed"), _AAD, FILE_NAME
            )
            height, round_, digest = list_of(rlp.decode(content), 3, "vote")
        except (Malformed, SealBroken):
            return None
        return (
            Height(uint_of(height, "height", 8)),
            uint_of(round_, "round", 4),
            fixed_of(digest, Hash32, "digest"),
        )
