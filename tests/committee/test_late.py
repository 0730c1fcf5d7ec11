"""Messages of honest seats that come late, after whatever has come since: nobody is named."""

import pytest

from keymoot.committee.messages import Kind
from keymoot.committee.presign import ledger as stock
from tests.committee.network import CommitteeNetwork
from tests.examples import some

LIAR = 4


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(stock, "BATCH_SIZE", 2)
    monkeypatch.setattr(stock, "MIN_READY", 1)


class Slow(CommitteeNetwork):
    """A net in which some messages are held back, and come when others are settled."""

    held: list

    def hold(self, part: float) -> None:
        """Do what is due for a few rounds; hold back some of it."""
        for _ in range(4):
            said = self.tasks()
            kept = [one for one in said if self.random.random() < part]
            self.held += kept
            self.send(*(one for one in said if one not in kept))

    def release(self) -> None:
        """Let what was held back come, in any order."""
        self.random.shuffle(self.held)
        self.send(*self.held)
        self.held.clear()


def story(seed: int, spoil=None) -> Slow:
    net = Slow(seed=seed)
    net.held = []
    net.settle()
    if spoil is not None:
        net.spoil = spoil
    net.turn()
    net.hold(0.4)
    net.send(net.recovery({1, 2, 3, 4}))
    net.hold(0.2)
    net.release()
    net.settle()
    net.turn()
    net.hold(0.4)
    net.restart(2)
    net.hold(0.2)
    net.release()
    for _ in range(3):
        net.pass_time(12)
    net.turn()
    net.settle()
    # Said again, all of it, by then of other epochs, attempts, batches and starts.
    net.send(*net.log)
    return net


@pytest.mark.parametrize("seed", some(range(4), 2))
def test_nobody_is_named_for_what_comes_late(seed):
    net = story(seed)
    head = net.ledger.state.record
    assert (head.cheats, head.out) == ((), frozenset())
    assert net.ledger.epochs.current.number >= 1
    assert net.refused


@pytest.mark.parametrize("kind", [Kind.RESHARE, Kind.FIRST, Kind.SECOND])
def test_beside_one_that_lies_nobody_else_is_named_for_complaints_that_come_late(kind):
    def spoil(seat, said, body):
        # The bytes of a box, so that its receiver complains.
        return body[:-40] + bytes(40) if (seat, said) == (LIAR, kind) else body

    net = story(5, spoil)
    assert {one.seat for one in net.ledger.state.record.cheats} == {LIAR}
    assert net.ledger.state.record.out <= {LIAR}
