"""What an enclave may ask of the state that its host keeps, and how much an answer may hold.

    rlp([])                            which state is the newest on the host's disk?
    rlp([height, key])                 the entry under `key` in the state of `height`
    rlp([height, prefix, path, from])  the nodes of a trie along `path`, from depth `from` on

    rlp([height]), rlp([]) for 0       answers the first
    rlp([]) or rlp([entry])            the second
    rlp([node, node, ...])             the third: none where the first is missing

Both go in frames: 4 bytes of length, then as many bytes. An answer is never believed; these
bounds are there so that reading one cannot fill an enclave's memory.
"""

from dataclasses import dataclass
from typing import Annotated

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.forms import AtMost, Check, Uint
from keymoot.base.record import Record
from keymoot.base.units import Height
from keymoot.store.entry import MAX_BLOB_BYTES

LENGTH_BYTES = 4

MAX_KEY_BYTES = 130
"""Longest key of a table: see `store.table`."""

PATH_NIBBLES = 64
"""Longest path in a trie: its keys are hashes."""

MAX_QUESTION_BYTES = 256
"""Longest question: a path and what stands around it."""

MAX_NODE_BYTES = 640
"""Longest node: a branch of 16 references has 532 bytes, a leaf fewer."""

MAX_HEIGHT_ANSWER_BYTES = 16
MAX_ENTRY_ANSWER_BYTES = MAX_BLOB_BYTES + 16
MAX_PATH_ANSWER_BYTES = (PATH_NIBBLES + 1) * (MAX_NODE_BYTES + 3) + 8


def _named(key: bytes) -> None:
    """Check a key: LMDB has no name for an entry without one."""
    if not key:
        raise Malformed("a key has at least one byte")


def _halves(path: bytes) -> None:
    if max(path, default=0) > 15:
        raise Malformed("a path is of half bytes")


@dataclass(frozen=True, slots=True)
class EntryQuestion(Record):
    """One entry of the state of a height."""

    height: Height
    key: Annotated[bytes, AtMost(MAX_KEY_BYTES), Check(_named)]


@dataclass(frozen=True, slots=True)
class PathQuestion(Record):
    """The nodes along a trie's path (`PathTable`) in the state of a height."""

    height: Height
    prefix: Annotated[bytes, AtMost(MAX_KEY_BYTES - PATH_NIBBLES), Check(_named)]
    nibbles: Annotated[bytes, AtMost(PATH_NIBBLES), Check(_halves)]
    start: Annotated[int, Uint(1)]

    def __post_init__(self) -> None:
        if self.start > len(self.nibbles):
            raise Malformed("a path begins within itself", "start")


@dataclass(frozen=True, slots=True)
class NewestQuestion:
    """The height of the newest state on the host's disk."""

    def encode(self) -> bytes:
        return rlp.encode([])


Question = EntryQuestion | PathQuestion | NewestQuestion


def read_question(raw: bytes) -> Question:
    """Read a question; how many fields it has tells which one it is."""
    fields = list_of(rlp.decode(raw, max_depth=1, max_items=4), None, "question")
    if not fields:
        return NewestQuestion()
    return (EntryQuestion if len(fields) == 2 else PathQuestion).of_item(fields)


def read_answer(raw: bytes, max_items: int) -> list[bytes]:
    """Read an answer of at most `max_items`, none of them empty."""
    items = list_of(rlp.decode(raw, max_depth=1, max_items=max_items), None, "answer")
    entries = [bytes_of(item, "entry") for item in items]
    if not all(entries):
        raise Malformed("an entry has at least one byte", "answer")
    return entries
