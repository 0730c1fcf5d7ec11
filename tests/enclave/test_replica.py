"""The chain as an enclave executes it: the true one, or none, whatever its host answers."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.errors import BrokenStorage, KeymootError
from keymoot.base.units import Height
from keymoot.enclave import replica as module
from keymoot.enclave.replica import Diverged, NotKept, Replica, TailTooLong
from keymoot.runtime.block import Block
from keymoot.runtime.outcome import Outcome
from keymoot.store.blobs import BlobCache
from keymoot.store.questions import Question
from keymoot.store.trie import BrokenState, NodeCache
from tests.enclave.blocks import (
    STRANGER,
    Blocks,
    Lie,
    Notes,
    Socket,
    busy,
    dated,
    framed,
)
from tests.enclave.replicas import run
from tests.examples import examples
from tests.runtime.people import OWNER, Scenario, calldata

ALL = 40


@cache
def blocks() -> Blocks:
    return busy(ALL)


@pytest.mark.parametrize("begun", [0, 1, 17, ALL - 1])
@pytest.mark.parametrize("every", [1, 7])
def test_an_enclave_computes_what_the_runtime_does(begun: int, every: int) -> None:
    source = blocks()
    replica = source.replica(Socket(source).remote(), Height(begun))
    run(replica, source, every=every)
    assert replica.tip == source.tips[source.height]
    assert replica.executed(source.height).writes == source.done[source.height].writes


def test_the_blocks_hold_what_they_are_to_show() -> None:
    receipts = [one for done in blocks().done.values() for one in done.receipts]
    assert any(one.status == 0 for one in receipts)
    assert sum(one.status for one in receipts) > ALL // 2
    batches = [done.writes for done in blocks().done.values()]
    assert any(key[:1] == b"b" and value for one in batches for key, value in one.items())
    assert any(key[:1] == b"b" and value is None for one in batches for key, value in one.items())


def test_a_hundred_blocks_wait_for_one_certificate() -> None:
    source = Blocks()
    scenario = Scenario(source)
    while source.height < 100:
        text = calldata(Notes, "write", source.height % 9, bytes((source.height,)) * 90)
        source.send(scenario.raw(STRANGER, Notes.ADDRESS, text))
    channel = Socket(source)
    channel.disk = Height(0)
    replica = source.replica(channel.remote())
    for height in range(1, 101):
        replica.execute(source.blocks[Height(height)])
    with pytest.raises(NotKept):
        replica.outcome(Height(100))
    before = len(channel.asked)
    # The host has none of it on its disk yet: all is read from the enclave's own memory.
    replica.certified(Height(100), replica.tip.hash)
    assert replica.state(Height(100)).account(STRANGER.address).nonce == 99
    assert replica.state(Height(50)).account(STRANGER.address).nonce == 49
    assert len(channel.asked) == before + 1
    assert replica.outcome(Height(100)) == Outcome.of(source.done[Height(100)]).encode()


def test_an_outcome_given_again_is_the_same() -> None:
    source = blocks()
    replica = source.replica(Socket(source).remote())
    run(replica, source, to=30)
    for height in range(30 - module.KEPT_BLOCKS, 31):
        first = replica.outcome(Height(height))
        assert first == replica.outcome(Height(height))
        assert Outcome.decode(first) == Outcome.of(source.done[Height(height)])
    with pytest.raises(NotKept, match="blocks 14 to 30"):
        replica.outcome(Height(30 - module.KEPT_BLOCKS - 1))
    run(replica, source, to=31, every=2)
    with pytest.raises(NotKept):
        replica.outcome(Height(31))
    # A refusal is no end.
    run(replica, source)


def test_a_cold_path_is_one_question_over_what_was_written() -> None:
    source = blocks()
    channel = Socket(source)
    channel.disk = Height(30)
    replica = source.replica(channel.remote(), Height(30))
    run(replica, source, to=35, every=100)
    asked = len(channel.asked)
    state = source.replica(channel.remote(), Height(30)).state(Height(30))
    assert state.account(OWNER.address) == source.state(Height(30)).account(OWNER.address)
    assert len(channel.asked) == asked + 1


def test_states_above_what_the_host_has_come_from_memory() -> None:
    source = blocks()
    channel = Socket(source)
    channel.disk = Height(10)
    replica = source.replica(channel.remote(), Height(10))
    replica._nodes, replica._blobs = NodeCache(1), BlobCache(0)
    for height in range(11, 31):
        run(replica, source, to=height)
        channel.disk = Height(max(10, height - 5))
        for at in range(max(11, height - 9), height + 1):
            mine, true = replica.state(Height(at)), source.state(Height(at))
            assert mine.account(STRANGER.address) == true.account(STRANGER.address)
            assert mine.account(Notes.ADDRESS) == true.account(Notes.ADDRESS)
    heights = {one.height for one in channel.asked if hasattr(one, "height")}
    assert heights <= set(range(10, 26))


def test_a_host_that_says_nothing_new_cannot_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    source = blocks()
    channel = Socket(source)
    channel.disk = Height(0)
    replica = source.replica(channel.remote())
    monkeypatch.setattr(module, "MAX_TAIL_BYTES", 100_000)
    with pytest.raises(TailTooLong) as raised:
        run(replica, source)
    stopped = replica.tip.height
    assert 1 < stopped < source.height
    assert "wait for a certificate" in str(raised.value)
    # It goes on once the host has written what is certified.
    channel.disk = source.height
    run(replica, source)


def test_outcomes_are_kept_within_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    source = blocks()
    replica = source.replica(Socket(source).remote())
    monkeypatch.setattr(module, "KEPT_BYTES", 1)
    run(replica, source, to=20)
    assert replica.outcome(Height(20))
    with pytest.raises(NotKept):
        replica.outcome(Height(19))


# -- what does not fit


def over(replica: Replica, error: KeymootError) -> None:
    """Check that a replica gives nothing any more, but the error that ended it."""
    source = blocks()
    tip = replica.tip.height
    for late in (
        lambda: replica.execute(source.blocks[Height(min(tip + 1, ALL))]),
        lambda: replica.certified(tip, replica.tip.hash),
        lambda: replica.executed(tip),
        lambda: replica.outcome(replica._certified),
    ):
        with pytest.raises(type(error)) as raised:
            late()
        assert raised.value is error or isinstance(raised.value, NotKept)


def _wrong() -> dict[str, Block]:
    true = blocks().blocks[Height(6)]
    return {
        "the one after": blocks().blocks[Height(7)],
        "the one before": blocks().blocks[Height(5)],
        "an earlier time": dated(true, -2),
        "one too many": Block(true.height, true.time, (*true.transactions, b"\x02")),
        "twice": Block(true.height, true.time, blocks().blocks[Height(5)].transactions * 2),
    }


@pytest.mark.parametrize("name", ["the one after", "the one before", "an earlier time"])
def test_a_block_that_does_not_continue_the_tip_ends_it(name: str) -> None:
    source = blocks()
    replica = source.replica(Socket(source).remote())
    run(replica, source, to=5)
    with pytest.raises(Diverged) as raised:
        replica.execute(_wrong()[name])
    over(replica, raised.value)


def test_another_parent_gives_another_hash() -> None:
    source = blocks()
    replica = source.replica(Socket(source).remote())
    run(replica, source, to=5)
    other = replica.execute(dated(source.blocks[Height(6)], 1))
    assert other.header.hash != source.tips[Height(6)].hash
    # From there the chain is another one, whatever is shown.
    assert replica.execute(dated(source.blocks[Height(7)], 1)).header.parent_hash == other.tip.hash
    with pytest.raises(Diverged) as raised:
        replica.certified(Height(6), source.tips[Height(6)].hash)
    over(replica, raised.value)


@pytest.mark.parametrize(("height", "name"), [(4, 4), (5, 5), (7, 7), (6, 5)])
def test_a_certificate_is_of_a_block_that_waits_for_it(height: int, name: int) -> None:
    source = blocks()
    replica = source.replica(Socket(source).remote())
    run(replica, source, to=5)
    run(replica, source, to=6, every=100)
    with pytest.raises(Diverged) as raised:
        replica.certified(Height(height), source.tips[Height(name)].hash)
    over(replica, raised.value)


def test_a_false_read_of_a_given_state_ends_it() -> None:
    source = blocks()
    channel = Socket(source, {0: lambda *_: framed([])})
    replica = source.replica(channel.remote(), Height(20))
    with pytest.raises(BrokenState) as raised, replica.guard():
        replica.state(Height(20)).account(OWNER.address)
    over(replica, raised.value)


def flip(entries: list[bytes], at: int) -> list[bytes]:
    whole = bytearray(b"".join(entries))
    if whole:
        whole[at // 8 % len(whole)] ^= 1 << at % 8
    cut, parts = 0, []
    for one in entries:
        parts.append(bytes(whole[cut : cut + len(one)]))
        cut += len(one)
    return parts


@st.composite
def lies(draw: st.DrawFn) -> Lie:
    number = draw(st.integers(0, 100_000))
    junk = draw(st.binary(max_size=80))
    height = Height(draw(st.integers(0, ALL)))
    kind = draw(st.integers(0, 12))

    def lie(question: Question, entries: list[bytes]) -> bytes:
        other = Socket(blocks())
        if hasattr(question, "height"):
            moved = type(question)(height, *(getattr(question, one) for one in fields(question)))
            other.sendall(b"\0\0\0\0" + moved.encode())
        elsewhere = other.recv(1 << 20)
        return [
            b"",
            junk,
            framed([]),
            framed([junk]),
            framed(entries[:-1]),
            framed(entries[1:]),
            framed([*entries, junk or b"x"]),
            framed(entries * 2),
            framed(entries[::-1]),
            framed(flip(entries, number)),
            framed(entries) + junk,
            b"\xff" * 4 + junk,
            elsewhere or framed([number.to_bytes(3, "big")]),
        ][kind]

    return lie


def fields(question: Question) -> list[str]:
    return [one for one in question.__slots__ if one != "height"]


@settings(max_examples=examples(250), deadline=None)
@given(
    st.integers(0, ALL - 8),
    st.dictionaries(st.integers(0, 25), lies(), min_size=1, max_size=2),
    st.integers(1, 4),
    st.integers(0, 6),
)
def test_a_host_that_lies_gets_the_true_hash_or_a_typed_error(
    begun: int, told: dict[int, Lie], every: int, late: int
) -> None:
    source = blocks()
    channel = Socket(source, told)
    replica = source.replica(channel.remote(), Height(begun))
    for height in range(begun + 1, begun + 9):
        channel.disk = Height(max(begun, height - 1 - late))
        try:
            executed = replica.execute(source.blocks[Height(height)])
            # The true hash, and all behind it.
            assert executed.header == source.done[Height(height)].header
            assert executed.writes == source.done[Height(height)].writes
            if height % every == 0:
                replica.certified(Height(height), executed.header.hash)
                with replica.guard():
                    assert replica.pages.get("head") is None
        except BrokenStorage as error:
            over(replica, error)
            return


# -- pages
