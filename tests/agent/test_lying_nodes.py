"""A node that lies to a client that has pinned its network: each lie is refused by name."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from keymoot.agent.account import Account
from keymoot.agent.errors import AnotherNetwork, LeftBehind, Unproven
from keymoot.agent.network import Network
from keymoot.agent.owner import Owner
from keymoot.agent.submission import TransactionFailed
from keymoot.base.fixed import Address, Hash32
from keymoot.base.request import decode_request
from keymoot.base.units import Wei
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.record import BOUND
from keymoot.contracts.builtin.wallets.wallet import BY_COMMITTEE
from keymoot.crypto import secp256k1
from keymoot.policy.chains.evm.chain import EVM
from keymoot.policy.errors import PolicyRefused
from keymoot.proof.bundle import ProofBundle
from keymoot.proof.errors import OlderHeader
from keymoot.proof.founding import Anchor
from keymoot.proof.log import record_slot
from keymoot.proof.wallet import account_of
from tests.agent.fake_ledger import FakeLedger
from tests.agent.fake_network import FAR, WORLD, secret_of, serving
from tests.proof.world import World, a_record

RECOVERY = Address(b"\x77" * 20)


@dataclass
class Liar(FakeLedger):
    """A ledger in whose name somebody else may answer.

    Attributes:
        instead: Answers some methods in its place.
    """

    instead: dict[str, Callable[[list[Any]], Any]] = field(default_factory=dict)

    def rpc(self, method: str, params: list[Any]) -> dict[str, Any]:
        """Answer one call."""
        if method in self.instead:
            return self.instead[method](params)
        return super().rpc(method, params)

    def repeats(self, other: FakeLedger, *methods: str) -> None:
        """Say what another ledger truly says."""
        for name in methods:
            self.instead[name] = lambda params, name=name: other.rpc(name, params)


def another(name: str) -> Liar:
    """A whole network of somebody else's, true in itself."""
    world = World(name)
    return Liar(
        genesis=world.genesis.encode(),
        network=world.network,
        founding=world.founding().to_json(),
        world=world,
        custody=BY_COMMITTEE,
    )


@pytest.fixture
def served() -> Iterator[Callable[[Liar], Liar]]:
    with ExitStack() as stack:

        def serve(ledger: Liar) -> Liar:
            stack.enter_context(serving(ledger))
            return ledger

        yield serve


@pytest.fixture
def honest(served: Callable[[Liar], Liar]) -> Liar:
    return served(Liar(custody=BY_COMMITTEE))


def owner_at(ledger: Liar, pin: Anchor | None) -> Owner:
    return Owner(Network(ledger.url, timeout_seconds=60, pin=pin), secret_of("owner"))


def wallet_at(ledger: Liar) -> Any:
    """Have the owner's wallet there, with the address that its network's root gives it."""
    acting = owner_at(ledger, None)
    wallet = acting.wallet_of("yield")
    ledger.address = account_of(ledger.network, wallet, EVM, ledger.world.roots)
    acting.create("yield", RECOVERY, Wei(5))
    return wallet


def test_another_network_shows_another_address_and_only_a_pin_tells(
    honest: Liar, served: Callable[[Liar], Liar]
) -> None:
    thief = served(another("thief"))
    wallet = wallet_at(honest)
    assert wallet_at(thief) == wallet
    real = owner_at(honest, WORLD.anchor).show(wallet).account
    # Whoever believes whoever answers pays to the thief.
    assert owner_at(thief, None).show(wallet).account == thief.address != real
    calls = len(thief.calls)
    pinned = owner_at(thief, WORLD.anchor)
    for act in (
        lambda: pinned.show(wallet),
        lambda: pinned.policy(wallet),
        lambda: pinned.create("more", RECOVERY, Wei(5)),
        lambda: pinned.grant(wallet, "yield", FAR),
        lambda: pinned.fund(wallet, Wei(1)),
    ):
        with pytest.raises(AnotherNetwork) as refused:
            act()
        assert refused.value.code == "ANOTHER_NETWORK"
        assert (refused.value.shown, refused.value.pinned) == (
            thief.network.hex0x,
            WORLD.network.hex0x,
        )
    assert len(thief.calls) == calls


def test_a_node_that_takes_our_networks_name_is_not_believed_either(
    honest: Liar, served: Callable[[Liar], Liar]
) -> None:
    thief = served(another("thief"))
    wallet = wallet_at(honest)
    wallet_at(thief)
    thief.repeats(honest, "keymoot_network", "keymoot_founding")
    for pin in (WORLD.anchor, None):
        with pytest.raises(Unproven, match="certificate"):
            owner_at(thief, pin).show(wallet)
    # Nor if its members are true, and one wallet is of another network.
    thief.repeats(honest, "keymoot_committee")
    with pytest.raises(Unproven, match="certificate"):
        owner_at(thief, WORLD.anchor).show(wallet)


def test_a_founding_under_another_key_than_is_pinned_certifies_nothing(honest: Liar) -> None:
    """Founders who sign two records could show each client another network."""
    wallet = wallet_at(honest)
    pin = Anchor(WORLD.network, World("thief").verifying_key)
    with pytest.raises(Unproven, match="certificate"):
        owner_at(honest, pin).show(wallet)


def test_an_agent_names_the_network_that_answers(
    honest: Liar, served: Callable[[Liar], Liar]
) -> None:
    thief = served(another("thief"))
    account = Account(honest.credential(), thief.url, timeout_seconds=60)
    fields = {"chainId": 1, "nonce": 0, "gas": 21_000, "gasPrice": 1, "to": RECOVERY, "value": 1}
    with pytest.raises(AnotherNetwork):
        account.sign_transaction(fields)


def test_an_older_state_is_not_shown(honest: Liar) -> None:
    wallet = wallet_at(honest)
    acting = owner_at(honest, WORLD.anchor)
    old = honest.rpc("keymoot_wallet", [wallet.hex0x])
    acting.fund(wallet, Wei(7))
    assert acting.show(wallet).quota == 12
    honest.instead["keymoot_wallet"] = lambda _: old
    with pytest.raises(Unproven) as refused:
        acting.show(wallet)
    assert isinstance(refused.value.why, OlderHeader)


def test_a_fork_is_not_shown(honest: Liar) -> None:
    """Blocks that our own network's key has certified, beside those that were seen."""
    wallet = wallet_at(honest)
    acting = owner_at(honest, WORLD.anchor)
    acting.show(wallet)
    true, seen = honest.world, acting.network.committee().header
    # 1. Another block of the height that was seen: more enclaves are broken than may be.
    beside = World()
    beside.run(range(1, seen.height))
    honest.world = beside
    with pytest.raises(LeftBehind, match="both are certified in one generation") as refused:
        acting.network.committee()
    assert refused.value.height == seen.height
    # 2. One from after a recovery that left behind what was seen.
    beside.block(generation=Hash32(b"another generation".ljust(32)))
    unknown = {"code": -32000, "message": "unknown block: no block of this chain has that hash"}
    honest.instead["keymoot_follow"] = lambda _: {"error": unknown}
    for ask in (acting.network.committee, lambda: acting.show(wallet)):
        with pytest.raises(LeftBehind, match="accept"):
            ask()
    # 3. The true one is followed as before.
    honest.world = true
    assert acting.show(wallet).quota == 5


def test_a_log_is_shown_whole_or_not_at_all(honest: Liar) -> None:
    honest.lines = 5
    wallet = wallet_at(honest)
    acting = owner_at(honest, WORLD.anchor)
    assert len(acting.log(wallet)) == 5
    assert len(acting.log(wallet, 3, 9)) == 2
    told = honest.rpc("keymoot_log", [wallet.hex0x, "0x0", "0x20"])

    def without(lost: int) -> Any:
        bundle = ProofBundle.from_json(told["result"])
        kept = tuple(one for at, one in enumerate(bundle.proof.slots) if at != lost)
        return {"result": replace(bundle, proof=replace(bundle.proof, slots=kept)).to_json()}

    # The book, five places, five records: none of them may be missing.
    for lost in range(11):
        honest.instead["keymoot_log"] = lambda _, lost=lost: without(lost)
        with pytest.raises(Unproven, match="is not in the proof"):
            acting.log(wallet)
    # Nor may a shorter page be shown for a longer one, or one of before.
    del honest.instead["keymoot_log"]
    page = honest.rpc("keymoot_log", [wallet.hex0x, "0x0", "0x3"])
    honest.instead["keymoot_log"] = lambda _: page
    with pytest.raises(Unproven, match="is not in the proof"):
        acting.log(wallet)
    honest.instead["keymoot_log"] = lambda _: told
    with pytest.raises(Unproven) as refused:
        acting.log(wallet)
    assert isinstance(refused.value.why, OlderHeader)


def test_an_act_that_a_node_swallows_is_not_believed_to_be_done(honest: Liar) -> None:
    wallet = wallet_at(honest)
    acting = owner_at(honest, WORLD.anchor)
    receipt = {"transactionHash": "0x" + "07" * 32, "blockNumber": "0x7", "status": "0x1"}
    honest.instead["eth_sendRawTransactionSync"] = lambda _: {"result": receipt}
    holder = Address(b"h" * 20)
    for act in (
        lambda: acting.pause(wallet),
        lambda: acting.revoke(wallet, holder),
        lambda: acting.set_policy(wallet, b"{}", 0),
        lambda: acting.grant(wallet, "yield", FAR),
    ):
        with pytest.raises(Unproven, match="receipt"):
            act()
    del honest.instead["eth_sendRawTransactionSync"]
    acting.pause(wallet)
    assert acting.show(wallet).paused


@pytest.mark.parametrize("shown", ["nothing", "another's", "another network's"])
@pytest.mark.parametrize("status", ["0x0", "0x1"])
def test_what_a_receipt_says_is_proved(honest: Liar, status: str, shown: str) -> None:
    """A node that carries a call out, or keeps it, and tells the other of the two."""
    wallet = wallet_at(honest)
    acting = owner_at(honest, WORLD.anchor)
    acting.resume(wallet)
    before = next(iter(honest.proofs.values()))
    strange = World("elsewhere").receipt_of(b"\x02" + bytes(40), int(status, 16))
    told = {"nothing": None, "another's": before.to_json(), "another network's": strange.to_json()}
    receipt = {"transactionHash": "0x" + "07" * 32, "blockNumber": "0x7", "status": status}
    honest.instead["eth_sendRawTransactionSync"] = lambda _: {"result": receipt}
    honest.instead["keymoot_receipt"] = lambda _: {"result": told[shown]}
    with pytest.raises(Unproven):
        acting.fund(wallet, Wei(7))


def test_a_failure_that_is_proved_is_told_as_it_was(honest: Liar) -> None:
    wallet = wallet_at(honest)
    acting = owner_at(honest, WORLD.anchor)
    honest.fail = "you are not its owner"
    sent = honest.rpc

    def lying(method: str, params: list[Any]) -> Any:
        answer = sent(method, params)
        if method == "eth_sendRawTransactionSync":
            answer["result"] = {**answer["result"], "status": "0x1"}
        return answer

    honest.rpc = lying  # type: ignore[method-assign]
    with pytest.raises(TransactionFailed):
        acting.fund(wallet, Wei(7))


def test_a_refusal_is_the_one_that_the_state_records(honest: Liar) -> None:
    honest.rule = lambda _: "LIMIT_EXCEEDED"
    account = Account(honest.credential(), honest.url, timeout_seconds=60)
    fields = {"chainId": 1, "nonce": 0, "gas": 21_000, "gasPrice": 1, "to": RECOVERY, "value": 1}
    with pytest.raises(PolicyRefused) as refused:
        account.sign_transaction(fields)
    assert (refused.value.reason, refused.value.proved) == (
        "LIMIT_EXCEEDED",
        len(honest.world.blocks),
    )
    # Another reason than the ledger's is not repeated.
    told = honest.rpc

    def lying(method: str, params: list[Any]) -> Any:
        answer = told(method, params)
        if method == "keymoot_ask":
            answer["result"]["refusal"] = {
                "code": 4100,
                "message": "a lie",
                "data": {"reason": "X"},
            }
        return answer

    honest.rpc = lying  # type: ignore[method-assign]
    with pytest.raises(PolicyRefused) as refused:
        account.sign_transaction(fields)
    assert refused.value.reason == "LIMIT_EXCEEDED"
    assert "a lie" not in str(refused.value)
    # Nor is a refusal that there never was.
    honest.rule = lambda _: None

    def refusing(method: str, params: list[Any]) -> Any:
        answer = lying(method, params)
        if method == "keymoot_ask":
            answer["result"]["status"] = "refused"
        return answer

    honest.rpc = refusing  # type: ignore[method-assign]
    with pytest.raises(Unproven, match="says that the request was refused, and the state does not"):
        account.sign_transaction(fields)

    # Nor of one that the ledger has bound.
    def bound(method: str, params: list[Any]) -> Any:
        answer = refusing(method, params)
        if method == "keymoot_ask":
            key = next(reversed(honest.answers))
            request, _ = decode_request(honest.bodies[key])
            record = replace(
                a_record(request.wallet, 0, b"{}", BOUND),
                requester=secp256k1.address_of_secret(secret_of("agent")),
                request_id=request.request_id,
            )
            honest.world.put_cells(Wallets.ADDRESS, {record_slot(key): record.encode()})
        return answer

    honest.rpc = bound  # type: ignore[method-assign]
    with pytest.raises(Unproven, match="says that the request was refused, and the state does not"):
        account.sign_transaction(fields)
