"""The enclave's door: whatever comes in, no secret goes out."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base import rlp
from keymoot.base.fixed import Bytes32
from keymoot.committee.genesis import Founder, Genesis, Member
from keymoot.enclave import frames, messages
from keymoot.enclave.messages import EnclaveGreeting
from keymoot.enclave.process import respond
from tests.enclave.box import Box, Clock, refused
from tests.enclave.genesis import genesis_of
from tests.examples import examples

WORDS = [
    *(messages.HELLO, messages.JOIN, messages.ENDORSE, messages.PULSE, messages.TURN),
    *(messages.ADMIT, messages.PART, frames.BEGIN, frames.WATCH, frames.EXECUTE),
    *(frames.CERTIFY, frames.OUTCOME, frames.ANSWER, frames.QUERY, "open", ""),
]

items = st.recursive(st.binary(max_size=64), lambda inner: st.lists(inner, max_size=6))


def box_in(folder: Path, seat: int = 1) -> Box:
    return Box(seat, folder, lambda _: None, Clock())


def secrets_of(box: Box) -> list[bytes]:
    keep, session = box.enclave.sealed.now, box.enclave._session
    kept = (keep.identity, keep.epoch, keep.next, session.signing, session.sealing)
    return [one.expose() for one in kept]


def talk(box: Box, word: str, body: rlp.Item) -> tuple[str, rlp.Decoded]:
    payload = messages.frame(1, word, body)[messages.LENGTH_BYTES :]
    _, answer, content = messages.parse(respond(box.enclave, payload)[messages.LENGTH_BYTES :])
    return answer, content


@settings(max_examples=examples(150), deadline=None)
@given(word=st.sampled_from(WORDS), body=items, joined=st.booleans())
def test_strange_messages_get_refusals_and_no_secrets(
    tmp_path_factory: pytest.TempPathFactory, word: str, body: rlp.Item, joined: bool
) -> None:
    box = box_in(tmp_path_factory.mktemp("box"))
    if joined:
        box.join(genesis_of([box.identity]))
    answer, content = talk(box, word, body)
    harmless = word == messages.HELLO and isinstance(body, bytes) and len(body) == 32
    begun = joined and (word == messages.PULSE or (word == frames.BEGIN and body == []))
    if not harmless and not begun:
        assert answer != messages.OK
    flat = rlp.encode(content)
    assert not any(secret in flat for secret in secrets_of(box))


@settings(max_examples=examples(100), deadline=None)
@given(st.binary(max_size=200))
def test_strange_bytes_get_refusals(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    box = box_in(tmp_path_factory.mktemp("box"))
    _, answer, _ = messages.parse(respond(box.enclave, raw)[messages.LENGTH_BYTES :])
    assert answer != messages.OK


def test_hello_shows_public_keys_only(tmp_path: Path) -> None:
    box = box_in(tmp_path)
    answer, content = talk(box, messages.HELLO, Bytes32(b"n" * 32))
    assert answer == messages.OK
    assert EnclaveGreeting.of_item(content).simulated
    assert not any(secret in rlp.encode(content) for secret in secrets_of(box))


@pytest.mark.parametrize("word", [one for one in WORDS if one not in (messages.HELLO, "join")])
def test_nothing_works_before_joining(tmp_path: Path, word: str) -> None:
    assert talk(box_in(tmp_path), word, [])[0] == "NOT_JOINED"


def founders(tmp_path: Path, count: int = 4) -> tuple[list[Box], Genesis]:
    boxes = [box_in(tmp_path / str(seat), seat) for seat in range(1, count + 1)]
    return boxes, genesis_of([one.identity for one in boxes])


def test_it_joins_only_a_genesis_that_lists_it(tmp_path: Path) -> None:
    _, genesis = founders(tmp_path)
    stranger = box_in(tmp_path / "stranger", 9)
    with refused("NOT_MEMBER"):
        stranger.join(genesis)
    # A number alone gives nobody a seat among founders: it may only watch for an invitation.
    stranger.join(genesis, 2)
    with refused("NOT_LISTED"):
        stranger.begin(None, None)  # type: ignore[arg-type]
    assert stranger.enclave.sealed.now.network is None


@pytest.mark.parametrize("key", ["identity", "sealing", "signing", "box"])
def test_it_founds_no_network_whose_genesis_lists_a_foreign_key_beside_its_own(
    tmp_path: Path, key: str
) -> None:
    boxes, genesis = founders(tmp_path)
    host = box_in(tmp_path / "host", 9).identity
    founder = genesis.members[1].founder
    assert founder is not None
    foreign: dict[str, Founder] = {
        "identity": replace(founder, identity=host.identity_key),
        "sealing": replace(founder, sealing=host.sealing),
        "signing": replace(founder, session=replace(founder.session, signing=host.session.signing)),
        "box": replace(founder, session=replace(founder.session, sealing=host.session.sealing)),
    }
    spoiled = foreign[key]
    member = Member(spoiled.identity, spoiled)
    members = (genesis.members[0], member, *genesis.members[2:])
    evil = replace(genesis, members=members)
    two = boxes[1]
    for seat in (0, 1, 2, 3):
        with refused("NOT_MEMBER"):
            two.join(evil, seat)
    assert two.enclave.sealed.now.network is None
    assert not [raw for raw in two.out if raw[:1] == b"\x4e"]
    # It is free to found the true one.
    two.join(genesis)


def test_its_keys_at_two_seats_make_it_no_founder_of_either(tmp_path: Path) -> None:
    boxes, genesis = founders(tmp_path)
    one, two, *others = genesis.members
    assert one.founder is not None
    assert two.founder is not None
    mixed = Member(two.identity_key, replace(two.founder, sealing=one.founder.sealing))
    evil = replace(genesis, members=(mixed, two, *others))
    with refused("NOT_MEMBER"):
        boxes[1].join(evil)
