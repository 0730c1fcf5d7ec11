"""Names of types: only Solidity's own, bounded in length and depth."""

import pytest

from keymoot.base.abi.kinds import (
    MAX_NAME_LENGTH,
    BadType,
    heads_bytes,
    parameters,
    parse_kind,
    parse_kinds,
)


@pytest.mark.parametrize(
    ("name", "dynamic", "head_bytes"),
    [
        ("uint8", False, 32),
        ("bytes32", False, 32),
        ("bytes", True, 32),
        ("string", True, 32),
        ("uint256[3]", False, 96),
        ("uint256[3][]", True, 32),
        ("bytes[2]", True, 32),
        ("(address,uint256[2])", False, 96),
        ("(address,string)", True, 32),
        ("(uint8,uint16)[3][2]", False, 384),
    ],
)
def test_types_know_their_place(name: str, dynamic: bool, head_bytes: int) -> None:
    kind = parse_kind(name)
    assert (kind.name, kind.dynamic, kind.head_bytes) == (name, dynamic, head_bytes)


def test_a_signature_names_types() -> None:
    kinds = parameters("f((address,bytes)[],uint256)")
    assert [kind.name for kind in kinds] == ["(address,bytes)[]", "uint256"]
    assert heads_bytes(kinds) == 64
    assert parameters("f()") == ()


@pytest.mark.parametrize(
    "name",
    [
        *["", "uint", "int", "uint0", "uint7", "uint08", "uint264", "int1", "bytes0", "bytes33"],
        *["uint256[0]", "uint256[01]", "uint256[-1]", "uint256[", "uint256]", "uint256[10000]"],
        *["()", "()[]", "(uint8", "uint8)", "(uint8,)", "(uint8)(uint8)", "(uint8))", "((uint8)"],
        *["uint8 a", " uint8", "uint٨", "fixed128x18", "function", "Uint8", "uint8[٣]", "address "],
    ],
)
def test_what_is_no_type_is_refused(name: str) -> None:
    with pytest.raises(BadType):
        parse_kind(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("uint8" + "[]" * 5, "nested deeper than 4"),
        ("(" * 5 + "uint8" + ")" * 5, "nested deeper than 4"),
        ("(" + ",".join(["uint8"] * MAX_NAME_LENGTH) + ")", "at most 2048 characters"),
    ],
)
def test_types_are_bounded(name: str, why: str) -> None:
    with pytest.raises(BadType, match=why):
        parse_kind(name)
    parse_kinds(["uint8[][][][]", "((((uint8))))"])
