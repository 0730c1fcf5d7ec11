"""Who leaves erases its keys: not before the ledger is certain to need it no more, and then."""

from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.enclave.keep import KeepFile, open_keep
from keymoot.enclave.simulated import SimulatedPlatform
from keymoot.enclave.speaker import Seen, Speaker
from keymoot.moot.assembly import Assembly
from keymoot.moot.duty import Duty
from keymoot.moot.message import Kind
from keymoot.moot.pages import MemoryPages
from keymoot.moot.signers import settled
from keymoot.store.keys import StateKeys
from tests.enclave.box import CODE
from tests.moot.members import ready
from tests.moot.town import NETWORK, Town


class Idle:
    """A workshop in which nobody works."""

    def do(self, duties: list[Duty]) -> None:
        pass


class Mouth:
    """What an enclave of a town's party seals, as it is shown the town's ledger."""

    def __init__(self, town: Town, seat: int, folder: Path) -> None:
        self.town, self.party = town, town.parties[seat]
        self.folder, self.platform = folder, SimulatedPlatform(Secret(bytes([seat]) * 32), CODE)
        self.keep = KeepFile(folder, self.platform)
        keys = self.party.keys
        self.keep.put(replace(self.keep.now, epoch=keys.living, next=keys.next))
        state = StateKeys(None, NETWORK)
        clock = lambda: UnixSeconds(town.time)  # noqa: E731
        self.speaker = Speaker(
            self.party,
            self.keep,
            state,
            lambda _: None,
            lambda _: Idle(),
            clock,  # type: ignore[arg-type,return-value]
        )

    def see(self) -> bytes:
        """Show it the ledger as it stands; give the key of the living epoch that is on disk."""
        assembly = Assembly(MemoryPages(dict(self.town.pages)), NETWORK)
        self.speaker.see(Seen(assembly, Height(self.town.height), UnixSeconds(self.town.time)))
        self.speaker.stored(Height(self.town.height))
        return open_keep(self.folder, self.platform).epoch.expose()


@pytest.fixture
def town() -> Town:
    town = ready()
    # Keys are the mouths' to turn.
    town.turn_keys = lambda _: None  # type: ignore[method-assign,assignment]
    town.spoil = lambda seat, kind, body: None if (seat, kind) == (5, Kind.HELD) else body
    return town


def change(town: Town) -> None:
    """Seat 5 comes and seat 4 goes, and seat 5 has not said that it holds its shares."""
    town.arrive(5)
    town.admit(5)
    town.part(4)
    town.settle()
    town.turn()
    for _ in range(3):
        town.settle()
        town.pass_time(24)
    assert town.ledger.hall.head.members == (1, 2, 3, 5)
    assert not settled(town.ledger)


def test_it_keeps_them_while_a_recovery_may_go_back_to_it(town: Town, tmp_path: Path) -> None:
    mouth = Mouth(town, 4, tmp_path)
    before = mouth.see()
    change(town)
    assert mouth.see() == before
    town.spoil = lambda seat, kind, body: body
    town.parties[5]._done.clear()
    town.settle()
    assert settled(town.ledger)
    # Nothing goes back to it any more: no key is left that opens what was dealt to it.
    after = mouth.see()
    assert after != before
    assert mouth.keep.now.previous is None
    assert mouth.party.keys.living.expose() == after
    assert mouth.see() == after


def test_a_member_and_who_never_sat_erase_nothing(town: Town, tmp_path: Path) -> None:
    stays = Mouth(town, 1, tmp_path / "1")
    before = stays.see()
    town.arrive(6)
    newcomer = Mouth(town, 6, tmp_path / "6")
    own = newcomer.see()
    assert settled(town.ledger)
    assert newcomer.see() == own
    # A recovery that does not name a member's start leaves it without a seat for a while.
    town.say(town.recovery({2, 3, 4}, anew=set()))
    assert town.ledger.hall.seat(1).boot is None
    assert settled(town.ledger)
    assert stays.see() == before
