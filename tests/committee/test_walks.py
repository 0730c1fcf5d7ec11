"""Random walks: whatever happens, the keys stay, and honest seats can always get at them.

One seat lies as it likes: bad boxes for whoever is away, HELD that it does not mean, silence.
Honest ones are away for a while, start anew, turn epochs, come and go, and order recoveries. After
every step those honest seats that a recovery could count on compute their shares from nothing but
pages and sealed keys.
"""

import random

import pytest

from keymoot.base import rlp
from keymoot.committee.messages import AttemptBody, Kind
from keymoot.committee.participant import Participant
from keymoot.committee.reshare.member import Shares
from keymoot.committee.reshare.record import EpochStage
from keymoot.committee.roots import ROOTS
from keymoot.committee.signers import settled
from keymoot.threshold.rng import SeededRng
from tests.committee.bodies import fields_of
from tests.committee.members import publics, secret_of
from tests.committee.network import CommitteeNetwork
from tests.examples import some

LIAR = 4


class Walk:
    """A net, and what may happen to it."""

    def __init__(self, seed: int, size: int) -> None:
        self.net = CommitteeNetwork.at_rest(size, seed)
        self.rng = random.Random(seed)
        self.keys = publics(self.net)
        self.away: set[int] = set()
        self.mute = False
        self.net.spoil = self.spoil
        self.next_seat = size + 1

    def spoil(self, participant: int, kind: Kind, body: bytes) -> bytes | None:
        if participant in self.away or (participant == LIAR and self.mute):
            return None
        if participant == LIAR and kind is Kind.RESHARE:
            # to whoever is away it deals what opens to nothing
            number, attempt, content = fields_of(AttemptBody.decode(body))
            item = rlp.decode(content)
            for dealing in item:
                boxes = dealing[1][-1]
                for place in [at - 1 for at in self.away if boxes[at - 1 : at] not in ([], [b""])]:
                    boxes[place] = boxes[place][:-1] + bytes([boxes[place][-1] ^ 1])
            return AttemptBody(number, attempt, rlp.encode(item)).encode()
        return body

    @property
    def honest(self) -> list[int]:
        return [at for at in self.net.ledger.state.record.members if at != LIAR]

    def step(self) -> str:
        moves = [self.leave, self.back, self.turn, self.restart, self.recover, self.wait]
        moves += [self.change, self.shut, self.turn, self.wait]
        move = self.rng.choice(moves)
        move()
        # who was not heard says it again, as a node does
        for participant in self.net.participants.values():
            participant._done.clear()
        self.net.settle(200)
        return move.__name__

    def leave(self) -> None:
        if not self.away:
            self.away = {self.rng.choice(self.honest)}

    def back(self) -> None:
        self.away = set()

    def shut(self) -> None:
        self.mute = not self.mute

    def wait(self) -> None:
        self.net.pass_time(24)

    def turn(self) -> None:
        epoch = self.net.ledger.epochs.current
        if epoch.stage is EpochStage.LIVING:
            self.net.turn()
            self.net.settle(200)
        self.net.pass_time(24)

    def restart(self) -> None:
        self.net.restart(self.rng.choice(self.honest))

    def change(self) -> None:
        members, epoch = self.net.ledger.state.record.members, self.net.ledger.epochs.current
        if epoch.stage is not EpochStage.LIVING or self.next_seat > 8:
            return
        seat, self.next_seat = self.next_seat, self.next_seat + 1
        gone = self.rng.choice([at for at in members if at != LIAR])
        self.net.arrive(seat)
        self.net.admit(seat)
        self.net.part(gone)

    def recover(self) -> None:
        """n−f of the members, the liar among them if that takes it; or of those before."""
        net = self.net
        committees = [tuple(net.ledger.state.record.members)]
        kept = net.ledger.epochs.previous.page
        committees += [kept.members] if kept is not None else []
        members = self.rng.choice(committees)
        seats = set(self.rng.sample(members, len(members) - (len(members) - 1) // 3))
        anew = {at for at in seats if self.rng.random() < 0.5}
        base = self.rng.randint(1, net.height)
        before = len(net.refused)
        net.send(net.recovery(seats, anew=anew, base=base))
        assert len(net.refused) == before, net.refused[-1]
        # those who are not named say with which keys they have started
        for at in net.ledger.state.record.members:
            if net.ledger.state.seat(at).session is None:
                net.restart(at)

    def computed(self, seat: int, machine) -> Shares:
        """A seat's shares, by a start that knows nothing but pages and sealed keys."""
        participant = self.net.participants[seat]
        fresh = Participant(
            seat,
            participant.keys,
            participant.session,
            participant.identity,
            participant.state_key,
        )
        if fresh.member(machine):
            for maker in (fresh.dkg, fresh.reshare):
                for task in maker.recovery(machine):
                    task.run(SeededRng(self.net.secret()))
        return fresh.shares_in(machine)

    def check(self) -> None:
        ledger = self.net.ledger
        # 1. The keys stay.
        assert publics(self.net) == self.keys
        # 2. Nobody honest is named.
        assert {one.seat for one in ledger.state.record.cheats} <= {LIAR}
        # 3. In the epoch that serves when all else fails, the honest have enough without the liar.
        back = ledger.gone_back()
        assert (back is None) == settled(ledger)
        safe = ledger if back is None else back
        members = [at for at in safe.state.record.members if at != LIAR]
        for kind in ROOTS:
            root = safe.state.root(kind.name)
            assert kind.group.encode(root.public) == self.keys[ROOTS.index(kind)]
            shares = {}
            for at in members:
                mine = self.computed(at, safe)
                if mine:
                    shares[at] = mine[kind.name]
            assert len(shares) >= root.degree + 1, (members, sorted(shares))
            chosen = {at: shares[at] for at in sorted(shares)[-root.degree - 1 :]}
            assert kind.group.equal(kind.group.base(secret_of(chosen, kind)), root.public)


@pytest.mark.parametrize("seed", some(range(6), 1))
def test_the_honest_always_get_at_the_keys(seed):
    walk = Walk(seed, 4)
    done = []
    for _ in range(12):
        done.append(walk.step())
        walk.check()
    # what the walk was: shown where it fails
    assert len(done) == 12, done
