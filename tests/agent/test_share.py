"""Answers count only from our nodes, for this request, sealed to us, unaltered."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.agent.errors import NetworkRefused, WrongAnswer
from keymoot.agent.share import INFO, ReleasedSignature, open_share, read_status, refusal_of
from keymoot.base import hexes, rlp
from keymoot.base.fixed import Bytes32, Hash32, NetworkId, Signature65
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519, hpke
from keymoot.crypto.keccak import keccak256
from keymoot.policy.errors import PolicyRefused

NETWORK = NetworkId(b"\1" * 32)
KEY = Hash32(b"\2" * 32)
REPLY = Secret(b"\3" * 32)
NODE = Secret(b"\4" * 32)
NODES = (ed25519.public_key(NODE),)
GOOD = ReleasedSignature(Hash32(b"\5" * 32), Signature65(b"\6" * 65))


def _answer(
    *,
    network: NetworkId = NETWORK,
    key: Hash32 = KEY,
    info: bytes = INFO,
    inside: bytes | None = None,
    node: Secret = NODE,
    reply: Secret = REPLY,
) -> dict[str, Any]:
    plain = rlp.encode([GOOD.digest, GOOD.signature]) if inside is None else inside
    sealed = hpke.seal_to(hpke.public_key(reply), plain, info + network, key)
    return {
        "status": "released",
        "node": hexes.data(ed25519.public_key(node)),
        "sealed": hexes.data(sealed),
        "signature": hexes.data(ed25519.sign(node, keccak256(network + key + sealed))),
    }


def test_opens_what_our_node_sealed_to_us() -> None:
    assert open_share(_answer(), NETWORK, KEY, NODES, REPLY) == GOOD


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (_answer(network=NetworkId(bytes(32))), "signed by"),
        (_answer(key=Hash32(bytes(32))), "signed by"),
        (_answer(node=Secret(bytes(32))), "is no member"),
        (_answer(info=b"keymoot/other/v1"), "does not open"),
        (_answer(reply=Secret(b"\7" * 32)), "does not open"),
        (_answer(inside=b""), "does not open"),
        (_answer(inside=rlp.encode([b"short", GOOD.signature])), "does not open"),
        ({**_answer(), "sealed": None}, "malformed"),
        ({**_answer(), "node": "0x12"}, "malformed"),
        ({**_answer(), "signature": "0x"}, "signed by"),
        ({**_answer(), "sealed": "0x" + "00" * 1_025}, "malformed"),
    ],
)
def test_refuses_an_answer_that_is_not_ours(answer: dict[str, Any], why: str) -> None:
    with pytest.raises(WrongAnswer, match=why):
        open_share(answer, NETWORK, KEY, NODES, REPLY)


@given(st.data())
def test_refuses_every_altered_answer(data: st.DataObject) -> None:
    answer = _answer()
    name = data.draw(st.sampled_from(["node", "sealed", "signature"]))
    raw = bytearray(bytes.fromhex(answer[name][2:]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(WrongAnswer):
        open_share({**answer, name: hexes.data(bytes(raw))}, NETWORK, KEY, NODES, REPLY)


@given(st.dictionaries(st.sampled_from(["node", "sealed", "signature", "status"]), st.text()))
def test_raises_only_wrong_answer(answer: dict[str, Any]) -> None:
    with pytest.raises(WrongAnswer):
        open_share(answer, NETWORK, KEY, (Bytes32(bytes(32)),), REPLY)
    with pytest.raises(WrongAnswer):
        read_status(answer)


def test_a_policys_refusal_keeps_its_data_and_others_their_code() -> None:
    policys = refusal_of({"code": 4100, "message": "no", "data": {"reason": "NO_RULE"}})
    assert isinstance(policys, PolicyRefused)
    assert policys.reason == "NO_RULE"
    for other in ({"code": -32000, "message": "no"}, {"code": 4100}, None, "no", {}):
        assert isinstance(refusal_of(other), NetworkRefused)
