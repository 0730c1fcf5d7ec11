"""Any f seats, wrong in any way at any message: the others go on, and nobody honest is named."""

import random
from itertools import combinations

import pytest
from nacl.signing import VerifyKey

from keymoot.base import rlp
from keymoot.moot.body import write_numbered
from keymoot.moot.message import Kind
from keymoot.moot.roots import ECDSA, EDDSA, ROOTS
from keymoot.moot.slot import commitments_of
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.errors import Cheated
from keymoot.threshold.polynomial import lagrange
from tests.moot.town import Town

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
FLAT = {Kind.KEYGEN_HASH, Kind.KEYGEN_VERDICT, Kind.KEYGEN_VOTE, Kind.STATE_HELD}
"""What has no two parts to exchange."""
NO_LIES = (
    {("replay", kind) for kind in ONCE}
    | {("copy", kind) for kind in ALIKE}
    | {("swap", kind) for kind in FLAT}
)


class Villain:
    """Spoils what some seats say."""

    def __init__(self, town, seats, ways, kinds, seed):
        self.town, self.seats, self.ways, self.kinds = town, seats, ways, kinds
        self.dice = random.Random(seed)
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
        way = self.dice.choice(self.ways)
        if way == "silent":
            return None
        if way == "garbage":
            return self.dice.randbytes(self.dice.choice([1, 40, len(body) or 1]))
        if way == "cut":
            return body[: len(body) // 2]
        if way == "copy" and others:
            return self.dice.choice(others)
        if way == "replay" and own:
            return self.dice.choice(own)
        if way == "swap":
            return swapped(body, self.dice)
        if way == "flip" and body:
            at = self.dice.randrange(len(body))
            return body[:at] + bytes([body[at] ^ (1 << self.dice.randrange(8))]) + body[at + 1 :]
        return body


def swapped(body, dice):
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
    chosen = dice.choice(lists)
    first, second = dice.sample(range(len(chosen)), 2)
    chosen[first], chosen[second] = chosen[second], chosen[first]
    return rlp.encode(item)


def until(town, done, rounds=30):
    """Let time pass until something is so; seats that wait too long are given up."""
    for _ in range(rounds):
        town.settle(120)
        if done():
            return
        town.pass_time(24)
    raise AssertionError("the honest ones do not get on")


def story(town, villains, epochs=1):
    honest = set(town.parties) - set(villains)
    until(town, lambda: town.ledger.hall.ready and town.ledger.stock.left() > 0)
    publics = [kind.group.encode(town.ledger.hall.root(kind.name).public) for kind in ROOTS]
    for number in range(epochs):
        body = write_numbered(number)
        town.say(*(town.message(seat, Kind.TURN, body) for seat in sorted(honest)))
        until(
            town,
            lambda above=number: (
                town.ledger.turning.epoch.number > above and town.ledger.stock.left() > 0
            ),
        )
    # 1. Nobody honest is named, whoever complains over them.
    assert {one.seat for one in town.ledger.hall.head.cheats} <= set(villains)
    # 2. The keys stay, and any degree+1 honest shares make each of them.
    assert publics == [kind.group.encode(town.ledger.hall.root(kind.name).public) for kind in ROOTS]
    for kind in ROOTS:
        root = town.ledger.hall.root(kind.name)
        shares = {at: town.parties[at].shares[kind.name] for at in honest}
        for chosen in list(combinations(sorted(shares), root.degree + 1))[:3]:
            weights = lagrange(kind.group.ORDER, list(chosen))
            secret = kind.group.add_scalars(
                [kind.group.scale(weights[at], shares[at].secret) for at in chosen]
            )
            assert kind.group.equal(kind.group.base(secret), root.public)
    # 3. Every batch in stock is held by enough honest seats to sign without the others.
    stock, need = town.ledger.stock, town.ledger.hall.root(ECDSA).degree + 1
    for number in stock.page.ready:
        holders = set(stock.batch(number).holders) & honest
        assert len(holders) >= need
        generation = town.ledger.hall.head.generation
        for at in holders:
            assert town.parties[at].presigner._presignatures.get((generation, number))
    # 4. All honest seats have the state secret, and the same one. It may be used once all have
    #    said so: a founder that never does keeps a network from being founded, and no other.
    assert town.ledger.handout.standing.holders >= honest
    assert len({town.keeps[at].expose() for at in honest}) == 1
    # 5. A message is signed in at most f+1 tries, without whoever is silent or lies.
    frost_signs(town, villains)


def frost_signs(town, villains):
    """Ask as a requester does: again without those who gave no good share."""
    silent, root = frozenset(), town.ledger.hall.root(EDDSA)
    generation = town.ledger.hall.head.generation
    for _ in range(len(villains) + 1):
        slots = town.ledger.commitments.choose(silent)
        for one in (town.ledger, *town.views.values()):
            one.commitments.spend(slots)
        try:
            work = frost.prepare(ED25519, root, 0, b"pay", commitments_of(slots))
        except Cheated as error:
            assert error.party in villains
            silent |= {error.party}
            continue
        answers = {}
        for one in slots:
            nonces = town.parties[one.seat].committer.take(generation, one.number)
            if one.seat not in villains:
                share = town.parties[one.seat].shares[EDDSA]
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
    [(way, kind) for kind in PROTOCOL for way in WAYS if (way, kind) not in NO_LIES],
    ids=lambda one: one if isinstance(one, str) else one.name,
)
def test_one_of_four_is_wrong_in_one_way_at_one_message(way, kind):
    town = Town(4, seed=len(way))
    town.spoil = Villain(town, {2}, [way], {kind}, 7)
    # In a second epoch there is something of the first to say again.
    story(town, {2}, epochs=2 if way == "replay" else 1)
    assert town.spoil.spoiled


@pytest.mark.parametrize("way", ["silent", "garbage", "flip", "cut", "swap"])
def test_one_of_seven_deals_badly_and_another_is_wrong_about_it(way):
    town = Town(7, seed=len(way))
    dealer = Villain(town, {1}, ["flip"], {Kind.FIRST, Kind.SECOND}, 7)
    accuser = Villain(town, {2}, [way], {Kind.COMPLAIN}, 7)
    town.spoil = lambda seat, kind, body: (dealer if seat == 1 else accuser)(seat, kind, body)
    story(town, {1, 2})
    assert dealer.spoiled
    assert accuser.spoiled


@pytest.mark.parametrize("seed", range(4))
def test_two_of_seven_are_wrong_in_all_ways_at_all_messages(seed):
    town = Town(7, seed)
    villains = set(random.Random(seed).sample(range(1, 8), 2))
    town.spoil = Villain(town, villains, WAYS, {*PROTOCOL, Kind.COMPLAIN}, seed)
    story(town, villains)
    assert town.spoil.spoiled > 4
