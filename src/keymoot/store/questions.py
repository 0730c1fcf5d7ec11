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

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of, uint, uint_of
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


@dataclass(frozen=True, slots=True)
class EntryQuestion:
    """One entry of the state of a height."""

    height: Height
    key: bytes

    def encode(self) -> bytes:
        return rlp.encode([uint(self.height), self.key])


@dataclass(frozen=True, slots=True)
class PathQuestion:
    """The nodes along a trie's path (`PathTable`) in the state of a height."""

    height: Height
    prefix: bytes
    nibbles: bytes
    start: int

    def encode(self) -> bytes:
        return rlp.encode([uint(self.height), self.prefix, self.nibbles, uint(self.start)])


@dataclass(frozen=True, slots=True)
class NewestQuestion:
    """The height of the newest state on the host's disk."""

    def encode(self) -> bytes:
        return rlp.encode([])


Question = EntryQuestion | PathQuestion | NewestQuestion


def read_question(raw: bytes) -> Question:
    fields = list_of(rlp.decode(raw, max_depth=1, max_items=4), None, "question")
    if not fields:
        return NewestQuestion()
    height = Height(uint_of(fields[0], "height", 8))
    if len(fields) == 2:
        return EntryQuestion(height, _key(fields[1], "key", MAX_KEY_BYTES))
    _, prefix, path, start = list_of(fields, 4, "question")
    question = PathQuestion(
        height,
        _key(prefix, "prefix", MAX_KEY_BYTES - PATH_NIBBLES),
        bytes_of(path, "path", PATH_NIBBLES),
        uint_of(start, "from", 1),
    )
    if question.start > len(question.nibbles) or max(question.nibbles, default=0) > 15:
        raise Malformed("a path is of half bytes, and begins within itself", "path")
    return question


def _key(item: rlp.Decoded, path: str, limit: int) -> bytes:
    key = bytes_of(item, path, limit)
    if not key:
        # LMDB has no name for an entry without a key.
        raise Malformed("a key has at least one byte", path)
    return key


def read_answer(raw: bytes, max_items: int) -> list[bytes]:
    """Read an answer of at most `max_items`, none of them empty."""
    items = list_of(rlp.decode(raw, max_depth=1, max_items=max_items), None, "answer")
    entries = [bytes_of(item, "entry") for item in items]
    if not all(entries):
        raise Malformed("an entry has at least one byte", "answer")
    return entries
