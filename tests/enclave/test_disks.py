"""Disks that their owner has edited, kept from before, or copied: nothing is got out of them."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.contracts.builtin.nodes import Nodes, committee_on
from keymoot.runtime.block import Block
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.questions import EntryQuestion, PathQuestion, Question
from keymoot.threshold.secp256k1 import SECP256K1
from tests.enclave.box import Box, refused
from tests.enclave.network import Network
from tests.runtime.people import AGENT, OWNER

HOST_POINT = SECP256K1.encode(SECP256K1.base(SECP256K1.scalar(b"\x42" * 32)))


def edited(network: Network) -> tuple[Hash32, dict[bytes, bytes | None]]:
    """Another state: all seats have posted a sealing key of the host, and the epoch is over."""
    state = network.state()
    journal = Journal(state)
    journal.begin_transaction()
    machine = committee_on(
        PublicStore(journal, Nodes.ADDRESS, FreeMeter()), network.genesis.network
    )
    for at, seat in machine.state.seats().items():
        machine.state.put_seat(at, replace(seat, next=HOST_POINT))
    epoch = machine.epochs.current
    assert epoch is not None
    machine.epochs._put(replace(epoch, since_time=UnixSeconds(1)))
    return state.updated(journal.changes())


def copy_of(network: Network, seat: int, folder: Path) -> Box:
    """Start an enclave on a copy of a seat's disk; its owner has both."""
    shutil.copytree(network.boxes[seat].folder, folder)
    twin = Box(seat, folder, network.said.append, network.clock)
    twin.join(network.genesis, seat)
    return twin


def test_an_edited_state_ends_every_start_that_reads_it(network: Network) -> None:
    network.scenario()
    _, batch = edited(network)
    for table in network.branch.tables.values():
        table.apply(batch)
    for seat in network.boxes:
        box = network.boxes[seat]
        box.start()
        box.join(network.genesis, seat)
        network.said.clear()
        with refused("START_OVER"):
            box.begin(network.branch.place(), network.branch)
            box.execute(Block(Height(network.branch.top + 1), network.clock(), ()).encode())
        assert box.lost
        # Nothing was said to anybody on the strength of it.
        assert not network.said
        with refused("START_OVER"):
            box.certify(network.branch.certified, network.branch.proofs[network.branch.certified])


def test_an_edited_state_with_a_root_of_its_own_is_not_certified(network: Network) -> None:
    branch = network.branch
    root, batch = edited(network)
    branch.tables[branch.certified].apply(batch)
    place = branch.place()
    header = replace(branch.headers[branch.certified], state_root=root)
    box = network.boxes[1]
    box.start()
    box.join(network.genesis, 1)
    with refused("NOT_CERTIFIED"):
        box.begin(replace(place, header=header.encode()), branch)
    assert not box.began


def test_every_read_that_does_not_fit_ends_the_start(network: Network) -> None:
    """A host may alter an entry, leave it out, or give one of another height."""
    scenario = network.scenario()
    old = network.state(), network.branch.certified
    network.bind(scenario)
    raw, _ = network.request(scenario, b"", "eth_signTransaction")

    def altered(_: Question, entries: list[bytes]) -> list[bytes]:
        return [one[:-1] + bytes((one[-1] ^ 1,)) if one else one for one in entries]

    def left_out(_: Question, entries: list[bytes]) -> list[bytes]:
        return entries[:-1]

    def of_before(question: Question, entries: list[bytes]) -> list[bytes]:
        table = network.branch.tables[old[1]]
        if isinstance(question, EntryQuestion):
            found = table.get(question.key)
            return [] if found is None else [found]
        if isinstance(question, PathQuestion):
            return [one[::-1] for one in entries]
        return entries

    for lie in (altered, left_out, of_before):
        box = network.boxes[2]
        box.start()
        box.join(network.genesis, 2)
        box.lie = lie
        block = Block(Height(network.branch.top + 1), network.clock(), (raw,))
        with refused("START_OVER"):
            box.begin(network.branch.place(), network.branch)
            box.execute(block.encode())
        with refused("START_OVER"):
            box.execute(block.encode())
        box.lie = None


@pytest.mark.parametrize("posted", [False, True])
def test_an_old_disk_answers_nothing(network: Network, tmp_path: Path, posted: bool) -> None:
    """A start on a disk from before a pause, shown the ledger of then, gives no share."""
    scenario = network.scenario()
    network.mute = True
    twin = copy_of(network, 4, tmp_path / "old")
    twin.begin(network.branch.place(), network.branch)
    sessions = [raw for raw in network.said if NodeMessage.decode(raw).kind is Kind.SESSION]
    assert len(sessions) == 1
    network.said.clear()
    network.mute = False
    before = network.branch.certified
    if posted:
        network.send(sessions[0])
    key = network.bind(scenario)
    assert scenario.send(OWNER, "pause", scenario.wallet).status == 1
    assert scenario.send(OWNER, "revoke", scenario.wallet, AGENT.address).status == 1
    # The host of the twin shows it everything up to the binding, and nothing of the pause.
    bound = network.height_of(key)
    for height in range(before + 1, bound + 1):
        ballot = twin.execute(network.branch.blocks[Height(height)])
        assert ballot.hash == network.branch.headers[Height(height)].hash
        assert not ballot.share or posted
        twin.certify(Height(height), network.branch.proofs[Height(height)])
    (answer,) = twin.answer(key)
    # It holds nothing of what was dealt to the start before it.
    assert answer.code == "NOT_HELD"
    for box in network.awake:
        assert box.answer(key)[0].code in ("NOT_BOUND", "NOT_HELD")


def test_of_two_starts_on_one_disk_only_the_one_that_the_ledger_names_goes_on(
    network: Network, tmp_path: Path
) -> None:
    scenario = network.scenario()
    network.mute = True
    twin = copy_of(network, 2, tmp_path / "twin")
    twin.begin(network.branch.place(), network.branch)
    raw = network.said.pop()
    network.mute = False
    network.send(raw)
    # The one before has executed the block that names the other: it is over.
    assert network.boxes[2].lost
    key = network.bind(scenario)
    assert sorted(network.answers[key]) == [1, 3, 4]
    with refused("START_OVER"):
        network.boxes[2].answer(key)
    # The twin follows, and signs what comes after the certificate of the block that names it.
    network.withheld.add(4)
    network.boxes[2] = twin
    network.vote()
    key = network.bind(scenario, 6)
    assert network.branch.certified == network.branch.top
    assert 2 in network.answers[key]
