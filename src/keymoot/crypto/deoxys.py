"""Deoxys-II-256-128: authenticated encryption that forgives a repeated nonce.

The submission to CAESAR (Jean, Nikolić, Peyrin, Seurin: Deoxys v1.41), as Oasis uses it; no
library of ours has it. By tables of Python integers: its time depends on what it encrypts, so
never where somebody who must not know a key can measure it. Nothing in consensus uses it.
"""

from functools import reduce
from hmac import compare_digest
from operator import xor
from typing import Final

from keymoot.base.errors import Malformed
from keymoot.base.secret import Secret

KEY_BYTES, NONCE_BYTES, TAG_BYTES = 32, 15, 16
_BLOCK = 16
_ROUNDS = 16

_MESSAGE, _TAG, _AD = 0x00, 0x10, 0x20
_SHORT = 0x40
"""Beside one of these: the last block, which is not whole."""

_ENCRYPT = 0x80
_PERMUTATION: Final = (1, 6, 11, 12, 5, 10, 15, 0, 9, 14, 3, 4, 13, 2, 7, 8)
_CONSTANTS: Final = bytes.fromhex("2f5ebc63c697356ad4b37dfaefc5913972")


class BadSeal(Malformed, code="BAD_SEAL"):
    """This was not sealed with that key, nonce and associated data, or was changed since."""


def _times_two(value: int) -> int:
    return value << 1 ^ (0x11B if value & 0x80 else 0)


def _sbox() -> bytes:
    """AES's substitution: the inverse in GF(2^8), and an affine map (FIPS 197, 5.1.1)."""
    powers = [1]
    for _ in range(254):
        powers.append(powers[-1] ^ _times_two(powers[-1]))  # times three, which generates all
    box = bytearray(256)
    box[0] = 0x63
    for exponent, value in enumerate(powers):
        inverse = powers[-exponent % 255]
        doubled = inverse | inverse << 8
        turned = [doubled >> 8 - left & 0xFF for left in range(5)]
        box[value] = reduce(xor, turned, 0x63)
    return bytes(box)


def _tables() -> tuple[list[int], ...]:
    """Substitution and MixColumns at once, by the row of a byte."""
    first = []
    for value in _sbox():
        twice = _times_two(value)
        first.append(twice << 24 | value << 16 | value << 8 | (twice ^ value))
    return tuple(
        [word >> 8 * row | word << 32 - 8 * row & 0xFFFFFFFF for word in first] for row in range(4)
    )


_T0, _T1, _T2, _T3 = _tables()


class DeoxysII:
    """One key, ready to use."""

    def __init__(self, key: Secret) -> None:
        """Take a key of 32 bytes."""
        raw = key.expose()
        if len(raw) != KEY_BYTES:
            raise Malformed(f"a key has {KEY_BYTES} bytes")
        second, third = raw[16:], raw[:16]
        self._round_keys: list[int] = []
        for constant in _CONSTANTS:
            lane = bytes((1, 2, 4, 8, *(4 * (constant,)))) + bytes(8)
            self._round_keys.append(_int(second) ^ _int(third) ^ _int(lane))
            second = _permuted(bytes(x << 1 & 0xFF | (x >> 7 ^ x >> 5 & 1) for x in second))
            third = _permuted(bytes(x >> 1 | ((x ^ x >> 6) & 1) << 7 for x in third))

    def seal(self, nonce: bytes, plain: bytes, associated: bytes = b"") -> bytes:
        """Give the sealed bytes, and 16 of a tag behind them."""
        _check_nonce(nonce)
        tag = self._tag(nonce, plain, associated)
        return self._stream(nonce, tag, plain) + tag

    def open(self, nonce: bytes, sealed: bytes, associated: bytes = b"") -> Secret:
        """Give what was sealed; BadSeal unless every bit of it, nonce and associated data is so."""
        _check_nonce(nonce)
        if len(sealed) < TAG_BYTES:
            raise BadSeal(f"sealed bytes have a tag of {TAG_BYTES}, got {len(sealed)} bytes")
        tag = sealed[-TAG_BYTES:]
        plain = self._stream(nonce, tag, sealed[:-TAG_BYTES])
        if not compare_digest(tag, self._tag(nonce, plain, associated)):
            raise BadSeal("another key, nonce or associated data, or it was changed")
        return Secret(plain)

    def _tag(self, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
        mixed = self._absorbed(_AD, associated) ^ self._absorbed(_MESSAGE, plain)
        return self._encrypt(bytes((_TAG,)) + nonce, mixed).to_bytes(_BLOCK, "big")

    def _absorbed(self, kind: int, text: bytes) -> int:
        """Encrypt each block under its number, and sum them up."""
        mixed = 0
        for at in range(0, len(text), _BLOCK):
            block, kind_here = text[at : at + _BLOCK], kind
            if len(block) < _BLOCK:
                block, kind_here = (block + b"\x80").ljust(_BLOCK, b"\0"), kind | _SHORT
            tweak = bytes((kind_here,)) + (at // _BLOCK).to_bytes(_BLOCK - 1, "big")
            mixed ^= self._encrypt(tweak, _int(block))
        return mixed

    def _stream(self, nonce: bytes, tag: bytes, text: bytes) -> bytes:
        start, whole = _int(tag) | _ENCRYPT << 120, b"\0" + nonce
        parts = []
        for number, at in enumerate(range(0, len(text), _BLOCK)):
            tweak = (start ^ number).to_bytes(_BLOCK, "big")
            key = self._encrypt(tweak, _int(whole)).to_bytes(_BLOCK, "big")
            parts.append(bytes(a ^ b for a, b in zip(text[at : at + _BLOCK], key, strict=False)))
        return b"".join(parts)

    def _encrypt(self, tweak: bytes, block: int) -> int:
        """Deoxys-BC-384: sixteen rounds of AES, each under key and tweak."""
        state = block ^ self._round_keys[0] ^ _int(tweak)
        for key in self._round_keys[1:]:
            tweak = _permuted(tweak)
            b = state.to_bytes(_BLOCK, "big")
            state = (
                (_T0[b[0]] ^ _T1[b[5]] ^ _T2[b[10]] ^ _T3[b[15]]) << 96
                | (_T0[b[4]] ^ _T1[b[9]] ^ _T2[b[14]] ^ _T3[b[3]]) << 64
                | (_T0[b[8]] ^ _T1[b[13]] ^ _T2[b[2]] ^ _T3[b[7]]) << 32
                | (_T0[b[12]] ^ _T1[b[1]] ^ _T2[b[6]] ^ _T3[b[11]])
            ) ^ (key ^ _int(tweak))
        return state


def _permuted(lane: bytes) -> bytes:
    return bytes(lane[at] for at in _PERMUTATION)


def _int(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _check_nonce(nonce: bytes) -> None:
    if len(nonce) != NONCE_BYTES:
        raise Malformed(f"a nonce has {NONCE_BYTES} bytes, got {len(nonce)}")
