"""The consensus key: one vote for one height and round, whatever happens."""

import gc
import os
from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.attest.ballot import Ballot
from keymoot.attest.header import BlockId
from keymoot.base.fixed import Measurement
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixNanos
from keymoot.crypto import ed25519
from keymoot.enclave.simulated import SimulatedPlatform
from keymoot.enclave.voter import FILE_NAME, MemoryLost, SecondVote, Voter

SEED = Secret(b"v" * 32)
PLATFORM = SimulatedPlatform(Secret(b"f" * 32), Measurement(b"c" * 48))


def ballot(height: int, block: bytes = b"a", round_: int = 0, time: int = 5) -> Ballot:
    block_id = BlockId(block * 32, 1, b"p" * 32)
    return Ballot("keymoot-test", Height(height), round_, block_id, UnixNanos(time))


def voter(folder: Path, *, fresh: bool = False) -> Voter:
    return Voter(folder, PLATFORM, SEED, fresh=fresh)


def test_signs_what_anybody_can_check(tmp_path: Path) -> None:
    votes = voter(tmp_path, fresh=True).sign(ballot(1))
    messages = ballot(1).sign_bytes()
    signatures = (votes.proposal, votes.prevote, votes.precommit)
    public = ed25519.public_key(SEED)
    pairs = zip(messages, signatures, strict=True)
    assert all(ed25519.verify(public, *pair) for pair in pairs)


@pytest.mark.parametrize(
    "second",
    [ballot(3, b"b"), ballot(3, time=6), ballot(2), ballot(2, b"b", round_=9)],
    ids=["another block", "another time", "an older height", "an older height's later round"],
)
def test_refuses_a_second_vote_also_after_a_restart(tmp_path: Path, second: Ballot) -> None:
    first = voter(tmp_path, fresh=True)
    for height in (1, 2, 3):
        first.sign(ballot(height))
    with pytest.raises(SecondVote):
        first.sign(second)
    again = voter(tmp_path)
    with pytest.raises(SecondVote):
        again.sign(second)
    assert again.sign(ballot(3)) == first.sign(ballot(3))
    again.sign(ballot(3, b"b", round_=1))
    with pytest.raises(SecondVote):
        again.sign(ballot(3))
    again.sign(ballot(4, b"b"))


def test_a_torn_write_leaves_the_vote_before(tmp_path: Path) -> None:
    first = voter(tmp_path, fresh=True)
    for height in (1, 2, 3):
        first.sign(ballot(height))
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    for at in (0, 256):  # whichever half the crash tore
        torn = bytearray(whole)
        torn[at + 40] ^= 1
        path.write_bytes(bytes(torn))
        found = voter(tmp_path)
        assert found.height in (2, 3)
        with pytest.raises(SecondVote):
            found.sign(ballot(found.height, b"z"))


def test_it_may_start_anew_before_its_first_vote(tmp_path: Path) -> None:
    voter(tmp_path, fresh=True)
    voter(tmp_path).sign(ballot(1))
    with pytest.raises(SecondVote):
        voter(tmp_path).sign(ballot(1, b"b"))


def test_without_its_memory_it_signs_nothing(tmp_path: Path) -> None:
    voter(tmp_path, fresh=True).sign(ballot(1))
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    path.write_bytes(bytes(len(whole)))
    with pytest.raises(MemoryLost, match="restore the data folder whole"):
        voter(tmp_path)
    path.unlink()
    with pytest.raises(MemoryLost):
        voter(tmp_path)


def test_the_memory_of_another_machine_is_none(tmp_path: Path) -> None:
    voter(tmp_path, fresh=True).sign(ballot(1))
    other = SimulatedPlatform(Secret(b"g" * 32), Measurement(b"c" * 48))
    with pytest.raises(MemoryLost):
        Voter(tmp_path, other, SEED, fresh=False)
    assert replace(ballot(1), round=1) != ballot(1)


def test_its_file_is_open_as_long_as_it_lives(tmp_path: Path) -> None:
    def files() -> int:
        wanted = (tmp_path / FILE_NAME).stat()
        opened = (one.stat() for one in Path("/proc/self/fd").iterdir() if one.exists())
        return sum(os.path.samestat(one, wanted) for one in opened)

    one = voter(tmp_path, fresh=True)
    assert files() == 1
    one.sign(ballot(1))
    del one
    (tmp_path / FILE_NAME).write_bytes(bytes(512))
    with pytest.raises(MemoryLost):
        voter(tmp_path)
    gc.collect()
    assert files() == 0
