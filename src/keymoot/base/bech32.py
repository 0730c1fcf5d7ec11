"""Bech32 (BIP 173): how Cosmos and Oasis write addresses, a name, "1", digits and a checksum."""

from collections.abc import Iterable

from keymoot.base.errors import Malformed

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

MAX_TEXT = 90
"""Longest text that the checksum is good for."""

_CHECKSUM = 6
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_VALUES = {letter: at for at, letter in enumerate(ALPHABET)}


def encode(name: str, raw: bytes) -> str:
    """Write bytes behind a name of lower-case letters, such as "rofl"."""
    digits = _regrouped(raw, 8, 5)
    padded = [*_expanded(name), *digits, *[0] * _CHECKSUM]
    sum_ = _polymod(padded) ^ 1
    digits += [sum_ >> 5 * (_CHECKSUM - 1 - at) & 31 for at in range(_CHECKSUM)]
    return name + "1" + "".join([ALPHABET[digit] for digit in digits])


def decode(text: str, name: str, length: int) -> bytes:
    """Read `length` bytes behind a name; lower case only, as `encode` writes.

    Raises:
        Malformed: another name, letter, checksum or length.
    """
    head = name + "1"
    if len(text) > MAX_TEXT or not text.startswith(head):
        raise Malformed(f'this begins with "{head}" and has at most {MAX_TEXT} characters')
    try:
        digits = [_VALUES[letter] for letter in text[len(head) :]]
    except KeyError as error:
        raise Malformed(f"after {head} stand lower-case letters and digits of bech32") from error
    if _polymod([*_expanded(name), *digits]) != 1:
        raise Malformed(f"the checksum of this {head}… is wrong: copy it again")
    bits, fill = divmod(5 * (len(digits) - _CHECKSUM), 8)
    raw = _regrouped(digits[:-_CHECKSUM], 5, 8)[:bits]
    # One text for the same bytes: what fills the last digit is zeros, and less than a digit.
    if bits != length or fill > 4 or encode(name, bytes(raw)) != text:
        raise Malformed(f"{length} bytes are expected behind {head}, got {bits}")
    return bytes(raw)


def _regrouped(values: Iterable[int], before: int, after: int) -> list[int]:
    """Cut a row of bits anew; what is left over is filled with zeros."""
    held, bits, digits = 0, 0, []
    for value in values:
        held, bits = held << before | value, bits + before
        while bits >= after:
            bits -= after
            digits.append(held >> bits & (1 << after) - 1)
        held &= (1 << bits) - 1
    return [*digits, held << after - bits & (1 << after) - 1] if bits else digits


def _expanded(name: str) -> list[int]:
    return [*[ord(letter) >> 5 for letter in name], 0, *[ord(letter) & 31 for letter in name]]


def _polymod(values: Iterable[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for at, factor in enumerate(_GENERATOR):
            if top >> at & 1:
                checksum ^= factor
    return checksum
