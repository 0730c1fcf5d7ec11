"""The state secret's version is raised when somebody who had it has left.

Whoever has left keeps all that it had, here: its disk as it was, and every block and state of a
host that goes on. It opens what was written while it sat, and nothing that is written later.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.base.errors import Defect
from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.committee.messages import Kind, NodeMessage, is_message
from keymoot.committee.signers import settled
from keymoot.contracts.builtin.vault import Vault
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.crypto.keccak import keccak256
from keymoot.enclave import messages
from keymoot.enclave.sealed_state import MAX_STATES, SealedState
from keymoot.runtime.block import Block, NetworkConstants
from keymoot.runtime.committee_pages import version_of
from keymoot.store.confidential import ConfidentialStore
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys
from keymoot.store.meter import FreeMeter
from tests.enclave.box import Box
from tests.enclave.network import Network
from tests.enclave.recorded import Recorded, Replay
from tests.enclave.test_changes import arrive, ask_members, change, more_blocks, signers
from tests.examples import some
from tests.runtime.people import OWNER, RECOVERY, Scenario

pytestmark = pytest.mark.long


def born(scenario: Scenario, name: bytes) -> Bytes32:
    """Have Vault make a key; give the cell that it lies in."""
    made = scenario.send(OWNER, "createInVault", name.ljust(32, b"."), RECOVERY, value=10**18)
    assert made.status == 1, made.error
    return Bytes32(keccak256(Wallets.ADDRESS + made.output[:32]))


def opened(network: Network, keys: StateKeys, cell: Bytes32) -> bytes:
    """Open a cell of Vault in the newest certified state, with what somebody has."""
    state = network.state()
    now = keys.at(version_of(state))
    store = ConfidentialStore(Journal(state), Vault.ADDRESS, now, None, FreeMeter())
    return bytes(Vault.keys.get(store, cell))


def had(box: Box) -> StateKeys:
    """Give all state secrets that an enclave has sealed."""
    keys = StateKeys(None, box.enclave.start.keys.network)
    for name, secret in box.enclave.sealed.now.states:
        keys.take(secret, name)
    return keys


def newest(box: Box) -> StateKeys:
    """Give the newest one alone."""
    keys = StateKeys(None, box.enclave.start.keys.network)
    name, secret = box.enclave.sealed.now.states[-1]
    keys.take(secret, name)
    return keys


def version(network: Network) -> int:
    return network.machine.state_key.status.version


def test_who_has_left_opens_nothing_that_is_written_after_the_switch(network: Network) -> None:
    scenario = network.scenario()
    old = born(scenario, b"old")
    gone = had(network.boxes[2])
    before = opened(network, gone, old)
    change(network, [5], [2])
    more_blocks(network, 2)
    assert version(network) == 1
    new = born(scenario, b"new")
    # 1. What it had opens what it could open, and no more.
    assert opened(network, gone, old) == before
    with pytest.raises(Defect, match="before it is here"):
        opened(network, gone, new)
    # 2. Who stays, and who came, has a secret of which it knows nothing, and opens both.
    first = {secret.expose() for _, secret in network.boxes[1].enclave.sealed.now.states[:1]}
    for seat in (1, 3, 4, 5):
        keys = newest(network.boxes[seat])
        assert opened(network, keys, old) == before
        assert opened(network, keys, new) == opened(network, newest(network.boxes[1]), new)
        state = network.boxes[seat].enclave.sealed.now.state
        assert state is not None
        assert state.expose() not in first
    # 3. Its enclave executes no block any more, and started anew it gets nothing.
    assert network.boxes[2].lost
    late = network.restart(2)
    assert not late.began
    assert late.enclave.sealed.now.states == ()


def test_only_members_ask_for_it_and_only_new_shares_answer(network: Network) -> None:
    change(network, [5], [2])
    standing = network.machine.state_key.status
    assert standing.version == 1
    assert standing.told == {1, 3, 4, 5}
    assert not had(network.boxes[2]).holds(standing.name)


def test_starts_anew_of_all_kinds_go_on_under_the_newer_version(network: Network) -> None:
    scenario = network.scenario()
    old = born(scenario, b"old")
    change(network, [5], [2])
    new = born(scenario, b"new")
    assert version(network) == 1
    # 1. With its disk: a member, and who came.
    for seat in (3, 5):
        assert network.restart(seat).began
    # 2. Without a secret on its disk: it is given the newest, and nothing else.
    keep = network.boxes[4].enclave.sealed
    keep.put(replace(keep.now, states=()))
    network.restart(4)
    more_blocks(network, 1)
    box = network.boxes[4]
    assert box.began
    assert [name for name, _ in box.enclave.sealed.now.states] == [
        network.machine.state_key.status.name
    ]
    assert opened(network, had(box), old)
    assert opened(network, had(box), new)
    # 3. With the older one alone, as on a disk of before.
    keep = network.boxes[3].enclave.sealed
    keep.put(replace(keep.now, states=keep.now.states[:1]))
    network.restart(3)
    more_blocks(network, 2)
    assert signers(network, network.branch.certified) == {1, 3, 4, 5}


def test_it_is_raised_again_and_the_newest_opens_all(network: Network) -> None:
    scenario = network.scenario()
    cells = [born(scenario, b"0")]
    for number, seat in enumerate((2, 3), 1):
        change(network, [number + 4], [seat])
        assert version(network) == number
        cells.append(born(scenario, bytes([number])))
    alone = newest(network.boxes[6])
    assert len(network.boxes[6].enclave.sealed.now.states) < 3
    assert len({opened(network, alone, cell) for cell in cells}) == 3


def test_nothing_is_raised_when_nobody_leaves(network: Network) -> None:
    change(network, [5])
    more_blocks(network, 2)
    assert version(network) == 0
    assert network.machine.state_key.coming is None


def test_a_replay_from_the_genesis_comes_to_the_same_headers(network: Network) -> None:
    scenario = network.scenario()
    born(scenario, b"old")
    change(network, [5], [2])
    born(scenario, b"new")
    more_blocks(network, 1)
    branch, genesis = network.branch, network.genesis
    # What one member has leads to every secret before.
    now, one = version_of(network.state()), newest(network.boxes[5])
    names = [*(former.name for former in now.former), now.name]
    found = tuple((name, one.secret(now, at).expose()) for at, name in enumerate(names))
    heights = range(1, branch.certified + 1)
    recorded = Recorded(
        NetworkConstants(genesis.network, genesis.chain_id, genesis.base_fee),
        found,
        branch.tip(Height(0)),
        dict(branch.tables[Height(0)].items()),
        tuple(Block.decode(branch.blocks[Height(at)]) for at in heights),
        tuple(branch.headers[Height(at)].hash for at in heights),
        (4, 1),
    )
    assert tuple(Replay(recorded).hashes()) == recorded.hashes
    assert len({secret for _, secret in found}) == 2


def keeps(kind: Kind, seat: int | None, other: int | None = None) -> Callable[[bytes], bool]:
    """Keep messages of a kind back: those of one seat, or of all others."""

    def kept(raw: bytes) -> bool:
        if not is_message(raw):
            return False
        said = NodeMessage.decode(raw)
        return said.kind is kind and seat in (None, said.seat) and said.seat != other

    return kept


STEPS = {
    "unsettled": keeps(Kind.HELD, 3),
    "asking": keeps(Kind.STATE_ASK, 3),
    "answering": keeps(Kind.STATE_ANSWER, None, 3),
    "holding": keeps(Kind.STATE_HELD, 3),
    "raised": lambda _: False,
}


@pytest.mark.parametrize(
    ("step", "what"), some([(step, what) for what in ("one", "all") for step in STEPS], 4)
)
def test_starts_and_recoveries_at_every_step(network: Network, step: str, what: str) -> None:
    scenario = network.scenario()
    old = born(scenario, b"old")
    change(network, [5])
    gone = had(network.boxes[2])
    network.keeps = STEPS[step]
    change(network, [], [2])
    assert version(network) == (step == "raised")
    assert settled(network.machine) == (step != "unsettled")
    # While it is not raised, blocks are executed with the older secret, by members before too.
    middle = born(scenario, b"middle")
    assert bool(network.boxes[2].lost) == (step == "raised")
    network.keeps = lambda _: False
    if what == "one":
        network.restart(3)
    else:
        network.recover()
    # What was kept back comes late.
    network.said += network.kept
    network.settle()
    if 2 in network.machine.state.record.members:
        # All went back to the epoch before: it leaves once more.
        assert (step, what) == ("unsettled", "all")
        network.restart(2)
        now = version(network)
        change(network, [], [2])
        assert version(network) == now + 1
    more_blocks(network, 2)
    assert version(network) >= 1
    new = born(scenario, b"new")
    for seat in (1, 3, 4, 5):
        keys = newest(network.boxes[seat])
        assert len({opened(network, keys, cell) for cell in (old, middle, new)}) == 3
    with pytest.raises(Defect, match="before it is here"):
        opened(network, gone, new)
    assert signers(network, network.branch.certified) == {1, 3, 4, 5}


def test_a_recovery_from_before_the_switch_gathers_another_secret(
    network: Network, tmp_path: Path
) -> None:
    """Who stayed on one branch, and left on the other, knows only the one's secret."""
    scenario = network.scenario()
    change(network, [5])
    other = network.fork(tmp_path / "other")
    change(network, [], [2])
    assert version(network) == 1
    new = born(scenario, b"new")
    knows = had(network.boxes[3])
    assert opened(network, knows, new)
    other.recover()
    assert other.machine.state.record.members == (1, 2, 3, 4, 5)
    assert version(other) == 0
    change(other, [], [3])
    assert version(other) == 1
    scenario.chain = other  # type: ignore[assignment]
    cell = born(scenario, b"other")
    assert opened(other, had(other.boxes[2]), cell)
    with pytest.raises(Defect, match="before it is here"):
        opened(other, knows, cell)


def test_a_newcomer_that_was_dropped_is_shut_out_too(network: Network) -> None:
    scenario = network.scenario()
    one = arrive(network, 5)
    ask_members(network, messages.ADMIT, one.identity.identity_key)
    knows = had(one)
    assert 5 in network.machine.state_key.status.holders
    network.recover()
    more_blocks(network, 2)
    assert version(network) == 1
    new = born(scenario, b"new")
    with pytest.raises(Defect, match="before it is here"):
        opened(network, knows, new)


def test_a_keep_holds_the_newest_and_the_present_secret() -> None:
    keep = SealedState(Secret(b"i" * 32), (), Secret(b"e" * 32), Secret(b"n" * 32), None)
    names = [Bytes32(bytes([at]) * 32) for at in range(MAX_STATES + 8)]
    for name in names:
        keep = keep.holding(name, Secret(bytes(name)), names[2])
    kept = [name for name, _ in keep.states]
    assert kept == [names[2], *names[-MAX_STATES + 1 :]]
