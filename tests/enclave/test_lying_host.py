"""A host that lies to one enclave: its start ends and says why, or refuses; the others go on.

What it says in the end names what did not fit, and no byte of any secret; nothing that a
certificate would have released leaves it, before or after.
"""

import re
from dataclasses import dataclass

import pytest

from keymoot.base import rlp
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.enclave import messages
from keymoot.enclave.client import EnclaveRefused
from keymoot.enclave.frames import Want
from keymoot.enclave.replica import CACHED_BLOB_BYTES, CACHED_NODES
from keymoot.engine.reads import answer
from keymoot.moot.certified import certificate_message
from keymoot.moot.roots import CERTIFICATE
from keymoot.runtime.block import Block
from keymoot.store.blobs import BlobCache
from keymoot.store.questions import NewestQuestion, PathQuestion
from keymoot.store.trie import NodeCache
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.polynomial import interpolate_points
from tests.enclave.box import Box, Lie
from tests.enclave.copies import clone
from tests.enclave.network import Network
from tests.enclave.shares import combined, refused, shares_of


@dataclass
class Scene:
    """A request in a block that enclave 2 has not executed yet; nothing is in its caches."""

    network: Network
    key: Hash32
    height: Height
    box: Box

    @property
    def block(self) -> bytes:
        return self.network.branch.blocks[self.height]

    @property
    def proof(self) -> bytes:
        return self.network.branch.proofs[self.height]

    def cloned(self, folder) -> Box:
        """Give enclave 2 once more, as it stands before the block."""
        made = clone(self.box, folder)
        replica = made.enclave.start._course._replica
        replica._nodes, replica._blobs = NodeCache(CACHED_NODES), BlobCache(CACHED_BLOB_BYTES)
        made.branch = self.network.branch.copy()
        # Nothing of its own lies over what the host says.
        replica._layers.settle()
        assert replica._layers.base == self.height - 1
        return made

    def others_go_on(self) -> None:
        """Check that the others answer, and that the network takes blocks without it."""
        assert combined(self.network, self.key, shares_of(self.network, self.key, (1, 3)))
        self.network.order([])
        assert not self.network.stands_still


@pytest.fixture
def scene(network: Network) -> Scene:
    play = network.play()
    network.withheld = {2}
    key = network.bind(play)
    return Scene(network, key, network.height_of(key), before(network, key))


def before(network: Network, key: Hash32) -> Box:
    """Show enclave 2 all blocks below the one that bound a request."""
    box, branch = network.boxes[2], network.branch
    while box.next < network.height_of(key):
        box.execute(branch.blocks[box.next])
        if box.next in branch.proofs:
            box.certify(box.next, branch.proofs[box.next], Want.NOTHING)
        box.next = Height(box.next + 1)
    return box


def is_over(box: Box, scene: Scene) -> str:
    """Check that a start is over and releases nothing; give what it says."""
    for word, body in (
        ("certify", [bytes((scene.height,)), scene.proof, b"\x02"]),
        ("outcome", [bytes((scene.height,)), b"\x02"]),
        ("answer", [scene.key]),
        ("execute", scene.block),
        (messages.PULSE, b""),
    ):
        with refused("START_OVER"):
            box.ask(word, body)
    party = box.enclave.start.party
    assert not party.presigner._presignatures
    assert not party.committer._held
    return box.lost


def at(number: int, lie: Lie) -> Lie:
    """Lie at the first question from a number on that the lie changes; else be honest."""
    asked, done = [0], [False]

    def answered(question, entries):
        asked[0] += 1
        if done[0] or asked[0] <= number:
            return entries
        told = lie(question, entries)
        done[0] = told != entries
        return told

    return answered


def spoiled(_, entries):
    return [bytes((entries[-1][0] ^ 1,)) + entries[-1][1:], *entries[1:]] if entries else entries


def flipped(_, entries):
    if not entries:
        return entries
    return [*entries[:-1], entries[-1][:-1] + bytes((entries[-1][-1] ^ 1,))]


def missing(_, entries):
    return []


def too_many(_, entries):
    return [*entries, *entries, b"x"] * 80


def no_list(_, entries):
    return b"\x00\x00\x00\x01\x05"


def too_long(_, entries):
    return b"\xff\xff\xff\xff"


def twice(_, entries):
    raw = rlp.encode(list(entries))
    frame = len(raw).to_bytes(4, "big") + raw
    return frame + frame


def gone(_, entries):
    return b""


LIES = [spoiled, flipped, missing, too_many, no_list, too_long, twice, gone]


@pytest.mark.parametrize("lie", LIES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("number", [0, 1, 3, 7])
def test_a_read_that_does_not_fit_ends_the_start(scene, tmp_path, lie, number):
    box = scene.cloned(tmp_path / "clone")
    box.lie = at(number, lie)
    with refused("START_OVER"):
        box.execute(scene.block)
    told = is_over(box, scene)
    assert "read" in told or "state" in told or "trie" in told, told
    # The same enclave with an honest host executes the block, and answers under its certificate.
    honest = scene.cloned(tmp_path / "honest")
    assert honest.execute(scene.block).share
    (given,) = honest.certify(scene.height, scene.proof, Want.DIGESTS).answers
    assert given.request == scene.key
    assert not given.code
    scene.others_go_on()


@pytest.mark.parametrize("back", [1, 3])
def test_an_old_table_is_no_answer(scene, tmp_path, back):
    box = scene.cloned(tmp_path / "clone")
    old = scene.network.branch.copy(Height(scene.height - 1 - back))

    def lie(question, entries):
        if isinstance(question, NewestQuestion):
            return entries
        height = Height(min(question.height, old.newest()))
        return answer(old, type(question)(height, *list(vars_of(question))[1:]))

    box.lie = lie
    with refused("START_OVER"):
        box.execute(scene.block)
    is_over(box, scene)
    scene.others_go_on()


def vars_of(question):
    return [getattr(question, name) for name in question.__slots__]


def test_a_batch_that_was_written_in_part_is_found(scene, tmp_path):
    """The host says that a block is on its disk, and a part of what it wrote is not."""
    found = 0
    keys = written(scene, Height(scene.height - 1))
    for place, key in enumerate(keys):
        box = scene.cloned(tmp_path / f"clone-{place}")
        older = box.branch.tables[Height(scene.height - 2)].get(key)
        table = box.branch.tables[Height(scene.height - 1)]
        table = box.branch.tables[Height(scene.height - 1)] = type(table)(dict(table.items()))
        table.apply({key: older})
        try:
            ballot = box.execute(scene.block)
        except EnclaveRefused:
            found += 1
            is_over(box, scene)
        else:
            # The block did not need it.
            assert ballot.hash == scene.network.branch.headers[scene.height].hash
    assert found
    scene.others_go_on()


def written(scene: Scene, height: Height) -> list[bytes]:
    tables = scene.network.branch.tables
    new, old = tables[height], tables[Height(height - 1)]
    changed = [key for key, value in new.items() if old.get(key) != value]
    # The root is always needed; of the others a few will do.
    return changed[:1] + changed[1 :: max(1, len(changed) // 6)]


def test_a_host_that_says_it_has_written_what_it_has_not_ends_the_start(scene, tmp_path):
    box = scene.cloned(tmp_path / "clone")
    box.branch = box.branch.copy(Height(scene.height - 3))
    box.branch.newest = lambda: Height(10**6)
    box.lie = lambda question, entries: (
        [b"\x0f\x42\x40"] if isinstance(question, NewestQuestion) else entries
    )
    with refused("START_OVER"):
        box.execute(scene.block)
    is_over(box, scene)
    scene.others_go_on()


def test_a_host_that_says_it_has_written_nothing_only_costs_memory(scene, tmp_path):
    box = scene.cloned(tmp_path / "clone")
    box.lie = lambda question, entries: [] if isinstance(question, NewestQuestion) else entries
    assert box.execute(scene.block).share
    assert not box.certify(scene.height, scene.proof).answers[0].code


def test_paths_may_come_in_pieces(scene, tmp_path):
    """A host may answer with less of a path than it has, as long as it leads on."""
    box = scene.cloned(tmp_path / "clone")
    box.lie = lambda question, entries: (
        entries[:1] if isinstance(question, PathQuestion) else entries
    )
    name = scene.network.branch.headers[scene.height].hash
    try:
        assert box.execute(scene.block).hash == name
    except EnclaveRefused:
        is_over(box, scene)
    scene.others_go_on()


# -- blocks


def test_blocks_out_of_order_are_refused_and_change_nothing(scene):
    box, branch = scene.box, scene.network.branch
    later = scene.network.order([])
    with refused("NOT_EXECUTED"):
        box.execute(branch.blocks[later])
    with refused("NOT_EXECUTED"):
        box.execute(Block(Height(10**6), UnixSeconds(2), ()).encode())
    with refused("NOT_EXECUTED", "NOT_CERTIFIED"):
        box.certify(scene.height, scene.proof)
    assert box.answer(scene.key)[0].code == "NOT_HELD"
    assert box.execute(scene.block).share
    assert not box.certify(scene.height, scene.proof).answers[0].code


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda block: (block.time - 10_000, block.transactions), "dated|time|before"),
        (lambda block: (10**15, block.transactions), "dated|time|year"),
        (lambda block: (block.time, block.transactions * 2), "twice"),
        (lambda block: (block.time, (*block.transactions, b"\x02\xc0")), "transaction"),
        (lambda block: (block.time, (b"",)), "transaction"),
    ],
    ids=["back", "far", "twice", "junk", "empty"],
)
def test_a_block_that_breaks_a_rule_ends_the_start(scene, tmp_path, change, why):
    box = scene.cloned(tmp_path / "clone")
    time, transactions = change(Block.decode(scene.block))
    bad = Block(scene.height, UnixSeconds(time), tuple(transactions)).encode()
    with refused("START_OVER"):
        box.execute(bad)
    assert re.search(why, is_over(box, scene)), box.lost
    scene.others_go_on()


def test_a_block_cut_short_is_no_block(scene):
    for cut in (1, 2, 40, len(scene.block) // 2, len(scene.block) - 1):
        with refused("MALFORMED"):
            scene.box.execute(scene.block[:-cut])
    assert scene.box.execute(scene.block).share


def test_the_same_transactions_at_another_time_get_no_certificate(scene, tmp_path):
    """Its start executes them; what the others certify is of another block."""
    box = scene.cloned(tmp_path / "clone")
    block = Block.decode(scene.block)
    other = Block(block.height, UnixSeconds(block.time + 1), block.transactions)
    ballot = box.execute(other.encode())
    assert ballot.hash != scene.network.branch.headers[scene.height].hash
    with refused("NOT_CERTIFIED"):
        box.certify(scene.height, scene.proof)
    with refused("ANOTHER_BLOCK"):
        box.execute(scene.block)
    assert box.answer(scene.key)[0].code == "NOT_HELD"
    with refused("REFUSED"):
        box.outcome(scene.height)
    scene.others_go_on()


# -- certificates


def forged(network: Network, height: Height, /, **changes) -> bytes:
    """Certify something else with the members' own shares, as only a test can."""
    header = network.branch.headers[height]
    fields = [network.genesis.network, header.generation, header.height, header.hash]
    for place, name in enumerate(("network", "generation", "height", "hash")):
        fields[place] = changes.get(name, fields[place])
    message = certificate_message(*fields)
    shares = {
        seat: bls.sign(
            network.boxes[seat].enclave.start.party.shares_in(network.assembly)[CERTIFICATE],
            message,
        )
        for seat in (1, 3, 4)
    }
    return G1.encode(interpolate_points(G1, shares))


@pytest.mark.parametrize("field", ["network", "generation", "height", "hash"])
def test_a_certificate_of_anything_else_releases_nothing(scene, field):
    network, box = scene.network, scene.box
    box.execute(scene.block)
    other = {
        "network": b"n" * 32,
        "generation": b"g" * 32,
        "height": Height(scene.height + 1),
        "hash": b"h" * 32,
    }
    # The forger's own work is right: with nothing changed it is the certificate.
    assert forged(network, scene.height) == scene.proof
    with refused("NOT_CERTIFIED"):
        box.certify(scene.height, forged(network, scene.height, **{field: other[field]}))
    assert box.answer(scene.key)[0].code == "NOT_HELD"
    with refused("REFUSED"):
        box.outcome(scene.height)
    assert not box.certify(scene.height, scene.proof).answers[0].code
    scene.others_go_on()


def test_a_foreign_networks_certificate_and_record_begin_nothing(scene, tmp_path):
    network = scene.network
    other = Network(tmp_path / "other").found()
    box = network.boxes[2]
    box.start()
    box.join(network.genesis, 2)
    place, foreign = network.branch.place(), other.branch.place()
    mixed = [
        type(place)(place.record, place.header, foreign.signature or b"\xc0" + bytes(47)),
        type(place)(place.record, foreign.header, place.signature),
        type(place)(place.record, foreign.header, foreign.signature),
        type(place)(foreign.record, place.header, place.signature),
        type(place)(place.record, place.header),
    ]
    for one in mixed:
        with refused("NOT_CERTIFIED", "NOT_FOUNDED", "REFUSED", "MALFORMED"):
            box.begin(one, network.branch)
    box.began = False
    assert network.enter(box)
    scene.others_go_on()


@pytest.mark.parametrize("lie", [flipped, missing], ids=lambda one: one.__name__)
def test_a_start_that_is_lied_to_where_it_begins_ends_and_the_next_one_does_not(scene, lie):
    network, box = scene.network, scene.network.boxes[2]
    box.start()
    box.join(network.genesis, 2)
    box.lie = at(0, lie)
    with refused("START_OVER"):
        box.begin(network.branch.place(), network.branch)
    said = [one for one in box.out if one[:1] == b"\x4e"]
    box.lie = None
    is_over(box, scene)
    assert [one for one in box.out if one[:1] == b"\x4e"] == said
    network.withheld = set()
    network.restart(2)
    assert network.assembly.hall.seat(2).boot == box.identity.boot
    assert box.ballots[network.order([])].share
