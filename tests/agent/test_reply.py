"""Answers of members who came since we looked: the members are looked at anew, once."""

import time
from dataclasses import replace
from typing import Any, cast

import pytest

from keymoot.agent.proven_state import ProvenState
from keymoot.agent.reply import Reply
from keymoot.agent.share import INFO, NotOurNode
from keymoot.agent.share_collection import TooFewShares
from keymoot.agent.signable import AskedRequest, EcdsaSignable
from keymoot.agent.transport import Transport
from keymoot.base import hexes, rlp
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519, hpke, secp256k1
from keymoot.crypto.keccak import keccak256
from tests.agent.fake_network import secret_of
from tests.agent.test_proven_state import Node
from tests.proof.world import World

KEY, REPLY, DIGEST = Hash32(b"k" * 32), Secret(b"r" * 32), Hash32(b"d" * 32)
WALLET, NEWCOMER = secret_of("wallet"), Secret(b"\x44" * 32)


@pytest.fixture
def node() -> Node:
    world = World()
    world.run(range(2))
    return Node(world)


def reply(node: Node) -> Reply:
    wanted = EcdsaSignable(secp256k1.address_of_secret(WALLET), DIGEST)
    network = node.world.network
    return Reply(
        AskedRequest(network, KEY, ProvenState(network, node.world.verifying_key), REPLY), wanted
    )


def answered_by(node: Node, identity: Secret) -> dict[str, Any]:
    """Answer as Vault does, through the enclave with this identity."""
    network = node.world.network
    content = rlp.encode([DIGEST, secp256k1.sign(WALLET, DIGEST)])
    sealed = hpke.seal_to(hpke.public_key(REPLY), content, INFO + network, KEY)
    return {
        "status": "released",
        "node": ed25519.public_key(identity).hex0x,
        "sealed": hexes.data(sealed),
        "signature": hexes.data(ed25519.sign(identity, keccak256(network + KEY + sealed))),
    }


def settle(one: Reply, node: Node, answer: dict[str, Any]) -> Hash32:
    return one.settle(cast("Transport", node), answer, time.monotonic() + 60).digest


def test_a_member_that_came_since_is_believed_once_it_is_proved(node: Node) -> None:
    one = reply(node)
    assert settle(one, node, answered_by(node, node.world.identity(2))) == DIGEST
    assert node.asked == ["keymoot_committee"]
    newcomer = replace(node.world.seat(2), identity=ed25519.public_key(NEWCOMER))
    node.world.change({"seat/2": newcomer.encode()})
    node.world.block()
    assert settle(one, node, answered_by(node, NEWCOMER)) == DIGEST
    assert node.asked == ["keymoot_committee"] * 2
    # Whoever left does not answer any more.
    with pytest.raises(NotOurNode):
        settle(one, node, answered_by(node, node.world.identity(2)))


def test_a_stranger_is_looked_up_once_and_refused(node: Node) -> None:
    with pytest.raises(NotOurNode, match="is no member"):
        settle(reply(node), node, answered_by(node, NEWCOMER))
    assert node.asked == ["keymoot_committee"] * 2


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"lost": True}, "is lost"),
        ({"lost": True, "answers": []}, "is lost"),
        ({"answers": ["?"] * 65}, "at most 64"),
        ({"answers": {"1": "?"}}, "a list"),
        ({"answers": ["?", {}, None]}, "JSON object"),
    ],
)
def test_without_answers_the_request_is_to_be_asked_again(
    node: Node, told: dict[str, Any], why: str
) -> None:
    answer = {"status": "bound", "custody": "assembly", "height": 2, "lost": False} | told
    with pytest.raises(TooFewShares, match=why):
        settle(reply(node), node, answer)
