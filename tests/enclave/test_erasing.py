"""What makes a share serves once: it is in no memory afterwards, nor when a generation begins."""

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.enclave.answers import KEPT_SECONDS
from tests.enclave.box import Box
from tests.enclave.network import Network
from tests.runtime.people import payment


def kept(box: Box, key: Hash32):
    """Give what an enclave keeps of a request."""
    return box.enclave.start._course._answers._open.get(key)


def behind(network: Network, box: Box, key: Hash32) -> None:
    """Show an enclave all blocks up to the one that bound a request, but not its certificate."""
    height = network.height_of(key)
    while box.next <= height:
        box.ballots[box.next] = box.execute(network.branch.blocks[box.next])
        if box.next < height:
            network.show(box, box.next)
        box.next = Height(box.next + 1)


def test_what_makes_a_share_is_gone_when_the_share_leaves(network):
    key = network.bind(network.scenario())
    for box in network.boxes.values():
        found = kept(box, key)
        assert found.answer is not None
        assert found.held is None


def test_what_waits_for_its_certificate_is_gone_when_a_generation_begins(network):
    scenario, box = network.scenario(), network.boxes[1]
    network.withheld = {1}
    key = network.bind(scenario)
    behind(network, box, key)
    held, presign = kept(box, key).held, box.enclave.start.participant.presign
    assert presign._presignatures
    begins = network.order([network.recovery([2, 3, 4])])
    box.execute(network.branch.blocks[begins])
    found = kept(box, key)
    assert (found.held, found.burned) == (None, True)
    assert not presign._presignatures
    # The certificate of its very block unlocks nothing any more, even if work that was under
    # way brings the presignature back.
    again = presign._presignatures[found.generation, held.name.batch] = {}
    again[held.name.place] = held.presignature
    height = network.height_of(key)
    released = box.certify(height, network.branch.proofs[height])
    assert [one.code for one in released.answers if one.request == key] == ["NOT_HELD"]


def test_what_is_over_is_forgotten(network):
    key = network.bind(network.scenario())
    network.clock.now += 301
    network.order([])
    assert {box.answer(key)[0].code for box in network.boxes.values()} == {"NOT_BOUND"}
    network.clock.now += KEPT_SECONDS + 1
    network.order([])
    assert {box.answer(key)[0].code for box in network.boxes.values()} == {"NOT_HELD"}
    assert not [box.seat for box in network.boxes.values() if kept(box, key)]


def test_what_a_block_binds_before_it_begins_a_generation_is_not_even_kept(network):
    raw, key = network.request(network.scenario(), payment(5).unsigned_bytes())
    network.order([raw, network.recovery([1, 2, 3, 4])])
    network.settle()
    assert network.height_of(key)
    for box in network.boxes.values():
        assert kept(box, key) is None
        assert box.answer(key)[0].code == "NOT_HELD"
