"""The enclave's door: whatever comes in, no secret goes out but to its own node."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base import rlp
from keymoot.base.fixed import Bytes32, Measurement
from keymoot.base.secret import Secret
from keymoot.enclave import messages
from keymoot.enclave.messages import Identity
from keymoot.enclave.process import respond
from keymoot.enclave.room import Room, read_joined
from keymoot.enclave.simulated import SimulatedPlatform
from tests.enclave.test_custody import Secret as _Secret
from tests.enclave.test_custody import genesis_with

PLATFORM = SimulatedPlatform(Secret(b"f" * 32), Measurement(b"c" * 48))
WORDS = [messages.HELLO, messages.JOIN, messages.SIGN, messages.RELEASE, "open", ""]

items = st.recursive(st.binary(max_size=64), lambda inner: st.lists(inner, max_size=6))


def talk(room: Room, word: str, body: rlp.Item) -> tuple[str, rlp.Decoded]:
    payload = messages.frame(1, word, body)[messages.LENGTH_BYTES :]
    _, answer, content = messages.parse(respond(room, payload)[messages.LENGTH_BYTES :])
    return answer, content


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, PLATFORM)


def _secrets(room: Room) -> list[bytes]:
    keep = room.keep.now
    return [keep.identity.expose(), keep.consensus.expose(), keep.epoch.expose()]


@settings(max_examples=150, deadline=None)
@given(word=st.sampled_from(WORDS), body=items)
def test_strange_messages_get_refusals_and_no_secrets(
    tmp_path_factory: pytest.TempPathFactory, word: str, body: rlp.Item
) -> None:
    room = Room(tmp_path_factory.mktemp("room"), PLATFORM)
    answer, content = talk(room, word, body)
    if word != messages.HELLO or not (isinstance(body, bytes) and len(body) == 32):
        assert answer != messages.OK
    flat = rlp.encode(content)
    assert not any(secret in flat for secret in _secrets(room))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_strange_bytes_get_refusals(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    room = Room(tmp_path_factory.mktemp("room"), PLATFORM)
    _, answer, _ = messages.parse(respond(room, raw)[messages.LENGTH_BYTES :])
    assert answer != messages.OK


def test_hello_shows_public_keys_only(room: Room) -> None:
    answer, content = talk(room, messages.HELLO, Bytes32(b"n" * 32))
    assert answer == messages.OK
    assert Identity.decode(content).simulated
    assert not any(secret in rlp.encode(content) for secret in _secrets(room))


def test_nothing_works_before_joining(room: Room) -> None:
    for word in (messages.SIGN, messages.RELEASE):
        assert talk(room, word, [])[0] == "NOT_JOINED"


def test_it_joins_only_a_genesis_that_lists_it(room: Room) -> None:
    assert (
        talk(room, messages.JOIN, messages.join_item(genesis_with(_Secret(b"x" * 32)).encode(), 0))[
            0
        ]
        == "NOT_MEMBER"
    )
    assert room.keep.now.network is None


def test_joining_hands_over_the_state_secret_and_no_other(room: Room) -> None:
    from dataclasses import replace

    from keymoot.attest.validators import Ed25519Key
    from keymoot.moot.genesis import Member

    identity = Identity.decode(talk(room, messages.HELLO, Bytes32(b"n" * 32))[1])
    member = Member(Ed25519Key(identity.consensus_key), identity.identity_key, 1)
    genesis = replace(genesis_with(_Secret(b"x" * 32)), members=(member,))
    answer, content = talk(room, messages.JOIN, messages.join_item(genesis.encode(), 0))
    assert answer == messages.OK
    assert read_joined(content) == (None, 0)
    room.keep.put(room.keep.now.holding(Secret(b"s" * 32)))
    answer, content = talk(room, messages.JOIN, messages.join_item(genesis.encode(), 0))
    state, generation = read_joined(content)
    keep = room.keep.now
    assert state is not None
    assert (state.expose(), generation) == (b"s" * 32, 0)
    flat = rlp.encode(content)
    assert keep.identity.expose() not in flat
    assert keep.consensus.expose() not in flat
    other = replace(genesis, base_fee=genesis.base_fee + 1)
    assert talk(room, messages.JOIN, messages.join_item(other.encode(), 0))[0] == "OTHER_NETWORK"
