"""A net whose members come and go, and what must hold of it whoever sits."""

from itertools import combinations

from nacl.signing import VerifyKey

from keymoot.committee.nonces.record import commitments_of
from keymoot.committee.reshare.record import EpochStage
from keymoot.committee.roots import EDDSA, ROOTS
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.polynomial import lagrange
from tests.committee.network import CommitteeNetwork


def ready(size=4, seed=1):
    return CommitteeNetwork.at_rest(size, seed)


def publics(net):
    return [kind.group.encode(net.ledger.state.root(kind.name).public) for kind in ROOTS]


def secret_of(shares, kind):
    """Interpolate a root's private key from shares, as only a test does."""
    group, seats = kind.group, sorted(shares)
    weights = lagrange(group.ORDER, seats)
    return group.add_scalars([group.scale(weights[at], shares[at].secret) for at in seats])


def check(net, members, number):
    """The committee is this one, in this epoch, and works."""
    ledger = net.ledger
    assert ledger.state.record.members == members
    assert ledger.epochs.current.number == number
    assert ledger.epochs.current.stage is EpochStage.LIVING
    assert not ledger.state.record.cheats
    for kind in ROOTS:
        root = ledger.state.root(kind.name)
        assert root.degree == kind.degree(ledger.state.committee)
        shares = {at: net.participants[at].shares[kind.name] for at in members}
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
    for at in net.participants:
        assert bool(net.participants[at].shares) == (at in members)
    check_nonces(net, members)
    check_state_key(net, members)


def check_nonces(net, members):
    """Only members have commitments, and degree+1 of them sign for a wallet on Solana."""
    commitments = net.ledger.nonces
    assert {at for at in range(1, 65) if commitments.pool(at).end} == set(members)
    slots = commitments.choose()
    for one in (net.ledger, *net.views.values()):
        one.nonces.spend(slots)
    generation, root = net.ledger.state.record.generation, net.ledger.state.root(EDDSA)
    work = frost.prepare(ED25519, root, 0, b"pay", commitments_of(slots))
    answers = {}
    for one in slots:
        participant = net.participants[one.seat]
        nonces = participant.nonces.take(generation, one.number)
        answers[one.seat] = frost.sign(work, participant.shares[EDDSA], nonces)
    public = ED25519.group.encode(root.public)
    VerifyKey(public).verify(b"pay", frost.combine(work, answers))


def check_state_key(net, members):
    """All members have the state secret, the same one, and nobody else is said to."""
    assert net.ledger.state_key.status.holders == set(members)
    assert len({net.keeps[at].expose() for at in members}) == 1
    assert not net.ledger.state_key.asks()
