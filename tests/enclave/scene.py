"""An enclave that has yet to execute the block that bound a request, before a host that lies."""

from dataclasses import dataclass

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.enclave import messages
from keymoot.enclave.replica import CACHED_BLOB_BYTES, CACHED_NODES
from keymoot.runtime.disclosure import Disclosure
from keymoot.store.blobs import BlobCache
from keymoot.store.trie import NodeCache
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


def before(network: Network, key: Hash32) -> Box:
    """Show enclave 2 all blocks below the one that bound a request."""
    box, branch = network.boxes[2], network.branch
    while box.next < network.height_of(key):
        box.execute(branch.blocks[box.next])
        if box.next in branch.proofs:
            box.certify(box.next, branch.proofs[box.next], Disclosure.NOTHING)
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
    participant = box.enclave.start.participant
    assert not participant.presign._presignatures
    assert not participant.nonces._held
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


def flipped(_, entries):
    if not entries:
        return entries
    return [*entries[:-1], entries[-1][:-1] + bytes((entries[-1][-1] ^ 1,))]


def missing(_, entries):
    return []
