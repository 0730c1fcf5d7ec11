"""A town whose members come and go, and what must hold of it whoever sits."""

from itertools import combinations

from nacl.signing import VerifyKey

from keymoot.moot.epoch import Stage
from keymoot.moot.roots import EDDSA, ROOTS
from keymoot.moot.slot import commitments_of
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.polynomial import lagrange
from tests.moot.town import Town


def ready(size=4, seed=1):
    town = Town(size, seed)
    town.settle()
    return town


def publics(town):
    return [kind.group.encode(town.ledger.hall.root(kind.name).public) for kind in ROOTS]


def secret_of(shares, kind):
    """Interpolate a root's private key from shares, as only a test does."""
    group, seats = kind.group, sorted(shares)
    weights = lagrange(group.ORDER, seats)
    return group.add_scalars([group.scale(weights[at], shares[at].secret) for at in seats])


def check(town, members, number):
    """The assembly is this one, in this epoch, and works."""
    ledger = town.ledger
    assert ledger.hall.head.members == members
    assert ledger.turning.epoch.number == number
    assert ledger.turning.epoch.stage is Stage.LIVING
    assert not ledger.hall.head.cheats
    for kind in ROOTS:
        root = ledger.hall.root(kind.name)
        assert root.degree == kind.degree(ledger.hall.committee)
        shares = {at: town.parties[at].shares[kind.name] for at in members}
        for at, share in shares.items():
            assert kind.group.equal(kind.group.base(share.secret), root.share_of(at))
        for chosen in list(combinations(members, root.degree + 1))[:4]:
            some = {at: shares[at] for at in chosen}
            assert kind.group.equal(kind.group.base(secret_of(some, kind)), root.public)
    # presignatures are dealt by the present members, and members alone have parts of them
    assert ledger.stock.left()
    for batch in ledger.stock.page.ready:
        page = ledger.stock.batch(batch)
        assert set(page.holders) <= set(members)
        assert len(page.holders) >= ledger.stock.need()
    for at in town.parties:
        assert bool(town.parties[at].shares) == (at in members)
    check_nonces(town, members)
    check_state_key(town, members)


def check_nonces(town, members):
    """Only members have commitments, and degree+1 of them sign for a wallet on Solana."""
    commitments = town.ledger.commitments
    assert {at for at in range(1, 65) if commitments.row(at).end} == set(members)
    slots = commitments.choose()
    for one in (town.ledger, *town.views.values()):
        one.commitments.spend(slots)
    generation, root = town.ledger.hall.head.generation, town.ledger.hall.root(EDDSA)
    work = frost.prepare(ED25519, root, 0, b"pay", commitments_of(slots))
    answers = {}
    for one in slots:
        party = town.parties[one.seat]
        nonces = party.committer.take(generation, one.number)
        answers[one.seat] = frost.sign(work, party.shares[EDDSA], nonces)
    public = ED25519.group.encode(root.public)
    VerifyKey(public).verify(b"pay", frost.combine(work, answers))


def check_state_key(town, members):
    """All members have the state secret, the same one, and nobody else is said to."""
    assert town.ledger.handout.standing.holders == set(members)
    assert len({town.keeps[at].expose() for at in members}) == 1
    assert not town.ledger.handout.asks()
