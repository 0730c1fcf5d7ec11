"""One enclave of a test's own process behind its real door, and the host that serves its reads."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fields import uint
from keymoot.base.fixed import Bytes32, Hash32, Measurement
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixNanos, UnixSeconds
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.genesis import Genesis
from keymoot.committee.task import SeatTask
from keymoot.enclave import frames, messages
from keymoot.enclave.answer import RequestAnswer
from keymoot.enclave.channel import EnclaveRefused
from keymoot.enclave.frames import CertifiedPlace, ReleasedFrame
from keymoot.enclave.messages import EnclaveGreeting
from keymoot.enclave.process import respond
from keymoot.enclave.remote import Remote
from keymoot.enclave.service import Enclave
from keymoot.enclave.simulated import SimulatedPlatform
from keymoot.enclave.worker import Report, Worker
from keymoot.engine.reads import answer
from keymoot.runtime.block import Tip
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.first_state import first_state
from keymoot.runtime.receipt import Receipt
from keymoot.runtime.vote import Vote
from keymoot.store.header import Header
from keymoot.store.questions import LENGTH_BYTES, Question, read_question
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from keymoot.threshold.rng import SEED_BYTES, SeededRng

CODE = Measurement(b"c" * 48)
START = UnixSeconds(1_800_000_000)

Lie = Callable[[Question, list[bytes]], list[bytes] | bytes]
"""Gives other entries, or a whole frame, for a question, whose honest answer it is handed."""


@contextmanager
def refused(*codes: str) -> Iterator[None]:
    """Expect that an enclave answers with one of these codes."""
    try:
        yield
    except EnclaveRefused as error:
        assert error.code in codes, f"{error.code}: {error}"
    else:
        raise AssertionError(f"expected one of {codes}")


class Clock:
    """The machine's clock, which only tests move."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> UnixSeconds:
        return UnixSeconds(self.now)


class Inline(Worker):
    """A worker that works at once."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def do(self, tasks: list[SeatTask]) -> None:
        for task in tasks:
            self._report(task, task.run(SeededRng(Secret(os.urandom(SEED_BYTES)))))


@dataclass
class Branch:
    """What one host has on its disk: blocks, what vouches for them, and the states after them."""

    genesis: Genesis
    blocks: dict[Height, bytes] = field(default_factory=dict)
    headers: dict[Height, Header] = field(default_factory=dict)
    receipts: dict[Height, tuple[Receipt, ...]] = field(default_factory=dict)
    proofs: dict[Height, bytes] = field(default_factory=dict)
    tables: dict[Height, MemoryTable] = field(default_factory=dict)
    record: FoundingRecord | None = None

    def __post_init__(self) -> None:
        if not self.tables:
            root, batch = first_state(self.genesis)
            self.tables[Height(0)] = MemoryTable()
            self.tables[Height(0)].apply(batch)
            self._first = Tip.of_genesis(self.genesis.network, START, root)

    @property
    def top(self) -> Height:
        return max(self.blocks, default=Height(0))

    @property
    def certified(self) -> Height:
        return max(self.proofs, default=Height(0))

    def newest(self) -> Height:
        return max(self.tables)

    def view(self, height: Height) -> MemoryTable:
        if height not in self.tables:
            raise Refused("not on this disk")
        return self.tables[height]

    def tip(self, height: Height | None = None) -> Tip:
        at = self.newest() if height is None else height
        return Tip.of(self.headers[at]) if at else self._first

    def state(self, height: Height | None = None) -> State:
        at = self.newest() if height is None else height
        return State(self.view(at), self.tip(at).state_root)

    def place(self, height: Height | None = None) -> CertifiedPlace:
        """Give the newest certified block, or the one at a height, as enclaves are shown it."""
        at = self.certified if height is None else height
        record = self.record
        assert record is not None
        proof = b"" if at == record.height else self.proofs[at]
        return CertifiedPlace(record.encode(), self.headers[at].encode(), proof)

    def copy(self, height: Height | None = None) -> "Branch":
        """Give a disk with the same blocks, up to a height."""
        top = self.top if height is None else height
        parts = (self.blocks, self.headers, self.receipts, self.proofs, self.tables)
        kept = [{at: one[at] for at in one if at <= top} for one in parts]
        made = Branch(self.genesis, *kept, self.record)  # type: ignore[arg-type]
        made._first = self._first
        return made


class Box:
    """One start of an enclave on its disk; `start` is the next one.

    Attributes:
        ahead: By how much its machine's clock is ahead of the others', in seconds.
        out: All that has left it: answers, questions to the host, what it says.
        lie: What its host makes of its answers; None: it is honest.
        lost: Why its start is over, if it is.
    """

    def __init__(
        self,
        seat: int,
        folder: Path,
        send: Callable[[bytes], None],
        clock: Callable[[], UnixSeconds],
        worker: Callable[[Report], Worker] = Inline,
    ) -> None:
        self.seat, self.folder = seat, folder
        self._make_worker = worker
        self.ahead = 0
        self._clock = clock
        self.platform = SimulatedPlatform(Secret(bytes((seat,)) * 32), CODE)
        self.out: list[bytes] = []
        self.send = send
        self.branch: Branch | None = None
        self.lie: Lie | None = None
        self.lost = ""
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def clock(self) -> UnixSeconds:
        return UnixSeconds(self._clock() + self.ahead)

    def start(self) -> None:
        """Begin a start; the one before is gone."""
        self.enclave = Enclave(
            self.folder,
            self.platform,
            Remote(self),
            self._said,
            self._make_worker,
            self.clock,  # type: ignore[arg-type]
        )
        self.woken, self.lost, self.began, self.joined = False, "", False, False
        self.next = Height(1)
        self.certified = Height(0)
        self.ballots: dict[Height, Vote] = {}
        self.enclave.wake = self._wake
        self._waiting = b""
        self.identity = EnclaveGreeting.of_item(self.ask(messages.HELLO, Bytes32(os.urandom(32))))

    def ask(self, word: str, body: rlp.Item) -> rlp.Decoded:
        """Send a frame through the enclave's door; then let it look for tasks."""
        payload = messages.frame(1, word, body)[messages.LENGTH_BYTES :]
        frame = respond(self.enclave, payload)
        self.out.append(frame)
        _, code, content = messages.parse(frame[messages.LENGTH_BYTES :])
        while self.woken:
            self.woken = False
            self.enclave.poll()
        if code != messages.OK:
            assert isinstance(content, bytes)
            if code == "START_OVER":
                self.lost = content.decode()
            raise EnclaveRefused(code, content.decode())
        return content

    # -- what hosts ask

    def join(self, genesis: Genesis, seat: int = 0) -> None:
        self.ask(messages.JOIN, messages.JoinFrame(genesis.encode(), seat).item())
        self.joined = True

    def begin(self, place: CertifiedPlace | None, branch: Branch) -> None:
        """Begin on a disk: at its genesis, or at a certified block."""
        self.branch = branch
        self.ask(frames.BEGIN, frames.BeginFrame(place).item())
        self.began = True
        if place is not None:
            self.certified = Header.decode(place.header).height
            self.next = Height(self.certified + 1)

    def watch(self, place: CertifiedPlace, witness: dict[bytes, bytes]) -> bool:
        shown = frames.WatchFrame(place, witness)
        return messages.ToldFrame.of_item(self.ask(frames.WATCH, shown.item())).yes

    def execute(self, block: bytes) -> Vote:
        return Vote.of_item(self.ask(frames.EXECUTE, block))

    def certify(
        self,
        height: Height,
        proof: bytes,
        want: Disclosure = Disclosure.OUTCOMES,
        rests: bool = False,
    ) -> ReleasedFrame:
        shown = frames.CertifyFrame(height, proof, want, rests)
        return ReleasedFrame.of_item(self.ask(frames.CERTIFY, shown.item()))

    def outcome(self, height: Height, want: Disclosure = Disclosure.OUTCOMES) -> bytes:
        found = self.ask(frames.OUTCOME, frames.OutcomeFrame(height, want).item())
        assert isinstance(found, bytes)
        return found

    def answer(self, *requests: Hash32) -> list[RequestAnswer]:
        told = self.ask(frames.ANSWER, frames.RequestsFrame(requests).item())
        return list(messages.AnswersFrame.of_item(told).answers)

    def stored(self, height: Height) -> bool:
        return messages.ToldFrame.of_item(self.ask(messages.STORED, uint(height))).yes

    def endorse(self, order: bytes) -> bytes:
        signature = self.ask(messages.ENDORSE, order)
        assert isinstance(signature, bytes)
        return signature

    # -- its channel

    def sendall(self, raw: bytes) -> None:
        assert self.branch is not None
        self.out.append(raw)
        question = read_question(raw[LENGTH_BYTES:])
        entries = answer(self.branch, question)
        found = entries if self.lie is None else self.lie(question, entries)
        if isinstance(found, bytes):
            self._waiting += found
        else:
            payload = rlp.encode(list(found))
            self._waiting += len(payload).to_bytes(LENGTH_BYTES, "big") + payload

    def recv(self, size: int) -> bytes:
        part, self._waiting = self._waiting[:size], self._waiting[size:]
        return part

    def _said(self, raw: bytes) -> None:
        self.out.append(raw)
        self.send(raw)

    def _wake(self) -> None:
        self.woken = True


def nanos(seconds: int) -> UnixNanos:
    return UnixNanos(seconds * 10**9)
