"""What a client saw of its network outlives its process, and nothing left behind is believed."""

import copy
import json
import os
import warnings
from pathlib import Path
from typing import cast

import pytest

from keymoot.agent import seen as seen_module
from keymoot.agent.errors import LeftBehind, SeenUnusable, Unproven
from keymoot.agent.identity import NetworkIdentity
from keymoot.agent.network import Network
from keymoot.agent.proven_state import ProvenState
from keymoot.agent.seen import NotRemembered, Seen, beside, forget
from keymoot.agent.transport import Transport
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import ChainId, Wei
from keymoot.cli.main import app
from keymoot.committee.attestation import Attestation
from keymoot.store.header import Header
from tests.agent.test_proven_state import NEXT, Node
from tests.proof.world import World

OTHER_NETWORK = NetworkId(b"o" * 32)


@pytest.fixture
def node() -> Node:
    world = World()
    world.run(range(3))
    return Node(world)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return beside(tmp_path / "agent.json")


def client(node: Node, path: Path, *, pinned: bool = True) -> ProvenState:
    """Give what a process that was just started makes."""
    world = node.world
    key = world.verifying_key if pinned else None
    return ProvenState(world.network, key, Seen(path, world.network))


def renewed(proven: ProvenState, node: Node) -> int:
    return proven.renewed(cast("Transport", node), 1).header.height


def headers(path: Path) -> Header:
    return Header.decode(bytes.fromhex(json.loads(path.read_text())["header"][2:]))


def left_behind(node: Node) -> Node:
    """Give the network as it was recovered from before its newest block."""
    other = node.world.branch(2)
    other.block(NEXT)
    other.block()
    return Node(other)


@pytest.mark.parametrize("pinned", [True, False])
def test_a_restarted_client_is_not_shown_what_a_recovery_left_behind(
    node: Node, path: Path, pinned: bool
) -> None:
    assert renewed(client(node, path, pinned=pinned), node) == 3
    seen = node.world.blocks[2]
    with pytest.raises(LeftBehind) as caught:
        renewed(client(node, path, pinned=pinned), left_behind(node))
    told = str(caught.value)
    assert f"block 3 ({seen.hash.hex0x})" in told
    assert "recovered from before that block" in told
    assert f"keymoot net accept-recovery {path}" in told
    assert (caught.value.height, caught.value.name) == (seen.height, seen.hash)
    # Refusing changes nothing: the true network is still believed, by the next process too.
    assert headers(path) == seen
    assert renewed(client(node, path, pinned=pinned), node) == 3


def test_nor_a_block_of_the_same_height_beside_it(node: Node, path: Path) -> None:
    renewed(client(node, path), node)
    other = node.world.branch(2)
    other.block(NEXT)
    with pytest.raises(LeftBehind, match="a recovery has left behind"):
        renewed(client(node, path), Node(other))


def test_nor_an_old_state(node: Node, path: Path) -> None:
    renewed(client(node, path), node)
    with pytest.raises(Unproven, match="this node is behind"):
        renewed(client(node, path), Node(node.world.branch(2)))


def test_a_recovery_that_builds_on_it_is_followed_after_a_restart(node: Node, path: Path) -> None:
    renewed(client(node, path), node)
    node.world.block(NEXT)
    node.world.block()
    assert renewed(client(node, path), node) == 5
    assert headers(path) == node.world.blocks[4]


def test_once_the_file_is_gone_the_recovery_is_accepted(node: Node, path: Path) -> None:
    renewed(client(node, path), node)
    path.unlink()
    other = left_behind(node)
    assert renewed(client(other, path), other) == 4
    node.world.block()
    node.world.block()
    with pytest.raises(LeftBehind):
        renewed(client(node, path), node)


def test_it_is_written_at_most_once_a_second_and_when_it_is_closed(
    node: Node, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(seen_module.time, "monotonic", lambda: now)
    proven = client(node, path)
    renewed(proven, node)
    first = node.world.blocks[2]
    assert headers(path) == first
    node.world.block()
    renewed(proven, node)
    assert headers(path) == first
    now += seen_module.WRITE_SECONDS
    node.world.block()
    renewed(proven, node)
    assert headers(path) == node.world.blocks[4]
    node.world.block()
    renewed(proven, node)
    proven.close()
    assert headers(path) == node.world.blocks[5]
    # What a recovery begins is not waited with.
    node.world.block(NEXT)
    renewed(proven, node)
    assert headers(path) == node.world.blocks[6]


def test_of_two_processes_the_one_that_saw_less_takes_nothing_back(node: Node, path: Path) -> None:
    one, two = client(node, path), client(node, path)
    renewed(one, node)
    node.world.block()
    renewed(two, Node(node.world.branch(3)))
    renewed(one, node)
    one.close()
    node.world.block()
    assert headers(path) == node.world.blocks[3]
    two._seen._open = True
    two.close()
    assert headers(path) == node.world.blocks[3]


def test_only_its_owner_reads_it_and_nothing_else_is_left(node: Node, path: Path) -> None:
    renewed(client(node, path), node)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["agent.json.seen"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"version":1}',
        b'{"header":"0x","network":"0x","version":1}',
        b'{"header":"0xc0","network":"0x' + b"6f" * 32 + b'","version":1}',
        b'{"header":"0x","network":"0x' + b"6f" * 32 + b'","version":2}',
        b" " * 5_000,
    ],
)
def test_a_damaged_file_is_a_clear_error_and_stays(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(SeenUnusable, match="put back the one that was there, or remove it"):
        Seen(path, OTHER_NETWORK)
    assert path.read_bytes() == content


def test_another_networks_file_is_not_taken(node: Node, path: Path) -> None:
    renewed(client(node, path), node)
    with pytest.raises(SeenUnusable, match="it is of network"):
        Seen(path, OTHER_NETWORK)


def test_where_it_cannot_be_written_a_warning_says_so_once(
    node: Node, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(seen_module, "_replace", read_only)
    proven = client(node, path)
    with pytest.warns(NotRemembered, match="in this process only"):
        assert renewed(proven, node) == 3
    node.world.block(NEXT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert renewed(proven, node) == 4
    with pytest.raises(LeftBehind):
        renewed(proven, left_behind(node))
    assert not path.exists()


def test_what_is_no_header_of_the_chain_is_asked_for_by_its_hash(node: Node, path: Path) -> None:
    renewed(client(node, path), node)
    node.world.block(Hash32(b"z" * 32))
    node.asked.clear()
    renewed(client(node, path), node)
    assert node.asked == ["keymoot_committee", "keymoot_follow", "keymoot_committee"]


def test_a_recovery_is_accepted_on_purpose_by_the_command_that_the_error_names(
    node: Node, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    renewed(client(node, path), node)
    other = left_behind(node)
    with pytest.raises(LeftBehind) as caught:
        renewed(client(node, path), other)
    command = str(caught.value).partition("run `keymoot ")[2].partition("`")[0]
    with pytest.raises(SystemExit) as ended:
        app(command.split())
    assert not ended.value.code
    assert "forgot block 3 of " in capsys.readouterr().out
    assert renewed(client(node, path), other) == 4
    # Nothing else is removed by it.
    kept = path.with_name("agent.json")
    kept.write_bytes(b"{}")
    for file in (kept, path.with_name("none")):
        with pytest.raises(SeenUnusable):
            forget(file)
    assert kept.exists()


def test_an_owners_network_remembers_by_its_id(node: Node, tmp_path: Path) -> None:
    network = Network("http://127.0.0.1:1", seen=tmp_path / "seen")
    network._identity = NetworkIdentity(
        node.world.network, ChainId(1), Wei(1), simulated=True, attestation=Attestation()
    )
    network.nodes._line = (cast("Transport", node),)
    assert network.committee().header.height == 3
    (file,) = (tmp_path / "seen").iterdir()
    assert file.name == f"{node.world.network.hex()}.seen"
    again = copy.copy(Network("http://127.0.0.1:1", seen=tmp_path / "seen"))
    again._identity = network._identity
    again.nodes._line = (cast("Transport", left_behind(node)),)
    with pytest.raises(LeftBehind):
        again.committee()
