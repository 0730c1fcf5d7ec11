"""Confidential queries through a node that runs, whose enclaves are processes."""

import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from keymoot.agent.errors import NetworkBusy, NetworkRefused, Unproven, WrongAnswer
from keymoot.agent.network import Network
from keymoot.agent.owner import Owner, new_key
from keymoot.agent.query import ConfidentialQueries, ConfidentialQuery, QueryReverted
from keymoot.agent.share import NotOurNode
from keymoot.base import hexes
from keymoot.base.abi.encode import encode
from keymoot.base.abi.kinds import parameters
from keymoot.base.fixed import Bytes32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import Wei
from keymoot.crypto import ed25519, hpke, secp256k1
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.signed_query import ANSWER, CONTENT, REPLY_INFO, SELECTOR, SignedQuery
from tests.agent.fake_network import FakeNetwork
from tests.agent.fronts import QUERY_WAYS, fronts, urls_of
from tests.agent.relay import Relay
from tests.contracts.notes import Notes
from tests.node.running import PATIENCE_SECONDS, Running, running, until
from tests.runtime.people import calldata

pytestmark = pytest.mark.long

EXAMPLE = Path(__file__).parents[2] / "examples/private_view.py"

Change = Callable[[Any], Any]


class Between:
    """Stands between a client and its node, and changes what it likes."""

    def __init__(self, network: Network) -> None:
        self.network, self.real = network, network.nodes.line[0].call
        self.sent: list[Any] = []
        self.ask: Change = lambda data: data
        self.answer: Change = lambda answer: answer
        network.nodes.line[0].call = self.call  # type: ignore[method-assign]

    def call(self, method: str, params: Any, timeout_seconds: float) -> Any:
        if method != "eth_call":
            return self.real(method, params, timeout_seconds)
        message = {**params[0], "data": self.ask(params[0]["data"])}
        self.sent.append(message)
        return self.answer(self.real(method, [message, *params[1:]], timeout_seconds))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("queries"), "tests.node.with_notes") as started:
        yield started


class Person:
    """Somebody who has told Notes a number."""

    def __init__(self, node: Running, number: int) -> None:
        self.key, self.network = new_key(), Network(node.url)
        self.between = Between(self.network)
        self.asking = ConfidentialQueries(self.network, self.key)
        self.network.faucet(self.asking.address)
        self.write(number)

    def write(self, number: int) -> None:
        self.network.send(self.key, "write", number, contract=Notes)

    def question(self, method: str = "mine") -> ConfidentialQuery:
        newest = self.network.committee().header
        return self.asking.ask(Notes.ADDRESS, calldata(Notes, method), newest)

    def carry(self, question: ConfidentialQuery) -> Any:
        call = {"to": Notes.ADDRESS.hex0x, "data": hexes.data(question.signed.encode())}
        return self.network.call("eth_call", call, "latest")

    def opened(self, question: ConfidentialQuery, answer: Any) -> int:
        told = self.asking.read(question, answer, self.network.committee())
        return int.from_bytes(told.output, "big")


@pytest.fixture(scope="module")
def anna(node: Running) -> Person:
    return Person(node, 7)


@pytest.fixture(scope="module")
def bert(node: Running) -> Person:
    return Person(node, 38)


@pytest.fixture(autouse=True)
def honest(anna: Person, bert: Person) -> None:
    for one in (anna, bert):
        one.between.ask = one.between.answer = lambda same: same


def test_each_reads_his_own_of_a_certified_block(anna: Person, bert: Person) -> None:
    assert anna.asking.view(Notes, "mine").values == (7,)
    found = bert.asking.view(Notes, "mine")
    assert found.values == (38,)
    assert found.seat in bert.network.committee().seats
    assert bert.network.certified(found.header.height) == found.header
    assert found.header.height >= 1
    # What carries it saw neither number.
    assert all(SELECTOR.hex() in one["data"] for one in anna.between.sent)


def test_an_answer_may_come_before_its_node_has_the_block(anna: Person, bert: Person) -> None:
    real, early = anna.between.real, ["once", "twice"]

    def late(method: str, params: Any, timeout_seconds: float) -> Any:
        if method == "keymoot_certified" and params and early:
            early.pop()
            return None
        return real(method, params, timeout_seconds)

    def with_a_block_between(data: Any) -> Any:
        bert.network.faucet(bert.asking.address)
        return data

    anna.between.real, anna.between.ask = late, with_a_block_between
    try:
        assert anna.asking.view(Notes, "mine").values == (7,)
    finally:
        anna.between.real = real
    assert not early


@pytest.mark.parametrize("way", [*QUERY_WAYS, "hangs", "shows what was", "tells wrong figures"])
def test_a_hostile_node_of_several_stops_no_view(node: Running, anna: Person, way: str) -> None:
    relay = cast("FakeNetwork", Relay(node.url))
    with fronts(relay, way, way, "honest") as made:
        network = Network(urls_of(made), 60, pin=anna.network.anchor())
        asking = ConfidentialQueries(network, anna.key)
        for _ in range(2):
            assert asking.view(Notes, "mine").values == (7,)


def test_a_new_key_is_nobody_and_the_contract_says_why(node: Running, anna: Person) -> None:
    stranger = ConfidentialQueries(anna.network, new_key())
    assert stranger.view(Notes, "mine").values == (0,)
    with pytest.raises(QueryReverted, match="Notes refuses: ForFriends") as refused:
        stranger.view(Notes, "whisper")
    assert refused.value.data


def test_without_a_signature_there_is_no_sender(anna: Person) -> None:
    call = {"to": Notes.ADDRESS.hex0x, "data": hexes.data(calldata(Notes, "mine"))}
    for claim in ({}, {"from": anna.asking.address.hex0x}):
        with pytest.raises(NetworkRefused):
            anna.network.call("eth_call", call | claim, "latest")


def test_an_answer_is_no_answer_to_another_question(anna: Person) -> None:
    first, second = anna.question(), anna.question()
    answers = anna.carry(first), anna.carry(second)
    assert (anna.opened(first, answers[0]), anna.opened(second, answers[1])) == (7, 7)
    with pytest.raises(WrongAnswer, match="not signed for this question"):
        anna.opened(second, answers[0])
    # Nor is a copy of yesterday's, to whoever asks again.
    anna.between.answer = lambda _: answers[0]
    with pytest.raises(WrongAnswer, match="not signed for this question"):
        anna.asking.view(Notes, "mine")


def test_a_question_that_is_carried_again_tells_only_its_asker(anna: Person, bert: Person) -> None:
    question = anna.question()
    answer = bert.carry(question)
    with pytest.raises(WrongAnswer, match="does not open"):
        bert.opened(replace(question, secret=Secret(secrets.token_bytes(32))), answer)
    anna.write(8)
    with pytest.raises(NetworkRefused, match="its nonce is"):
        bert.carry(question)
    assert anna.asking.view(Notes, "mine").values == (8,)
    anna.write(7)


def test_nobody_signs_for_another_or_for_another_network(anna: Person, bert: Person) -> None:
    question = bert.question()

    def signed_by(key: Secret, network: NetworkId, **changes: Any) -> Any:
        changed = replace(question.signed, **changes)
        digest = changed.digest(network, bert.network.identity().chain_id, Notes.ADDRESS)
        signed = replace(changed, signature=secp256k1.sign(key, digest))
        return bert.carry(replace(question, signed=signed))

    ours = bert.network.identity().network
    assert signed_by(bert.key, ours)
    for key, network, changes in (
        (anna.key, ours, {}),
        (anna.key, ours, {"sender": bert.asking.address, "reply_key": Bytes32(b"k" * 32)}),
        (bert.key, NetworkId(b"another network".ljust(32)), {}),
    ):
        with pytest.raises(NetworkRefused, match="is not signed by"):
            signed_by(key, network, **changes)


def test_of_an_older_or_a_foreign_state_nothing_is_told(anna: Person) -> None:
    question = anna.question()

    def signed(**changes: Any) -> Any:
        changed = replace(question.signed, **changes)
        identity = anna.network.identity()
        digest = changed.digest(identity.network, identity.chain_id, Notes.ADDRESS)
        sealed = replace(changed, signature=secp256k1.sign(anna.key, digest))
        return anna.carry(replace(question, signed=sealed))

    with pytest.raises(NetworkRefused, match="is for blocks"):
        signed(block=question.signed.block + 1_000)
    with pytest.raises(NetworkRefused, match="has another hash on this chain"):
        signed(block_hash=keccak256(b"a fork"))
    with pytest.raises(NetworkRefused, match="at most 256"):
        signed(reach=257)


def test_who_has_no_enclave_answers_nothing_that_is_believed(anna: Person) -> None:
    """A host that makes an answer itself, with a key of its own or a member's name."""
    network, seed = anna.network.identity().network, Secret(b"h" * 32)
    own = ed25519.SigningKey(seed)
    member = next(iter(anna.network.committee().identities.values()))

    def forged(claimed: Bytes32) -> Change:
        def answer(_: Any) -> str:
            query = SignedQuery.decode(bytes.fromhex(anna.between.sent[-1]["data"][2:]))
            name = query.digest(network, anna.network.identity().chain_id, Notes.ADDRESS)
            said = [True, query.block, query.block_hash, (10**6).to_bytes(32, "big"), b""]
            inside = encode(parameters(CONTENT), said)
            sealed = hpke.seal_to(query.reply_key, inside, REPLY_INFO + network, name)
            signature = own.sign(keccak256(network + name + sealed))
            return hexes.data(encode(parameters(ANSWER), [claimed, sealed, signature]))

        return answer

    anna.between.answer = forged(ed25519.public_key(seed))
    with pytest.raises(NotOurNode):
        anna.asking.view(Notes, "mine")
    anna.between.answer = forged(member)
    with pytest.raises(WrongAnswer, match="not signed for this question by the node that it names"):
        anna.asking.view(Notes, "mine")
    nonsense: list[Any] = ["0x", "0x00", None, 7, [], "0x" + "ff" * 200]
    for told in nonsense:
        anna.between.answer = partial(_instead, told)
        with pytest.raises(WrongAnswer):
            anna.asking.view(Notes, "mine")


def test_what_the_answer_names_must_be_certified_and_not_older(
    anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken enclave names another block: of the past, the future, or a fork."""
    read = ConfidentialQueries.read
    newest = anna.network.committee().header
    for change, why in (
        ({"height": newest.height - 1}, "asked for were"),
        ({"height": newest.height + 500}, "asked for were"),
        ({"name": keccak256(b"a fork")}, "another block"),
    ):
        monkeypatch.setattr(
            ConfidentialQueries, "read", lambda *told, c=change: replace(read(*told), **c)
        )
        with pytest.raises(Unproven, match=why):
            anna.asking.view(Notes, "mine")


def _instead(told: Any, _: Any) -> Any:
    return told


def test_over_long_work_ends_and_is_paid_for(anna: Person) -> None:
    with pytest.raises((QueryReverted, NetworkRefused), match=r"gas|as long as it may"):
        anna.asking.view(Notes, "spin", 10**9)
    # Whoever asks on and on owes the enclave's time, and is told to wait.
    assert "too many calls" in until(lambda: _busy(anna))
    until(lambda: _answers(anna))


def _busy(person: Person) -> str:
    """Ask for more than may be had; give what a node says that has had enough, or nothing."""
    try:
        person.asking.view(Notes, "spin", 10**9)
    except NetworkBusy as error:
        return str(error)
    except (QueryReverted, NetworkRefused):
        return ""
    raise AssertionError


def _answers(person: Person) -> bool:
    try:
        return person.asking.view(Notes, "mine").values == (7,)
    except NetworkBusy:
        return False


def _created(person: Person) -> Any:
    """Make a wallet; None while what was asked before has still to be paid for."""
    try:
        return Owner(person.network, person.key).create("plain", person.asking.address, Wei(10**18))
    except NetworkBusy:
        return None


def test_the_example_asks_a_node(node: Running, anna: Person) -> None:
    until(lambda: _answers(anna))
    wallet = until(lambda: _created(anna))
    done = subprocess.run(
        [sys.executable, EXAMPLE, node.url, wallet.wallet.hex0x],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert wallet.account.hex0x in done.stdout
    assert "of block" in done.stdout
