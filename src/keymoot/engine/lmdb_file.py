"""The ledger's file, read by hand before LMDB maps it.

A page that is mapped and not there is a bus error, which ends a process without a word.
The layout is LMDB 0.9's on 64 bits: two pages that say where the trees begin, of which the
newer one counts, and pages of a B+ tree behind them.

    page    number 8 ‖ pad 2 ‖ flags 2 ‖ lower 2 ‖ upper 2 (or, overflow: pages 4) ‖ …
    meta    magic 4 ‖ version 4 ‖ address 8 ‖ map size 8 ‖ 2 trees of 48 ‖ last page 8 ‖ write 8
    tree    page size 4 ‖ flags 2 ‖ depth 2 ‖ four counts of 8 ‖ entries' root 8
    node    low 2 ‖ high 2 ‖ flags 2 ‖ key size 2 ‖ key ‖ value, or the page that it begins on
"""

import os
import stat
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from keymoot.base.errors import BrokenStorage

FILE_NAME = "ledger.mdb"
_HEAD = struct.Struct("<QHHHH")
_META = struct.Struct("<II8x8xI36xQI36xQQQ")
_NODE = struct.Struct("<HHHH")
_MAGIC, _VERSION = 0xBEEFC0DE, 1
_BRANCH, _LEAF, _OVERFLOW, _META_PAGE = 1, 2, 4, 8
_BIG = 1
_NO_PAGE = (1 << 64) - 1
_PAGE_SIZES = tuple(1 << power for power in range(9, 17))
_LOWEST_PAGE_BYTES = 512


class LedgerDamaged(BrokenStorage, code="LEDGER_DAMAGED"):
    def __init__(self, why: str) -> None:
        super().__init__(
            f"the ledger's file {FILE_NAME} is damaged ({why}): put back a copy of the whole data "
            "folder, or start a new network with another --data"
        )


@dataclass(frozen=True, slots=True)
class _Meta:
    """What one of the first two pages says: page size, roots of both trees, last page, age."""

    page_bytes: int
    roots: tuple[int, int]
    last_page: int
    write: int


def check_file(path: Path) -> None:
    """Raise unless everything that the file refers to is in it; a missing file is none."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(kind):
        what = "a link" if stat.S_ISLNK(kind) else "a folder" if stat.S_ISDIR(kind) else "no file"
        raise LedgerDamaged(f"it is {what}: only a file is used")
    if sys.byteorder != "little" or sys.maxsize < 1 << 32:
        # Its numbers are the machine's own; LMDB checks what it can by itself.
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _check(file: int, size: int) -> None:
    if not size:
        raise LedgerDamaged("it is empty")
    first = _meta(os.pread(file, _LOWEST_PAGE_BYTES, 0))
    second = _meta(os.pread(file, _LOWEST_PAGE_BYTES, first.page_bytes))
    meta = max(first, second, key=lambda page: page.write)
    need = (meta.last_page + 1) * meta.page_bytes
    # LMDB does not write a page at its end that it took and gave back: only then is it looked at
    # whether something leads there.
    if size < need and _lost(file, size, meta):
        raise LedgerDamaged(f"it has {size} bytes of {need}: its end is missing")


def _meta(raw: bytes) -> _Meta:
    if len(raw) < _HEAD.size + _META.size:
        raise LedgerDamaged("it is shorter than its first two pages")
    flags = _HEAD.unpack_from(raw)[2]
    magic, version, page, free, _, main, last, write = _META.unpack_from(raw, _HEAD.size)
    if not flags & _META_PAGE or magic != _MAGIC or page not in _PAGE_SIZES:
        raise LedgerDamaged("it does not begin as LMDB's files do")
    if version != _VERSION:
        raise LedgerDamaged(f"it has version {version} of LMDB's format, {_VERSION} is read")
    return _Meta(page, (free, main), last, write)


def _lost(file: int, size: int, meta: _Meta) -> bool:
    """Tell whether a tree leads to a page that is not whole in the file."""
    there = size // meta.page_bytes
    waiting = [root for root in meta.roots if root != _NO_PAGE]
    seen = 0
    while waiting:
        number = waiting.pop()
        seen += 1
        # More steps than pages: the tree leads in circles.
        if number >= there or seen > there:
            return True
        page = os.pread(file, meta.page_bytes, number * meta.page_bytes)
        for following, count in _led_to(page):
            if count is None:
                waiting.append(following)
            elif following >= there or following + _pages_of(file, following, meta) > there:
                return True
    return False


def _led_to(page: bytes) -> list[tuple[int, int | None]]:
    """Give the pages to which a page leads; with a count where a long value begins there."""
    _, _, flags, lower, _ = _HEAD.unpack_from(page)
    if not flags & (_BRANCH | _LEAF) or lower > len(page):
        raise LedgerDamaged("a page of its tree is something else")
    readers: list[tuple[int, int | None]] = []
    for place in range(_HEAD.size, lower, 2):
        at = int.from_bytes(page[place : place + 2], "little")
        if at + _NODE.size > len(page):
            raise LedgerDamaged("a page of its tree is something else")
        low, high, more, key = _NODE.unpack_from(page, at)
        if flags & _BRANCH:
            readers.append((low | high << 16 | more << 32, None))
        elif more & _BIG:
            start = at + _NODE.size + key
            readers.append((int.from_bytes(page[start : start + 8], "little"), 1))
    return readers


def _pages_of(file: int, number: int, meta: _Meta) -> int:
    head = os.pread(file, _HEAD.size, number * meta.page_bytes)
    if not _HEAD.unpack(head)[2] & _OVERFLOW:
        raise LedgerDamaged("a page of a long value is something else")
    return int.from_bytes(head[12:16], "little")
