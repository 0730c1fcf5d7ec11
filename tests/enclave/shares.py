"""What a requester makes of answers, in tests: shares of a signature, put together."""

from collections.abc import Iterable

from keymoot.base.fixed import Hash32, Signature65
from keymoot.enclave.answer import RequestAnswer
from keymoot.threshold import ecdsa
from keymoot.threshold.ecdsa import SignatureShare, Task
from keymoot.threshold.secp256k1 import SECP256K1
from tests.enclave.box import refused
from tests.enclave.network import Network

__all__ = ["combined", "refused", "shares_of"]


def shares_of(network: Network, key: Hash32, seats: Iterable[int] = ()) -> dict[int, RequestAnswer]:
    """Ask enclaves for their answers (again); all that run if none are named."""
    boxes = seats or [one.seat for one in network.awake]
    return {at: network.boxes[at].answer(key)[0] for at in boxes}


def combined(
    network: Network, key: Hash32, answers: dict[int, RequestAnswer], degree: int = 1
) -> tuple[Hash32, Signature65]:
    """Combine shares of an ECDSA signature; give the digest and what signs it."""
    opened = {at: network.opened(one) for at, one in answers.items() if not one.code}
    digest, nonce, public, _ = next(iter(opened.values()))
    assert all(one[:3] == [digest, nonce, public] for one in opened.values())
    point = SECP256K1.decode(nonce)
    work = Task(point, SECP256K1.x(point), 0, 0, Hash32(digest), SECP256K1.decode(public))
    shares = {at: SignatureShare.decode(one[3]) for at, one in opened.items()}
    signature, _ = ecdsa.combine(work, shares, degree)
    assert answers[next(iter(opened))].request == key
    return Hash32(digest), signature
