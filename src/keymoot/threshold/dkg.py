"""Distributed key generation: n parties make a key that none of them has.

Pedersen's protocol over an ordered broadcast (specs: Feldman VSS, Gennaro et al. 1999),
in four phases, each an ordered message of every party:

1. `begin`: the hash of one's dealing, so that nobody deals after having seen the others;
2. the dealing itself, with a proof of possession of its constant;
3. `receive`: complaints, judged by everyone alike (`dealing.judge`);
4. `finish`: the sum of all dealings that stand is the key; everyone votes on its root.

A party that sent no hash, another dealing than its hash, a bad proof, or a bad share is
out, by name; the others go on. At least `present` (n−f) dealings must stand, so that one of
them is honest and secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from keymoot.base.errors import Malformed
from keymoot.base.forms import AtMost
from keymoot.base.record import Record
from keymoot.base.secret import Secret
from keymoot.threshold import dealing as dealings
from keymoot.threshold.dealing import Dealing, Recipients
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.polynomial import add_commitments
from keymoot.threshold.proofs import Proof, prove_possession, verify_possession
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.root import Root, Share, root_of
from keymoot.threshold.session import digest, index_bytes

HASH_BYTES = 64


@dataclass(frozen=True, slots=True)
class Opening(Record):
    """The second phase's message: a dealing, and the proof of possession of its constant."""

    dealing: Dealing
    proof: Annotated[bytes, AtMost(64)]


def begin(to: Recipients, dealer: int, rng: SeededRng) -> tuple[Opening, bytes]:
    """The opening is to be kept until all hashes are there."""
    group = to.group
    polynomial = rng.scalars(group, "polynomial", to.degree + 1)
    made = dealings.deal(to, dealer, polynomial, rng.child("dealing"))
    nonce = rng.scalar(group, "possession")
    constant = group.decode(made.commitments[0])
    proof = prove_possession(group, to.session, dealer, polynomial[0], constant, nonce)
    opening = Opening(made, proof.encode(group))
    return opening, commitment_of(to, dealer, opening)


def commitment_of(to: Recipients, dealer: int, opening: Opening) -> bytes:
    """The 64 bytes that bind a dealer to his opening."""
    return digest("dkg", to.session, index_bytes(dealer), opening.encode())


def check(to: Recipients, dealer: int, promised: bytes, opening: Opening) -> list[object]:
    """Give an opening's points; Cheated if it is not what was promised, or a bad dealing."""
    # 1. It is what the dealer bound himself to before he saw the others'.
    if commitment_of(to, dealer, opening) != promised:
        raise Cheated(dealer, "opened another dealing than the one he promised")
    # 2. The dealing has the right shape.
    points = dealings.check(to, dealer, opening.dealing)
    # 3. He knows his constant: nobody's key is cancelled by a copied or computed point.
    try:
        proof = Proof.decode(to.group, opening.proof)
    except Malformed as error:
        raise Cheated(dealer, f"sent a proof that is none: {error}") from error
    if not verify_possession(to.group, to.session, dealer, points[0], proof):
        raise Cheated(dealer, "did not prove to know his constant")
    return points


def receive(
    to: Recipients, index: int, key: Secret, openings: Mapping[int, Opening], rng: SeededRng
) -> tuple[dict[int, Secret], list[Complaint]]:
    given = {dealer: opening.dealing for dealer, opening in openings.items()}
    return dealings.receive_all(to, index, key, given, rng)


def root(to: Recipients, qualified: Mapping[int, Opening], need: int) -> Root:
    """Add the dealings that stand, as everyone can; TooFew too where their sum is no key."""
    if len(qualified) < need:
        raise TooFew("dealings", len(qualified), need)
    commitments = [
        dealings.decode_points(to.group, dealer, qualified[dealer].dealing.commitments)
        for dealer in sorted(qualified)
    ]
    total = add_commitments(to.group, commitments)
    if to.group.is_identity(total[0]):
        raise TooFew("dealings", 0, need)
    return root_of(to.group, total, max(to.keys))


def finish(
    to: Recipients,
    index: int,
    shares: Mapping[int, Secret],
    qualified: Mapping[int, Opening],
    need: int,
) -> Share:
    """Add one's shares of the dealings that stand.

    TooFew: under `need` stand, or this party lacks a share of one. Cheated: this party's share is
    not what the root says; it must not vote.
    """
    made = root(to, qualified, need)
    missing = [dealer for dealer in qualified if dealer not in shares]
    if missing:
        raise TooFew("shares", len(qualified) - len(missing), len(qualified))
    secret = to.group.add_scalars([shares[dealer] for dealer in sorted(qualified)])
    if not to.group.equal(to.group.base(secret), made.share_of(index)):
        raise Cheated(index, "holds a share that the root does not have")
    return Share(index, secret, made)
