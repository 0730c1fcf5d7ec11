"""Distributed key generation: honest runs, and every way to be wrong in each message."""

from dataclasses import replace

import pytest

from keymoot.threshold import dealing as dealings
from keymoot.threshold import dkg
from keymoot.threshold import envelope as boxes
from keymoot.threshold.bls12381 import G2
from keymoot.threshold.dealing import Dealing
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.polynomial import interpolate
from keymoot.threshold.secp256k1 import SECP256K1
from tests.threshold.parties import Parties, rng, run_dkg

GROUPS = [SECP256K1, EDWARDS25519, G2]


def degree_of(parties, group):
    return parties.committee.ecdsa_degree if group is SECP256K1 else parties.committee.degree


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.NAME)
@pytest.mark.parametrize("size", [4, 7])
def test_an_honest_run_makes_one_key(group, size):
    parties = Parties(size)
    degree = degree_of(parties, group)
    made = run_dkg(parties, group, degree)
    root = made[1].root
    for share in made.values():
        assert group.encode(share.root.public) == group.encode(root.public)
        assert group.equal(group.base(share.secret), root.share_of(share.index))
    chosen = {at: made[at].secret for at in range(2, degree + 3)}
    assert group.equal(group.base(interpolate(group, chosen)), root.public)
    few = {at: made[at].secret for at in range(1, degree + 1)}
    assert not group.equal(group.base(interpolate(group, few)), root.public)


class Run:
    """A run in which party 2 is the one who cheats."""

    def __init__(self, group=SECP256K1):
        self.parties = Parties(4)
        self.group = group
        self.to = self.parties.recipients(group, degree_of(self.parties, group))
        begun = {at: dkg.begin(self.to, at, rng()) for at in self.parties.keys}
        self.openings = {at: opening for at, (opening, _) in begun.items()}
        self.promised = {at: promised for at, (_, promised) in begun.items()}

    def refused(self, opening, dealer=2, promise=None):
        """Check party 2's opening as everyone does; give whom the check blames."""
        promised = promise or dkg.commitment_of(self.to, dealer, opening)
        with pytest.raises(Cheated) as caught:
            dkg.check(self.to, dealer, promised, opening)
        assert caught.value.certainty == "known"
        return caught.value.party

    def spoiled(self, change):
        """Party 2 deals with `change(contents)` in the boxes."""
        opening = self.openings[2]
        polynomial = rng().scalars(self.group, "p", self.to.degree + 1)
        from keymoot.threshold.polynomial import commit, evaluate
        from keymoot.threshold.proofs import prove_possession

        contents = {at: evaluate(self.group, polynomial, at).expose() for at in self.to.keys}
        contents = change(contents)
        points = commit(self.group, polynomial)
        envelope = boxes.seal(self.to.session, 2, self.to.keys, contents, rng())
        proof = prove_possession(
            self.group, self.to.session, 2, polynomial[0], points[0], rng().scalar(self.group, "n")
        )
        encoded = tuple(self.group.encode(point) for point in points)
        opening = dkg.Opening(Dealing(encoded, envelope), proof.encode(self.group))
        self.openings[2] = opening
        self.promised[2] = dkg.commitment_of(self.to, 2, opening)
        dkg.check(self.to, 2, self.promised[2], opening)

    def receive(self, index):
        return dkg.receive(self.to, index, self.parties.secrets[index], self.openings, rng())

    def judge(self, complaint):
        made = self.openings[complaint.dealer].dealing
        points = dealings.decode_points(self.group, complaint.dealer, made.commitments)
        return dealings.judge(self.to, complaint, made, points)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.NAME)
class TestTheDealerIsNamed:
    def test_for_another_opening_than_promised(self, group):
        run = Run(group)
        assert run.refused(run.openings[2], promise=run.promised[3]) == 2

    def test_for_another_number_of_commitments(self, group):
        """One more would raise the threshold for everyone, one less would lower it."""
        run = Run(group)
        opening = run.openings[2]
        points = opening.dealing.commitments
        for changed in (points[:-1], (*points, points[0]), ()):
            dealing = replace(opening.dealing, commitments=changed)
            assert run.refused(replace(opening, dealing=dealing)) == 2

    def test_for_points_that_are_none(self, group):
        run = Run(group)
        opening = run.openings[2]
        for bad in (bytes(group.POINT_BYTES), b"\xff" * group.POINT_BYTES, b""):
            points = (bad, *opening.dealing.commitments[1:])
            dealing = replace(opening.dealing, commitments=points)
            assert run.refused(replace(opening, dealing=dealing)) == 2

    def test_for_a_constant_that_he_does_not_know(self, group):
        """The rogue key: a constant computed from the others' points."""
        run = Run(group)
        opening, other = run.openings[2], run.openings[3]
        honest = group.decode(other.dealing.commitments[0])
        rogue = group.encode(group.add(group.negate(honest), group.base_public(5)))
        points = (rogue, *opening.dealing.commitments[1:])
        dealing = replace(opening.dealing, commitments=points)
        assert run.refused(replace(opening, dealing=dealing)) == 2

    def test_for_a_copied_dealing(self, group):
        run = Run(group)
        assert run.refused(run.openings[3]) == 2

    def test_for_a_replay_from_another_session(self, group):
        run = Run(group)
        other = run.parties.recipients(group, run.to.degree, "another dkg")
        opening, promised = dkg.begin(other, 2, rng())
        assert run.refused(opening, promise=promised) == 2
        assert run.refused(opening) == 2

    def test_for_a_bad_proof(self, group):
        run = Run(group)
        for bad in (bytes(64), b"\xff" * 64, b""):
            assert run.refused(replace(run.openings[2], proof=bad)) == 2

    def test_for_a_bad_share(self, group):
        def wrong(contents):
            zero, low = bytes(32), bytearray(contents[3])
            low[0 if group.SCALAR_ORDER == "little" else 31] ^= 1
            return contents | {1: zero, 3: bytes(low), 4: b"\xff" * 32}

        run = Run(group)
        run.spoiled(wrong)
        for index in (1, 3, 4):
            shares, complaints = run.receive(index)
            assert sorted(shares) == [1, 3, 4]
            assert [run.judge(one) for one in complaints] == [2]
        shares, complaints = run.receive(2)
        assert not complaints

    def test_for_a_share_of_another_length_or_a_box_that_does_not_open(self, group):
        run = Run(group)
        run.spoiled(lambda contents: contents | {3: b"", 4: contents[4] + b"\0"})
        opening = run.openings[2]
        envelope = opening.dealing.envelope
        broken = replace(envelope, boxes=(b"garbage", *envelope.boxes[1:]))
        run.openings[2] = replace(opening, dealing=replace(opening.dealing, envelope=broken))
        for index in (1, 3, 4):
            _, complaints = run.receive(index)
            assert [run.judge(one) for one in complaints] == [2]


class TestTheAccuserIsNamed:
    def test_for_a_false_complaint(self):
        run = Run()
        made = run.openings[2].dealing
        complaint = dealings.complain(run.to, 2, 3, run.parties.secrets[3], made, rng())
        assert run.judge(complaint) == 3

    def test_for_a_complaint_in_anothers_name(self):
        run = Run()
        run.spoiled(lambda contents: contents | {1: bytes(32)})
        _, (complaint,) = run.receive(1)
        assert run.judge(complaint) == 2
        assert run.judge(replace(complaint, accuser=4)) == 4
        assert run.judge(replace(complaint, accuser=9)) == 9

    def test_for_a_complaint_from_another_session(self):
        run, other = Run(), Run()
        other.spoiled(lambda contents: contents | {1: bytes(32)})
        _, (complaint,) = other.receive(1)
        assert run.judge(complaint) == 1


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.NAME)
def test_the_others_go_on_without_the_cheater(group):
    run = Run(group)
    run.spoiled(lambda contents: contents | {1: bytes(32)})
    stand = {at: run.openings[at] for at in (1, 3, 4)}
    made = {}
    for index in (1, 3, 4):
        shares, _ = run.receive(index)
        made[index] = dkg.finish(run.to, index, shares, stand, run.parties.committee.present)
    publics = {group.encode(share.root.public) for share in made.values()}
    assert len(publics) == 1
    chosen = {at: share.secret for at, share in made.items()}
    assert group.equal(group.base(interpolate(group, chosen)), made[1].root.public)


def test_too_few_dealings_make_no_key():
    run = Run()
    shares, _ = run.receive(1)
    with pytest.raises(TooFew):
        dkg.finish(run.to, 1, shares, {at: run.openings[at] for at in (1, 2)}, 3)
    # a missing share of a dealing that stands
    with pytest.raises(TooFew):
        dkg.finish(run.to, 1, {1: shares[1], 2: shares[2]}, run.openings, 3)


def test_a_share_that_the_root_does_not_have_is_not_voted_for():
    run = Run()
    shares, _ = run.receive(1)
    shares[3] = SECP256K1.hide(5)
    with pytest.raises(Cheated):
        dkg.finish(run.to, 1, shares, run.openings, 3)


def test_equivocation_is_seen():
    """Two openings of one party have two hashes, and one of them was promised."""
    run = Run()
    other, _ = dkg.begin(run.to, 2, rng())
    dkg.check(run.to, 2, run.promised[2], run.openings[2])
    assert run.refused(other, promise=run.promised[2]) == 2
