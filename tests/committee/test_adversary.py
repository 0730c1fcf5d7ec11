"""Any f seats, wrong in any way at any message: the others go on, and nobody honest is named."""

import random
from itertools import combinations

import pytest
from nacl.signing import VerifyKey

from keymoot.base import rlp
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.nonces.record import commitments_of
from keymoot.committee.roots import ECDSA, EDDSA, ROOTS
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.errors import Cheated
from keymoot.threshold.polynomial import lagrange
from tests.committee.network import CommitteeNetwork
from tests.examples import some

pytestmark = pytest.mark.long

WAYS = ["silent", "garbage", "flip", "cut", "replay", "copy", "swap"]
PROTOCOL = [
    Kind.KEYGEN_HASH,
    Kind.KEYGEN_OPEN,
    Kind.KEYGEN_VERDICT,
    Kind.KEYGEN_VOTE,
    Kind.FIRST,
    Kind.SECOND,
    Kind.ACK,
    Kind.EPOCH_KEY,
    Kind.RESHARE,
    Kind.RESHARE_VERDICT,
    Kind.HELD,
    Kind.NONCES,
    Kind.STATE_ASK,
    Kind.STATE_ANSWER,
    Kind.STATE_HELD,
]
ONCE = {one for one in PROTOCOL if one.name.startswith("KEYGEN")} | {
    Kind.STATE_ASK,
    Kind.STATE_HELD,
}
"""What a seat says once: there is nothing of its own to say again."""
ALIKE = {Kind.KEYGEN_VERDICT, Kind.KEYGEN_VOTE, Kind.RESHARE_VERDICT, Kind.HELD, Kind.STATE_HELD}
"""What all honest seats say in the same words: another's are no lie."""
LATER = {Kind.RESHARE, Kind.RESHARE_VERDICT, Kind.HELD}
"""What nobody says before the first epoch ends."""
FLAT = {Kind.KEYGEN_HASH, Kind.KEYGEN_VERDICT, Kind.KEYGEN_VOTE, Kind.STATE_HELD}
"""What has no two parts to exchange."""
NO_LIES = (
    {("replay", kind) for kind in ONCE}
    | {("copy", kind) for kind in ALIKE}
    | {("swap", kind) for kind in FLAT}
)


class Adversary:
    """Spoils what some seats say."""

    def __init__(self, net, seats, ways, kinds, seed):
        self.net, self.seats, self.ways, self.kinds = net, seats, ways, kinds
        self.rng = random.Random(seed)
        self.heard = {}
        self.spoiled = 0

    def __call__(self, seat, kind, body):
        others = [one for at, one in self.heard.get(kind, []) if at != seat]
        own = [one for at, one in self.heard.get(kind, []) if at == seat]
        self.heard.setdefault(kind, []).append((seat, body))
        if seat not in self.seats or kind not in self.kinds:
            return body
        spoiled = self.spoil(body, others, own)
        self.spoiled += spoiled != body
        return spoiled

    def spoil(self, body, others, own):
        way = self.rng.choice(self.ways)
        if way == "silent":
            return None
        if way == "garbage":
            return self.rng.randbytes(self.rng.choice([1, 40, len(body) or 1]))
        if way == "cut":
            return body[: len(body) // 2]
        if way == "copy" and others:
            return self.rng.choice(others)
        if way == "replay" and own:
            return self.rng.choice(own)
        if way == "swap":
            return swapped(body, self.rng)
        if way == "flip" and body:
            at = self.rng.randrange(len(body))
            return body[:at] + bytes([body[at] ^ (1 << self.rng.randrange(8))]) + body[at + 1 :]
        return body


def swapped(body, rng):
    """Exchange two entries of some list within: shares of others, commitments, proofs."""
    try:
        item = rlp.decode(body)
    except Exception:
        return body
    lists = []

    def walk(one):
        if isinstance(one, list):
            if len(one) > 1:
                lists.append(one)
            for inner in one:
                walk(inner)

    walk(item)
    if not lists:
        return body
    chosen = rng.choice(lists)
    first, second = rng.sample(range(len(chosen)), 2)
    chosen[first], chosen[second] = chosen[second], chosen[first]
    return rlp.encode(item)


def until(net, done, rounds=30):
    """Let time pass until something is so; seats that wait too long are given up."""
    for _ in range(rounds):
        net.settle(120)
        if done():
            return
        net.pass_time(24)
    raise AssertionError("the honest ones do not get on")


def story(net, adversaries, epochs=1):
    honest = set(net.participants) - set(adversaries)
    until(net, lambda: net.ledger.state.ready and net.ledger.stock.left() > 0)
    publics = [kind.group.encode(net.ledger.state.root(kind.name).public) for kind in ROOTS]
    for number in range(epochs):
        body = NumberedBody(number).encode()
        net.send(*(net.message(seat, Kind.END_EPOCH, body) for seat in sorted(honest)))
        until(
            net,
            lambda above=number: (
                net.ledger.epochs.current.number > above and net.ledger.stock.left() > 0
            ),
        )
    # 1. Nobody honest is named, whoever complains over them.
    assert {one.seat for one in net.ledger.state.record.cheats} <= set(adversaries)
    # 2. The keys stay, and any degree+1 honest shares make each of them.
    assert publics == [kind.group.encode(net.ledger.state.root(kind.name).public) for kind in ROOTS]
    for kind in ROOTS:
        root = net.ledger.state.root(kind.name)
        shares = {at: net.participants[at].shares[kind.name] for at in honest}
        for chosen in list(combinations(sorted(shares), root.degree + 1))[:3]:
            weights = lagrange(kind.group.ORDER, list(chosen))
            secret = kind.group.add_scalars(
                [kind.group.scale(weights[at], shares[at].secret) for at in chosen]
            )
            assert kind.group.equal(kind.group.base(secret), root.public)
    # 3. Every batch in stock is held by enough honest seats to sign without the others.
    stock, need = net.ledger.stock, net.ledger.state.root(ECDSA).degree + 1
    for number in stock.page.ready:
        holders = set(stock.batch(number).holders) & honest
        assert len(holders) >= need
        generation = net.ledger.state.record.generation
        for at in holders:
            assert net.participants[at].presign._presignatures.get((generation, number))
    # 4. All honest seats have the state secret, and the same one. It may be used once all have
    #    said so: a founder that never does keeps a network from being founded, and no other.
    assert net.ledger.state_key.status.holders >= honest
    assert len({net.keeps[at].expose() for at in honest}) == 1
    # 5. A message is signed in at most f+1 tries, without whoever is silent or lies.
    frost_signs(net, adversaries)


def frost_signs(net, adversaries):
    """Ask as a requester does: again without those who gave no good share."""
    silent, root = frozenset(), net.ledger.state.root(EDDSA)
    generation = net.ledger.state.record.generation
    for _ in range(len(adversaries) + 1):
        slots = net.ledger.nonces.choose(silent)
        for one in (net.ledger, *net.views.values()):
            one.nonces.spend(slots)
        try:
            work = frost.prepare(ED25519, root, 0, b"pay", commitments_of(slots))
        except Cheated as error:
            assert error.party in adversaries
            silent |= {error.party}
            continue
        answers = {}
        for one in slots:
            nonces = net.participants[one.seat].nonces.take(generation, one.number)
            if one.seat not in adversaries:
                share = net.participants[one.seat].shares[EDDSA]
                answers[one.seat] = frost.sign(work, share, nonces)
                assert frost.check(work, one.seat, answers[one.seat])
        if len(answers) == len(slots):
            public = ED25519.group.encode(root.public)
            VerifyKey(public).verify(b"pay", frost.combine(work, answers))
            return
        silent |= {one.seat for one in slots} - answers.keys()
    raise AssertionError("the honest ones do not sign")


@pytest.mark.parametrize(
    ("way", "kind"),
    some([(way, kind) for kind in PROTOCOL for way in WAYS if (way, kind) not in NO_LIES], 18),
    ids=lambda one: one if isinstance(one, str) else one.name,
)
def test_one_of_four_is_wrong_in_one_way_at_one_message(way, kind):
    begun = CommitteeNetwork.at_rest if kind in LATER else CommitteeNetwork
    net = begun(4, seed=len(way))
    net.spoil = Adversary(net, {2}, [way], {kind}, 7)
    # In a second epoch there is something of the first to say again.
    story(net, {2}, epochs=2 if way == "replay" else 1)
    assert net.spoil.spoiled


@pytest.mark.parametrize("way", some(["silent", "garbage", "flip", "cut", "swap"], 2))
def test_one_of_seven_deals_badly_and_another_is_wrong_about_it(way):
    net = CommitteeNetwork(7, seed=len(way))
    dealer = Adversary(net, {1}, ["flip"], {Kind.FIRST, Kind.SECOND}, 7)
    accuser = Adversary(net, {2}, [way], {Kind.COMPLAIN}, 7)
    net.spoil = lambda seat, kind, body: (dealer if seat == 1 else accuser)(seat, kind, body)
    story(net, {1, 2})
    assert dealer.spoiled
    assert accuser.spoiled


@pytest.mark.parametrize("seed", some(range(4), 2))
def test_two_of_seven_are_wrong_in_all_ways_at_all_messages(seed):
    net = CommitteeNetwork(7, seed)
    adversaries = set(random.Random(seed).sample(range(1, 8), 2))
    net.spoil = Adversary(net, adversaries, WAYS, {*PROTOCOL, Kind.COMPLAIN}, seed)
    story(net, adversaries)
    assert net.spoil.spoiled > 4
