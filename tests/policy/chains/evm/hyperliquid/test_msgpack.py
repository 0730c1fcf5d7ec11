"""Our MessagePack is the one of the package `msgpack` (1.2), whose bytes are written down here."""

import hashlib
from typing import Any

import pytest

from keymoot.base.errors import Malformed
from keymoot.policy.chains.evm.hyperliquid.msgpack import pack

SHORT: list[tuple[Any, str]] = [
    (None, "c0"),
    (True, "c3"),
    (False, "c2"),
    (0, "00"),
    (127, "7f"),
    (128, "cc80"),
    (255, "ccff"),
    (256, "cd0100"),
    (65_535, "cdffff"),
    (65_536, "ce00010000"),
    (2**32 - 1, "ceffffffff"),
    (2**32, "cf0000000100000000"),
    (2**64 - 1, "cfffffffffffffffff"),
    (-1, "ff"),
    (-32, "e0"),
    (-33, "d0df"),
    (-128, "d080"),
    (-129, "d1ff7f"),
    (-32_768, "d18000"),
    (-32_769, "d2ffff7fff"),
    (-(2**31), "d280000000"),
    (-(2**31) - 1, "d3ffffffff7fffffff"),
    (-(2**63), "d38000000000000000"),
    ("", "a0"),
    ("a" * 31, "bf" + "61" * 31),
    ("a" * 32, "d920" + "61" * 32),
    ([], "90"),
    ([1, "x"], "9201a178"),
    ([0] * 15, "9f" + "00" * 15),
    ([0] * 16, "dc0010" + "00" * 16),
    ({}, "80"),
    ({"b": 1, "a": [{"z": None}]}, "82a16201a1619181a17ac0"),
]
LONG: list[tuple[Any, int, str]] = [
    ("é" * 128, 259, "7ba185046d1f7feb5f090e26d482512f705f6e635e07ff2b26fe8b8c2a073607"),
    ("a" * 65_535, 65_538, "ae606c3d6aaca8b43b24feb4aae3e5ab4088edb6d99d254d366f00e08f287c3d"),
    ("a" * 65_536, 65_541, "5f97d047d40a13f57389f8c7817f5afd69fe1e7739a305850eb23c5adb54674a"),
    ([0] * 65_536, 65_541, "ef328a8b1f900513818ef9b98c53f3f3bcf526a3d8867a5d1c6800a3f75b6f9c"),
    (
        {str(at): at for at in range(15)},
        51,
        "64340d2fe7cf90342bda9b973c59821fe2b5b831b2474ef44ad1352a3c5a2599",
    ),
    (
        {str(at): at for at in range(16)},
        57,
        "f20a2f60c963164f84dd355cd8ead903950715cbf644c2982d527d0862cb4fce",
    ),
    (
        {str(at): at for at in range(65_536)},
        578_335,
        "0d04e2d254cb2d94ff8fb29a2f4e7ff6085cab4774dcea09ec1629f0e91a0d59",
    ),
]


@pytest.mark.parametrize(("value", "wanted"), SHORT, ids=[wanted[:18] for _, wanted in SHORT])
def test_each_form_is_the_packages(value: Any, wanted: str) -> None:
    assert pack(value).hex() == wanted


@pytest.mark.parametrize(("value", "length", "digest"), LONG, ids=[str(one[1]) for one in LONG])
def test_so_is_each_long_form(value: Any, length: int, digest: str) -> None:
    packed = pack(value)
    assert (len(packed), hashlib.sha256(packed).hexdigest()) == (length, digest)


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1])
def test_longer_integers_have_no_form(value: int) -> None:
    with pytest.raises(Malformed, match="64 bits"):
        pack(value)


def test_keys_keep_their_order() -> None:
    assert pack({"a": 1, "b": 2}) != pack({"b": 2, "a": 1})
