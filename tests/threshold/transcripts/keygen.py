"""Distributed key generation: a run of each group, and what its parties must not let pass."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from keymoot.base import hexes
from keymoot.base.secret import Secret
from keymoot.base.strict_json import Json
from keymoot.committee.roots import ROOTS, RootKind
from keymoot.threshold import dealing as dealings
from keymoot.threshold import dkg
from keymoot.threshold.committee import Committee
from keymoot.threshold.dealing import Recipients
from keymoot.threshold.dkg import Opening
from keymoot.threshold.proofs import prove_possession
from keymoot.threshold.root import Root, Share
from tests.threshold.transcripts.points import bad_points
from tests.threshold.transcripts.scene import (
    OTHER_GENERATION,
    PARTIES,
    SEALING,
    Case,
    Object,
    accept,
    bad_complaints,
    bad_envelopes,
    bad_wires,
    by_party,
    dealt_otherwise,
    flipped,
    refuse,
    respelled,
    rng,
    sealing_keys,
    session,
    told_parties,
    told_root,
    told_session,
    wire,
)

COMMITTEE = Committee.of(4)
KINDS = {kind.name: kind for kind in ROOTS}


@dataclass(frozen=True)
class Run:
    """An honest run: what went over the ledger, and what came of it."""

    to: Recipients
    openings: dict[int, Opening]
    hashes: dict[int, bytes]
    root: Root
    shares: dict[int, Share]


@lru_cache
def run_of(name: str) -> Run:
    """Run the key generation of one root, as a network's founders do."""
    kind = KINDS[name]
    to = recipients(kind)
    begun = {at: dkg.begin(to, at, rng("keygen", name, at)) for at in PARTIES}
    openings = {at: one for at, (one, _) in begun.items()}
    shares = {}
    for at in PARTIES:
        given, complaints = dkg.receive(to, at, SEALING[at], openings, rng("unused", name, at))
        assert not complaints
        shares[at] = dkg.finish(to, at, given, openings, COMMITTEE.present)
    hashes = {at: one for at, (_, one) in begun.items()}
    return Run(to, openings, hashes, shares[1].root, shares)


def recipients(kind: RootKind) -> Recipients:
    """Give to whom the dealings of a root go."""
    about = session(f"keygen/0/{kind.name}")
    return Recipients(kind.group, about, kind.degree(COMMITTEE), sealing_keys())


def transcripts() -> Iterator[Object]:
    """Give one of each group."""
    for name in ("ecdsa", "eddsa", "certificate"):
        run = run_of(name)
        group = run.to.group
        yield {
            "description": f"the root {name}, made by four parties of whom one may be broken",
            "parameters": {
                "group": group.NAME,
                "session": told_session(run.to.session),
                "degree": run.to.degree,
                "need": COMMITTEE.present,
            },
            "inputs": {"parties": told_parties(seed=f"keygen/{name}")},
            "messages": {
                "hashes": by_party({at: hexes.data(one) for at, one in run.hashes.items()}),
                "openings": by_party({at: wire(one.item()) for at, one in run.openings.items()}),
            },
            "outputs": {
                "root": told_root(run.root),
                "secretShares": by_party(
                    {at: hexes.data(one.secret.expose()) for at, one in run.shares.items()}
                ),
            },
            "cases": [*_openings(run), *_shares(run), *_complaints(run), *_roots(run)],
        }


# -- what everyone checks of an opening


def told_opening(run: Run, at: int, opening: Opening, **more: Json) -> Object:
    """Write an opening whose dealer bound himself to it, whatever it is."""
    promised = dkg.commitment_of(run.to, at, opening)
    return {"from": at, "hash": hexes.data(promised), "opening": wire(opening.item()), **more}


def _openings(run: Run) -> Iterator[Case]:
    group, good = run.to.group, run.openings[1]
    for at, one in run.openings.items():
        given = told_opening(run, at, one)
        said = [hexes.data(point) for point in one.dealing.commitments]
        yield accept("opening", f"party {at}'s opening", given, {"commitments": said})

    def bad(description: str, opening: Opening, at: int = 1) -> Case:
        return refuse("opening", description, told_opening(run, at, opening), "CHEATED", at)

    other = told_opening(run, 1, good) | {"hash": hexes.data(run.hashes[2])}
    yield refuse("opening", "not what was promised", other, "CHEATED", 1)
    yield bad("party 1's opening, copied by party 2", good, 2)
    elsewhere = replace(run.to, session=session(run.to.session.name, OTHER_GENERATION))
    foreign, _ = dkg.begin(elsewhere, 1, rng("keygen", "elsewhere", 1))
    yield bad("made for another generation", foreign)
    name = run.to.session.name[9:]
    same, _ = dkg.begin(elsewhere, 1, rng("keygen", name, 1))
    yield bad("a proof of its constant that is for another generation", _proved(good, same.proof))
    lent = _committed(run.openings[2], good.dealing.commitments)
    yield bad(
        "party 1's commitments and proof, in party 2's envelope", _proved(lent, good.proof), 2
    )
    elsewhere = replace(run.to, session=session("keygen/1/" + run.to.session.name[9:]))
    foreign, _ = dkg.begin(elsewhere, 1, rng("keygen", "attempt", 1))
    yield bad("made for another attempt", foreign)
    for name, degree in (("one degree more", 1), ("one degree less", -1)):
        long = replace(run.to, degree=run.to.degree + degree)
        opening, _ = dkg.begin(long, 1, rng("keygen", name, 1))
        yield bad(f"{name} than the protocol's", opening)
    yield bad("an altered proof of its constant", replace(good, proof=flipped(good.proof, 40)))
    large = b"\xff" * 32
    yield bad("a proof with a challenge out of range", _proved(good, large + good.proof[32:]))
    yield bad("a proof with an answer out of range", _proved(good, good.proof[:32] + large))
    yield bad("a proof that is cut", _proved(good, good.proof[:-1]))
    points = good.dealing.commitments
    # Her dealing and my constant: their sum would cancel hers, if nobody had to know his own.
    alien = (run.openings[2].dealing.commitments[0], *points[1:])
    yield bad("a constant whose logarithm is not proved", _committed(good, alien))
    for name, encoded in bad_points(group):
        spoiled = _committed(good, (*points[:-1], encoded))
        yield bad(f"the last commitment is no point: {name}", spoiled)
    for name, envelope in bad_envelopes(good.dealing.envelope, run.openings[2].dealing.envelope):
        changed = replace(good, dealing=replace(good.dealing, envelope=envelope))
        yield bad(name, changed)
    for name, raw in bad_wires(_raw(good)):
        given = told_opening(run, 1, good) | {"opening": hexes.data(raw)}
        yield refuse("opening", name, given, "MALFORMED")


def _raw(opening: Opening) -> bytes:
    return bytes.fromhex(wire(opening.item())[2:])


def _proved(opening: Opening, proof: bytes) -> Opening:
    return replace(opening, proof=proof)


def _committed(opening: Opening, points: tuple[bytes, ...]) -> Opening:
    return replace(opening, dealing=replace(opening.dealing, commitments=points))


# -- what a recipient checks of his share, and what comes of it if it is bad


def bad_shares(run: Run) -> list[tuple[str, Opening]]:
    """Give openings of party 1 with a bad share for party 3, and nothing else that is wrong."""
    group, good = run.to.group, run.openings[1]
    dealing = good.dealing

    def held(name: str, content: bytes) -> tuple[str, Opening]:
        changed = dealt_otherwise(run.to, 1, dealing, {3: content}, "otherwise", name)
        return name, replace(good, dealing=changed)

    share = dealings.receive(
        run.to, 1, 3, SEALING[3], dealing, [group.decode(one) for one in dealing.commitments]
    )
    high = (group.ORDER).to_bytes(32, group.SCALAR_ORDER)  # type: ignore[arg-type]
    shut = replace(dealing, envelope=respelled(dealing.envelope, 3, flipped))
    empty = replace(dealing, envelope=respelled(dealing.envelope, 3, lambda _: b""))
    moved = replace(
        dealing, envelope=respelled(dealing.envelope, 3, lambda _: dealing.envelope.boxes[3])
    )
    one_more = group.add_scalars((share, group.hide(1)))
    return [
        ("a box that does not open", replace(good, dealing=shut)),
        ("a box that is empty", replace(good, dealing=empty)),
        ("another party's box", replace(good, dealing=moved)),
        held("a share beside the polynomial", one_more.expose()),
        held("a share of zero", group.encode_scalar(0)),
        held("a share that is not below the order", high),
        held("a share of 31 bytes", share.expose()[:31]),
        held("a share of 33 bytes", share.expose() + b"\0"),
    ]


def _shares(run: Run) -> Iterator[Case]:
    for at, one in run.openings.items():
        for to in PARTIES:
            points = [run.to.group.decode(point) for point in one.dealing.commitments]
            share = dealings.receive(run.to, at, to, SEALING[to], one.dealing, points)
            given: Object = {"from": at, "to": to, "opening": wire(one.item())}
            says: Json = {"share": hexes.data(share.expose())}
            yield accept("share", f"what party {at} dealt to party {to}", given, says)
    for name, opening in bad_shares(run):
        given = {"from": 1, "to": 3, "opening": wire(opening.item())}
        yield refuse("share", name, given, "CHEATED", 1)


def _complaints(run: Run) -> Iterator[Case]:
    def told(opening: Opening, complaint: dealings.Complaint) -> Object:
        return {"opening": wire(opening.item()), "complaint": wire(complaint.item())}

    def made(name: str, opening: Opening, by: int = 3) -> dealings.Complaint:
        return dealings.complain(
            run.to, 1, by, SEALING[by], opening.dealing, rng("complaint", name, by)
        )

    for name, opening in bad_shares(run):
        given = told(opening, made(name, opening))
        yield accept("complaint", f"a complaint over {name}", given, {"guilty": 1})
    good = run.openings[1]
    honest = made("honest", good)
    yield accept("complaint", "over a good share", told(good, honest), {"guilty": 3})
    _, spoiled = bad_shares(run)[0]
    complaint = made("spoiled", spoiled)
    for name, bad in bad_complaints(complaint):
        yield accept("complaint", f"{name}, over a bad share", told(spoiled, bad), {"guilty": 3})
    another = replace(complaint, accuser=4)
    yield accept("complaint", "in another's name", told(spoiled, another), {"guilty": 4})
    stranger = replace(complaint, accuser=9)
    yield accept("complaint", "by a stranger", told(spoiled, stranger), {"guilty": 9})


# -- what the dealings that stand add up to


def _roots(run: Run) -> Iterator[Case]:
    def told(openings: dict[int, Opening]) -> Object:
        return {"openings": by_party({at: wire(one.item()) for at, one in openings.items()})}

    three = {at: run.openings[at] for at in (1, 3, 4)}
    made = dkg.root(run.to, three, COMMITTEE.present)
    yield accept("root", "three dealings stand", told(three), told_root(made))
    two = {at: run.openings[at] for at in (1, 3)}
    yield refuse("root", "two dealings stand, three are needed", told(two), "TOO_FEW")
    cancelled = run.openings | {4: _cancelling(run)}
    name = "constants that add up to nothing: who knew the others' shares made the last"
    yield refuse("root", name, told(cancelled), "TOO_FEW")


def _cancelling(run: Run) -> Opening:
    """Deal minus the others' sum, which nobody could know; all else of it is good."""
    group, rest = run.to.group, []
    for at in (1, 2, 3):
        drawn = rng("keygen", run.to.session.name[9:], at)
        rest.append(drawn.scalars(group, "polynomial", run.to.degree + 1)[0])
    constant = group.negate_scalar(group.add_scalars(rest))
    coins = rng("keygen", "cancelling")
    slope: list[Secret] = coins.scalars(group, "polynomial", run.to.degree)
    made = dealings.deal(run.to, 4, [constant, *slope], coins.child("dealing"))
    proof = _possession(run, constant, made.commitments[0], coins.scalar(group, "possession"))
    return Opening(made, proof)


def _possession(run: Run, constant: Secret, encoded: bytes, nonce: Secret) -> bytes:
    group: Any = run.to.group
    point = group.decode(encoded)
    return prove_possession(group, run.to.session, 4, constant, point, nonce).encode(group)
