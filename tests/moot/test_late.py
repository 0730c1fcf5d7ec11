"""Messages of honest seats that come late, after whatever has come since: nobody is named."""

import pytest

from keymoot.moot import stock
from keymoot.moot.message import Kind
from tests.moot.town import Town

LIAR = 4


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(stock, "BATCH_SIZE", 2)
    monkeypatch.setattr(stock, "MIN_READY", 1)


class Slow(Town):
    """A town in which some messages are held back, and come when others are settled."""

    held: list

    def hold(self, part: float) -> None:
        """Do what is due for a few rounds; hold back some of it."""
        for _ in range(4):
            said = self.duties()
            kept = [one for one in said if self.random.random() < part]
            self.held += kept
            self.say(*(one for one in said if one not in kept))

    def release(self) -> None:
        """Let what was held back come, in any order."""
        self.random.shuffle(self.held)
        self.say(*self.held)
        self.held.clear()


def story(seed: int, spoil=None) -> Slow:
    town = Slow(seed=seed)
    town.held = []
    town.settle()
    if spoil is not None:
        town.spoil = spoil
    town.turn()
    town.hold(0.4)
    town.say(town.recovery({1, 2, 3, 4}))
    town.hold(0.2)
    town.release()
    town.settle()
    town.turn()
    town.hold(0.4)
    town.restart(2)
    town.hold(0.2)
    town.release()
    for _ in range(3):
        town.pass_time(12)
    town.turn()
    town.settle()
    # Said again, all of it, by then of other epochs, attempts, batches and starts.
    town.say(*town.log)
    return town


@pytest.mark.parametrize("seed", range(4))
def test_nobody_is_named_for_what_comes_late(seed):
    town = story(seed)
    head = town.ledger.hall.head
    assert (head.cheats, head.out) == ((), frozenset())
    assert town.ledger.turning.epoch.number >= 1
    assert town.refused


@pytest.mark.parametrize("kind", [Kind.RESHARE, Kind.FIRST, Kind.SECOND])
def test_beside_one_that_lies_nobody_else_is_named_for_complaints_that_come_late(kind):
    def spoil(seat, said, body):
        # The bytes of a box, so that its receiver complains.
        return body[:-40] + bytes(40) if (seat, said) == (LIAR, kind) else body

    town = story(5, spoil)
    assert {one.seat for one in town.ledger.hall.head.cheats} == {LIAR}
    assert town.ledger.hall.head.out <= {LIAR}
