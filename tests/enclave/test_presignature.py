"""One presignature never gets two answers that differ, whatever hosts and a broken seat do."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.roots import CERTIFICATE
from keymoot.committee.task import SeatTask
from keymoot.enclave import one_time
from keymoot.enclave.worker import Report
from keymoot.engine.certifiers import standing_in
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.ecdsa import Task
from keymoot.threshold.presignature import Presignature
from keymoot.threshold.secp256k1 import SECP256K1
from tests.enclave.box import Inline, refused
from tests.enclave.network import Network
from tests.runtime.people import payment

Spent = dict[bytes, set[tuple[bytes, int]]]
"""Of each presignature, by its point R: the digests and δ that it was answered under."""


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch) -> Spent:
    found: Spent = defaultdict(set)
    real: Callable[[Presignature, Task], object] = one_time.ecdsa.sign

    def sign(presignature: Presignature, work: Task) -> object:
        found[SECP256K1.encode(presignature.point)].add((bytes(work.digest), work.delta))
        return real(presignature, work)

    monkeypatch.setattr(one_time.ecdsa, "sign", sign)
    return found


def broken_share(network: Network, seat: int, height: Height, block: Hash32) -> bytes:
    """What a broken seat signs: whatever its host likes, with its real share."""
    start = network.boxes[seat].enclave.start
    assert start is not None
    share = start.participant.shares[CERTIFICATE]
    standing = standing_in(network.branch.state(network.branch.certified), network.genesis.network)
    return G1.encode(bls.sign(share, standing.under(height, block).message))


def test_a_recovery_order_that_nobody_posts_gives_no_second_answer(
    network: Network, tmp_path: Path, spent: Spent
) -> None:
    """Seats 1 and 2 start on old disks, and are led along another branch with 3 and a bad 4."""
    scenario = network.scenario()
    base = network.branch.certified
    x, x_key = network.request(scenario, payment(11).unsigned_bytes())
    y, y_key = network.request(scenario, payment(12).unsigned_bytes())
    # Branch A, with seats 1, 2 and 4: X is bound and answered.
    network.withheld.add(3)
    assert network.send(x).status == 1
    assert [network.answers[x_key][at].code for at in (1, 2, 4)] == ["", "", ""]
    (first,) = [set(one) for one in spent.values()]
    # Branch B from the same base, on copies of all disks; seat 3 is the one that slept.
    other = network.fork(tmp_path / "other", base)
    other.boxes[3] = network.boxes[3]
    other.said.clear()
    # An order of 1', 2' and 3 is endorsed, and never posted.
    order = other.recovery([1, 2, 3])
    top = other.order([y])
    shares = {at: other.boxes[at].ballots[top] for at in (1, 2, 3)}
    # Its starts are not named by the state: of four seats two would sign, and three have to.
    assert [bool(shares[at].share) for at in (1, 2, 3)] == [False, False, True]
    good = {3: shares[3].share, 4: broken_share(network, 4, top, shares[3].hash)}
    assert len(good) <= network.machine.state.root(CERTIFICATE).degree
    assert not other.branch.proofs.get(top)
    # Nor does a third start of seat 2, nor one more block on top.
    other.restart(2, base, settle=False)
    other.order([])
    assert not any(other.boxes[at].ballots[Height(top + 1)].share for at in (1, 2, 3))
    assert other.boxes[3].answer(y_key)[0].code == "NOT_HELD"
    # Posted, the order begins another generation: what was bound is burned, the stock wiped.
    other.order([order])
    for box in (*network.boxes.values(), *other.boxes.values()):
        if box.began and not box.lost:
            box.answer(x_key, y_key)
    assert list(spent.values()) == [first]


def test_two_generations_spend_two_presignatures(
    network: Network, tmp_path: Path, spent: Spent
) -> None:
    """On a branch that a posted order begins, a request is bound to what was dealt in it."""
    scenario = network.scenario()
    base = network.branch.certified
    network.bind(scenario, 11)
    other = network.fork(tmp_path / "other", base)
    other.said.clear()
    other.order([other.recovery([1, 2, 3, 4])])
    assert other.branch.certified == other.branch.top
    other.settle()
    other.bind(scenario, 12)
    assert len(spent) == 2
    assert all(len(one) == 1 for one in spent.values())
    generations = {one.headers[one.certified].generation for one in (network.branch, other.branch)}
    assert len(generations) == 2


class Slow(Inline):
    """A worker that has not come to its acknowledgements yet: they are last of a batch."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.waiting: list[SeatTask] = []

    def do(self, tasks: list[SeatTask]) -> None:
        late = [one for one in tasks if one.name.endswith("/ack")]
        self.waiting += late
        super().do([one for one in tasks if one not in late])

    def go(self) -> None:
        late, self.waiting = self.waiting, []
        super().do(late)


def test_a_presignature_that_comes_late_serves_the_request_that_it_was_bound_to(
    network: Network, tmp_path: Path, spent: Spent
) -> None:
    """Seat 4 gets its share of p only after p was bound; its host leads it elsewhere with it."""
    scenario, box = network.scenario(), network.boxes[4]
    start = box.enclave.start
    assert start is not None
    slow = start.speaker._worker = Slow(start.speaker._report)
    generation = network.machine.state.record.generation

    def held() -> bool:
        name = generation, network.machine.stock.page.ready[0]
        return name in start.participant.presign._presignatures

    while held():
        network.bind(scenario, 7)
    before = len(spent)
    base = network.branch.certified
    x, x_key = network.request(scenario, payment(11).unsigned_bytes())
    y, y_key = network.request(scenario, payment(13).unsigned_bytes())
    # Branch A, with seats 1, 2 and 4: X is bound to p, and 1 and 2 answer.
    network.withheld.add(3)
    assert network.send(x).status == 1
    assert [network.answers[x_key][at].code for at in (1, 2, 4)] == ["", "", "NOT_HELD"]
    # Branch B on copies of all disks, with seat 3 that slept; an order that nobody posts.
    other = network.fork(tmp_path / "other", base)
    other.boxes[3] = network.boxes[3]
    other.said.clear()
    assert other.recovery([1, 2, 3])
    top = other.order([])
    # Seat 4 goes to no other chain. In the meantime its worker has finished the batch.
    with refused("ANOTHER_BLOCK"):
        box.execute(other.branch.blocks[top])
    with refused("BEGUN_ALREADY"):
        box.begin(other.branch.place(base), other.branch)
    network.said.clear()
    slow.go()
    acks = [raw for raw in network.said if NodeMessage.decode(raw).kind is Kind.ACK]
    assert acks
    assert held()
    # Nor do a third start of seat 2, its session, and 4's acknowledgement make a quorum.
    other.restart(2, base, settle=False)
    sessions = [raw for raw in other.said if NodeMessage.decode(raw).kind is Kind.SESSION]
    other.order([*acks, *sessions])
    bound = other.order([y])
    assert other.branch.certified == base
    assert not any(other.boxes[at].ballots[bound].share for at in (1, 2, 3))
    for one in (*other.boxes.values(), box):
        assert one.answer(y_key)[0].code == "NOT_HELD"
    # What came late serves X, under the certificate of its block, and nothing else.
    assert not box.answer(x_key)[0].code
    assert len(spent) == before + 1
    assert all(len(one) == 1 for one in spent.values())
