"""Wallets whose requests wait for stock."""

import json
from copy import copy

from eth_abi.abi import decode

from keymoot.base.fixed import WalletId
from keymoot.committee.messages import Kind, NodeMessage
from tests.enclave.test_bindings import record
from tests.runtime.people import OWNER, RECOVERY, payment


def another(scenario, name=b"t", value=10**20):
    """Give another wallet of the same owner, with the same agent and policy."""
    other = copy(scenario)
    made = other.send(OWNER, "create", name * 32, RECOVERY, value=value)
    assert made.status == 1, made.error
    other.wallet = WalletId(decode(["bytes32", "address"], made.output)[0])
    return other.ready(10**6)


def withdraw(network, scenario, name=b"w", nonce=0):
    raw = payment(1, nonce, RECOVERY).unsigned_bytes()
    until = network.clock.now + 300
    return scenario.send(OWNER, "withdraw", scenario.wallet, raw, name * 32, until, b"r" * 32, 0, 0)


def refill(network):
    network.mute = False
    network.settle()


def tick(network, number):
    """Have one enclave say that time has passed."""
    head, session = (
        network.machine.state.record,
        network.boxes[4].enclave.start.participant.session,
    )
    made = NodeMessage(
        network.genesis.network, head.generation, 4, Kind.TICK, number.to_bytes(8, "big")
    )
    assert network.send(made.signed(session.signing).encode()).status == 1


def statuses(network, keys):
    return [record(network, key).status for key in keys]


def spent(scenario):
    return json.loads(scenario.view("usage", scenario.wallet)[0])[0]["used"]


def wait_beyond(network, seconds):
    network.clock.now += seconds


def why(network, key):
    error = record(network, key).outcome_json()
    assert error["code"] == 4100
    return error["data"]["reason"], error["message"]
