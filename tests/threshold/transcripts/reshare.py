"""Reshare: the keys of `keygen.json`, handed by three of its parties to another committee."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from keymoot.base import hexes
from keymoot.base.strict_json import Json
from keymoot.threshold import dealing as dealings
from keymoot.threshold import reshare
from keymoot.threshold.committee import Committee
from keymoot.threshold.dealing import Dealing, Recipients
from keymoot.threshold.root import Root, Share
from tests.threshold.transcripts import keygen
from tests.threshold.transcripts.points import bad_points
from tests.threshold.transcripts.scene import (
    OTHER_GENERATION,
    SEALING,
    Case,
    Object,
    accept,
    bad_envelopes,
    bad_wires,
    by_party,
    dealt_otherwise,
    flipped,
    refuse,
    respelled,
    rng,
    sealing_keys,
    seed,
    session,
    told_parties,
    told_root,
    told_session,
    wire,
)

NEW = (1, 2, 4, 5, 7)
"""Party 3 has left, 5 and 7 are new: the indices have gaps."""


@dataclass(frozen=True)
class Run:
    """An honest run."""

    to: Recipients
    old: keygen.Run
    chosen: dict[int, Dealing]
    root: Root
    shares: dict[int, Share]


@lru_cache
def run_of(name: str) -> Run:
    """Hand one root to the new committee."""
    old, kind = keygen.run_of(name), keygen.KINDS[name]
    about = session(f"reshare/2/0/{name}")
    to = Recipients(kind.group, about, kind.degree(Committee(NEW)), sealing_keys(NEW))
    dealers = range(2, 2 + old.root.degree + 1)
    chosen = {at: reshare.deal(to, old.shares[at], rng("reshare", name, at)) for at in dealers}
    shares = {}
    for at in NEW:
        given = {}
        for dealer, dealing in chosen.items():
            points = reshare.check(to, old.root, dealer, dealing)
            given[dealer] = dealings.receive(to, dealer, at, SEALING[at], dealing, points)
        shares[at] = reshare.finish(to, old.root, at, given, chosen)
    return Run(to, old, chosen, shares[1].root, shares)


def transcripts() -> Iterator[Object]:
    """Give one of each group."""
    for name in ("ecdsa", "eddsa", "certificate"):
        run = run_of(name)
        old = run.old
        yield {
            "description": f"the root {name}, handed from four parties to five",
            "parameters": {
                "group": run.to.group.NAME,
                "session": told_session(run.to.session),
                "degree": run.to.degree,
                "oldRoot": told_root(old.root),
            },
            "inputs": {
                "dealers": [
                    {
                        "index": at,
                        "secretShare": hexes.data(old.shares[at].secret.expose()),
                        "seed": hexes.data(seed("reshare", name, at)),
                    }
                    for at in run.chosen
                ],
                "parties": told_parties(NEW),
            },
            "messages": {
                "dealings": by_party({at: wire(one.item()) for at, one in run.chosen.items()})
            },
            "outputs": {
                "root": told_root(run.root),
                "secretShares": by_party(
                    {at: hexes.data(one.secret.expose()) for at, one in run.shares.items()}
                ),
            },
            "cases": [*_dealings(run), *_shares(run), *_roots(run)],
        }


def told_dealing(at: int, dealing: Dealing) -> Object:
    """Write a dealing and who sent it."""
    return {"from": at, "dealing": wire(dealing.item())}


def _dealings(run: Run) -> Iterator[Case]:
    shares, good = run.old.shares, run.chosen[2]

    def bad(description: str, dealing: Dealing, at: int = 2) -> Case:
        return refuse("dealing", description, told_dealing(at, dealing), "CHEATED", at)

    def dealt(to: Recipients, share: Share, name: str) -> Dealing:
        return reshare.deal(to, share, rng("reshare", name))

    for at, one in run.chosen.items():
        says: Json = {"commitments": [hexes.data(point) for point in one.commitments]}
        yield accept("dealing", f"party {at}'s dealing", told_dealing(at, one), says)
    lie = replace(shares[2], secret=run.to.group.add_scalars((shares[2].secret, shares[2].secret)))
    yield bad("something else than its share", dealt(run.to, lie, "another value"))
    yield bad("another's share", dealt(run.to, replace(shares[3], index=2), "another's share"))
    yield bad("another's dealing", run.chosen[3])
    stranger = dealt(run.to, replace(shares[2], index=9), "a stranger")
    yield bad("by somebody who is not of the old committee", stranger, 9)
    longer = replace(run.to, degree=run.to.degree + 1)
    yield bad("one degree more than the protocol's", dealt(longer, shares[2], "longer"))
    shorter = replace(run.to, degree=run.to.degree - 1)
    yield bad("one degree less than the protocol's", dealt(shorter, shares[2], "shorter"))
    name = run.to.session.name
    elsewhere = replace(run.to, session=session(name, OTHER_GENERATION))
    yield bad("made for another generation", dealt(elsewhere, shares[2], "generation"))
    elsewhere = replace(run.to, session=session(name.replace("/0/", "/1/")))
    yield bad("made for another attempt", dealt(elsewhere, shares[2], "attempt"))
    elsewhere = replace(run.to, keys={at: key for at, key in run.to.keys.items() if at != 7})
    yield bad("without a box for one of the new", dealt(elsewhere, shares[2], "without 7"))
    gap = {**run.to.keys, 3: sealing_keys((3,))[3]}
    elsewhere = replace(run.to, keys=gap)
    yield bad("with a box for one who has left", dealt(elsewhere, shares[2], "with 3"))
    for reason, encoded in bad_points(run.to.group):
        spoiled = replace(good, commitments=(*good.commitments[:-1], encoded))
        yield bad(f"the last commitment is no point: {reason}", spoiled)
    for reason, envelope in bad_envelopes(good.envelope, run.chosen[3].envelope):
        yield bad(reason, replace(good, envelope=envelope))
    for reason, raw in bad_wires(bytes.fromhex(wire(good.item())[2:])):
        given = told_dealing(2, good) | {"dealing": hexes.data(raw)}
        yield refuse("dealing", reason, given, "MALFORMED")


def _shares(run: Run) -> Iterator[Case]:
    group = run.to.group
    good = run.chosen[2]
    points = [group.decode(point) for point in good.commitments]
    for at in NEW:
        share = dealings.receive(run.to, 2, at, SEALING[at], good, points)
        given: Object = {**told_dealing(2, good), "to": at}
        says: Json = {"share": hexes.data(share.expose())}
        yield accept("share", f"what party 2 dealt to party {at}", given, says)
    shut = replace(good, envelope=respelled(good.envelope, 5, flipped))
    off = {5: group.encode_scalar(5)}
    beside = dealt_otherwise(run.to, 2, good, off, "reshare otherwise", run.to.session.name)
    for name, dealing in (
        ("a box that does not open", shut),
        ("a share beside the polynomial", beside),
    ):
        given = {**told_dealing(2, dealing), "to": 5}
        yield refuse("share", name, given, "CHEATED", 2)


def _roots(run: Run) -> Iterator[Case]:
    def told(chosen: dict[int, Dealing]) -> Object:
        return {"dealings": by_party({at: wire(one.item()) for at, one in chosen.items()})}

    yield accept("root", "as many as it takes", told(run.chosen), told_root(run.root))
    few = dict(list(run.chosen.items())[1:])
    yield refuse("root", "one too few", told(few), "TOO_FEW")
    one = reshare.deal(run.to, run.old.shares[1], rng("reshare", "one more"))
    name = "one too many: which are used is agreed"
    yield refuse("root", name, told({1: one, **run.chosen}), "TOO_FEW")
