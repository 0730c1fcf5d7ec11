"""Reshare: the same key for a new committee, and every way to be wrong."""

from dataclasses import replace

import pytest

from keymoot.threshold import dealing as dealings
from keymoot.threshold import reshare
from keymoot.threshold.bls12381 import G2
from keymoot.threshold.committee import Committee
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.polynomial import interpolate
from keymoot.threshold.root import Share
from keymoot.threshold.secp256k1 import SECP256K1
from tests.threshold.parties import Parties, known_root, rng

GROUPS = [SECP256K1, EDWARDS25519, G2]


def setting(group=SECP256K1, old_size=4, new_size=4):
    degree = Committee.of(old_size).ecdsa_degree
    key, root, shares = known_root(group, old_size, degree)
    new = Parties(new_size)
    to = new.recipients(group, new.committee.ecdsa_degree, "reshare 1")
    return key, root, shares, new, to


def receive(new, to, root, chosen):
    made = {}
    for index, secret in new.secrets.items():
        shares = {}
        for dealer, dealing in chosen.items():
            points = reshare.check(to, root, dealer, dealing)
            shares[dealer] = dealings.receive(to, dealer, index, secret, dealing, points)
        made[index] = reshare.finish(to, root, index, shares, chosen)
    return made


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.NAME)
@pytest.mark.parametrize(("old_size", "new_size"), [(4, 4), (4, 7), (7, 4)])
def test_the_key_stays_and_the_shares_are_new(group, old_size, new_size):
    key, root, shares, new, to = setting(group, old_size, new_size)
    # any degree+1 old members will do; the others are silent
    dealers = list(shares)[-(root.degree + 1) :]
    chosen = {at: reshare.deal(to, shares[at], rng()) for at in dealers}
    made = receive(new, to, root, chosen)
    assert group.equal(made[1].root.public, root.public)
    need = to.degree + 1
    fresh = {at: made[at].secret for at in list(made)[:need]}
    assert interpolate(group, fresh).expose() == key.expose()
    # each new share is another one than the old
    for at in set(made) & set(shares):
        assert made[at].secret.expose() != shares[at].secret.expose()
    # old and new together are no sharing of anything
    old_and_new = {1: shares[1].secret} | {at: made[at].secret for at in range(2, need + 1)}
    assert interpolate(group, old_and_new).expose() != key.expose()


@pytest.mark.parametrize(
    ("before", "after"),
    [((1, 2, 3, 4), (1, 2, 4, 5)), ((1, 2, 4, 7), (3, 5, 6, 9, 64)), ((5, 6, 7, 8), (1, 2, 3, 4))],
)
def test_committees_with_gaps_keep_the_key(before, after):
    key, root, shares = known_root(SECP256K1, 0, Committee(before).degree, before)
    new = Parties(indices=after)
    to = new.recipients(SECP256K1, new.committee.degree, "reshare 1")
    chosen = {at: reshare.deal(to, shares[at], rng()) for at in before[-(root.degree + 1) :]}
    made = receive(new, to, root, chosen)
    assert len(made[after[0]].root.shares) == max(after)
    some = {at: made[at].secret for at in after[-(to.degree + 1) :]}
    assert interpolate(SECP256K1, some).expose() == key.expose()


def test_a_dealer_who_deals_another_value_is_named():
    _, root, shares, _, to = setting()
    lie = Share(2, SECP256K1.hide(5), root)
    with pytest.raises(Cheated) as caught:
        reshare.check(to, root, 2, reshare.deal(to, lie, rng()))
    assert caught.value.party == 2
    # another's share, another's dealing, a stranger
    with pytest.raises(Cheated):
        reshare.check(to, root, 3, reshare.deal(to, shares[2], rng()))
    with pytest.raises(Cheated):
        reshare.check(to, root, 9, reshare.deal(to, replace(shares[2], index=9), rng()))


def test_a_longer_dealing_is_refused():
    _, root, shares, _new, to = setting()
    longer = replace(to, degree=to.degree + 1)
    for wrong in (longer, replace(to, degree=0)):
        with pytest.raises(Cheated) as caught:
            reshare.check(to, root, 2, reshare.deal(wrong, shares[2], rng()))
        assert caught.value.party == 2


def test_a_dealing_of_an_old_reshare_is_refused():
    _, root, shares, _new, to = setting()
    before = replace(to, session=replace(to.session, name="reshare 0"))
    with pytest.raises(Cheated):
        reshare.check(to, root, 2, reshare.deal(before, shares[2], rng()))


def test_a_wrong_share_is_complained_over_and_the_dealer_named():
    from keymoot.threshold import envelope as boxes

    _, root, shares, new, to = setting()
    honest = reshare.deal(to, shares[2], rng())
    contents = {at: bytes(31) + b"\5" for at in to.keys}
    spoiled = replace(honest, envelope=boxes.seal(to.session, 2, to.keys, contents, rng()))
    points = reshare.check(to, root, 2, spoiled)
    with pytest.raises(Cheated):
        dealings.receive(to, 2, 1, new.secrets[1], spoiled, points)
    complaint = dealings.complain(to, 2, 1, new.secrets[1], spoiled, rng())
    assert dealings.judge(to, complaint, spoiled, points) == 2
    false = dealings.complain(to, 2, 1, new.secrets[1], honest, rng())
    assert dealings.judge(to, false, honest, reshare.check(to, root, 2, honest)) == 1


def test_needs_exactly_the_old_threshold():
    _, root, shares, _new, to = setting()
    chosen = {1: reshare.deal(to, shares[1], rng())}
    with pytest.raises(TooFew):
        reshare.root(to, root, chosen)
    with pytest.raises(TooFew):
        reshare.finish(to, root, 1, {}, {at: reshare.deal(to, shares[at], rng()) for at in (1, 2)})


def test_many_reshares_in_a_row_keep_the_key():
    key, root, shares, new, to = setting()
    for epoch in range(3):
        to = new.recipients(SECP256K1, new.committee.ecdsa_degree, f"epoch {epoch}")
        chosen = {at: reshare.deal(to, shares[at], rng()) for at in (1, 3)}
        shares = receive(new, to, root, chosen)
        root = shares[1].root
    assert interpolate(SECP256K1, {at: shares[at].secret for at in (2, 4)}).expose() == key.expose()
