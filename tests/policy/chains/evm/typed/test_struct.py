"""The hash of a document is EIP-712's: held to its example, and to eth_account on any document."""

import json
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.abi.kinds import BadType
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address
from keymoot.policy.chains.evm.typed.intent import MAX_TYPED_DATA_BYTES, read_typed_data
from keymoot.policy.chains.evm.typed.struct import (
    MAX_PLACES,
    MAX_VALUES,
    Reader,
    parse_type,
    struct_of,
)
from keymoot.policy.refusal import NeverSigned
from tests.examples import examples
from tests.policy.chains.evm.typed.payments import DOMAIN, authorization, document
from tests.policy.documents import WALLET

MAIL = "Mail(Person from,Person to,string contents)Person(string name,address wallet)"
COW, BOB = (
    "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826",
    "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB",
)
EXAMPLE = document(
    MAIL,
    {
        "from": {"name": "Cow", "wallet": COW},
        "to": {"name": "Bob", "wallet": BOB},
        "contents": "Hello, Bob!",
    },
    name="Ether Mail",
    version="1",
    chainId=1,
    verifyingContract="0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
)


def test_the_example_of_the_standard() -> None:
    intent = read_typed_data(json.dumps(EXAMPLE).encode(), WALLET)
    assert intent.struct.encode_type == MAIL
    assert (
        intent.struct.type_hash.hex()
        == "a0cedeb2dc280ba39b857546d74f5549c3a1d7bdc2dd96bf881f76108e23dac2"
    )
    assert intent.digest.hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    assert intent.network == "eip155:1"


LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "address": st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    "bool": st.booleans(),
    "string": st.text(max_size=12),
    "bytes": st.binary(max_size=40).map(lambda raw: "0x" + raw.hex()),
    "bytes4": st.binary(min_size=4, max_size=4).map(lambda raw: "0x" + raw.hex()),
    "bytes32": st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex()),
    "uint8": st.integers(0, 255),
    "uint256": st.integers(0, 2**256 - 1) | st.integers(0, 2**256 - 1).map(str),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "int256": st.integers(-(2**255), 2**255 - 1),
}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Documents of up to three structs, each of leaves, arrays, and structs behind it."""
    types: dict[str, list[dict[str, str]]] = {}
    names = ["Outer", "Middle", "Inner"][: draw(st.integers(1, 3))]
    made: dict[str, st.SearchStrategy[Any]] = dict(LEAVES)
    for name in reversed(names):
        fields, parts = [], {}
        for at in range(draw(st.integers(1, 4))):
            kind = draw(st.sampled_from(sorted(made)))
            values = made[kind]
            for length in draw(st.lists(st.sampled_from([None, 1, 2]), max_size=2)):
                kind += f"[{length or ''}]"
                least, most = (0, 3) if length is None else (length, length)
                values = st.lists(values, min_size=least, max_size=most)
            fields.append({"name": f"f{at}", "type": kind})
            parts[f"f{at}"] = values
        types[name] = fields
        made[name] = st.fixed_dictionaries(parts)
    whole = dict(DOMAIN)
    for name in draw(st.sets(st.sampled_from(sorted(whole)), max_size=3)):
        whole.pop(name)
    return {
        "types": types,
        "primaryType": "Outer",
        "domain": whole,
        "message": draw(made["Outer"]),
    }


@settings(max_examples=examples(800), deadline=None)
@given(documents())
def test_every_document_has_the_hash_that_eth_account_gives_it(told: dict[str, Any]) -> None:
    used = {kind["type"].split("[")[0] for fields in told["types"].values() for kind in fields}
    # What nobody uses eth_account takes for another primary type.
    told["types"] = {
        name: fields for name, fields in told["types"].items() if name == "Outer" or name in used
    }
    intent = read_typed_data(json.dumps(told).encode(), WALLET)
    standard = [("name", "string"), ("version", "string"), ("chainId", "uint256")]
    own = [
        {"name": name, "type": kind}
        for name, kind in [*standard, ("verifyingContract", "address")]
        if name in told["domain"]
    ]
    types = {"EIP712Domain": own, **_reached(told["types"])}
    theirs = encode_typed_data(full_message=told | {"types": types})
    digest = keccak(b"\x19" + theirs.version + theirs.header + theirs.body)
    assert bytes(intent.digest) == digest
    # Whether the document says the domain's type or not, it is the same.
    again = read_typed_data(json.dumps(told | {"types": types}).encode(), WALLET)
    assert again.digest == intent.digest


def _reached(types: dict[str, Any]) -> dict[str, Any]:
    found, left = {}, ["Outer"]
    while left:
        name = left.pop()
        if name in types and name not in found:
            found[name] = types[name]
            left += [field["type"].split("[")[0] for field in types[name]]
    return found


@pytest.mark.parametrize(
    ("encoded", "why"),
    [
        ("", "is written as"),
        ("Mail", "is written as"),
        ("Mail()", "1 to 64 fields"),
        ("Mail(string)", "is written as"),
        ("Mail( string a)", "is written as"),
        ("Mail(string a, string b)", "is written as"),
        ("Mail(string a)x", "is written as"),
        ("Mail(string a)Mail(string a)", "is written as"),
        ("Mail(string a,bool a)", "its own name"),
        ("Mail(uint a)", "not a type"),
        ("Mail(Person to)", "not a type"),
        ("Mail(string $a)", "no name of a field"),
        ("Mail(string[0] a)", "not an array suffix"),
        ("Mail(string[][][][][] a)", "nested deeper"),
        ("Mail(Mail a)", '"Mail" holds itself'),
        ("Mail(string b,Mail[] a)", '"Mail" holds itself'),
        ("Mail(Other a)Other(Mail a)", '"Mail" holds itself'),
        ("Mail(Other a)Other(Other[] a)", '"Other" holds itself'),
        ("Mail(string a)Unused(bool b)", 'write it as "Mail\\(string a\\)"'),
        ("B(C c,A a)C(bool c)A(bool a)", "write it as"),
        ("M(" + ",".join(f"bool f{at}" for at in range(65)) + ")", "1 to 64 fields"),
        ("M(string a)" + "x" * 2_048, "is text such as"),
        (7, "is text such as"),
    ],
)
def test_types_are_written_in_one_way(encoded: object, why: str) -> None:
    with pytest.raises(BadType, match=why):
        parse_type(encoded)


def test_a_chain_of_structs_is_as_deep_as_rules_reach() -> None:
    def chain(depth: int) -> dict[str, tuple[tuple[str, str], ...]]:
        return {
            f"S{at}": ((f"S{at + 1}" if at < depth else "bool", "x"),) for at in range(depth + 1)
        }

    assert struct_of("S0", chain(4)).function.kind_of("x.x.x.x.x") == "bool"
    with pytest.raises(BadType, match="nested at most 4 deep"):
        struct_of("S0", chain(5))


def test_a_type_has_sixteen_structs_and_a_document_2048_values() -> None:
    assert (MAX_VALUES, MAX_PLACES) == (2_048, 512)

    def beside(count: int) -> dict[str, tuple[tuple[str, str], ...]]:
        inner = [f"S{at}" for at in range(count)]
        return {"M": tuple((name, name) for name in inner)} | dict.fromkeys(inner, (("bool", "x"),))

    assert struct_of("M", beside(15))
    with pytest.raises(BadType, match="at most 16 structs"):
        struct_of("M", beside(16))


def test_the_longest_type_has_2048_characters() -> None:
    start = "M(" + ",".join(f"bool {'f' * 61}{at:02}" for at in range(29)) + ",bool "
    longest = f"{start}{'g' * (2_047 - len(start))})"
    assert (len(longest), parse_type(longest).encode_type) == (2_048, longest)
    with pytest.raises(BadType, match="is text such as"):
        parse_type(longest.replace("g)", "gg)"))


def test_how_deep_it_is_depends_on_no_order() -> None:
    """A struct that was read beside others is as deep below them."""
    tail = {f"T{at}": ((f"T{at + 1}" if at < 2 else "bool", "x"),) for at in range(3)}
    parts = (("A", "a"), ("T0", "t"))
    for fields in (parts, parts[::-1]):
        inner = {"A": (("B", "b"),), "B": (("T0", "t"),)}
        with pytest.raises(BadType, match="nested at most 4 deep"):
            struct_of("M", {"M": fields, **inner, **tail})
        assert struct_of("M", {"M": fields, "A": (("T0", "t"),), **tail})


def recursive(kind: str) -> bytes:
    told = authorization()
    told["types"]["TransferWithAuthorization"].append({"name": "next", "type": kind})
    told["types"]["Node"] = [{"name": "next", "type": "Node[]"}]
    return json.dumps(told).encode()


@pytest.mark.parametrize("kind", ["Node", "Node[]", "Node[2][]", "TransferWithAuthorization[]"])
def test_a_type_that_holds_itself_is_refused_by_name(kind: str) -> None:
    with pytest.raises(NeverSigned, match="holds itself") as refused:
        read_typed_data(recursive(kind), WALLET)
    assert (refused.value.refusal.reason, refused.value.refusal.path) == ("RECURSIVE_TYPE", "types")
    # One that nothing names is no part of the document.
    with pytest.raises(NeverSigned, match="and of nothing else"):
        read_typed_data(recursive("bool"), WALLET)


def test_types_that_hold_each_other_are_refused_at_once() -> None:
    """Followed, 64 fields of 64 structs would have no end."""
    loops = [{"name": f"f{at}", "type": f"S{at}"} for at in range(64)]
    types = {f"S{at}": loops for at in range(16)}
    told = {"types": types, "primaryType": "S0", "domain": {"name": "x"}, "message": {}}
    with pytest.raises(NeverSigned, match='"S0" holds itself'):
        read_typed_data(json.dumps(told).encode(), WALLET)


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"value": -1}, "message.value"),
        ({"value": 1 << 256}, "message.value"),
        ({"value": "1.0"}, "message.value"),
        ({"value": " 1"}, "message.value"),
        ({"value": "٣"}, "message.value"),
        ({"value": True}, "message.value"),
        ({"value": None}, "message.value"),
        ({"to": "0x" + "0a" * 19}, "message.to"),
        ({"to": "0a" * 20}, "message.to"),
        ({"nonce": "0x07"}, "message.nonce"),
        ({"more": 1}, "message"),
        ({"to": {"eq": 1}}, "message.to"),
    ],
)
def test_values_are_of_their_types(changed: dict[str, Any], path: str) -> None:
    told = authorization()
    told["message"] |= changed
    with pytest.raises(NeverSigned) as refused:
        read_typed_data(json.dumps(told).encode(), WALLET)
    refusal = refused.value.refusal
    assert (refusal.reason, refusal.path) == ("MALFORMED_TYPED_DATA", path)


@pytest.mark.parametrize(
    "change",
    [
        {"domain": {}},
        {"domain": {"owner": "me"}},
        {"domain": None},
        {"message": []},
        {"message": {}},
        {"primaryType": "EIP712Domain"},
        {"primaryType": "Other"},
        {"primaryType": 7},
        {"types": []},
        {"types": {"TransferWithAuthorization": "bool a"}},
        {"types": {"TransferWithAuthorization": [{"name": "a"}]}},
        {"types": {"TransferWithAuthorization": [{"name": "a", "type": 1}]}},
        {"types": {"TransferWithAuthorization": [{"name": "a", "type": "bool", "x": 1}]}},
        {"more": 1},
    ],
)
def test_what_is_no_document(change: dict[str, Any]) -> None:
    with pytest.raises(NeverSigned) as refused:
        read_typed_data(json.dumps(authorization() | change).encode(), WALLET)
    assert refused.value.refusal.reason == "MALFORMED_TYPED_DATA"


def test_a_domain_of_other_types_is_refused() -> None:
    told = authorization()
    told["types"]["EIP712Domain"] = [{"name": "chainId", "type": "uint64"}]
    told["domain"] = {"chainId": 8453}
    with pytest.raises(NeverSigned, match="a domain has"):
        read_typed_data(json.dumps(told).encode(), WALLET)


def test_structs_that_name_each_other_often_are_counted_before_they_are_followed() -> None:
    """Eight kilobytes of types would else be sixteen million fields."""
    types = {
        f"S{depth}": [
            {"name": f"f{at}", "type": f"S{depth + 1}[]" if depth < 4 else "bool"}
            for at in range(64)
        ]
        for depth in range(5)
    }
    told = {"types": types, "primaryType": "S0", "domain": {"name": "x"}, "message": {}}
    with pytest.raises(NeverSigned, match=f"at most {MAX_PLACES} fields"):
        read_typed_data(json.dumps(told).encode(), WALLET)
    wide = ",".join(f"B b{at}" for at in range(22))
    inner = ",".join(f"bool f{at}" for at in range(22))
    assert len(parse_type(f"A({wide})B({inner})").function.places) == 22 + 22 * 22
    with pytest.raises(BadType, match=f"at most {MAX_PLACES} fields"):
        parse_type(f"A({wide},B c)B({inner})")


def test_work_is_bounded_before_it_is_done() -> None:
    listed = parse_type("M(bool[] a)")
    Reader().struct(listed, {"a": [True] * (MAX_VALUES - 1)}, "message")
    with pytest.raises(Malformed, match=f"at most {MAX_VALUES} values"):
        Reader().struct(listed, {"a": [True] * MAX_VALUES}, "message")
    with pytest.raises(NeverSigned, match="at most"):
        read_typed_data(b" " * (MAX_TYPED_DATA_BYTES + 1), WALLET)
    deep: Any = True
    for _ in range(40):
        deep = [deep]
    with pytest.raises(NeverSigned, match="nested deeper"):
        read_typed_data(json.dumps(document_with(deep)).encode(), WALLET)


WORDS = ["types", "primaryType", "domain", "message", "name", "type", "Permit", "bool"]
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=4)


@given(
    st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
        ),
    )
)
def test_any_json_is_an_intent_or_a_refusal(told: Any) -> None:
    for given_ in (told, authorization() | {"message": told}, authorization() | {"types": told}):
        try:
            read_typed_data(json.dumps(given_).encode(), WALLET)
        except NeverSigned as error:
            assert error.refusal.path


NO_TEXT: list[Any] = [None, True, 5, [], {}, ["a"]]
NO_NUMBER: list[Any] = [None, True, "", "-", "x", "0x", "0X01", "0x00", "1.0", "--1", [], {}]
FAMILIES: dict[str, tuple[list[Any], list[Any]]] = {
    "string": (["", "x"], NO_TEXT),
    "bytes": (["0x", "0x00"], [*NO_TEXT, "", "00", "0x0", "0xzz"]),
    "bytes4": (["0x00000000"], [*NO_TEXT, "0x", "0x000000", "0x0000000000"]),
    "address": (["0x" + "0A" * 20], [*NO_TEXT, "0x" + "00" * 19, "0x" + "00" * 21]),
    "bool": ([True, False], [None, 0, 1, "true", [], [True]]),
    "int8": ([-128, 127, "-128", "127", "0x7f"], [*NO_NUMBER, -129, 128, "-129", "128", "-0x1"]),
    "uint8": ([0, 255, "0", "255", "0xff"], [*NO_NUMBER, -1, 256, "-1", "256", "0x100"]),
    "string[]": ([[], ["a", ""]], [None, "a", {}, [5], ["a", None], [["a"]]]),
    "bool[2]": ([[True, False]], [None, True, [], [True], [True] * 3, [True, 1]]),
}
"""Of each kind of type what it holds, and what it does not."""


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_value_is_of_its_family_or_the_document_is_none(kind: str) -> None:
    def read(value: Any, **domain: Any) -> None:
        told = document(f"M({kind} x)", {"x": value}, **domain)
        read_typed_data(json.dumps(told).encode(), WALLET)

    held, strange = FAMILIES[kind]
    for value in held:
        read(value)
    for value in strange:
        with pytest.raises(NeverSigned) as refused:
            read(value)
        assert refused.value.refusal.reason == "MALFORMED_TYPED_DATA"
        assert str(refused.value.refusal.path).startswith("message.x")
    for name in NO_TEXT:
        with pytest.raises(NeverSigned, match="a text"):
            read(held[0], name=name)


def test_numbers_are_written_as_wallets_write_them() -> None:
    told = [json.dumps(document_with(one)).encode() for one in (255, "255", "0xff")]
    assert len({read_typed_data(one, WALLET).digest for one in told}) == 1


def document_with(value: Any) -> dict[str, Any]:
    told = authorization()
    told["message"]["value"] = value
    return told


def test_addresses_are_of_our_type() -> None:
    intent = read_typed_data(json.dumps(authorization()).encode(), WALLET)
    assert isinstance(intent.values[0], Address)
    assert isinstance(intent.domain["verifyingContract"], Address)
