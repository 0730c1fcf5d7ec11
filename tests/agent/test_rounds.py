"""Several nodes, hostile ones among them: the answer comes, once, or an error names each."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from typing import Any

import pytest
from eth_account import Account as EthAccount

from keymoot.agent import Account
from keymoot.agent.errors import AnswerLost, NetworkRefused, NetworkUnreachable
from keymoot.agent.transport import Transport
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Hash32
from keymoot.base.request import ASK_AGAIN, Request, decode_request
from keymoot.policy.errors import PolicyRefused
from tests.agent.fake_network import FakeNetwork
from tests.agent.fronts import WAYS, Front, fronts, now, urls_of
from tests.agent.sharing_network import SharingNetwork
from tests.agent.transfers import TRANSFER
from tests.examples import some

pytestmark = pytest.mark.long

HOSTILE = tuple(way for way in WAYS if way != "honest")

TURN = 0.25
LONG_TURN = 2.5
"""Seconds; what answers at once has them on any machine."""
AT_ALL = 60.0
"""Seconds by which it has ended on any machine; what hangs here has no end."""
PATIENCE_SECONDS = 400.0
"""What an account has, so that it ends sooner only because its turns end."""


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keymoot.agent.rounds.TURN_SECONDS", TURN)


@pytest.fixture
def network() -> SharingNetwork:
    made = SharingNetwork()
    made.world.run(range(3))
    return made


def connected(
    network: FakeNetwork, made: list[Front], seconds: float = PATIENCE_SECONDS
) -> Account:
    """Connect to nodes; a newer block than when they were made was seen, the members were not."""
    account = Account(network.credential(), urls_of(made), timeout_seconds=seconds)
    proven = account._wishes._proven
    with fronts(network, "honest") as (another,):
        proven.committee(Transport(another.url), PATIENCE_SECONDS)
    proven._committee = None
    return account


def check_signed(network: FakeNetwork, account: Account) -> None:
    """Have one transaction signed: once, by the wallet."""
    signed = account.sign_transaction(TRANSFER)
    assert EthAccount.recover_transaction(signed.raw_transaction).lower() == network.address.hex0x
    assert len(set(network.sent)) == len(network.bodies) == len(network.signed) == 1


@pytest.mark.parametrize("way", HOSTILE)
def test_one_hostile_node_of_three_stops_nothing(network: SharingNetwork, way: str) -> None:
    for place in range(3):
        ways = ["honest"] * 3
        ways[place] = way
        with fronts(network, *ways) as made:
            begun = now()
            check_signed(network, connected(network, made))
            assert now() - begun < AT_ALL
        for kept in (network.sent, network.bodies, network.signed, network.answers):
            kept.clear()


@pytest.mark.parametrize("way", HOSTILE)
def test_nor_do_all_but_one(network: SharingNetwork, way: str) -> None:
    with fronts(network, way, way, "honest") as made:
        begun = now()
        check_signed(network, connected(network, made))
        assert now() - begun < AT_ALL


@pytest.mark.parametrize("way", HOSTILE)
def test_where_all_are_hostile_nothing_is_believed(network: SharingNetwork, way: str) -> None:
    with fronts(network, way, way) as made:
        account = connected(network, made, 1.0)
        begun = now()
        with pytest.raises(KeymootError) as failed:
            account.sign_transaction(TRANSFER)
        assert now() - begun < AT_ALL
        # Where a stall took all of the time, nobody was even reached.
        reached = not isinstance(failed.value.__cause__, NetworkUnreachable)
        if isinstance(failed.value, AnswerLost) and reached:
            assert set(failed.value.nodes) == {one.url for one in made}
            assert all(url in str(failed.value) for url in failed.value.nodes)
        # A refusal is said in the network's words; nothing else is.
        refused = isinstance(failed.value, PolicyRefused | NetworkRefused)
        assert refused or "a lie" not in str(failed.value)
        assert len(network.signed) <= 1 + network_again(network)


def network_again(network: FakeNetwork) -> int:
    """Count the requests that asked again: each is for the same digest."""
    return sum(decode_request(raw)[0].method == ASK_AGAIN for raw in network.bodies.values())


@pytest.mark.parametrize(
    "ways",
    [
        ("gives the first share", "gives the last share"),
        ("gives the last share", "says lost but for one"),
        ("says lost but for one", "hangs", "gives the first share"),
        ("spoils seals", "gives the last share", "swaps seats", "says lost but for one"),
    ],
)
def test_shares_of_several_nodes_add_up(network: SharingNetwork, ways: tuple[str, ...]) -> None:
    with fronts(network, *ways) as made:
        check_signed(network, connected(network, made))


def test_one_share_is_not_two_for_having_come_by_two_ways(network: SharingNetwork) -> None:
    with fronts(network, "gives the first share", "repeats one share") as made:
        account = connected(network, made, 1.0)
        with pytest.raises(KeymootError):
            account.sign_transaction(TRANSFER)


def test_who_answered_is_asked_first_from_then_on(
    network: SharingNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keymoot.agent.rounds.TURN_SECONDS", LONG_TURN)
    with fronts(network, "hangs", "swallows", "honest") as made:
        account = connected(network, made)
        for _ in range(5):
            account.sign_transaction(TRANSFER)
        asked = [front.exchanges.count("keymoot_ask") for front in made]
        assert asked == [1, 1, 5]
        # It is none that is asked forever: once it fails, the others have their turn.
        made[0].way, made[2].way = "honest", "withholds"
        account.sign_transaction(TRANSFER)
        assert len(network.signed) == 6


@pytest.mark.parametrize("several", [False, True])
def test_a_signature_is_one_exchange(
    network: SharingNetwork, several: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keymoot.agent.rounds.TURN_SECONDS", PATIENCE_SECONDS)
    with fronts(network, *["honest"] * (3 if several else 1)) as made:
        account = Account(network.credential(), urls_of(made))
        for _ in range(10):
            account.sign_transaction(TRANSFER)
        first, *others = [front.exchanges for front in made]
        # Beside the first time, when the members are looked at, nothing else is asked of anybody.
        assert first == ["keymoot_ask", "keymoot_committee", *["keymoot_ask"] * 9]
        assert not any(others)


def test_a_node_that_hangs_stops_no_other_thread(
    network: SharingNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keymoot.agent.rounds.TURN_SECONDS", LONG_TURN)
    count = 24
    with fronts(network, "hides the members", "honest") as made:
        account = connected(network, made)
        failed: list[BaseException] = []

        def sign() -> None:
            try:
                account.sign_transaction(TRANSFER)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=sign) for _ in range(count)]
        begun = now()
        for one in threads:
            one.start()
        for one in threads:
            one.join(PATIENCE_SECONDS)
        assert not failed
        assert len(network.signed) == count
        # Not one turn after the other, as if all stood behind one lock.
        assert now() - begun < count * LONG_TURN / 2


class TestAskingAgain:
    """A second binding, only where nobody can answer the first."""

    def again(self, network: FakeNetwork) -> int:
        return network_again(network)

    def test_what_is_lost_everywhere_is_asked_for_again(self, network: SharingNetwork) -> None:
        for ways in (["honest"], ["honest"] * 3, ["honest", "dead"], ["swallows", *["honest"] * 2]):
            self.lose_the_first(network)
            with fronts(network, *ways) as made:
                connected(network, made).sign_transaction(TRANSFER)
            assert self.again(network) == 1
            assert len(set(network.signed)) == 1
            for kept in (network.bodies, network.signed, network.sent, network.answers):
                kept.clear()

    def test_not_while_another_node_may_answer(self, network: SharingNetwork) -> None:
        for liar in ("says lost", "says expired", "says lost but for one"):
            # The honest one is slow at first: it has another turn before anything is given up.
            for slow in (["hangs"], ["closes"], ["drips"], ["waits", "waits"], ["is full"] * 3):
                with fronts(network, liar, "honest") as made:
                    account = connected(network, made)
                    made[1].moods = chain(slow, repeat("honest"))
                    check_signed(network, account)
                for kept in (network.sent, network.bodies, network.signed, network.answers):
                    kept.clear()

    def lose_the_first(self, network: SharingNetwork) -> None:
        decide = SharingNetwork.decide

        def losing(key: Hash32, request: Request) -> dict[str, Any]:
            if request.method != ASK_AGAIN:
                network.gone.add(key)
            return decide(network, key, request)

        network.decide = losing  # type: ignore[method-assign]


def test_a_refusal_that_is_proved_ends_it(network: SharingNetwork) -> None:
    network.rule = lambda _: "LIMIT_EXCEEDED"
    for ways in (["honest", "hangs"], ["refuses", "honest"], ["hangs", "says lost", "honest"]):
        with fronts(network, *ways) as made:
            with pytest.raises(PolicyRefused) as refused:
                connected(network, made).sign_transaction(TRANSFER)
            assert refused.value.reason == "LIMIT_EXCEEDED"
            assert refused.value.proved is not None


def test_one_that_nothing_proves_needs_more_nodes_than_the_answer(network: SharingNetwork) -> None:
    # Two say no, one hides: the no is heard at once, and each is named.
    with fronts(network, "refuses", "swallows", "refuses") as made:
        begun = now()
        with pytest.raises(PolicyRefused, match="a lie") as refused:
            connected(network, made).sign_transaction(TRANSFER)
        assert now() - begun < AT_ALL
        (note,) = refused.value.__notes__
        assert all(one.url in note for one in made)
    # One says no, two have it: it is waited for.
    with fronts(network, "refuses", "honest", "honest") as made:
        account = connected(network, made)
        for one in made[1:]:
            one.moods = chain(["withholds"] * 3, repeat("honest"))
        check_signed(network, account)


@pytest.mark.parametrize("batch", some(range(20), 5))
def test_whatever_mix_it_is(network: SharingNetwork, batch: int) -> None:
    """Ten seeds each: nodes that behave in any ways, and change them as they like."""
    for seed in range(10 * batch, 10 * batch + 10):
        rng = random.Random(seed)
        ways = [rng.choice(HOSTILE) for _ in range(rng.randint(1, 4))]
        honest = rng.random() < 0.7
        if honest:
            ways.insert(rng.randint(0, len(ways)), "honest")
        with fronts(network, *ways) as made:
            account = connected(network, made, PATIENCE_SECONDS if honest else 0.4)
            for one in made:
                if one.way not in ("honest", "dead") and rng.random() < 0.5:
                    one.moods = moods(seed)
            begun = now()
            try:
                signed = account.sign_transaction(TRANSFER)
            except KeymootError as error:
                assert not honest, (seed, ways)
                named = "\n".join([str(error), *getattr(error, "__notes__", [])])
                assert len(made) == 1 or all(one.url in named for one in made), (seed, ways, named)
            else:
                signer = EthAccount.recover_transaction(signed.raw_transaction)
                assert signer.lower() == network.address.hex0x
            assert now() - begun < AT_ALL, (seed, ways)
            # One transaction is one digest; and with somebody honest there, one binding.
            assert len(set(network.signed)) <= 1
            assert not honest or len(network.bodies) == 1, (seed, ways)
        for kept in (network.sent, network.bodies, network.signed, network.answers):
            kept.clear()


def moods(seed: int) -> Iterator[str]:
    rng = random.Random(-seed)
    while True:
        yield rng.choice(("honest", *HOSTILE))


@pytest.mark.parametrize("seed", some(range(8), 3))
def test_threads_among_hostile_nodes_get_one_signature_each(
    network: SharingNetwork, seed: int
) -> None:
    rng = random.Random(seed)
    ways = [*(rng.choice(HOSTILE) for _ in range(3)), "honest"]
    rng.shuffle(ways)
    with fronts(network, *ways) as made:
        account = connected(network, made)

        def sign(nonce: int) -> str:
            signed = account.sign_transaction({**TRANSFER, "nonce": nonce})
            return str(EthAccount.recover_transaction(signed.raw_transaction))

        with ThreadPoolExecutor(8) as pool:
            signers = set(pool.map(sign, range(24)))
    assert {one.lower() for one in signers} == {network.address.hex0x}
    assert len(network.bodies) == len(set(network.signed)) == 24
