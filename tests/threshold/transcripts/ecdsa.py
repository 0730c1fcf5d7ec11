"""Threshold ECDSA: what a wallet's request becomes, from presignature to signature."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256

from keymoot.base import hexes
from keymoot.base.fixed import Hash32, WalletId
from keymoot.base.strict_json import Json
from keymoot.committee.presign.record import PresignatureId
from keymoot.committee.wallet_key import path_of
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import address_of
from keymoot.threshold import derivation, ecdsa
from keymoot.threshold.ecdsa import SignatureShare, Task
from keymoot.threshold.secp256k1 import SECP256K1
from tests.threshold.transcripts import keygen, presignature
from tests.threshold.transcripts.scene import (
    GENERATION,
    NETWORK,
    OTHER_GENERATION,
    PARTIES,
    Case,
    Object,
    accept,
    by_party,
    flipped,
    refuse,
    told_root,
)

WALLET = WalletId(sha256(b"a wallet of the vectors").digest())
OTHER_WALLET = WalletId(sha256(b"another wallet of the vectors").digest())
DIGEST = keccak256(b"a transaction of the vectors")
REQUEST = Hash32(sha256(b"a request of the vectors").digest())
VALUE = sha256(b"a certificate of the vectors").digest()
"""Stands for SHA-256 of a certificate."""
LARGE = b"\xff" * 32


@dataclass(frozen=True)
class Bound:
    """What a block has bound, and what it is bound to."""

    place: int = 0
    wallet: WalletId = WALLET
    digest: Hash32 = DIGEST
    request: Hash32 = REQUEST
    generation: Hash32 = GENERATION
    value: bytes = VALUE

    def told(self) -> Object:
        """Write it."""
        return {
            "network": NETWORK.hex0x,
            "generation": self.generation.hex0x,
            "presignature": hexes.data(PresignatureId(1, self.place).encode()),
            "walletPath": hexes.data(path_of(self.wallet)),
            "request": self.request.hex0x,
            "digest": self.digest.hex0x,
            "certificateValue": hexes.data(self.value),
        }

    @property
    def epsilon(self) -> int:
        """The wallet's tweak."""
        return derivation.tweak(keygen.run_of("ecdsa").root, NETWORK, path_of(self.wallet))

    @property
    def delta(self) -> int:
        """The rerandomiser."""
        root = keygen.run_of("ecdsa").root
        return ecdsa.rerandomiser(
            self.value,
            presignature.run().committed[self.place].point,
            NETWORK,
            self.generation,
            SECP256K1.encode(root.public),
            PresignatureId(1, self.place).encode(),
            self.request,
            self.digest,
            self.epsilon.to_bytes(32, "big"),
        )

    def task(self) -> Task:
        """Fix what the presignature is spent on."""
        root = keygen.run_of("ecdsa").root
        public = derivation.child(root, self.epsilon)
        point = presignature.run().committed[self.place].point
        return ecdsa.task(point, self.delta, self.digest, self.epsilon, public)

    def shares(self) -> dict[int, SignatureShare]:
        """Give each party's answer."""
        work, made = self.task(), presignature.run().made
        return {at: ecdsa.sign(made[at][self.place], work) for at in PARTIES}


GOOD = Bound()


@lru_cache
def shares() -> dict[int, SignatureShare]:
    """Give the answers to what is bound."""
    return GOOD.shares()


def transcripts() -> Iterator[Object]:
    """Give the one there is."""
    work, root = GOOD.task(), keygen.run_of("ecdsa").root
    run = presignature.run()
    degree = root.degree
    signature, _ = ecdsa.combine(work, shares(), degree)
    yield {
        "description": "one request of a wallet, signed under the root that keygen.json makes",
        "parameters": {"root": told_root(root), "need": degree + 1},
        "inputs": {
            "bound": GOOD.told(),
            "presignature": presignature.told_public(run.committed[0]),
            "secrets": presignature.told_secrets(run.made, 0),
        },
        "messages": {"shares": by_party({at: _wire(one) for at, one in shares().items()})},
        "outputs": {
            "tweak": _scalar(GOOD.epsilon),
            "rerandomiser": _scalar(work.delta),
            "nonce": hexes.data(SECP256K1.encode(work.nonce)),
            "theta": _scalar(work.theta),
            "publicKey": hexes.data(SECP256K1.encode(work.public)),
            "address": address_of(SECP256K1.encode_uncompressed(work.public)).hex0x,
            "signature": hexes.data(signature),
        },
        "cases": [*_rerandomisers(), *_tasks(), *_shares(), *_combined(signature)],
    }


def _wire(share: SignatureShare) -> str:
    return hexes.data(share.encode())


def _scalar(number: int) -> str:
    return hexes.data(number.to_bytes(32, "big"))


def _rerandomisers() -> Iterator[Case]:
    """Everything that a block has bound moves δ, so that nobody can choose it knowing R'."""
    for name, bound in (
        ("as the block has bound it", GOOD),
        ("another request", replace(GOOD, request=Hash32(b"r" * 32))),
        ("another digest", replace(GOOD, digest=keccak256(b"another transaction"))),
        ("another wallet", replace(GOOD, wallet=OTHER_WALLET)),
        ("another generation", replace(GOOD, generation=OTHER_GENERATION)),
        ("another certificate", replace(GOOD, value=b"c" * 32)),
    ):
        says: Json = {"tweak": _scalar(bound.epsilon), "rerandomiser": _scalar(bound.delta)}
        yield accept("rerandomiser", name, {"bound": bound.told()}, says)


def _tasks() -> Iterator[Case]:
    zero = replace(GOOD, digest=Hash32(bytes(32)))
    order = replace(GOOD, digest=Hash32(SECP256K1.ORDER.to_bytes(32, "big")))
    given: Object = {"bound": zero.told()}
    yield refuse("task", "a digest of zero: anybody forges it", given, "BAD_DIGEST")
    given = {"bound": order.told()}
    yield refuse("task", "a digest of the order, which is zero", given, "BAD_DIGEST")


def _shares() -> Iterator[Case]:
    good = shares()
    for at, share in good.items():
        given: Object = {"from": at, "share": _wire(share)}
        yield accept("share", f"party {at}'s share", given, None)

    def bad(description: str, share: SignatureShare) -> Case:
        given: Object = {"from": 1, "share": _wire(share)}
        return refuse("share", description, given, "BAD", 1)

    yield bad("another party's share", good[2])
    for name, bound in (
        ("for another digest", replace(GOOD, digest=keccak256(b"another transaction"))),
        ("for another request", replace(GOOD, request=Hash32(b"r" * 32))),
        ("for another wallet", replace(GOOD, wallet=OTHER_WALLET)),
        ("in another generation", replace(GOOD, generation=OTHER_GENERATION)),
        ("under another certificate", replace(GOOD, value=b"c" * 32)),
        ("of another presignature", replace(GOOD, place=1)),
    ):
        yield bad(f"a share {name}", bound.shares()[1])
    raw = good[1].encode()
    for at, field in enumerate(("ν", "the mask of ν", "μ", "the mask of μ")):
        changed = flipped(raw, 32 * at + 31)
        yield bad(f"{field} is altered", SignatureShare.decode(changed))
        large = raw[: 32 * at] + LARGE + raw[32 * (at + 1) :]
        given = {"from": 1, "share": hexes.data(large)}
        yield refuse("share", f"{field} is not below the order", given, "BAD_SCALAR")
    for name, wrong in (("one byte less", raw[:-1]), ("one byte more", raw + b"\0")):
        yield refuse("share", name, {"from": 1, "share": hexes.data(wrong)}, "MALFORMED")


def _combined(signature: bytes) -> Iterator[Case]:
    good = shares()

    def told(some: dict[int, SignatureShare]) -> Object:
        return {"shares": by_party({at: _wire(one) for at, one in some.items()})}

    says = hexes.data(signature)
    for chosen in ((1, 2), (3, 4), (1, 2, 3, 4)):
        some = {at: good[at] for at in chosen}
        yield accept("combine", f"parties {chosen}", told(some), {"signature": says, "bad": []})
    other = replace(GOOD, request=Hash32(b"r" * 32)).shares()
    for name, lie in (
        ("altered", SignatureShare.decode(flipped(good[2].encode(), 31))),
        ("for another request", other[2]),
        ("another party's", good[1]),
    ):
        some = {**good, 2: lie}
        answer: Json = {"signature": says, "bad": [2]}
        yield accept("combine", f"party 2's share is {name}", told(some), answer)
        few = {1: good[1], 2: lie}
        yield refuse("combine", f"of two shares party 2's is {name}", told(few), "TOO_FEW")
    yield refuse("combine", "one share", told({3: good[3]}), "TOO_FEW")
    yield refuse("combine", "all shares are for another request", told(other), "TOO_FEW")
    yield accept("verify", "the signature", {"signature": says}, None)
    high = SECP256K1.ORDER - int.from_bytes(signature[32:64], "big")
    turned = bytes((signature[64] ^ 1,))
    for name, wrong in (
        ("the high s of the same signature", signature[:32] + _raw(high) + turned),
        ("the other parity", signature[:64] + turned),
        ("an r that is not below the order", LARGE + signature[32:]),
        ("an s that is not below the order", signature[:32] + LARGE + signature[64:]),
        ("an s of zero", signature[:32] + bytes(32) + signature[64:]),
        ("an altered s", flipped(signature, 63)),
    ):
        yield refuse("verify", name, {"signature": hexes.data(wrong)}, "BAD")


def _raw(number: int) -> bytes:
    return number.to_bytes(32, "big")
