"""Frames that are almost right, and reads that were right for something else: from seeds.

A host has every frame of the protocol, for every block. Here it sends them cut, doubled, out of
order, with huge numbers and with parts of others in them; and answers reads with what it gave
for other heights and keys. Whatever comes: the process goes on, nothing leaves without its
certificate, and a start that is not over still gives the same hashes, shares and answers.
"""

from dataclasses import dataclass, field
from random import Random

import pytest

from keymoot.base import rlp
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.enclave import frames, messages
from keymoot.enclave.frames import ReleasedFrame
from keymoot.enclave.process import respond
from keymoot.enclave.replica import CACHED_BLOB_BYTES, CACHED_NODES
from keymoot.runtime.block import Block
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.vote import Vote
from keymoot.store.blobs import BlobCache
from keymoot.store.trie import NodeCache
from tests.enclave.box import Box
from tests.enclave.copies import clone, copied
from tests.enclave.network import Network

Frame = tuple[str, rlp.Item]

NUMBERS = [0, 1, 2**31, 2**32, 2**63, 2**64 - 1, 2**64, 2**256]

WORDS = [
    *(messages.JOIN, messages.ENDORSE, messages.PULSE, messages.TURN, messages.ADMIT),
    *(messages.PART, messages.HELLO, frames.BEGIN, frames.WATCH, frames.EXECUTE),
    *(frames.CERTIFY, frames.OUTCOME, frames.ANSWER),
]


@dataclass
class Scene:
    """A request in a block that enclave 2 has not executed yet, and all frames that follow."""

    network: Network
    key: Hash32
    first: Height
    box: Box
    frames: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        branch = self.network.branch
        for height in range(self.first, branch.top + 1):
            at = Height(height)
            self.frames.append((frames.EXECUTE, branch.blocks[at]))
            item = frames.CertifyFrame(at, branch.proofs[at], Disclosure.OUTCOMES, False).item()
            self.frames.append((frames.CERTIFY, item))
            self.frames.append((frames.OUTCOME, frames.OutcomeFrame(at, Disclosure.DIGESTS).item()))
        self.frames.append((frames.ANSWER, frames.RequestsFrame((self.key,)).item()))
        header = branch.headers[branch.certified]
        sessions = {2: self.box.identity.session}
        terms = RecoveryOrder(
            self.network.genesis.network, header.generation, header.height, header.hash, sessions
        )
        self.frames.append((messages.ENDORSE, SignedRecoveryOrder(terms, {}).encode()))
        place = branch.place()
        self.others = [
            *self.frames,
            (frames.BEGIN, frames.BeginFrame(place).item()),
            (frames.WATCH, frames.WatchFrame(place, {b"k": b"v"}).item()),
            (messages.JOIN, messages.JoinFrame(self.network.genesis.encode(), 2).item()),
        ]

    def name(self, height: int) -> Hash32:
        return self.network.branch.headers[Height(height)].hash


@pytest.fixture(scope="module")
def scene(founded: Network, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    network = copied(founded, tmp_path_factory.mktemp("altered") / "network")
    scenario = network.scenario()
    network.withheld = {2}
    first = Height(network.branch.certified + 1)
    key = network.bind(scenario)
    network.bind(scenario, 6)
    box = network.boxes[2]
    while box.next < first:
        box.execute(network.branch.blocks[box.next])
        if box.next in network.branch.proofs:
            box.certify(box.next, network.branch.proofs[box.next], Disclosure.NOTHING)
        box.next = Height(box.next + 1)
    return Scene(network, key, first, box)


class Talk:
    """One start, whose every answer is looked at."""

    def __init__(self, scene: Scene, box: Box) -> None:
        self.scene, self.box = scene, box
        self.over, self.astray = False, 0
        self.covered = Height(scene.first - 1)
        self.given: bytes = b""
        self.refused = 0

    def send(self, word: str, body: rlp.Item) -> bool:
        return self.take(word, messages.frame(7, word, body)[messages.LENGTH_BYTES :])

    def take(self, word: str, payload: bytes) -> bool:
        """Send a payload; check what comes back; tell whether it was well."""
        raw = respond(self.box.enclave, payload)
        assert int.from_bytes(raw[: messages.LENGTH_BYTES], "big") == len(raw) - 4
        _, code, content = messages.parse(raw[messages.LENGTH_BYTES :])
        if code != messages.OK:
            self.refused += 1
            self.over |= code == "START_OVER"
            return False
        assert not self.over
        self._look(messages.parse(payload)[1], payload, content)
        return True

    def _look(self, word: str, payload: bytes, content: rlp.Decoded) -> None:
        _, _, body = messages.parse(payload)
        if word == frames.EXECUTE:
            ballot = Vote.of_item(content)
            if ballot.hash not in [one.hash for one in self.scene.network.branch.headers.values()]:
                # Another block, well formed: this start goes its own way from here.
                self.astray = self.astray or Block.decode(bytes(body)).height
        elif word == frames.CERTIFY:
            shown = frames.CertifyFrame.of_item(body)
            assert shown.proof == self.scene.network.branch.proofs[shown.height]
            assert not self.astray or shown.height < self.astray
            self.covered = max(self.covered, shown.height)
            for one in ReleasedFrame.of_item(content).answers:
                self._answer(one.sealed)
        elif word == frames.OUTCOME:
            assert frames.OutcomeFrame.of_item(body).height <= self.covered
        elif word == frames.ANSWER:
            for one in messages.AnswersFrame.of_item(content).answers:
                self._answer(one.sealed)

    def _answer(self, sealed: bytes) -> None:
        assert not sealed or self.covered >= self.scene.first

    def end(self) -> None:
        """Send all that is right; a start that is not over does what it should."""
        for word, body in self.scene.frames:
            self.send(word, body)
        if self.over or self.astray:
            return
        assert self.covered == self.scene.network.branch.certified


def altered(random: Random, scene: Scene) -> tuple[str, bytes]:
    """Give the payload of a frame that is almost right."""
    word, body = random.choice(scene.others)
    way = random.randrange(6)
    if way == 0:
        body = _changed(random, scene, body)
    elif way == 1:
        word = random.choice(WORDS)
    payload = messages.frame(random.choice(NUMBERS[:6]), word, body)[messages.LENGTH_BYTES :]
    if way == 2:
        payload = payload[: random.randrange(len(payload))]
    elif way == 3:
        at = random.randrange(len(payload))
        payload = payload[:at] + bytes((random.randrange(256),)) + payload[at + 1 :]
    elif way == 4:
        payload = payload + random.choice((payload, b"\x00", b"\xff" * 9, b"\xc0"))
    return word, payload


def _changed(random: Random, scene: Scene, body: rlp.Item) -> rlp.Item:
    """Change one part of a body: a huge number, another frame's part, one too many or too few."""
    if isinstance(body, bytes):
        other = random.choice(scene.others)[1]
        return random.choice((b"", body[:-1], body + b"\0", other, [body], body[::-1]))
    parts = list(body)
    if not parts:
        return [b""]
    at = random.randrange(len(parts))
    way = random.randrange(5)
    if way == 0:
        number = random.choice(NUMBERS)
        parts[at] = number.to_bytes((number.bit_length() + 7) // 8, "big")
    elif way == 1:
        del parts[at]
    elif way == 2:
        parts.insert(at, parts[at])
    elif way == 3:
        parts[at] = _changed(random, scene, parts[at])
    else:
        other = random.choice(scene.others)[1]
        parts[at] = random.choice(list(other)) if isinstance(other, list) and other else other
    return parts


def one_run(scene: Scene, folder, seed: int, count: int) -> Talk:
    random = Random(seed)
    box = clone(scene.box, folder)
    box.branch = scene.network.branch.copy()
    talk = Talk(scene, box)
    script = list(scene.frames)
    if random.random() < 0.5:
        # Some of what is right comes in between, in its order.
        script = script[: random.randrange(len(script))]
    gaps = sorted(random.randrange(count) for _ in script)
    for number in range(count):
        while gaps and gaps[0] <= number and random.random() < 0.3:
            gaps.pop(0)
            talk.send(*script.pop(0))
        talk.take(*altered(random, scene))
    talk.end()
    return talk


SEEDS, FRAMES = 8, 120


def test_frames_that_are_almost_right(scene: Scene, tmp_path) -> None:
    runs = [one_run(scene, tmp_path / str(seed), seed, FRAMES) for seed in range(SEEDS)]
    assert sum(one.refused for one in runs) > SEEDS * FRAMES // 2
    assert any(not one.over and not one.astray for one in runs)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(100, 2_100, 100))
def test_very_many_frames_that_are_almost_right(scene: Scene, tmp_path, first: int) -> None:
    for seed in range(first, first + 100):
        one_run(scene, tmp_path / str(seed), seed, FRAMES)


# -- reads


class Liar:
    """Answers reads honestly, and now and then with what was right for something else."""

    def __init__(self, random: Random, odds: float) -> None:
        self.random, self.odds, self.told = random, odds, 0
        self.seen: list[list[bytes]] = [[], [b""]]

    def __call__(self, question, entries):
        del question
        lie = list(entries)
        if self.random.random() < self.odds:
            self.told += 1
            lie = self.random.choice(
                (
                    self.random.choice(self.seen),
                    entries[:-1],
                    entries[::-1],
                    [*entries, *entries],
                    [one[:-1] for one in entries],
                    self.random.choice(self.seen) + list(entries),
                )
            )
        self.seen.append(list(entries))
        return lie


def lied_to(scene: Scene, folder, seed: int) -> tuple[Talk, Liar]:
    random = Random(seed)
    box = clone(scene.box, folder)
    replica = box.enclave.start._course._replica
    replica._nodes, replica._blobs = NodeCache(CACHED_NODES), BlobCache(CACHED_BLOB_BYTES)
    box.branch = scene.network.branch.copy()
    # Nothing of its own lies over what the host says.
    replica._layers.settle()
    liar = Liar(random, random.choice((0.02, 0.1, 0.4)))
    box.lie = liar
    talk = Talk(scene, box)
    talk.end()
    # Whatever it was told: a hash is the right one, or there is none.
    assert not talk.astray
    return talk, liar


def test_reads_that_were_right_for_something_else(scene: Scene, tmp_path) -> None:
    runs = [lied_to(scene, tmp_path / str(seed), seed) for seed in range(24)]
    assert sum(liar.told for _, liar in runs) > 12
    assert any(talk.over for talk, _ in runs)
    assert any(not talk.over for talk, _ in runs)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(100, 3_100, 100))
def test_very_many_reads_that_were_right_for_something_else(
    scene: Scene, tmp_path, first: int
) -> None:
    for seed in range(first, first + 100):
        lied_to(scene, tmp_path / str(seed), seed)
