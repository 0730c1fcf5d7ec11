"""FROST: an Ed25519 signature of a wallet, and what no signer and no combiner lets pass."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from keymoot.base import hexes
from keymoot.base.fixed import WalletId
from keymoot.base.secret import Secret
from keymoot.base.strict_json import Json
from keymoot.committee.wallet_key import path_of
from keymoot.threshold import derivation, frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.frost import Commitment, Nonces, Signing
from tests.threshold.transcripts import keygen
from tests.threshold.transcripts.ecdsa import OTHER_WALLET, WALLET
from tests.threshold.transcripts.points import bad_points
from tests.threshold.transcripts.scene import (
    NETWORK,
    Case,
    Object,
    accept,
    by_party,
    flipped,
    refuse,
    seed,
    told_root,
    wire,
)

MESSAGE = b"a message of Solana"
SIGNERS = (1, 3, 4)
ORDER = EDWARDS25519.ORDER


def random_of(at: int, which: str = "nonces") -> tuple[bytes, bytes]:
    """Give what a signer's pair of nonces is made of."""
    return seed("frost", which, "hiding", at), seed("frost", which, "binding", at)


def nonces_of(at: int, which: str = "nonces") -> Nonces:
    """Make a pair of nonces, as often as a test wants it."""
    hiding, binding = random_of(at, which)
    share = keygen.run_of("eddsa").shares[at]
    return frost.commit(ED25519, share, (Secret(hiding), Secret(binding)))


def commitments(which: str = "nonces", signers: tuple[int, ...] = SIGNERS) -> dict[int, Commitment]:
    """Give what signers commit to."""
    return {at: nonces_of(at, which).commitment for at in signers}


def epsilon_of(wallet: WalletId) -> int:
    """Give a wallet's tweak."""
    return derivation.tweak(keygen.run_of("eddsa").root, NETWORK, path_of(wallet))


def prepared(
    message: bytes = MESSAGE,
    wallet: WalletId = WALLET,
    which: str = "nonces",
    signers: tuple[int, ...] = SIGNERS,
) -> Signing:
    """Fix what is signed, by whom, with which nonces."""
    root = keygen.run_of("eddsa").root
    given = commitments(which, signers)
    return frost.prepare(ED25519, root, epsilon_of(wallet), message, given)


def answers(work: Signing, which: str = "nonces") -> dict[int, int]:
    """Let all signers answer."""
    shares = keygen.run_of("eddsa").shares
    return {at: frost.sign(work, shares[at], nonces_of(at, which)) for at in work.commitments}


@lru_cache
def good() -> tuple[Signing, dict[int, int], bytes]:
    """Give the honest signature and all that leads to it."""
    work = prepared()
    given = answers(work)
    return work, given, frost.combine(work, given)


def transcripts() -> Iterator[Object]:
    """Give the one there is."""
    work, given, signature = good()
    run = keygen.run_of("eddsa")
    yield {
        "description": "a message signed for a wallet by three of four",
        "parameters": {
            "suite": ED25519.NAME,
            "root": told_root(run.root),
            "network": NETWORK.hex0x,
            "walletPath": hexes.data(path_of(WALLET)),
            "message": hexes.data(MESSAGE),
        },
        "inputs": {
            "signers": [
                {
                    "index": at,
                    "secretShare": hexes.data(run.shares[at].secret.expose()),
                    "hidingRandom": hexes.data(random_of(at)[0]),
                    "bindingRandom": hexes.data(random_of(at)[1]),
                }
                for at in SIGNERS
            ]
        },
        "messages": {
            "commitments": told_commitments(work.commitments),
            "shares": by_party({at: _scalar(one) for at, one in given.items()}),
        },
        "outputs": {
            "tweak": _scalar(work.epsilon),
            "publicKey": hexes.data(EDWARDS25519.encode(work.public)),
            "bindingFactors": by_party({at: _scalar(one) for at, one in work.factors.items()}),
            "nonce": hexes.data(EDWARDS25519.encode(work.nonce)),
            "challenge": _scalar(work.challenge),
            "signature": hexes.data(signature),
        },
        "cases": [*_lists(), *_shares(), *_combined(), *_signatures()],
    }


def told_commitments(given: Mapping[int, Commitment]) -> Object:
    """Write a list of commitments."""
    return by_party({at: wire(one.item()) for at, one in given.items()})


def _scalar(number: int) -> str:
    return hexes.data(EDWARDS25519.encode_scalar(number))


def _lists() -> Iterator[Case]:
    honest = commitments()
    everybody = commitments(signers=(1, 2, 3, 4))
    work = prepared(signers=(1, 2, 3, 4))
    says: Json = {
        "nonce": hexes.data(EDWARDS25519.encode(work.nonce)),
        "challenge": _scalar(work.challenge),
    }
    given: Object = {"commitments": told_commitments(everybody)}
    yield accept("list", "four signers: another list, another nonce", given, says)
    few = {at: honest[at] for at in (1, 3)}
    given = {"commitments": told_commitments(few)}
    yield refuse("list", "two signers, three are needed", given, "TOO_FEW")
    strange = {1: honest[1], 3: honest[3], 9: honest[4]}
    given = {"commitments": told_commitments(strange)}
    yield refuse("list", "a signer whom the root does not know", given, "MALFORMED")
    for name, encoded in bad_points(EDWARDS25519):
        for field in ("hiding", "binding"):
            spoiled = {**honest, 3: replace(honest[3], **{field: encoded})}
            given = {"commitments": told_commitments(spoiled)}
            yield refuse("list", f"the {field} nonce's point is none: {name}", given, "CHEATED", 3)
    given = {"commitments": {**told_commitments(honest), "3": wire([honest[3].hiding])}}
    yield refuse("list", "a commitment of one point", given, "MALFORMED")


def _shares() -> Iterator[Case]:
    _, given, _ = good()
    for at, one in given.items():
        yield accept("share", f"signer {at}'s", {"from": at, "share": _scalar(one)}, None)

    def bad(description: str, number: int) -> Case:
        return refuse("share", description, {"from": 1, "share": _scalar(number)}, "BAD", 1)

    yield bad("another signer's share", given[3])
    yield bad("an altered share", (given[1] + 1) % ORDER)
    yield bad("the negated share", -given[1] % ORDER)
    yield bad("a share of zero", 0)
    yield bad("for another message", answers(prepared(message=b"another message"))[1])
    yield bad("for another wallet", answers(prepared(wallet=OTHER_WALLET))[1])
    yield bad("for another list of signers", answers(prepared(signers=(1, 2, 4)))[1])
    others = answers(prepared(which="other nonces"), "other nonces")
    yield bad("with another pair of nonces", others[1])
    raw = EDWARDS25519.encode_scalar(given[1])
    large = (int.from_bytes(raw, "little") + ORDER).to_bytes(32, "little")
    for name, wrong, code in (
        ("a share that is not below the order", large, "BAD_SCALAR"),
        ("a share of 31 bytes", raw[:-1], "BAD_SCALAR"),
    ):
        yield refuse("share", name, {"from": 1, "share": hexes.data(wrong)}, code)


def _combined() -> Iterator[Case]:
    _, given, signature = good()

    def told(some: dict[int, int]) -> Object:
        return {"shares": by_party({at: _scalar(one) for at, one in some.items()})}

    says: Json = {"signature": hexes.data(signature)}
    yield accept("combine", "all shares of the list", told(given), says)
    few = {at: given[at] for at in (1, 3)}
    yield refuse("combine", "a signer of the list is silent", told(few), "TOO_FEW")
    lie = {**given, 4: (given[4] + 1) % ORDER}
    yield refuse("combine", "signer 4's share is altered", told(lie), "CHEATED", 4)
    swapped = {**given, 1: given[3], 3: given[1]}
    name = "two shares changed places: their sum is the same"
    yield accept("combine", name, told(swapped), says)


def _signatures() -> Iterator[Case]:
    _, _, signature = good()

    def told(raw: bytes, message: bytes = MESSAGE) -> Object:
        return {"signature": hexes.data(raw), "message": hexes.data(message)}

    yield accept("verify", "the signature", told(signature), None)
    number = int.from_bytes(signature[32:], "little")
    large = (number + ORDER).to_bytes(32, "little")
    for name, wrong in (
        ("an altered nonce", flipped(signature, 0)),
        ("an altered answer", flipped(signature, 32)),
        ("an answer that is not below the order", signature[:32] + large),
        ("a nonce of order one and an answer of zero", b"\1" + bytes(63)),
        ("one byte less", signature[:-1]),
    ):
        yield refuse("verify", name, told(wrong), "BAD")
    yield refuse("verify", "another message", told(signature, b"another message"), "BAD")
