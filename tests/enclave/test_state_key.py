"""The state secret between enclaves and ledger: sealed first, then said; it never leaves them."""

from dataclasses import replace
from pathlib import Path

import pytest
from eth_abi.abi import decode

from keymoot.base.fixed import Address, Hash32, Signature65, WalletId
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.roots import DERIVE
from keymoot.committee.statekey.record import state_input, state_secret
from keymoot.contracts.builtin.vault import Vault
from keymoot.crypto.secp256k1 import recover
from keymoot.enclave.sealed_state import open_sealed_state
from keymoot.store.header import Header
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.polynomial import interpolate
from tests.enclave.network import Network
from tests.enclave.shares import refused, shares_of
from tests.runtime.people import OWNER, RECOVERY, STRANGER, payment


def sealed(network: Network, seat: int) -> bytes | None:
    """What is in a seat's keep on its disk."""
    one = network.boxes[seat]
    state = open_sealed_state(one.folder, one.platform).state
    return None if state is None else state.expose()


def by_algebra(network: Network) -> bytes:
    """The state secret from all shares of the root, as only a test computes it."""
    shares = {
        at: one.enclave.start.participant.shares_in(network.machine)[DERIVE].secret
        for at, one in network.boxes.items()
    }
    root = network.machine.state.root(DERIVE)
    point = derived.point_of(root, state_input(network.genesis.network, 0))
    return state_secret(Secret(G1.encode(G1.multiply(interpolate(G2, shares), point)))).expose()


def without_secret(network: Network, seat: int) -> None:
    """Take the state secret out of a seat's keep."""
    keep = network.boxes[seat].enclave.sealed
    keep.put(replace(keep.now, states=()))


def said(raw: bytes, kind: Kind, seat: int) -> bool:
    message = NodeMessage.decode(raw)
    return (message.kind, message.seat) == (kind, seat)


def holders(network: Network) -> frozenset[int]:
    return network.machine.state_key.status.holders


def test_all_enclaves_seal_the_same_secret(network):
    secret = by_algebra(network)
    assert [sealed(network, seat) for seat in network.boxes] == [secret] * 4
    assert network.machine.state_key.status.exists
    assert not [one for one in network.boxes.values() if secret in b"".join(one.out)]


def test_it_is_sealed_before_the_ledger_hears_of_it(tmp_path: Path, small_batches: None):
    made, seen = Network(tmp_path), []

    def poll(raw: bytes) -> bool:
        message = NodeMessage.decode(raw)
        if message.kind is Kind.STATE_HELD:
            seen.append((message.seat, sealed(made, message.seat)))
        return False

    made.keeps = poll
    made.found()
    assert sorted(seat for seat, _ in seen) == [1, 2, 3, 4]
    assert {content for _, content in seen} == {by_algebra(made)}


def test_while_one_founder_has_not_said_that_it_holds_it_there_is_no_record(
    tmp_path: Path, small_batches: None
):
    made = Network(tmp_path)
    made.keeps = lambda raw: said(raw, Kind.STATE_HELD, 3)
    made.begin()
    assert made.branch.record is None
    assert not [one for box in made.boxes.values() for one in box.ballots.values() if one.founding]
    assert {box.enclave.sealed.now.network for box in made.boxes.values()} == {None}
    # No block of anybody else's is executed before.
    with refused("BAD_BLOCK"):
        made.order([b"\x02\xc0"])
    del made.branch.blocks[made.branch.top]
    made.keeps = lambda _: False
    made.said += made.kept
    made.settle()
    assert made.branch.record is not None
    assert {box.enclave.sealed.now.network for box in made.boxes.values()} == {made.genesis.network}


def vaulted(network: Network):
    scenario = network.scenario()
    receipt = scenario.send(OWNER, "createInVault", b"v" * 32, RECOVERY, value=10**18)
    assert receipt.status == 1, receipt
    wallet, account = decode(["bytes32", "address"], receipt.output)
    scenario.wallet, scenario.account = WalletId(wallet), Address.from_hex(account)
    return scenario.ready(10**6)


def test_any_enclave_signs_with_a_key_of_vault(network):
    scenario = vaulted(network)
    assert scenario.send(STRANGER, "birth", b"n" * 32, contract=Vault).status == 1
    raw, key = network.request(scenario, payment(5).unsigned_bytes())
    assert network.send(raw).status == 1
    found = set()
    for answer in network.answers[key].values():
        digest, signature = network.opened(answer)
        found.add(signature)
        assert recover(Hash32(digest), Signature65(signature)) == scenario.account
    assert len(found) == 1
    assert shares_of(network, key) == network.answers[key]


def test_a_start_that_no_certified_state_names_releases_nothing(network):
    """Its host may have copied the disk, and show it the ledger from before a pause for ever."""
    scenario = vaulted(network)
    raw, key = network.request(scenario, payment(5).unsigned_bytes())
    assert network.send(raw).status == 1
    assert {one.code for one in network.answers[key].values()} == {""}
    network.mute = True
    box = network.restart(4)
    assert box.began
    assert box.answer(key)[0].code == "NOT_HELD"
    # Not even what it executes itself: nobody has named it yet.
    raw, key = network.request(scenario, payment(6).unsigned_bytes())
    assert network.send(raw).status == 1
    assert {at for at, one in network.answers[key].items() if not one.code} == {1, 2, 3}
    network.mute = False
    network.settle()
    assert network.machine.state.seat(4).session == box.identity.session
    assert not box.answer(key)[0].code


def test_a_start_that_saw_nothing_bound_releases_nothing_that_has_expired(network):
    """It reads the request from the certified state, and the time from the later clock too."""
    scenario = vaulted(network)
    raw, key = network.request(scenario, payment(5).unsigned_bytes())
    assert network.send(raw).status == 1
    box = network.restart(4)
    assert not box.answer(key)[0].code
    box = network.restart(3)
    box.ahead = 301
    assert (box.answer(key)[0].code, box.answer(key)[0].sealed) == ("NOT_BOUND", b"")


def test_without_it_a_start_watches_and_executes_nothing(network):
    without_secret(network, 2)
    network.mute = True
    box = network.restart(2)
    with refused("NO_STATE_SECRET"):
        box.begin(network.branch.place(), network.branch)
    with refused("NOT_BEGUN"):
        box.execute(network.branch.blocks[network.branch.top])
    assert not box.began
    network.mute = False
    # It has said with which keys it started; the others answer what it asked for.
    network.settle()
    assert box.began
    assert sealed(network, 2) == by_algebra(network)
    scenario = vaulted(network)
    raw, key = network.request(scenario, payment(5).unsigned_bytes())
    assert network.send(raw).status == 1
    assert network.answers[key][2].code == ""


def asks(network: Network) -> int:
    return network.machine.state_key.status.asks


def test_a_start_that_has_it_sealed_does_not_ask(network):
    before = asks(network)
    network.restart(2)
    network.recover()
    assert asks(network) == before
    assert holders(network) == {1, 2, 3, 4}


@pytest.mark.parametrize("seat", [1, 3])
def test_a_keep_without_it_asks_and_seals_the_same(network, seat):
    before = by_algebra(network)
    without_secret(network, seat)
    assert sealed(network, seat) is None
    box = network.restart(seat)
    assert box.began
    assert sealed(network, seat) == before
    assert holders(network) == {1, 2, 3, 4}
    assert network.machine.state_key.asks() == {}


def test_without_it_a_start_watches_while_the_others_run_confidential_calls(network):
    scenario = vaulted(network)
    without_secret(network, 2)
    network.keeps = lambda raw: NodeMessage.decode(raw).kind is Kind.STATE_ANSWER
    box = network.restart(2)
    for nonce in range(3):
        assert scenario.send(STRANGER, "birth", bytes([nonce]) * 32, contract=Vault).status == 1
        raw, key = network.request(scenario, payment(nonce).unsigned_bytes())
        assert network.send(raw).status == 1
        # The others certify and answer; it has nothing to say of a block, nor to what one binds.
        assert {at for at, one in network.answers[key].items() if not one.code} == {1, 3, 4}
        assert not network.stands_still
    assert network.kept
    assert not box.began
    assert not box.ballots
    # It takes over what has a certificate, and nothing else: it cannot check it by executing.
    at = network.branch.certified
    place, older = network.branch.place(), network.witness(Height(at - 1))
    header = replace(
        Header.decode(place.header), state_root=network.branch.headers[at - 1].state_root
    )
    with refused("NOT_CERTIFIED"):
        box.watch(replace(place, header=header.encode()), older)
    with refused("NO_STATE_SECRET"):
        box.begin(place, network.branch)
    # It gets the secret later, and executes from a certified block on; from there it signs.
    network.keeps = lambda _: False
    network.said += network.kept
    network.settle()
    assert box.began
    assert sealed(network, 2) == by_algebra(network)
    assert min(box.ballots, default=network.branch.top) > at
    raw, key = network.request(scenario, payment(9).unsigned_bytes())
    assert network.send(raw).status == 1
    assert box.ballots[network.branch.certified].share
    assert {at for at, one in network.answers[key].items() if not one.code} == {1, 2, 3, 4}
