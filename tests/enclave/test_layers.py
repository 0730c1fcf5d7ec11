"""What blocks have written lies over what the host has, until it has it too."""

from keymoot.base.units import Height
from keymoot.enclave.layers import ENTRY_BYTES, MAX_UNASKED_BLOCKS, Layers
from keymoot.store.nodes import LEAF, encode_node
from keymoot.store.table import PathTable

LEAF_NODE = encode_node((LEAF, b"\1\2\3", b"value" * 9))


class Host:
    """Says at which height it was asked."""

    def __init__(self) -> None:
        self.has = Height(5)
        self.asked = 0

    def newest(self) -> Height:
        self.asked += 1
        return self.has

    def table(self, height: Height) -> PathTable:
        return At(height)


class At(PathTable):
    def __init__(self, height: Height) -> None:
        self.height = height

    def get(self, key: bytes) -> bytes | None:
        return b"host at %d" % self.height

    def path(self, prefix: bytes, nibbles: bytes, start: int) -> list[bytes]:
        return [b"host at %d from %d" % (self.height, start)]


def layered() -> tuple[Layers, Host]:
    host = Host()
    layers = Layers(Height(5), host)
    layers.add(Height(6), {b"a": b"6", b"b": b"6", b"t": LEAF_NODE})
    layers.add(Height(7), {b"a": b"7", b"t": None})
    layers.add(Height(8), {b"b": None})
    return layers, host


def seen(layers: Layers) -> list[list[bytes | None]]:
    return [[layers.table(Height(at)).get(key) for key in (b"a", b"b", b"c")] for at in range(4, 9)]


def test_each_height_sees_its_own() -> None:
    layers, _ = layered()
    assert seen(layers) == [
        [b"host at 4"] * 3,
        [b"host at 5"] * 3,
        [b"6", b"6", b"host at 5"],
        [b"7", b"6", b"host at 5"],
        [b"7", None, b"host at 5"],
    ]


def test_the_base_moves_to_what_is_certified_and_on_disk() -> None:
    layers, host = layered()
    for has, certified, base in [(5, 7, 5), (6, 7, 6), (2, 8, 6), (99, 7, 7), (99, 8, 8)]:
        host.has = Height(has)
        layers.certify(Height(certified))
        layers.settle()
        assert layers.base == base
        assert len(layers) == 8 - base


def test_a_height_that_moved_below_the_base_is_the_hosts() -> None:
    layers, host = layered()
    host.has = Height(7)
    table = layers.table(Height(6))
    assert table.get(b"a") == b"6"
    layers.certify(Height(7))
    layers.settle()
    assert table.get(b"a") == b"host at 6"
    assert layers.table(Height(8)).get(b"a") == b"host at 7"
    assert layers.table(Height(8)).get(b"b") is None


def test_the_host_is_asked_once_for_each_certificate_and_only_before_a_read() -> None:
    layers, host = layered()
    host.has = Height(8)
    layers.certify(Height(6))
    layers.certify(Height(7))
    assert (host.asked, layers.base) == (0, 5)
    table = layers.table(Height(8))
    assert table.get(b"a") == b"7"
    assert host.asked == 0
    assert table.get(b"c") == table.get(b"d") == b"host at 7"
    assert (host.asked, layers.base) == (1, 7)


def test_the_host_is_asked_when_much_has_come_together() -> None:
    layers, host = layered()
    for height in range(9, 9 + MAX_UNASKED_BLOCKS):
        layers.add(Height(height), {})
        layers.certify(Height(height))
    host.has = Height(5 + MAX_UNASKED_BLOCKS)
    assert host.asked == 3
    layers.certify(Height(height))
    assert layers.base == host.has


def test_what_was_written_is_forgotten_whole() -> None:
    layers, host = layered()
    host.has = Height(8)
    assert layers.size_bytes == 6 * (ENTRY_BYTES + 1) + 3 + len(LEAF_NODE)
    layers.certify(Height(8))
    layers.settle()
    assert layers.size_bytes == len(layers) == len(layers._writes) == 0


def test_a_path_ends_where_a_block_removed_it() -> None:
    layers, _ = layered()
    assert layers.table(Height(6)).path(b"t", b"\1\2\3", 0) == [LEAF_NODE]
    assert layers.table(Height(7)).path(b"t", b"\1\2\3", 0) == []
    assert layers.table(Height(5)).path(b"t", b"\1\2\3", 2) == [b"host at 5 from 2"]
