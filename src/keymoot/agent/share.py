"""What the network says of one request: its status, and the signature sealed to us."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from keymoot.agent.errors import NetworkRefused, WrongAnswer
from keymoot.base import hexes, rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import fixed_of, list_of
from keymoot.base.fixed import Bytes32, Hash32, NetworkId, Signature65
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519, hpke
from keymoot.crypto.keccak import keccak256
from keymoot.policy.errors import REFUSED_CODE, PolicyRefused

INFO = b"keymoot/share/v1"
"""HPKE info of a sealed answer; the network's id follows it."""

MAX_SEALED_BYTES = 1_024


class NotOurNode(WrongAnswer, code="NOT_OUR_NODE"):
    """An answer is signed by a node that is no member, as far as we know."""

    def __init__(self, node: Bytes32) -> None:
        super().__init__(f"node {node.hex0x} answered, which is no member of the network")


class Status(StrEnum):
    """How far a request has come."""

    WAITING = "waiting"
    BOUND = "bound"
    RELEASED = "released"
    REFUSED = "refused"
    EXPIRED = "expired"
    PENDING_APPROVAL = "pending_approval"


@dataclass(frozen=True, slots=True)
class ReleasedSignature:
    """A signature, and the digest or the name of the message that it signs."""

    digest: Hash32
    signature: bytes

    def ecdsa(self) -> Signature65:
        """As one of ECDSA; Malformed where it has another length."""
        return Signature65(self.signature)


def read_status(answer: dict[str, Any]) -> Status:
    """Give the status word of an answer."""
    try:
        return Status(answer.get("status", ""))
    except ValueError as error:
        raise WrongAnswer("the network answered with a status word that is unknown here") from error


def refusal_of(error: object) -> PolicyRefused | NetworkRefused:
    """Turn a JSON-RPC error object into the exception that carries its fields."""
    fields = error if isinstance(error, dict) else {}
    code, data = fields.get("code"), fields.get("data")
    message = str(fields.get("message") or "refused without a reason")
    if code == REFUSED_CODE and isinstance(data, dict):
        return PolicyRefused(message, data)
    return NetworkRefused(code if isinstance(code, int) else 0, message, data)


def open_fields(
    sealed: bytes, network: NetworkId, request_key: Hash32, reply_secret: Secret, count: int
) -> list[rlp.Decoded]:
    """Open what was sealed to a request's reply key: a list of `count` fields."""
    content = hpke.open_with(reply_secret, sealed, INFO + network, request_key)
    return list_of(rlp.decode(content), count, "answer")


def open_share(
    answer: dict[str, Any],
    network: NetworkId,
    request_key: Hash32,
    nodes: Collection[Bytes32],
    reply_secret: Secret,
) -> ReleasedSignature:
    """Open a released answer of `GET /shares/{request_key}`, after checking who gave it."""
    try:
        sealed = hexes.parse_data(answer.get("sealed"), "sealed", MAX_SEALED_BYTES)
        node = Bytes32(hexes.parse_data(answer.get("node"), "node", Bytes32.LENGTH))
        signature = hexes.parse_data(answer.get("signature"), "signature", ed25519.SIGNATURE_BYTES)
    except Malformed as error:
        raise WrongAnswer(f"a released answer is malformed: {error}") from error
    # 1. One of our nodes gave it.
    if node not in nodes:
        raise NotOurNode(node)
    if not ed25519.verify(node, keccak256(network + request_key + sealed), signature):
        raise WrongAnswer(f"the answer is not signed by node {node.hex0x}, which it names")
    # 2. It was sealed to this request's reply key.
    try:
        fields = open_fields(sealed, network, request_key, reply_secret, 2)
        return ReleasedSignature(
            fixed_of(fields[0], Hash32, "answer.digest"),
            fixed_of(fields[1], Signature65, "answer.signature"),
        )
    except Malformed as error:
        raise WrongAnswer(f"the sealed answer does not open: {error}") from error
