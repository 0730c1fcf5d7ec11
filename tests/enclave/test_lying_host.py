"""A host that lies to one enclave: its start ends and says why, or refuses; the others go on.

What it says in the end names what did not fit, and no byte of any secret; nothing that a
certificate would have released leaves it, before or after.
"""

import pytest

from keymoot.base import rlp
from keymoot.base.units import Height
from keymoot.enclave.channel import EnclaveRefused
from keymoot.engine.reads import answer
from keymoot.runtime.disclosure import Disclosure
from keymoot.store.questions import NewestQuestion, PathQuestion
from tests.enclave.scene import Scene, at, flipped, is_over, missing
from tests.enclave.shares import refused
from tests.examples import some


def spoiled(_, entries):
    return [bytes((entries[-1][0] ^ 1,)) + entries[-1][1:], *entries[1:]] if entries else entries


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


@pytest.mark.parametrize(
    ("lie", "number"),
    some([(lie, number) for number in (0, 1, 3, 7) for lie in LIES], 2 * len(LIES)),
    ids=lambda one: getattr(one, "__name__", one),
)
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
    (given,) = honest.certify(scene.height, scene.proof, Disclosure.DIGESTS).answers
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
