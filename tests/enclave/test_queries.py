"""What a host learns by queries: what a view tells its caller, on certified states, and no more."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode

from keymoot.base import rlp
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Gas, Height, Nonce
from keymoot.committee.presign import ledger as stock
from keymoot.contracts.builtin import registry
from keymoot.contracts.framework.registry import Deployment
from keymoot.crypto import ed25519, hpke
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.signed_query import REPLY_INFO, SignedQuery
from keymoot.enclave import frames, messages, process, query_thread
from keymoot.runtime.asked import ExecutedQuery, QueryResult
from keymoot.store.questions import EntryQuestion, PathQuestion
from tests.contracts.notes import ForFriends, Notes, signed
from tests.enclave.box import Box, refused
from tests.enclave.copies import copied
from tests.enclave.network import Network
from tests.runtime.people import OWNER, STRANGER, Person, Scenario, calldata

SELDOM = Secret(b"s" * 32)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stock, "BATCH_SIZE", 4)
        patch.setattr(stock, "MIN_READY", 1)
        patch.setattr(registry, "BUILT_IN", (*registry.BUILT_IN, Deployment("Notes", Notes)))
        made = Network(tmp_path_factory.mktemp("queries") / "network").found()
        for who, value in ((OWNER, 7), (STRANGER, 38)):
            write(made, who, value)
        yield made


@pytest.fixture
def network(founded: Network, tmp_path: Path) -> Network:
    return copied(founded, tmp_path / "network")


def write(network: Network, who: Person, value: int) -> None:
    assert network.send(written(network, who, value)).status == 1


def written(network: Network, who: Person, value: int) -> bytes:
    scenario = object.__new__(Scenario)
    scenario.chain = network  # type: ignore[assignment]
    return scenario.raw(who, Notes.ADDRESS, calldata(Notes, "write", value))


def ask(
    box: Box, data: bytes, least: int = 0, to: Address = Notes.ADDRESS, gas: int = 0
) -> QueryResult:
    asked = ExecutedQuery(Height(least), to, data, Gas(gas) or None)
    return QueryResult.of_item(box.ask(frames.QUERY, asked.item()))


def number(found: QueryResult) -> int:
    assert not found.code, f"{found.code}: {found.message}"
    return int(decode(["uint256"], found.output)[0])


def plain(box: Box, method: str, *arguments: Any) -> QueryResult:
    return ask(box, calldata(Notes, method, *arguments))


def query(network: Network, who: Person, method: str, **changes: Any) -> SignedQuery:
    return signed(who, network.block, network.branch.tip().hash, method, **changes)


def test_a_view_tells_its_signer_his_own_and_nobody_anything(network: Network) -> None:
    for box in network.boxes.values():
        assert number(ask(box, query(network, OWNER, "mine").encode())) == 7
        assert number(ask(box, query(network, STRANGER, "mine").encode())) == 38
        assert number(plain(box, "sum")) == 45
        assert plain(box, "mine").code == "ANONYMOUS"


def test_all_enclaves_answer_alike(network: Network) -> None:
    for method in ("sum", "whisper", "mine", "enter", "rewrite", "lucky", "written"):
        found = {repr(plain(box, method)) for box in network.boxes.values()}
        assert len(found) == 1
    told = plain(network.boxes[1], "whisper")
    assert (told.code, told.revert) == (ForFriends.code, ForFriends(45).revert_data())


def test_no_key_no_rng_no_effect(network: Network) -> None:
    box, root = network.boxes[1], network.branch.tip().state_root
    assert plain(box, "lucky").code == "KEY_USE_REFUSED"
    assert plain(box, "rewrite").code == "READ_ONLY"
    assert plain(box, "enter").code == "NO_STATE_KEYS"
    assert ask(box, query(network, OWNER, "enter").encode()).code == "NO_STATE_KEYS"
    write(network, OWNER, 9)
    assert {one.enclave.start._course.certified.hash for one in network.boxes.values()} == {  # type: ignore[union-attr]
        network.branch.tip().hash
    }
    assert network.branch.tip().state_root != root
    assert number(plain(box, "sum")) == 54


def test_nobody_else_is_the_signer(network: Network) -> None:
    box, good = network.boxes[1], query(network, OWNER, "mine")
    forged = query(network, STRANGER, "mine", sender=OWNER.address)
    assert ask(box, forged.encode()).code == "MALFORMED"
    raw = bytearray(good.encode())
    raw[4 + 31] ^= 1
    assert ask(box, bytes(raw)).code == "MALFORMED"
    assert ask(box, good.encode(), to=registry.BUILT_IN[0].address).code == "MALFORMED"
    # `from` of an eth_call never comes in here: there is no field for it.
    assert len(ExecutedQuery(Height(0), Notes.ADDRESS, b"").item()) == 4


# -- which state


def test_an_uncertified_state_is_never_read(network: Network) -> None:
    box = network.boxes[1]
    network.mute = True
    # Two enclaves are not shown the block, so it gets no certificate; the others execute it.
    network.withheld = {3, 4}
    height = network.order([written(network, OWNER, 1_000)])
    assert box.next == height + 1, "it has executed the block"
    assert number(plain(box, "sum")) == 45
    assert number(ask(box, query(network, OWNER, "mine").encode())) == 7
    with refused("BEHIND"):
        ask(box, calldata(Notes, "sum"), least=height)
    network.withheld = set()
    network.vote()
    assert number(ask(box, calldata(Notes, "sum"), least=height)) == 45 + 1_000


def test_a_founding_network_has_no_state_to_read(tmp_path: Path) -> None:
    network = Network(tmp_path / "network")
    network.keeps = lambda _: True
    network.begin()
    with refused("NOT_FOUNDED"):
        plain(network.boxes[1], "sum")


def test_who_does_not_execute_answers_nothing(network: Network) -> None:
    box = network.boxes[1]
    box.start()
    with refused("NOT_JOINED"):
        plain(box, "sum")
    box.join(network.genesis, 1)
    with refused("NOT_BEGUN"):
        plain(box, "sum")
    network.enter(box)
    assert number(plain(box, "sum")) == 45


def test_a_start_that_is_over_answers_nothing(network: Network) -> None:
    box = network.restart(1)
    box.lie = lambda question, entries: [one[:-1] for one in entries] if entries else entries
    network.order([written(network, OWNER, 9)])
    assert box.lost
    box.lie = None
    with refused("START_OVER"):
        plain(box, "sum")


def test_a_lie_about_the_state_ends_the_query_and_not_the_start(network: Network) -> None:
    box = network.restart(1)

    def lie(question: Any, entries: list[bytes]) -> list[bytes]:
        if isinstance(question, PathQuestion | EntryQuestion) and entries:
            return [*entries[:-1], entries[-1][:-1] + bytes((entries[-1][-1] ^ 1,))]
        return entries

    box.lie = lie
    with refused("BROKEN_STATE"):
        plain(box, "sum")
    box.lie = None
    assert number(plain(box, "sum")) == 45
    write(network, OWNER, 9)
    assert number(plain(box, "sum")) == 54
    assert not box.lost


def test_a_signed_query_is_not_shown_to_states_before_and_long_after(network: Network) -> None:
    later = query(network, OWNER, "mine", block=Height(network.branch.top + 1))
    assert ask(network.boxes[1], later.encode()).code == "LEASH"
    good = query(network, OWNER, "mine", reach=1)
    for value in (1, 2):
        assert number(ask(network.boxes[1], good.encode())) == 7
        write(network, STRANGER, value)
        if value == 1:
            assert number(ask(network.boxes[1], good.encode())) == 7
            continue
        assert ask(network.boxes[1], good.encode()).code == "LEASH"
        break


def test_a_transaction_takes_a_signed_query_back(network: Network) -> None:
    nonce = network.state().account(OWNER.address).nonce
    good = query(network, OWNER, "mine", nonce=Nonce(nonce))
    assert number(ask(network.boxes[1], good.encode())) == 7
    write(network, OWNER, 9)
    assert ask(network.boxes[1], good.encode()).code == "LEASH"


# -- sealed answers


def opened(network: Network, asked: SignedQuery, found: QueryResult) -> tuple[bool, bytes]:
    """Open a sealed answer as its asker does, with libraries of others where there are any."""
    assert not found.code
    public, sealed, signature = decode(["bytes32", "bytes", "bytes"], found.output)
    genesis = network.genesis
    name = asked.digest(genesis.network, genesis.chain_id, Notes.ADDRESS)
    assert public in {one.identity_key for one in genesis.members}
    assert ed25519.verify(Bytes32(public), keccak256(genesis.network + name + sealed), signature)
    content = hpke.open_with(SELDOM, sealed, REPLY_INFO + genesis.network, name)
    fine, height, name, output, _ = decode(["bool", "uint64", "bytes32", "bytes", "bytes"], content)
    tip = network.branch.tip()
    assert (height, name) == (tip.height, tip.hash)
    return fine, output


def test_a_sealed_answer_tells_the_host_neither_what_nor_whether(network: Network) -> None:
    key = hpke.public_key(SELDOM)
    box, sizes = network.boxes[1], set()
    for method, expected in (("mine", (True, 7)), ("whisper", (False, 45))):
        asked = query(network, OWNER, method, reply_key=key)
        box.out.clear()
        found = ask(box, asked.encode())
        sizes.add(len(found.output))
        fine, output = opened(network, asked, found)
        value = output if fine else output[4:]
        assert (fine, int.from_bytes(value, "big")) == expected
        assert not any(ForFriends(45).revert_data() in one for one in box.out)
    assert len(sizes) == 1


def test_a_host_cannot_put_its_own_reply_key_or_none(network: Network) -> None:
    good = query(network, OWNER, "mine", reply_key=hpke.public_key(SELDOM))
    raw = good.encode()
    at = 4 + 6 * 32
    assert raw[at : at + 32] == good.reply_key
    for key in (bytes(32), hpke.public_key(Secret(b"h" * 32))):
        assert ask(network.boxes[1], raw[:at] + key + raw[at + 32 :]).code == "MALFORMED"


def test_to_a_key_of_low_order_nothing_is_told(network: Network) -> None:
    low = Bytes32(b"\x01" + bytes(31))
    found = ask(network.boxes[1], query(network, OWNER, "mine", reply_key=low).encode())
    assert (found.code, found.output) == ("MALFORMED", b"")


# -- bounds


def test_gas_is_bounded(network: Network) -> None:
    box = network.boxes[1]
    assert plain(box, "spin", 20_000_000).code == "OUT_OF_GAS"
    assert ask(box, calldata(Notes, "spin", 500_000), gas=100_000).code == "OUT_OF_GAS"
    assert ask(box, calldata(Notes, "sum"), gas=100).code == "INTRINSIC_GAS"


def test_strange_queries_get_refusals(network: Network) -> None:
    box = network.boxes[1]
    for body in (b"", [], [b"", b"", b"", b""], [b"\x01", b"a" * 20, b"x" * 131_073, b""]):
        with refused("MALFORMED"):
            box.ask(frames.QUERY, body)
    assert ask(box, os.urandom(64)).code == "UNKNOWN_METHOD"
    assert ask(box, b"", to=Address(b"n" * 20)).output == b""
    assert Hash32(network.branch.tip().hash)


def test_blocks_are_certified_while_a_long_query_runs(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_thread, "QUERY_SECONDS", 200)
    box = network.boxes[1]
    ours, theirs = socket.socketpair()
    ours.settimeout(240)
    arguments = (theirs, box.enclave, threading.Lock())
    door = threading.Thread(target=process.serve, args=arguments, daemon=True)
    door.start()
    said: dict[int, tuple[str, rlp.Decoded]] = {}

    def read(number: int) -> tuple[str, rlp.Decoded]:
        while number not in said:
            length = int.from_bytes(ours.recv(4, socket.MSG_WAITALL), "big")
            at, word, body = messages.parse(ours.recv(length, socket.MSG_WAITALL))
            if at or word != messages.SEND:
                said[at] = word, body
        return said.pop(number)

    def through_the_door(word: str, body: rlp.Item) -> rlp.Decoded:
        ours.sendall(messages.frame(1, word, body))
        code, content = read(1)
        assert code == messages.OK, content
        return content

    box.ask = through_the_door  # type: ignore[method-assign]
    asked = ExecutedQuery(Height(0), Notes.ADDRESS, calldata(Notes, "spin", 2_500_000))
    ours.sendall(messages.frame(99, frames.QUERY, asked.item()))
    before = network.branch.top
    for value in range(3):
        write(network, OWNER, value)
    # Three blocks have come in the meantime: the query runs on, on the state where it began.
    assert 99 not in said
    assert box.certified >= before + 3
    word, body = read(99)
    assert (word, QueryResult.of_item(body).height) == (messages.OK, before)
    assert number(plain(box, "sum")) == 45 + 0 + 1 + 2
    ours.close()
    door.join(240)
    theirs.close()
