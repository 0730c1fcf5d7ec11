"""A town whose members come and go, and what must hold of it whoever sits."""

from itertools import combinations

from keymoot.moot.epoch import Stage
from keymoot.moot.handover import succession_page
from keymoot.moot.roots import ROOTS
from keymoot.moot.succession import Keeper, Members, Succession
from keymoot.threshold.polynomial import lagrange
from tests.moot.town import NETWORK, Town


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


def founders(town):
    return Members.first(
        NETWORK,
        [
            Keeper(at, one.papers.public, one.papers.consensus)
            for at, one in town.parties.items()
            if at in town.ledger.hall.head.members
        ],
    )


def chain(town):
    count = town.ledger.turning.handover.latest.count
    pages = (town.pages.get(succession_page(at)) for at in range(1, count + 1))
    return [Succession.decode(raw) for raw in pages]


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
