"""Everything dies at once, at any step: what is on the disks is enough to go on.

A step is a frame to an enclave, or a file that one has sealed. The host's disk is where it may
be at that moment: it has the newest block that enclaves were shown the certificate of, or only
the one before, for a block's writes leave an enclave under its certificate.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from keymoot.base.units import Height
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.signers import settled
from keymoot.enclave import sealed_state as keep_module
from tests.enclave.box import Box
from tests.enclave.copies import copied
from tests.enclave.network import Network
from tests.enclave.test_changes import arrive, change, more_blocks
from tests.examples import of


class Killed(BaseException):
    """The power is gone; nothing in a process catches that."""


class Steps:
    """Counts steps, and kills at one of them."""

    def __init__(self, last: int | None) -> None:
        self.count, self.last = 0, last

    def step(self) -> None:
        self.count += 1
        if self.count == self.last:
            raise Killed

    def around(self, what: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.step()
            return what(*arguments)

        return counted

    @contextmanager
    def counting(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Box, "ask", self.around(Box.ask))
            patch.setattr(keep_module, "write_sealed", self.around(keep_module.write_sealed))
            yield


def switch(network: Network) -> None:
    """Let one come and one go."""
    change(network, [5], [2])
    more_blocks(network, 2)


def turn(network: Network) -> None:
    change(network)
    more_blocks(network, 2)


def recovery(network: Network) -> None:
    network.recover()
    more_blocks(network, 2)


def unsettled(network: Network) -> None:
    """Have an epoch that not all say to hold, and one after it that all do."""

    def holds(raw: bytes) -> bool:
        message = NodeMessage.decode(raw)
        return (message.seat, message.kind) == (4, Kind.HELD)

    network.keeps = holds
    change(network)
    network.keeps = lambda _: False
    change(network)
    more_blocks(network, 2)


SCENARIOS = [switch, turn, recovery, unsettled]


@pytest.fixture(scope="module")
def standing(founded: Network, tmp_path_factory: pytest.TempPathFactory) -> Network:
    """A network with one more enclave, which has no seat yet."""
    made = copied(founded, tmp_path_factory.mktemp("standing") / "network")
    made.scenario()
    arrive(made, 5)
    return made


def steps_of(standing: Network, folder: Path, scenario: Callable[[Network], None]) -> int:
    """Count the steps of a scenario in which nobody dies."""
    network, steps = copied(standing, folder), Steps(None)
    network.behind = True
    with steps.counting():
        scenario(network)
    return steps.count


def killed(network: Network, scenario: Callable[[Network], None], last: int) -> None:
    with Steps(last).counting(), pytest.raises(Killed):
        scenario(network)


def heal(network: Network) -> None:
    """Begin a generation as a node does that was started again."""
    network.keeps = lambda _: False
    for _ in range(2):
        for identities in network.machine.recovery.endorsers():
            seats = [
                at
                for at, known in identities.items()
                if network.boxes[at].identity.identity_key == known
            ]
            network.order([network.recovery(seats)])
            break
        network.settle()
        if not network.stands_still:
            return


def check(network: Network) -> None:
    """It goes on: blocks are certified, and in the end all members hold living shares."""
    heal(network)
    assert not network.stands_still
    more_blocks(network, 3)
    machine = network.machine
    assert network.branch.certified == network.branch.top
    assert settled(machine)
    assert not machine.state.record.cheats
    for seat in machine.state.record.members:
        participant = network.boxes[seat].enclave.start.participant
        assert participant.seated(machine)
        assert participant.shares_in(machine)


def sweep(
    standing: Network, folder: Path, scenario: Callable[[Network], None], steps: Iterator[int]
) -> None:
    for last in steps:
        network = copied(standing, folder / f"{last}")
        network.behind = True
        killed(network, scenario, last)
        # At most one certificate was shown whose block is not on the disk.
        newest, written = network.branch.certified, network.branch.newest()
        for height in range(newest - 1, min(newest, written) + 1):
            made = network.fork(folder / f"{last}-{height}", Height(height))
            try:
                check(made)
            except BaseException as error:
                error.add_note(
                    f"{scenario.__name__}: killed at step {last}, disk at {height} of {newest}"
                )
                raise


@pytest.mark.parametrize("scenario", SCENARIOS[:3], ids=lambda one: one.__name__)
def test_whatever_was_on_the_disks_is_enough_to_go_on(
    standing: Network, tmp_path: Path, scenario: Callable[[Network], None]
) -> None:
    total = steps_of(standing, tmp_path / "whole", scenario)
    assert total > 100
    sweep(standing, tmp_path, scenario, iter(range(1, total, total // of(quick=2, thorough=7))))


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.__name__)
def test_at_every_single_step(
    standing: Network, tmp_path: Path, scenario: Callable[[Network], None]
) -> None:
    total = steps_of(standing, tmp_path / "whole", scenario)
    sweep(standing, tmp_path, scenario, iter(range(1, total)))
