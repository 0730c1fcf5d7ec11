"""Two switches in a row while somebody does not say that it holds its shares; then all die.

The host's disk has the block before the second switch. Its state needs the keys of two epochs:
of the living one, and of the one that a recovery may go back to. The certificate of the block
after it lets go of one of them.
"""

from pathlib import Path

import pytest

from keymoot.base.units import Height
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.signers import settled
from tests.enclave.box import Box
from tests.enclave.network import Network
from tests.enclave.test_changes import change
from tests.enclave.test_killed import Killed, check


def holding_back(network: Network, seat: int) -> None:
    """Keep back what a seat says of its shares."""

    def keeps(raw: bytes) -> bool:
        message = NodeMessage.decode(raw)
        return (message.seat, message.kind) == (seat, Kind.HELD)

    network.keeps = keeps


def hear_all(network: Network) -> None:
    network.keeps = lambda _: False


def before_the_switch(network: Network) -> Height:
    """Give the height of the block before the one in which the newest epoch began."""
    epoch = network.machine.epochs.current
    assert epoch is not None
    return Height(epoch.since_height - 1)


def killed_before(network: Network, folder: Path, joining=(), leaving=()) -> Network:
    """Change members; give what the disks hold, were all killed with the switch certified."""
    network.behind = True
    order = network.order
    number = network.machine.epochs.current.number

    def dying(*arguments):
        height = order(*arguments)
        if network.machine.epochs.current.number > number:
            raise Killed
        return height

    network.order = dying  # type: ignore[method-assign]
    with pytest.raises(Killed):
        change(network, joining, leaving)
    at = before_the_switch(network)
    assert network.branch.certified == at + 1
    return network.fork(folder, at)


def test_nobody_changes_and_the_second_settles_what_the_first_did_not(network, tmp_path):
    holding_back(network, 4)
    change(network)
    assert not settled(network.machine)
    hear_all(network)
    made = killed_before(network, tmp_path / "killed")
    assert not settled(made.machine)
    check(made)


def test_three_of_four_change_twice(network, tmp_path):
    holding_back(network, 5)
    change(network, (5, 6, 7), (1, 2, 3))
    assert not settled(network.machine)
    holding_back(network, 4)
    made = killed_before(network, tmp_path / "killed")
    assert not settled(made.machine)
    check(made)


def test_what_an_older_block_lets_go_of_takes_nothing_along_of_a_newer_one(
    network, tmp_path, monkeypatch
):
    holding_back(network, 4)
    change(network)
    late = network.kept[-1]
    hear_all(network)
    # The host's disk is slow: it has the block that settles, and not yet the switch after it.
    monkeypatch.setattr(Box, "stored", lambda *_: False)
    network.send(late)
    at = network.branch.certified
    assert settled(network.machine)
    change(network)
    monkeypatch.undo()
    for one in network.boxes.values():
        one.stored(at)
    made = network.fork(tmp_path / "killed", at)
    assert settled(made.machine)
    check(made)
