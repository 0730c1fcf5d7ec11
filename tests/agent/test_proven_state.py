"""Who keeps the keys, as a client follows them: proved, on one branch, never from before."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from keymoot.agent.errors import AnotherNetwork, NetworkRefused, Unproven
from keymoot.agent.proven_state import ATTEMPTS, ProvenState
from keymoot.agent.transport import Transport
from keymoot.base.fixed import Hash32
from keymoot.proof.build import PastBlocks, prove_committee, steps
from keymoot.proof.bundle import ProofBundle
from keymoot.proof.chain import Shown
from keymoot.proof.errors import NotProven, OlderHeader, OtherBranch
from tests.proof.world import World

NEXT, OTHER = Hash32(b"n" * 32), Hash32(b"o" * 32)


class Node:
    """Keymoot RPC of a node that has one chain, and may be asked to misbehave.

    Attributes:
        meanwhile: Runs before each answer.
        instead: Answers in its place.
    """

    def __init__(self, world: World) -> None:
        self.world, self.asked = world, list[str]()
        self.meanwhile: Callable[[], object] = lambda: None
        self.instead: dict[str, Any] = {}

    def call(self, method: str, params: list[Any], timeout_seconds: float) -> Any:
        assert timeout_seconds > 0
        self.asked.append(method)
        self.meanwhile()
        if method in self.instead:
            return self.instead[method]
        return getattr(self, method)(*params)

    url = "http://a.node"

    def keymoot_network(self) -> Any:
        return {"network": self.world.network.hex0x}

    def keymoot_founding(self) -> Any:
        return self.world.founding(1, self.world.blocks[0].hash).to_json()

    def keymoot_committee(self) -> Any:
        return ProofBundle(self.newest(), prove_committee(self.world.state)).to_json()

    def keymoot_follow(self, name: str) -> Any:
        seen = next((one for one in self.world.blocks if one.hash.hex0x == name), None)
        if seen is None:
            raise NetworkRefused(-32000, "unknown block: no block of this chain has that hash")
        blocks, certify = self.world.blocks, self.world.certify
        past = PastBlocks(lambda at: blocks[at - 1], lambda at: certify(blocks[at - 1]))
        found = steps(seen, self.newest(), self.world.state, past)
        return [one.to_json() for one in found]

    def newest(self) -> Shown:
        if len(self.world.blocks) == 1:
            return Shown(self.world.blocks[0], None)
        return self.world.certify(self.world.blocks[-1])


class Client:
    """A roster that asks one node, and may be sent to another."""

    def __init__(self, node: Node, verifying_key: bytes | None = None) -> None:
        self.node = node
        self.proven = ProvenState(node.world.network, verifying_key)

    def renewed(self) -> int:
        return self.proven.renewed(cast("Transport", self.node), 1).header.height

    def committee(self) -> Any:
        return self.proven.committee(cast("Transport", self.node), 1)


@pytest.fixture
def node() -> Node:
    world = World()
    world.run(range(3))
    return Node(world)


def test_who_pins_the_id_checks_the_founding_once(node: Node) -> None:
    client = Client(node)
    assert client.proven.faults == 0
    assert set(client.committee().identities) == {1, 2, 3, 4}
    assert client.proven.faults == 1
    assert client.committee() is client.committee()
    node.world.block()
    assert client.renewed() == 4
    assert node.asked == ["keymoot_founding", "keymoot_committee", "keymoot_committee"]


def test_who_pins_the_verifying_key_needs_no_founding(node: Node) -> None:
    client = Client(node, node.world.verifying_key)
    client.committee()
    assert node.asked == ["keymoot_committee"]


def test_right_after_its_founding_the_record_is_the_certificate() -> None:
    world = World()
    world.block()
    assert Client(Node(world)).renewed() == 1
    # Who pins the key too fetches the record for this one block.
    assert Client(Node(world), world.verifying_key).renewed() == 1
    with pytest.raises(Unproven, match="another verifying key than is pinned"):
        Client(Node(world), World("another").verifying_key).renewed()


def test_another_network_is_not_believed(node: Node) -> None:
    other = World("another")
    other.run(range(3))
    client = Client(node)
    client.node = Node(other)
    with pytest.raises(Unproven, match="not that of network") as caught:
        client.renewed()
    assert isinstance(caught.value.why, NotProven)
    pinned = Client(node, node.world.verifying_key)
    pinned.node = Node(other)
    with pytest.raises(AnotherNetwork) as named:
        pinned.renewed()
    assert (named.value.shown, named.value.pinned) == (
        other.network.hex0x,
        node.world.network.hex0x,
    )
    # One that takes our network's name certifies nothing of it.
    pinned.node.instead = {"keymoot_network": {"network": node.world.network.hex0x}}
    with pytest.raises(Unproven, match="not good under the network's verifying key"):
        pinned.renewed()


@pytest.mark.parametrize("told", [None, [], {}, "0x", {"genesis": "0x", "record": "0x"}])
def test_nonsense_is_not_believed(node: Node, told: Any) -> None:
    for method in ("keymoot_founding", "keymoot_committee"):
        node.instead = {method: told}
        with pytest.raises(Unproven):
            Client(node).renewed()


def test_a_recovery_is_followed(node: Node) -> None:
    client = Client(node)
    client.renewed()
    node.world.block(NEXT)
    node.world.block(OTHER)
    node.world.block()
    assert client.renewed() == 6
    assert node.asked[2:] == ["keymoot_committee", "keymoot_follow", "keymoot_committee"]
    assert client.renewed() == 6


def test_a_recovery_that_left_behind_what_was_seen_is_not(node: Node) -> None:
    client = Client(node)
    client.renewed()
    other = node.world.branch(2)
    other.block(NEXT)
    client.node = Node(other)
    with pytest.raises(Unproven, match="a recovery has left behind") as caught:
        client.renewed()
    assert isinstance(caught.value.why, OtherBranch)
    other.block()
    with pytest.raises(Unproven, match="unknown block"):
        client.renewed()
    # Nor with the proof of a block that is not the one that was seen.
    honest = client.node.keymoot_follow
    client.node.instead = {"keymoot_follow": honest(other.blocks[1].hash.hex0x)}
    with pytest.raises(Unproven, match="and no other"):
        client.renewed()
    # What was known is known still.
    client.node = node
    assert client.committee().header == node.world.blocks[2]


def test_a_node_that_is_behind_is_asked_again_and_then_refused(node: Node) -> None:
    client, behind = Client(node), Node(node.world.branch(2))
    client.renewed()
    client.node = behind
    with pytest.raises(Unproven, match="this node is behind") as caught:
        client.renewed()
    assert isinstance(caught.value.why, OlderHeader)
    assert behind.asked == ["keymoot_committee"] * ATTEMPTS
    # It catches up while it is asked.
    ahead = iter(node.world.blocks[2:])

    def catches_up() -> None:
        for header in ahead:
            behind.world.block(header.generation, header.gas_used)
            return

    behind.meanwhile = catches_up
    assert client.renewed() == 3


def test_recoveries_that_never_end_are_given_up(node: Node) -> None:
    client = Client(node)
    client.renewed()
    numbers = iter(range(1, 1_000))
    node.meanwhile = lambda: node.world.block(Hash32(next(numbers).to_bytes(32, "big")))
    with pytest.raises(Unproven, match="faster than they can be followed"):
        client.renewed()


def test_a_committee_of_a_false_state_is_not_believed(node: Node) -> None:
    old = prove_committee(node.world.state)
    node.world.change({"seat/4": node.world.seat(3).encode()})
    node.world.block()
    node.instead = {"keymoot_committee": ProofBundle(node.newest(), old).to_json()}
    with pytest.raises(Unproven, match="proof node"):
        Client(node).renewed()
