"""Hex as Ethereum's JSON-RPC writes it: quantities and data."""

from keymoot.base.errors import Malformed

_DIGITS = frozenset("0123456789abcdefABCDEF")

MAX_QUANTITY_DIGITS = 64


def quantity(value: int) -> str:
    """Without leading zeros: 0 is `0x0`."""
    return hex(value)


def data(value: bytes) -> str:
    """Two digits a byte: nothing is `0x`."""
    return "0x" + value.hex()


def parse_quantity(text: object, path: str = "") -> int:
    """Read a quantity of at most 256 bits strictly."""
    if not isinstance(text, str) or not text.startswith("0x"):
        raise Malformed('a quantity is text that starts with "0x"', path)
    digits = text[2:]
    if not digits or not _DIGITS.issuperset(digits):
        raise Malformed("a quantity has hex digits after 0x", path)
    if len(digits) > 1 and digits[0] == "0":
        raise Malformed("a quantity has no leading zeros", path)
    if len(digits) > MAX_QUANTITY_DIGITS:
        raise Malformed("a quantity has at most 256 bits", path)
    return int(digits, 16)  # consensus: hex digits alone, 64 at most


def parse_data(text: object, path: str = "", max_bytes: int | None = None) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise Malformed('bytes are text that starts with "0x"', path)
    digits = text[2:]
    try:
        read = bytes.fromhex(digits)
    except ValueError:
        read = b""
    # Python reads blanks between digits: then there are fewer bytes.
    if 2 * len(read) != len(digits):
        raise Malformed("bytes are an even number of hex digits", path)
    if max_bytes is not None and len(read) > max_bytes:
        raise Malformed(f"at most {max_bytes} bytes are accepted, got {len(read)}", path)
    return read
