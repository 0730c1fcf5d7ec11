"""What counts as bound: what the two contracts tell that bind, and nothing that looks like it."""

from dataclasses import replace

from keymoot.base.fixed import Address
from keymoot.base.secret import Secret
from keymoot.committee.outcome import key_input
from keymoot.contracts.builtin.keys import Keys
from keymoot.enclave.bound import Bound, bound_in
from keymoot.runtime.receipt import Receipt
from keymoot.threshold import derived
from keymoot.threshold.rng import SeededRng
from tests.enclave.network import Network
from tests.runtime.people import OWNER, payment

STRANGER = Address(b"\x99" * 20)


def elsewhere(receipt: Receipt) -> Receipt:
    """The same receipt, as if another contract had told all of it."""
    return replace(receipt, logs=tuple(replace(log, address=STRANGER) for log in receipt.logs))


def test_only_the_contract_of_wallets_binds_requests(network: Network) -> None:
    key = network.bind(network.scenario())
    height = network.height_of(key)
    receipts = network.branch.receipts[height]
    found = bound_in(receipts, height)
    assert [one.request for one in found.bindings] == [key]
    assert found.allowed == (key,)
    assert bound_in(map(elsewhere, receipts), height) == Bound()


def test_only_the_contract_of_keys_takes_questions(network: Network) -> None:
    scenario = network.scenario()
    _, to = derived.asker(SeededRng(Secret(b"\x01" * 32)))
    until = network.clock.now + 60
    receipt = scenario.send(OWNER, "derive", b"login", to.first, to.second, until, contract=Keys)
    height = network.branch.certified
    (ask,) = bound_in([receipt], height).asks
    assert (ask.asker, ask.height, ask.app) == (OWNER.address, height, None)
    assert ask.inputs == key_input(OWNER.address, b"login")
    assert bound_in([elsewhere(receipt)], height) == Bound()


def test_what_was_refused_is_not_allowed(network: Network) -> None:
    scenario = network.scenario()
    raw, key = network.request(scenario, payment(10**15).unsigned_bytes())
    network.send(raw)
    receipts = network.branch.receipts[network.branch.certified]
    assert key in b"".join(log.data for one in receipts for log in one.logs) or any(
        key in log.topics for one in receipts for log in one.logs
    )
    assert bound_in(receipts, network.branch.certified) == Bound()
