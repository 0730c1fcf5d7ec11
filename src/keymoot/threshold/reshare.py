"""Reshare: the same key, new shares, a new committee; a refresh is a reshare to oneself.

Specs section 4. Each old member deals his share as a constant; since his verification share
is known, a dealing of anything else is seen by all. Any old-degree+1 dealings that stand
give new shares, by interpolation of the dealings instead of the values. Old shares and new
ones lie on unrelated polynomials: together they are worth no more than either.
"""

from collections.abc import Mapping
from typing import Any

from keymoot.base.errors import Defect
from keymoot.base.secret import Secret
from keymoot.threshold import dealing as dealings
from keymoot.threshold.dealing import Dealing, Recipients
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.polynomial import lagrange
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.root import Root, Share, root_of


def deal(to: Recipients, share: Share, rng: SeededRng) -> Dealing:
    rest = rng.scalars(to.group, "polynomial", to.degree)
    return dealings.deal(to, share.index, [share.secret, *rest], rng.child("dealing"))


def check(to: Recipients, old: Root, dealer: int, dealing: Dealing) -> list[Any]:
    """Give the commitments as points; Cheated if they do not share the dealer's own share."""
    points = dealings.check(to, dealer, dealing)
    if not 1 <= dealer <= len(old.shares):
        raise Cheated(dealer, "is not of the old committee")
    if not to.group.equal(points[0], old.share_of(dealer)):
        raise Cheated(dealer, "dealt something else than his share")
    return points


def root(to: Recipients, old: Root, chosen: Mapping[int, Dealing]) -> Root:
    """Give the root after the reshare, from old-degree+1 dealings that stand, as everyone can."""
    weights = _weights(to, old, chosen)
    columns = zip(
        *(
            [
                to.group.multiply_public(weights[dealer], point)
                for point in dealings.decode_points(to.group, dealer, chosen[dealer].commitments)
            ]
            for dealer in sorted(chosen)
        ),
        strict=True,
    )
    made = root_of(to.group, [to.group.sum(column) for column in columns], max(to.keys))
    if not to.group.equal(made.public, old.public):
        raise Defect("a reshare changed the key")
    return made


def finish(
    to: Recipients,
    old: Root,
    index: int,
    shares: Mapping[int, Secret],
    chosen: Mapping[int, Dealing],
) -> Share:
    """Give a new member's share.

    TooFew: too few dealings, or this member lacks a share of one. Cheated: this member's share is
    not what the root says; it must not vote.
    """
    made = root(to, old, chosen)
    weights = _weights(to, old, chosen)
    missing = [dealer for dealer in chosen if dealer not in shares]
    if missing:
        raise TooFew("shares", len(chosen) - len(missing), len(chosen))
    terms = [to.group.scale(weights[dealer], shares[dealer]) for dealer in sorted(chosen)]
    secret = to.group.add_scalars(terms)
    if not to.group.equal(to.group.base(secret), made.share_of(index)):
        raise Cheated(index, "holds a share that the root does not have")
    return Share(index, secret, made)


def _weights(to: Recipients, old: Root, chosen: Mapping[int, Dealing]) -> dict[int, int]:
    if len(chosen) != old.degree + 1:
        raise TooFew("dealings", len(chosen), old.degree + 1)
    return lagrange(to.group.ORDER, sorted(chosen))
