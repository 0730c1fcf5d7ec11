"""An account outlives a fork: children open their own connections and wait for no lock of ours.

Preloading servers and worker pools make an account, perhaps use it, and fork.
"""

import copy
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
from eth_account import Account as EthAccount

from keymoot.agent import Account, PolicyRefused
from keymoot.agent.network import Network
from keymoot.agent.owner import Owner, new_key
from keymoot.agent.transport import Transport
from tests.agent.fake_ledger import FakeLedger
from tests.agent.fake_network import FakeNetwork, serving
from tests.agent.fronts import fronts, urls_of
from tests.agent.transfers import TRANSFER

# From Python 3.12 on it warns of what is tried here: a fork beside threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")

CHILD_SECONDS = 60
"""After this a child that hangs is ended by its own alarm, and the test says so."""

ROUNDS = 20


def _in_children(count: int, work: Callable[[int], None]) -> list[int]:
    """Fork, let each child work, and give their exit statuses."""
    children = []
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                signal.alarm(CHILD_SECONDS)
                work(number)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        children.append(pid)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]


def _sign(account: Account, nonce: int) -> None:
    signed = account.sign_transaction({**TRANSFER, "nonce": nonce})
    assert EthAccount.recover_transaction(signed.raw_transaction) == account.address


def test_children_of_a_used_account_sign_at_once(account: Account, network: FakeNetwork) -> None:
    _sign(account, 0)

    def work(number: int) -> None:
        for at in range(ROUNDS):
            _sign(account, 1 + number * ROUNDS + at)

    assert _in_children(4, work) == [0] * 4
    _sign(account, 10_000)
    assert len(network.signed) == len(set(network.signed)) == 2 + 4 * ROUNDS


def test_a_child_opens_a_connection_of_its_own(account: Account, network: FakeNetwork) -> None:
    _sign(account, 0)
    before = network.connections
    assert _in_children(3, lambda number: _sign(account, 1 + number)) == [0] * 3
    assert network.connections == before + 3
    _sign(account, 9)
    assert network.connections == before + 3, "the parent's own was closed by a child"


def test_children_ask_several_nodes_as_their_parent_does(network: FakeNetwork) -> None:
    with fronts(network, "swallows", "honest", "closes") as made:
        account = Account(network.credential(), urls_of(made), timeout_seconds=240)
        account.sign_transaction(TRANSFER)
        assert _in_children(3, lambda _: _sign_as(account)) == [0] * 3
        _sign_as(account)
        # Who answered the parent is asked first by its children too.
        assert [one.exchanges.count("keymoot_ask") for one in made] == [1, 5, 0]


def _sign_as(account: Account) -> None:
    signed = account.sign_transaction(TRANSFER)
    assert EthAccount.recover_transaction(signed.raw_transaction) == account.address


def test_locks_that_were_held_when_it_forked_hold_nobody(account: Account) -> None:
    held, done = threading.Event(), threading.Event()
    locks = account._wishes._lock, account._wishes._proven._lock

    def hold() -> None:
        with locks[0], locks[1]:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        assert _in_children(1, lambda number: _sign(account, number)) == [0]
    finally:
        done.set()
        thread.join()


def test_a_grandchild_is_a_child_too(account: Account) -> None:
    _sign(account, 0)

    def work(number: int) -> None:
        _sign(account, 1)
        assert _in_children(2, lambda number: _sign(account, 2 + number)) == [0, 0]
        _sign(account, 5)

    assert _in_children(1, work) == [0]


def test_a_network_and_its_owner_outlive_a_fork() -> None:
    with serving(FakeLedger()) as ledger:
        _owner_forks(Owner(Network(ledger.url), new_key()))


def _owner_forks(owner: Owner) -> None:
    first = owner.network.balance(owner.address)

    def work(_: int) -> None:
        for _ in range(ROUNDS):
            assert owner.network.balance(owner.address) == first

    assert _in_children(4, work) == [0] * 4


_shared: Account | None = None


def _share(account: Account) -> None:
    global _shared  # noqa: PLW0603  what a pool's initializer does
    _shared = account


def _ask(nonce: int) -> str:
    assert _shared is not None
    return _shared.sign_transaction({**TRANSFER, "nonce": nonce}).hash.to_0x_hex()


def test_a_forked_pool_signs_and_is_refused(account: Account, network: FakeNetwork) -> None:
    _sign(account, 0)
    fork = multiprocessing.get_context("fork")
    network.rule = lambda asked: "NO_RULE" if asked.nonce == 7 else None
    with ProcessPoolExecutor(2, fork, _share, (account,)) as pool:
        assert len(set(pool.map(_ask, range(1, 6)))) == 5
        with pytest.raises(PolicyRefused) as caught:
            pool.submit(_ask, 7).result()
        assert caught.value.reason == "NO_RULE"
        assert pool.submit(_ask, 8).result()


def _connect(name: str, path: str, url: str) -> None:
    _share(Account.connect(name, credential=path, url=url))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_pool_that_does_not_fork_connects_anew(
    account: Account, network: FakeNetwork, method: Any, tmp_path: Any
) -> None:
    context = multiprocessing.get_context(method)
    network.credential().save(tmp_path / "agent.json")
    arguments = ("yield", str(tmp_path / "agent.json"), network.url)
    with ProcessPoolExecutor(1, context, _connect, arguments) as pool:
        assert pool.submit(_ask, 1).result()
    with pytest.raises(TypeError, match=r'Account.connect\("yield"\)'):
        context.Process(target=_share, args=(account,)).start()


def test_what_holds_a_key_never_pickles(account: Account, network: FakeNetwork) -> None:
    owner = Owner(Network(network.url), new_key())
    for one, says in (
        (account, r'Account.connect\("yield"\)'),
        (network.credential(), "Credential.load"),
        (owner, "keystore"),
        (owner.derived_keys(), "keystore"),
    ):
        for carry in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=says):
                carry(one)


def test_what_holds_no_key_pickles_by_its_address(network: FakeNetwork) -> None:
    for one in (Network(network.url, 7), Transport(network.url)):
        again = pickle.loads(pickle.dumps(one))  # noqa: S301
        assert (type(again), again.url) == (type(one), network.url)
    assert pickle.loads(pickle.dumps(Network(network.url, 7))).timeout_seconds == 7  # noqa: S301
