"""What seats answer, sealed to the request's reply key and signed: as the node hands it on."""

from typing import Any

from keymoot.agent.share import INFO
from keymoot.base import hexes
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.crypto import hpke
from keymoot.crypto.ed25519 import SigningKey
from keymoot.enclave.answer import signed_answer

IDENTITIES = {at: Secret(bytes([at]) * 32) for at in (1, 2, 3, 4)}


def sealed_answer(
    network: NetworkId, key: Hash32, reply: Secret, seat: int, content: bytes
) -> dict[str, Any]:
    """Give one seat's answer; `reply` is the private half of the reply key."""
    identity = SigningKey(IDENTITIES[seat])
    sealed = hpke.seal_to(hpke.public_key(reply), content, INFO + network, key)
    made = signed_answer(network, key, sealed, identity)
    return {
        "seat": seat,
        "node": hexes.data(identity.public_key),
        "sealed": hexes.data(made.sealed),
        "signature": hexes.data(made.signature),
    }
