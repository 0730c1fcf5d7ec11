"""A node that garbles what is true: its neighbour answers, and nothing but our errors comes out."""

import random
from copy import deepcopy
from typing import Any

import pytest

from keymoot.agent import Account
from keymoot.agent.network import Network
from keymoot.agent.owner import Owner
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Address
from keymoot.base.units import Wei
from keymoot.contracts.builtin.wallets.wallet import BY_COMMITTEE
from keymoot.policy.chains.evm.chain import EVM
from keymoot.proof.wallet import account_of
from tests.agent.fake_ledger import FakeLedger
from tests.agent.fake_network import WORLD, secret_of, serving
from tests.agent.fronts import Front, fronts, urls_of
from tests.agent.sharing_network import SharingNetwork
from tests.agent.transfers import TRANSFER
from tests.examples import some

SEEDS = 25

JUNK: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    "0x",
    "0x0",
    "0x" + "00" * 32,
    "0x" + "ff" * 97,
    "a\x00b\ud800",
    [],
    {},
    [[]],
    [None] * 70,
    {"": []},
)


class Garbler(Front):
    """Says what is true, but for one to three places."""

    def begin(self, seed: int) -> None:
        """Take other random numbers."""
        self.rng = random.Random(seed)

    def truth(self, method: str, params: list[Any]) -> Any:
        """Say what the network says, garbled."""
        told = deepcopy(super().truth(method, params))
        for _ in range(self.rng.randint(1, 3)):
            self._garble(told)
        return told

    def _garble(self, told: Any) -> None:
        at = told
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                return
            key = self.rng.choice(keys)
            inside = at[key]
            if isinstance(inside, dict | list) and inside and self.rng.random() < 0.8:
                at = inside
                continue
            break
        what = self.rng.random()
        if what < 0.5:
            at[key] = self.rng.choice(JUNK)
        elif what < 0.6 and isinstance(at, dict):
            del at[key]
        elif what < 0.7 and isinstance(at, list):
            at.append(deepcopy(inside))
        elif isinstance(inside, str) and len(inside) > 4:
            place = self.rng.randrange(2, len(inside))
            at[key] = inside[:place] + self.rng.choice("0123456789abcdefz") + inside[place + 1 :]


@pytest.mark.parametrize("batch", some(range(6), 2))
def test_an_agent_signs_beside_it(batch: int) -> None:
    network = SharingNetwork()
    network.world.run(range(3))
    with fronts(network, "honest", "honest", kinds=(Garbler, Front)) as made:
        for seed in range(SEEDS * batch, SEEDS * batch + SEEDS):
            made[0].begin(seed)  # type: ignore[attr-defined]
            account = Account(network.credential(), urls_of(made), timeout_seconds=240)
            signed = account.sign_transaction(TRANSFER)
            assert signed.hash
            # Alone it brings no answer that is not true.
            try:
                Account(network.credential(), made[0].url, timeout_seconds=0.2).sign_transaction(
                    TRANSFER
                )
            except KeymootError:
                pass
    assert len(set(network.signed)) == 1


@pytest.mark.parametrize("batch", some(range(6), 2))
def test_an_owner_reads_beside_it(batch: int) -> None:
    ledger = FakeLedger(custody=BY_COMMITTEE, lines=3)
    with serving(ledger):
        owner = Owner(Network(ledger.url, pin=WORLD.anchor), secret_of("owner"))
        wallet = owner.wallet_of("yield")
        ledger.address = account_of(ledger.network, wallet, EVM, ledger.world.roots)
        true = owner.create("yield", Address(b"\x77" * 20), Wei(5))
    with fronts(ledger, "honest", "honest", kinds=(Garbler, Front)) as made:
        for seed in range(SEEDS * batch, SEEDS * batch + SEEDS):
            made[0].begin(seed)  # type: ignore[attr-defined]
            for url, pin in ((urls_of(made), WORLD.anchor), (made[0].url, WORLD.anchor)):
                reading = Owner(Network(url, 30, pin=pin), secret_of("owner"))
                try:
                    assert reading.show(wallet) == true
                    assert len(reading.log(wallet)) == 3
                    assert not reading.credential(wallet, Address(b"h" * 20)).revoked
                except KeymootError:
                    # One that is alone may well say nothing that is believed.
                    assert url == made[0].url
