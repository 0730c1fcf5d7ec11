"""Random walks: whatever happens, the keys stay, and honest seats can always get at them.

One seat lies as it likes: bad boxes for whoever is away, HELD that it does not mean, silence.
Honest ones are away for a while, start anew, turn epochs, come and go, and order recoveries. After
every step those honest seats that a recovery could count on compute their shares from nothing but
pages and sealed keys.
"""

import random

import pytest

from keymoot.base import rlp
from keymoot.moot.epoch import Stage
from keymoot.moot.message import Kind
from keymoot.moot.party import Party
from keymoot.moot.resharer import Shares
from keymoot.moot.roots import ROOTS
from keymoot.moot.signers import settled
from keymoot.moot.turn import read_turn, write_turn
from keymoot.threshold.dice import Dice
from tests.moot.members import publics, secret_of
from tests.moot.town import Town

LIAR = 4


class Walk:
    """A town, and what may happen to it."""

    def __init__(self, seed: int, size: int) -> None:
        self.town = Town(size, seed)
        self.town.settle()
        self.dice = random.Random(seed)
        self.keys = publics(self.town)
        self.away: set[int] = set()
        self.mute = False
        self.town.spoil = self.spoil
        self.next_seat = size + 1

    def spoil(self, party: int, kind: Kind, body: bytes) -> bytes | None:
        if party in self.away or (party == LIAR and self.mute):
            return None
        if party == LIAR and kind is Kind.RESHARE:
            # to whoever is away it deals what opens to nothing
            number, attempt, content = read_turn(body)
            item = rlp.decode(content)
            for dealing in item:
                boxes = dealing[1][-1]
                for place in [at - 1 for at in self.away if boxes[at - 1 : at] not in ([], [b""])]:
                    boxes[place] = boxes[place][:-1] + bytes([boxes[place][-1] ^ 1])
            return write_turn(number, attempt, rlp.encode(item))
        return body

    @property
    def honest(self) -> list[int]:
        return [at for at in self.town.ledger.hall.head.members if at != LIAR]

    def step(self) -> str:
        moves = [self.leave, self.back, self.turn, self.restart, self.recover, self.wait]
        moves += [self.change, self.shut, self.turn, self.wait]
        move = self.dice.choice(moves)
        move()
        # who was not heard says it again, as a node does
        for party in self.town.parties.values():
            party._done.clear()
        self.town.settle(200)
        return move.__name__

    def leave(self) -> None:
        if not self.away:
            self.away = {self.dice.choice(self.honest)}

    def back(self) -> None:
        self.away = set()

    def shut(self) -> None:
        self.mute = not self.mute

    def wait(self) -> None:
        self.town.pass_time(24)

    def turn(self) -> None:
        epoch = self.town.ledger.turning.epoch
        if epoch.stage is Stage.LIVING:
            self.town.turn()
            self.town.settle(200)
        self.town.pass_time(24)

    def restart(self) -> None:
        self.town.restart(self.dice.choice(self.honest))

    def change(self) -> None:
        members, epoch = self.town.ledger.hall.head.members, self.town.ledger.turning.epoch
        if epoch.stage is not Stage.LIVING or self.next_seat > 8:
            return
        seat, self.next_seat = self.next_seat, self.next_seat + 1
        gone = self.dice.choice([at for at in members if at != LIAR])
        self.town.arrive(seat)
        self.town.admit(seat)
        self.town.part(gone)

    def recover(self) -> None:
        """n−f of the members, the liar among them if that takes it; or of those before."""
        town = self.town
        committees = [tuple(town.ledger.hall.head.members)]
        kept = town.ledger.turning.before.page
        committees += [kept.members] if kept is not None else []
        members = self.dice.choice(committees)
        seats = set(self.dice.sample(members, len(members) - (len(members) - 1) // 3))
        anew = {at for at in seats if self.dice.random() < 0.5}
        base = self.dice.randint(1, town.height)
        before = len(town.refused)
        town.say(town.recovery(seats, anew=anew, base=base))
        assert len(town.refused) == before, town.refused[-1]
        # those who are not named say with which keys they have started
        for at in town.ledger.hall.head.members:
            if town.ledger.hall.seat(at).boot is None:
                town.restart(at)

    def computed(self, seat: int, assembly) -> Shares:
        """A seat's shares, by a start that knows nothing but pages and sealed keys."""
        party = self.town.parties[seat]
        fresh = Party(seat, party.keys, party.boot, party.papers, party.statekeeper)
        if fresh.member(assembly):
            for maker in (fresh.keymaker, fresh.resharer):
                for duty in maker.recovery(assembly):
                    duty.run(Dice(self.town.secret()))
        return fresh.shares_in(assembly)

    def check(self) -> None:
        ledger = self.town.ledger
        # 1. The keys stay.
        assert publics(self.town) == self.keys
        # 2. Nobody honest is named.
        assert {one.seat for one in ledger.hall.head.cheats} <= {LIAR}
        # 3. In the epoch that serves when all else fails, the honest have enough without the liar.
        back = ledger.gone_back()
        assert (back is None) == settled(ledger)
        safe = ledger if back is None else back
        members = [at for at in safe.hall.head.members if at != LIAR]
        for kind in ROOTS:
            root = safe.hall.root(kind.name)
            assert kind.group.encode(root.public) == self.keys[ROOTS.index(kind)]
            shares = {}
            for at in members:
                mine = self.computed(at, safe)
                if mine:
                    shares[at] = mine[kind.name]
            assert len(shares) >= root.degree + 1, (members, sorted(shares))
            chosen = {at: shares[at] for at in sorted(shares)[-root.degree - 1 :]}
            assert kind.group.equal(kind.group.base(secret_of(chosen, kind)), root.public)


@pytest.mark.parametrize("seed", range(6))
def test_the_honest_always_get_at_the_keys(seed):
    walk = Walk(seed, 4)
    done = []
    for _ in range(12):
        done.append(walk.step())
        walk.check()
    # what the walk was: shown where it fails
    assert len(done) == 12, done
