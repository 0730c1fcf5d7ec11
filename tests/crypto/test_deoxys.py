"""Deoxys-II and Oasis's box, held to what others computed."""

from hashlib import sha256
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.crypto import hpke
from keymoot.crypto.deoxys import BadSeal, DeoxysII
from keymoot.crypto.mrae import box

BY_SAPPHIRE_PY = "6f7b6e543726486c40f002be15669e10afb0fc45fc432b371595304419e446d3"
"""SHA-256 of what oasis-sapphire-py 0.4.2 gives for the texts of the first test."""


def test_every_length_of_text_and_associated_data() -> None:
    rng, cipher, told = Random(1), DeoxysII(Secret(bytes(range(32)))), sha256()
    for length in range(70):
        for beside in (0, 1, 15, 16, 17, 33):
            text, associated, nonce = (rng.randbytes(size) for size in (length, beside, 15))
            sealed = cipher.seal(nonce, text, associated)
            told.update(sealed)
            assert cipher.open(nonce, sealed, associated).expose() == text
    assert told.hexdigest() == BY_SAPPHIRE_PY


# x25519_derive of Sapphire's own tests.
PUBLIC = Bytes32.from_hex("0x3046db3fa70ce605457dc47c48837ebd8bd0a26abfde5994d033e1ced68e2576")
PRIVATE = Secret(bytes.fromhex("c07b151fbc1e7a11dff926111188f8d872f62eba0396da97c0a24adb75161750"))
SHARED = Secret(bytes.fromhex("e69ac21066a8c2284e8fdc690e579af4513547b9b31dd144792c1904b45cf586"))


def test_the_key_that_two_share() -> None:
    by_box, by_key = box(PRIVATE, PUBLIC), DeoxysII(SHARED)
    assert by_box.seal(bytes(15), b"text") == by_key.seal(bytes(15), b"text")
    other = Secret(bytes(range(32)))
    sealed = box(PRIVATE, hpke.public_key(other)).seal(bytes(15), b"text", b"more")
    opened = box(other, hpke.public_key(PRIVATE)).open(bytes(15), sealed, b"more")
    assert opened.expose() == b"text"


def test_a_point_that_gives_everybody_the_same_key_is_refused() -> None:
    for weak in (bytes(32), b"\1" + bytes(31)):
        with pytest.raises(Malformed):
            box(PRIVATE, Bytes32(weak))


@given(st.data())
def test_nothing_else_opens(data: st.DataObject) -> None:
    cipher = DeoxysII(SHARED)
    nonce, text, associated = bytes(range(15)), b"a text of twenty-three", b"beside it"
    sealed = cipher.seal(nonce, text, associated)
    parts = [nonce, sealed, associated]
    at = data.draw(st.sampled_from([0, 1, 2]))
    changed = bytearray(parts[at])
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[at] = bytes(changed)
    with pytest.raises(BadSeal):
        cipher.open(*parts)
    with pytest.raises(BadSeal):
        cipher.open(nonce, sealed[: data.draw(st.integers(0, len(sealed) - 1))], associated)
    with pytest.raises(BadSeal):
        DeoxysII(Secret(bytes(32))).open(nonce, sealed, associated)


def test_sizes_are_told() -> None:
    with pytest.raises(Malformed, match="a key has 32 bytes"):
        DeoxysII(Secret(bytes(31)))
    for wrong in (bytes(14), bytes(16)):
        with pytest.raises(Malformed, match="a nonce has 15 bytes"):
            DeoxysII(SHARED).seal(wrong, b"")
        with pytest.raises(Malformed, match="a nonce has 15 bytes"):
            DeoxysII(SHARED).open(wrong, bytes(16))
