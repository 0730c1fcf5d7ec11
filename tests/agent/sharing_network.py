"""The fake network with a committee.

Four seats answer each request with shares of its signature.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from keymoot.agent.share import INFO
from keymoot.base import hexes, rlp
from keymoot.base.fixed import Hash32
from keymoot.base.request import ASK_AGAIN, SIGN_TRANSACTION, Request, decode_request
from keymoot.base.transaction import decode_unsigned
from keymoot.crypto import ed25519, hpke
from keymoot.crypto.ed25519 import SigningKey
from keymoot.crypto.keccak import keccak256
from keymoot.enclave.answer import signed_answer
from keymoot.threshold.secp256k1 import SECP256K1
from tests.agent.fake_network import NETWORK, WORLD, FakeNetwork
from tests.threshold.test_ecdsa import Wallet

SEATS = (1, 2, 3, 4)


@cache
def shared_wallet() -> Wallet:
    return Wallet(4, 1)


@dataclass
class SharingNetwork(FakeNetwork):
    """A network whose seats sign together; any two shares are enough.

    Attributes:
        gone: Requests whose shares the enclaves have lost.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.wallet = shared_wallet()
        self.address = self.wallet.address
        self.gone: set[Hash32] = set()

    def share(self, key: Hash32) -> dict[str, Any]:
        """Answer for one request."""
        found = super().share(key)
        return {**found, "answers": [], "lost": True} if key in self.gone else found

    def decide(self, key: Hash32, request: Request) -> dict[str, Any]:
        """Refuse, or give the shares of the four seats."""
        payload = request.payload
        if request.method == ASK_AGAIN:
            payload = decode_request(self.bodies[Hash32(payload[:32])])[0].payload
        elif request.method == SIGN_TRANSACTION and self.rule(decode_unsigned(payload)):
            return super().decide(key, request)
        digest = keccak256(payload)
        self.signed.append(digest)
        # A presignature serves twice here, under other beacons: nothing hangs on this key.
        work = self.wallet.task(0, digest, bytes(key))
        point = SECP256K1.encode
        answers = []
        for seat, share in self.wallet.shares(work).items():
            content = [digest, point(work.nonce), point(work.public), share.encode()]
            sealed = hpke.seal_to(request.reply_key, rlp.encode(content), INFO + NETWORK, key)
            identity = SigningKey(WORLD.identity(seat))
            made = signed_answer(NETWORK, key, sealed, identity)
            answers.append(
                {
                    "seat": seat,
                    "node": ed25519.public_key(WORLD.identity(seat)).hex0x,
                    "sealed": hexes.data(made.sealed),
                    "signature": hexes.data(made.signature),
                }
            )
        return {
            "status": "bound",
            "custody": "assembly",
            "simulated": True,
            "refusal": None,
            "lost": False,
            "answers": answers,
        }


Change = Callable[[dict[str, Any]], dict[str, Any]]
