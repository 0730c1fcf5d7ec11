"""A host that lies of blocks and certificates: what is not certified releases nothing."""

import re

import pytest

from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.certified import certificate_message
from keymoot.committee.roots import CERTIFICATE
from keymoot.runtime.block import Block
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.polynomial import interpolate_points
from tests.enclave.network import Network
from tests.enclave.scene import at, flipped, is_over, missing
from tests.enclave.shares import refused

# -- blocks


def test_blocks_out_of_order_are_refused_and_change_nothing(scene):
    box, branch = scene.box, scene.network.branch
    later = scene.network.order([])
    with refused("NOT_EXECUTED"):
        box.execute(branch.blocks[later])
    with refused("NOT_EXECUTED"):
        box.execute(Block(Height(10**6), UnixSeconds(2), ()).encode())
    with refused("NOT_EXECUTED", "NOT_CERTIFIED"):
        box.certify(scene.height, scene.proof)
    assert box.answer(scene.key)[0].code == "NOT_HELD"
    assert box.execute(scene.block).share
    assert not box.certify(scene.height, scene.proof).answers[0].code


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda block: (block.time - 10_000, block.transactions), "dated|time|before"),
        (lambda block: (10**15, block.transactions), "dated|time|year"),
        (lambda block: (block.time, block.transactions * 2), "twice"),
        (lambda block: (block.time, (*block.transactions, b"\x02\xc0")), "transaction"),
        (lambda block: (block.time, (b"",)), "transaction"),
    ],
    ids=["back", "far", "twice", "junk", "empty"],
)
def test_a_block_that_breaks_a_rule_ends_the_start(scene, tmp_path, change, why):
    box = scene.cloned(tmp_path / "clone")
    time, transactions = change(Block.decode(scene.block))
    bad = Block(scene.height, UnixSeconds(time), tuple(transactions)).encode()
    with refused("START_OVER"):
        box.execute(bad)
    assert re.search(why, is_over(box, scene)), box.lost
    scene.others_go_on()


def test_a_block_cut_short_is_no_block(scene):
    for cut in (1, 2, 40, len(scene.block) // 2, len(scene.block) - 1):
        with refused("MALFORMED"):
            scene.box.execute(scene.block[:-cut])
    assert scene.box.execute(scene.block).share


def test_the_same_transactions_at_another_time_get_no_certificate(scene, tmp_path):
    """Its start executes them; what the others certify is of another block."""
    box = scene.cloned(tmp_path / "clone")
    block = Block.decode(scene.block)
    other = Block(block.height, UnixSeconds(block.time + 1), block.transactions)
    ballot = box.execute(other.encode())
    assert ballot.hash != scene.network.branch.headers[scene.height].hash
    with refused("NOT_CERTIFIED"):
        box.certify(scene.height, scene.proof)
    with refused("ANOTHER_BLOCK"):
        box.execute(scene.block)
    assert box.answer(scene.key)[0].code == "NOT_HELD"
    with refused("NOT_COVERED"):
        box.outcome(scene.height)
    scene.others_go_on()


# -- certificates


def forged(network: Network, height: Height, /, **changes) -> bytes:
    """Certify something else with the members' own shares, as only a test can."""
    header = network.branch.headers[height]
    fields = [network.genesis.network, header.generation, header.height, header.hash]
    for place, name in enumerate(("network", "generation", "height", "hash")):
        fields[place] = changes.get(name, fields[place])
    message = certificate_message(*fields)
    shares = {
        seat: bls.sign(
            network.boxes[seat].enclave.start.participant.shares_in(network.machine)[CERTIFICATE],
            message,
        )
        for seat in (1, 3, 4)
    }
    return G1.encode(interpolate_points(G1, shares))


@pytest.mark.parametrize("field", ["network", "generation", "height", "hash"])
def test_a_certificate_of_anything_else_releases_nothing(scene, field):
    network, box = scene.network, scene.box
    box.execute(scene.block)
    other = {
        "network": b"n" * 32,
        "generation": b"g" * 32,
        "height": Height(scene.height + 1),
        "hash": b"h" * 32,
    }
    # The forger's own work is right: with nothing changed it is the certificate.
    assert forged(network, scene.height) == scene.proof
    with refused("NOT_CERTIFIED"):
        box.certify(scene.height, forged(network, scene.height, **{field: other[field]}))
    assert box.answer(scene.key)[0].code == "NOT_HELD"
    with refused("NOT_COVERED"):
        box.outcome(scene.height)
    assert not box.certify(scene.height, scene.proof).answers[0].code
    scene.others_go_on()


def test_a_foreign_networks_certificate_and_record_begin_nothing(scene, tmp_path):
    network = scene.network
    other = Network(tmp_path / "other").found()
    box = network.boxes[2]
    box.start()
    box.join(network.genesis, 2)
    place, foreign = network.branch.place(), other.branch.place()
    mixed = [
        type(place)(place.record, place.header, foreign.signature or b"\xc0" + bytes(47)),
        type(place)(place.record, foreign.header, place.signature),
        type(place)(place.record, foreign.header, foreign.signature),
        type(place)(foreign.record, place.header, place.signature),
        type(place)(place.record, place.header),
    ]
    for one in mixed:
        with refused("NOT_CERTIFIED", "NOT_FOUNDED", "CERTIFICATE_MISSING", "MALFORMED"):
            box.begin(one, network.branch)
    box.began = False
    assert network.enter(box)
    scene.others_go_on()


@pytest.mark.parametrize("lie", [flipped, missing], ids=lambda one: one.__name__)
def test_a_start_that_is_lied_to_where_it_begins_ends_and_the_next_one_does_not(scene, lie):
    network, box = scene.network, scene.network.boxes[2]
    box.start()
    box.join(network.genesis, 2)
    box.lie = at(0, lie)
    with refused("START_OVER"):
        box.begin(network.branch.place(), network.branch)
    said = [one for one in box.out if one[:1] == b"\x4e"]
    box.lie = None
    is_over(box, scene)
    assert [one for one in box.out if one[:1] == b"\x4e"] == said
    network.withheld = set()
    network.restart(2)
    assert network.machine.state.seat(2).session == box.identity.session
    assert box.ballots[network.order([])].share
