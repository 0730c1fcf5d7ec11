"""What makes an enclave of the committee give its part of an app's key, and what never does."""

from keymoot.base import rlp
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.committee.outcome import app_key_input
from keymoot.committee.roots import DERIVE
from keymoot.contracts.builtin.keys import AppKeyKind, Keys, app_question_of
from keymoot.store.header import Header
from keymoot.threshold import derived
from keymoot.threshold.derived import DerivationShare
from keymoot.threshold.rng import SeededRng
from tests.contracts.builtin.apps.cast import OTHER, AppScenario, Enclave, less
from tests.enclave.network import Network
from tests.enclave.shares import shares_of
from tests.runtime.people import AGENT, payment

KEY_ID, KIND = b"trading", AppKeyKind.SECP256K1


class OnNetwork(AppScenario):
    """The same, on a network of enclaves."""

    def __init__(self, network: Network) -> None:
        self.network = network
        super().__init__(chain=network)

    @property
    def newest(self) -> Header:
        branch = self.network.branch
        return branch.headers[branch.newest()]


def asked(network: Network, scenario: AppScenario, seed: int = 1) -> tuple[Hash32, Secret]:
    secret, to = derived.asker(SeededRng(Secret(bytes([seed]) * 32)))
    until = network.clock.now + 60
    receipt = scenario.send(
        AGENT, "deriveForApp", KIND, KEY_ID, to.first, to.second, until, contract=Keys
    )
    assert receipt.status == 1, receipt.error
    return app_question_of(AGENT.address, scenario.app, KIND, KEY_ID, to.first), secret


def codes(network: Network, question: Hash32) -> set[str]:
    return {one.code for one in shares_of(network, question).values()}


def test_the_key_is_the_apps_and_an_instance_that_was_evicted_since_gets_no_part(
    network: Network,
) -> None:
    scenario = OnNetwork(network)
    scenario.registered(Enclave(scenario.app))
    question, secret = asked(network, scenario)
    answers = shares_of(network, question)
    parts = {at: DerivationShare.of_item(rlp.decode(one.sealed)[1]) for at, one in answers.items()}
    root = network.machine.state.root(DERIVE)
    _, to = derived.asker(SeededRng(Secret(b"\x01" * 32)))
    inputs = app_key_input(scenario.app, KIND, KEY_ID)
    point, bad = derived.combine(root, inputs, secret, to, parts)
    assert (bad, len(point)) == ([], 48)
    # It was asked in time; the block after that puts its code out.
    late, _ = asked(network, scenario, 2)
    assert scenario.update(less(measurements=(OTHER,))).status == 1
    assert codes(network, late) == {"MEASUREMENT_EVICTED"}
    assert codes(network, question) == {"MEASUREMENT_EVICTED"}
    assert scenario.update().status == 1
    assert codes(network, late) == {""}


def test_a_registration_that_ended_before_the_question_does_gives_nothing(
    network: Network,
) -> None:
    scenario = OnNetwork(network)
    scenario.registered(Enclave(scenario.app, lifetime=30))
    question, _ = asked(network, scenario)
    assert codes(network, question) == {""}
    for one in network.boxes.values():
        one.ahead = 40
    assert codes(network, question) == {"REGISTRATION_EXPIRED"}


def test_what_was_bound_is_not_given_to_an_instance_that_was_evicted_since(
    network: Network,
) -> None:
    scenario = OnNetwork(network)
    scenario.granted()
    scenario.registered(Enclave(scenario.app))
    request = network.bind(scenario)
    assert codes(network, request) == {""}
    assert scenario.update(less(measurements=(OTHER,))).status == 1
    assert codes(network, request) == {"MEASUREMENT_EVICTED"}
    # and another that it asks is not bound at all
    raw, key = network.request(scenario, payment(6, nonce=1).unsigned_bytes())
    receipt = network.send(raw)
    assert (receipt.status, receipt.error_code) == (0, "MEASUREMENT_EVICTED")
    assert codes(network, key) == {"NOT_HELD"}
