"""Nodes of the Merkle Patricia trie: their bytes and their shape in memory.

Follows the Ethereum Yellow Paper, appendix D. Keys here are Keccak hashes, all of
one length, so a branch never carries a value of its own.

A clean node is a tuple, a changed one a list of the same shape:
    leaf       (LEAF, nibbles, value)
    extension  (EXTENSION, nibbles, child)
    branch     (BRANCH, children)           16 children
A child is None, a 32-byte hash, or a node (embedded, or loaded for a change).
"""

from typing import Any, TypeAlias

from keymoot.base import rlp
from keymoot.base.errors import Malformed

LEAF, EXTENSION, BRANCH = 0, 1, 2
WIDTH = 16
HASH_BYTES = 32

Node: TypeAlias = Any
"""A tuple or list as in this module's docstring; nested, so mypy cannot spell it."""

_EMPTY = b"\x80"
_HASH_PREFIX = 0xA0
_REFERENCE = b"\xa0"
_LONG_LIST = 0xF8
_ODD, _TERMINAL = 1, 2

_NIBBLE = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
"""From hex digits, as text, to half bytes."""


def nibbles_of(key: bytes) -> bytes:
    """Half bytes, one a byte, high half first."""
    return key.hex().encode().translate(_NIBBLE)


def encode_node(node: Node) -> bytes:
    """A node's RLP; its children must be None, hashes, or embedded nodes."""
    kind = node[0]
    if kind == BRANCH:
        # Most of what there is are gaps and hashes: without a call for each.
        parts = []
        for child in node[1]:
            if child is None:
                parts.append(_EMPTY)
            elif type(child) is bytes:
                parts += (_REFERENCE, child)
            else:
                parts.append(encode_node(child))
        parts.append(_EMPTY)
        payload = b"".join(parts)
        return _list_prefix(len(payload)) + payload
    if kind == LEAF:
        return rlp.encode([_pack(node[1], _TERMINAL), node[2]])
    payload = rlp.encode(_pack(node[1], 0)) + _child_bytes(node[2])
    return _list_prefix(len(payload)) + payload


def decode_node(raw: bytes) -> Node:
    branch = _decode_branch(raw)
    return branch if branch is not None else _decode_item(rlp.decode(raw))


def next_on_path(node: Node, nibbles: bytes, at: int) -> tuple[bytes | None, int]:
    """Give the next node on a path that has an entry of its own: its hash, and where it is.

    The clean `node` stands after `at` nibbles; those embedded in it have no entries and are passed.
    None where the path ends, or leads to nothing more.
    """
    while type(node) is tuple and at < len(nibbles):
        if node[0] == BRANCH:
            node = node[1][nibbles[at]]
            at += 1
            continue
        end = at + len(node[1])
        if node[0] == LEAF or node[1] != nibbles[at:end]:
            return None, at
        node, at = node[2], end
    return (node if type(node) is bytes else None), at


def _child_bytes(child: Node) -> bytes:
    if child is None:
        return _EMPTY
    if type(child) is bytes:
        return _REFERENCE + child
    return encode_node(child)


def _list_prefix(length: int) -> bytes:
    if length <= 55:
        return bytes((0xC0 + length,))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0xF7 + len(size),)) + size


def _pack(nibbles: bytes, flag: int) -> bytes:
    """Hex-prefix encoding (Yellow Paper, appendix C)."""
    odd = len(nibbles) & 1
    head = f"{flag + odd:x}"
    if not odd:
        head += "0"
    return bytes.fromhex(head + nibbles.hex()[1::2])


def _unpack(packed: bytes) -> tuple[bytes, bool]:
    if not packed or packed[0] >> 4 > (_ODD | _TERMINAL):
        raise Malformed("a trie path has no valid prefix")
    digits = nibbles_of(packed)
    flag = digits[0]
    if not flag & _ODD and digits[1] != 0:
        raise Malformed("a trie path of even length starts with a zero half byte")
    return digits[1:] if flag & _ODD else digits[2:], bool(flag & _TERMINAL)


def _decode_branch(raw: bytes) -> Node | None:
    """Read the common branch (a long list of hashes and gaps) without general RLP."""
    if len(raw) < 2 or raw[0] < _LONG_LIST:
        return None
    size = raw[0] - 0xF7
    at, end = 1 + size, len(raw)
    length = raw[1:at]
    if length[:1] == b"\0" or int.from_bytes(length, "big") != end - at or end - at <= 55:
        return None
    children: list[Node] = []
    for _ in range(WIDTH):
        tag = raw[at] if at < end else -1
        if tag == _HASH_PREFIX and at + 33 <= end:
            children.append(raw[at + 1 : at + 33])
            at += 33
        elif tag == 0x80:
            children.append(None)
            at += 1
        else:
            return None
    if at + 1 != end or raw[at] != 0x80:
        return None
    return (BRANCH, tuple(children))


def _decode_item(item: rlp.Decoded) -> Node:
    if isinstance(item, bytes) or len(item) not in (2, WIDTH + 1):
        raise Malformed("a trie node is a list of 2 or 17 items")
    if len(item) == WIDTH + 1:
        if item[WIDTH] != b"":
            raise Malformed("a trie with keys of one length has no values in branches")
        return (BRANCH, tuple(_decode_child(child) for child in item[:WIDTH]))
    path = item[0]
    if not isinstance(path, bytes):
        raise Malformed("a trie path is bytes")
    nibbles, terminal = _unpack(path)
    if not terminal:
        return (EXTENSION, nibbles, _decode_child(item[1]))
    if not isinstance(item[1], bytes):
        raise Malformed("a leaf's value is bytes")
    return (LEAF, nibbles, item[1])


def _decode_child(item: rlp.Decoded) -> Node:
    if isinstance(item, bytes):
        if item == b"":
            return None
        if len(item) != HASH_BYTES:
            raise Malformed("a reference to a trie node is 32 bytes")
        return item
    return _decode_item(item)
