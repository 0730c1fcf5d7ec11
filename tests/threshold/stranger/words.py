"""Refusals, hex, RLP, and the hashes that everything is bound by."""

import hashlib
from typing import Any

import rlp


class No(Exception):
    """A refusal, with the code that the vectors name, and who did it."""

    def __init__(self, code: str, party: int | None = None) -> None:
        super().__init__(f"{code} {party}")
        self.code, self.party = code, party


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def data(value: bytes) -> str:
    return "0x" + bytes(value).hex()


def wire(item: Any) -> str:
    return data(rlp.encode(item))


def read(text: str, shape: Any) -> Any:
    """Read RLP of a shape.

    Bytes for a string, [shape] for a list of any length, a tuple for one of that.
    """
    try:
        return fit(rlp.decode(raw(text), strict=True), shape)
    except (rlp.DecodingError, TypeError) as error:
        raise No("MALFORMED") from error


def fit(item: Any, shape: Any) -> Any:
    if shape is bytes:
        if not isinstance(item, bytes):
            raise No("MALFORMED")
        return item
    if isinstance(item, bytes) or (isinstance(shape, tuple) and len(item) != len(shape)):
        raise No("MALFORMED")
    shapes = shape if isinstance(shape, tuple) else shape * len(item)
    return [fit(one, inner) for one, inner in zip(item, shapes, strict=True)]


def number(item: bytes) -> int:
    if item[:1] == b"\0":
        raise No("MALFORMED")
    return int.from_bytes(item, "big")


def short(value: int) -> bytes:
    return value.to_bytes(-(-value.bit_length() // 8), "big")


def framed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def index(at: int) -> bytes:
    return at.to_bytes(2, "big")


class Session:
    """Network, generation, name."""

    def __init__(self, told: Any) -> None:
        self._told = told
        self.parts = [raw(told["network"]), raw(told["generation"]), told["name"].encode()]

    def part(self, suffix: str) -> "Session":
        """Give a session whose name goes on."""
        return Session({**self._told, "name": self._told["name"] + suffix})

    def digest(self, purpose: str, *more: bytes) -> bytes:
        head = b"keymoot/threshold/v1/" + purpose.encode()
        return hashlib.sha512(framed(head, *self.parts, *more)).digest()

    def challenge(self, group: Any, purpose: str, *more: bytes) -> int:
        wide = self.digest(purpose, group.name.encode(), *more)
        return int.from_bytes(wide, "big") % group.order


class SeededRng:
    """Numbers from a seed."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed

    def draw(self, name: str, size: int) -> bytes:
        return hashlib.shake_256(framed(self.seed, name.encode())).digest(size)

    def scalars(self, group: Any, name: str, count: int) -> list[int]:
        size = group.uniform
        stream = self.draw(name, size * count)
        return [group.reduce(stream[at : at + size]) for at in range(0, size * count, size)]

    def child(self, name: str) -> "SeededRng":
        return SeededRng(self.draw(name, 32))


def weights(order: int, indices: Any) -> dict[int, int]:
    """Lagrange's coefficients at zero."""
    found = {}
    for one in indices:
        top = bottom = 1
        for other in indices:
            if other != one:
                top, bottom = top * other % order, bottom * (other - one) % order
        found[one] = top * pow(bottom, -1, order) % order
    return found


def value_at(order: int, polynomial: list[int], at: int) -> int:
    return sum(one * at**power for power, one in enumerate(polynomial)) % order
