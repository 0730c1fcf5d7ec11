"""The server's end of a channel, whatever the other end says: it may be a broken enclave."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from keymoot.base.fixed import Hash32
from keymoot.enclave import messages
from keymoot.enclave.channel import (
    MAX_UNHEARD,
    MAX_WORDS_BYTES,
    Channel,
    EnclaveGone,
    EnclaveRefused,
)

GREETS = messages.frame(0, messages.OK, b"")


class Line(asyncio.Transport):
    """Remembers what is written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close


@pytest.fixture
async def channel() -> AsyncIterator[Channel]:
    made = Channel()
    made.connection_made(Line())
    yield made
    made.close()


def closed(channel: Channel) -> bool:
    assert isinstance(channel._transport, Line)
    return channel._transport.closed


async def test_answers_find_their_questions_in_whatever_pieces_they_come(channel):
    asked = [asyncio.ensure_future(channel.ask(messages.PULSE, b"")) for _ in range(2)]
    await asyncio.sleep(0)
    assert channel._transport.written == b"".join(
        messages.frame(number, messages.PULSE, b"") for number in (1, 2)
    )
    assert channel.asked_at is not None
    said = GREETS + messages.frame(2, messages.OK, b"two")
    said += messages.frame(1, "NOT_NOW", b"later")
    for at in range(len(said)):
        channel.data_received(said[at : at + 1])
    assert channel.greeted.result() == b""
    assert await asked[1] == b"two"
    with pytest.raises(EnclaveRefused, match="later") as refused:
        await asked[0]
    assert refused.value.code == "NOT_NOW"
    assert channel.asked_at is None


async def test_who_does_not_greet_says_why(channel):
    channel.data_received(messages.frame(0, "NO_FUSE", b"there is no fuse file"))
    with pytest.raises(EnclaveRefused, match="no fuse file"):
        await channel.greeted


async def test_of_a_long_refusal_little_is_kept(channel):
    channel.data_received(messages.frame(0, "NO_FUSE", b"n" * 1_000_000))
    with pytest.raises(EnclaveRefused) as refused:
        await channel.greeted
    assert str(refused.value) == "n" * MAX_WORDS_BYTES


@pytest.mark.parametrize(
    "said",
    [
        (messages.MAX_ANSWER_BYTES + 1).to_bytes(messages.LENGTH_BYTES, "big"),
        b"\x00\x00\x00\x02\xc1\x05",
        messages.frame(1, "NOT_NOW", [b"no", b"text"]),
        messages.frame(0, messages.SEND, [b"no", b"bytes"]),
    ],
    ids=["too long", "no frame", "a refusal without words", "what it says is no message"],
)
async def test_nonsense_ends_the_channel_and_everybody_is_told(channel, said):
    asked = asyncio.ensure_future(channel.ask(messages.PULSE, b""))
    await asyncio.sleep(0)
    channel.data_received(said)
    with pytest.raises(EnclaveGone):
        await asked
    assert channel.over.done()
    assert closed(channel)
    channel.data_received(GREETS)
    with pytest.raises(EnclaveGone):
        await channel.ask(messages.PULSE, b"")


async def test_what_it_says_waits_for_whoever_listens_and_keeps_its_order(channel):
    names = [Hash32(bytes((number,)) * 32) for number in range(4)]
    heard: list[bytes] = []
    for name in names[:2]:
        channel.data_received(messages.frame(0, messages.SEND, name))
    channel.listen(heard.append)
    for name in names[2:]:
        channel.data_received(messages.frame(0, messages.SEND, name))
    assert heard == names


async def test_who_talks_without_end_before_anybody_listens_is_cut_off(channel):
    for _ in range(MAX_UNHEARD):
        channel.data_received(messages.frame(0, messages.SEND, b"me"))
    assert not channel.over.done()
    channel.data_received(messages.frame(0, messages.SEND, b"me"))
    assert channel.over.done()
    assert closed(channel)


async def test_a_channel_that_we_close_tells_who_waits_and_is_not_over_by_the_other_end(channel):
    asked = asyncio.ensure_future(channel.ask(messages.PULSE, b""))
    await asyncio.sleep(0)
    channel.close()
    with pytest.raises(EnclaveGone):
        await asked
    channel.connection_lost(None)
    assert channel.over.cancelled()
