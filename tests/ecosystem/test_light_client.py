"""Somebody else's libraries check our headers, state and certificates."""

from pathlib import Path

import pytest
import rlp
from trie.exceptions import BadTrieProof

from keymoot.base.units import Height
from keymoot.committee.certified import certificate_message
from keymoot.store.header import Header
from keymoot.store.history import HISTORY_ADDRESS, history_slot
from keymoot.store.ordered import ordered_proof
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1, G2
from tests.ecosystem.light_client import GENERATION, NUMBER, PARENT, STATE, LightClient, Untrue
from tests.runtime.people import OWNER, VAULT, Scenario
from tests.threshold.parties import known_root

PLAY = Scenario()
for _ in range(3):
    RAW = PLAY.raw(OWNER, VAULT, b"", 1)
    PLAY.chain.send(RAW)
_, ROOT, SHARES = known_root(G2, 4, 2)
CLIENT = LightClient(PLAY.chain.chain.network, G2.encode(ROOT.public))
DONE = PLAY.chain.blocks[-1]


def signed(header: Header) -> bytes:
    message = certificate_message(
        PLAY.chain.chain.network, header.generation, header.height, header.hash
    )
    shares = {at: bls.sign(share, message) for at, share in SHARES.items()}
    return G1.encode(bls.combine(ROOT, message, shares)[0])


SIGNATURE = signed(DONE.header)


def shown(nodes: list[bytes]) -> list[str]:
    return ["0x" + node.hex() for node in nodes]


def proof_of(slot: int) -> dict:
    """Answer as `eth_getProof` does, of the history account."""
    state = PLAY.chain.state()
    nodes = state.prove_slot(HISTORY_ADDRESS, history_slot(Height(slot)))
    return {
        "accountProof": shown(state.prove_account(HISTORY_ADDRESS)),
        "storageProof": [{"proof": shown(nodes)}],
    }


def test_it_is_short_and_knows_nothing_of_ours() -> None:
    text = (Path(__file__).parent / "light_client.py").read_text()
    assert len(text.splitlines()) <= 60
    assert "import keymoot" not in text
    assert "from keymoot" not in text


def test_it_checks_a_header_its_state_and_a_transaction() -> None:
    fields = CLIENT.header(DONE.header.encode(), SIGNATURE)
    height = DONE.header.height
    for below in range(height):
        found = CLIENT.slot(fields, HISTORY_ADDRESS, below, proof_of(below))
        known = PLAY.chain.blocks[below - 1].header.hash if below else CLIENT.network
        assert found.to_bytes(32, "big") == known
    assert fields[PARENT] == PLAY.chain.blocks[-2].header.hash
    # Its own hash is not in its state, and that is proved too.
    assert CLIENT.slot(fields, HISTORY_ADDRESS, height, proof_of(height)) == 0
    assert CLIENT.transaction(fields, 0, shown(ordered_proof([RAW], 0))) == RAW


def test_another_header_has_no_certificate() -> None:
    fields = rlp.decode(DONE.header.encode())
    for at in (STATE, NUMBER, GENERATION):
        other = [*fields]
        other[at] = bytes([other[at][0] ^ 1]) + other[at][1:]
        with pytest.raises(Untrue, match="no certificate"):
            CLIENT.header(rlp.encode(other), SIGNATURE)


def test_another_network_or_key_has_no_certificate() -> None:
    stranger = LightClient(b"o" * 32, CLIENT.verifying_key)
    with pytest.raises(Untrue, match="no certificate"):
        stranger.header(DONE.header.encode(), SIGNATURE)
    with pytest.raises(Untrue, match="infinity"):
        CLIENT.header(DONE.header.encode(), b"\xc0" + bytes(47))


def test_an_altered_proof_is_refused() -> None:
    fields = CLIENT.header(DONE.header.encode(), SIGNATURE)
    proof = proof_of(1)
    proof["storageProof"][0]["proof"][-1] = proof["storageProof"][0]["proof"][-1][:-2] + "00"
    with pytest.raises((BadTrieProof, rlp.exceptions.DecodingError)):
        CLIENT.slot(fields, HISTORY_ADDRESS, 1, proof)
