"""Who leaves erases its keys: not before the ledger is certain to need it no more, and then."""

from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import Kind
from keymoot.committee.page_store import MemoryPages
from keymoot.committee.signers import settled
from keymoot.committee.task import SeatTask
from keymoot.enclave.publisher import PublishedState, Publisher
from keymoot.enclave.sealed_state import SealedStateFile, open_sealed_state
from keymoot.enclave.simulated import SimulatedPlatform
from keymoot.store.keys import StateKeys
from tests.committee.members import ready
from tests.committee.network import NETWORK, CommitteeNetwork
from tests.enclave.box import CODE


class Idle:
    """A worker in which nobody works."""

    def do(self, tasks: list[SeatTask]) -> None:
        pass


class Mouth:
    """What an enclave of a network's participant seals, as it is shown the network's ledger."""

    def __init__(self, net: CommitteeNetwork, seat: int, folder: Path) -> None:
        self.net, self.participant = net, net.participants[seat]
        self.folder, self.platform = folder, SimulatedPlatform(Secret(bytes([seat]) * 32), CODE)
        self.sealed = SealedStateFile(folder, self.platform)
        keys = self.participant.keys
        self.sealed.put(replace(self.sealed.now, epoch=keys.living, next=keys.next))
        state = StateKeys(None, NETWORK)
        clock = lambda: UnixSeconds(net.time)  # noqa: E731
        self.speaker = Publisher(
            self.participant,
            self.sealed,
            state,
            lambda _: None,
            lambda _: Idle(),
            clock,  # type: ignore[arg-type,return-value]
        )

    def see(self) -> bytes:
        """Show it the ledger as it stands; give the key of the living epoch that is on disk."""
        machine = CommitteeMachine(MemoryPages(dict(self.net.pages)), NETWORK)
        self.speaker.see(
            PublishedState(machine, Height(self.net.height), UnixSeconds(self.net.time))
        )
        self.speaker.stored(Height(self.net.height))
        return open_sealed_state(self.folder, self.platform).epoch.expose()


@pytest.fixture
def net() -> CommitteeNetwork:
    net = ready()
    # Keys are the mouths' to turn.
    net.turn_keys = lambda _: None  # type: ignore[method-assign,assignment]
    net.spoil = lambda seat, kind, body: None if (seat, kind) == (5, Kind.HELD) else body
    return net


def change(net: CommitteeNetwork) -> None:
    """Seat 5 comes and seat 4 goes, and seat 5 has not said that it holds its shares."""
    net.arrive(5)
    net.admit(5)
    net.part(4)
    net.settle()
    net.turn()
    for _ in range(3):
        net.settle()
        net.pass_time(24)
    assert net.ledger.state.record.members == (1, 2, 3, 5)
    assert not settled(net.ledger)


def test_it_keeps_them_while_a_recovery_may_go_back_to_it(
    net: CommitteeNetwork, tmp_path: Path
) -> None:
    mouth = Mouth(net, 4, tmp_path)
    before = mouth.see()
    change(net)
    assert mouth.see() == before
    net.spoil = lambda seat, kind, body: body
    net.participants[5]._done.clear()
    net.settle()
    assert settled(net.ledger)
    # Nothing goes back to it any more: no key is left that opens what was dealt to it.
    after = mouth.see()
    assert after != before
    assert mouth.sealed.now.previous is None
    assert mouth.participant.keys.living.expose() == after
    assert mouth.see() == after


def test_a_member_and_who_never_sat_erase_nothing(net: CommitteeNetwork, tmp_path: Path) -> None:
    stays = Mouth(net, 1, tmp_path / "1")
    before = stays.see()
    net.arrive(6)
    newcomer = Mouth(net, 6, tmp_path / "6")
    own = newcomer.see()
    assert settled(net.ledger)
    assert newcomer.see() == own
    # A recovery that does not name a member's start leaves it without a seat for a while.
    net.send(net.recovery({2, 3, 4}, anew=set()))
    assert net.ledger.state.seat(1).session is None
    assert settled(net.ledger)
    assert stays.see() == before
