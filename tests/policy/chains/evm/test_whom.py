"""An ALLOW of a function that gives value or control away names whom, or says "anyone"."""

from typing import Any

import pytest

from keymoot.base.units import Wei
from keymoot.policy.chains.evm.powers.known import POWERS, power_of
from keymoot.policy.chains.evm.powers.power import REFUSED_BY_NAME, Power, named, powers
from keymoot.policy.chains.evm.signature import Argument
from keymoot.policy.errors import BadPolicy
from keymoot.policy.names import checksummed
from tests.policy.documents import SIGN, STRANGER, USDC, data, interfaces, parsed, reason, tx


def rule(function: str | list[str], **more: Any) -> dict[str, Any]:
    start = {"id": "r", "action": "ALLOW", "method": SIGN, "to": {"eq": checksummed(USDC)}}
    return start | {"function": function} | more


def one(function: str | list[str], **more: Any) -> dict[str, Any]:
    return interfaces() | {"rules": [rule(function, **more)]}


def refused(document: dict[str, Any]) -> BadPolicy:
    with pytest.raises(BadPolicy) as found:
        parsed(document)
    return found.value


def signature_of(power: Power, *, strange: bool = False) -> str:
    """Write a row's signature, with the standard's names or with names that nobody uses."""
    used = 0

    def part(argument: Argument) -> str:
        nonlocal used
        used += 1
        name = f"a{used}" if strange else argument.name
        if argument.parts:
            suffix = argument.kind[argument.kind.rindex(")") + 1 :]
            return f"({','.join([part(one) for one in argument.parts])}){suffix} {name}"
        return f"{argument.kind} {name}"

    return f"{power.function.name}({','.join([part(one) for one in power.function.arguments])})"


def free_args(power: Power) -> dict[str, str]:
    return dict.fromkeys(named(power.function, power.whom), "anyone")


SWAP = "exactInputSingle((address a,address b,uint24 c,address d,uint256 e,uint256 f,uint160 g) p)"
SAFE = (
    "execTransaction(address to,uint256 v,bytes data,uint8 op,uint256 a,uint256 b,uint256 c,"
    "address d,address refund,bytes s)"
)
COUNTS = [280, 127, 36, 38]
"""Rows that name whom, amounts, sources and assets: a row that loses a mark says less."""


def ways_of(power: Power) -> tuple[tuple[tuple[int, ...], ...], ...]:
    return power.whom, power.amounts, power.sources, power.assets


WITH_WHOM = [power for power in POWERS if power.whom]


@pytest.mark.parametrize("power", WITH_WHOM, ids=lambda power: power.function.signature[:60])
def test_whom_is_named_under_any_names(power: Power) -> None:
    strange = refused(one(signature_of(power, strange=True)))
    assert strange.path.startswith("rules[0].args.a")
    policy = parsed(one(signature_of(power), args=free_args(power)))
    assert policy.rules[0].anyone == set(free_args(power))
    for missing in free_args(power):
        fewer = {name: "anyone" for name in free_args(power) if name != missing}
        assert refused(one(signature_of(power), args=fewer)).path == f"rules[0].args.{missing}"


def test_a_row_says_with_marks_what_its_arguments_decide() -> None:
    (row,) = powers(
        "SWAP",
        """
    swap(address <from,(uint256 #amount,address >to)[] parts,
        bytes32 note,address @token)
        """,
    )
    assert row.function.signature == "swap(address,(uint256,address)[],bytes32,address)"
    ours = row.function
    assert [*ours.places] == ["from", "parts", "parts[].amount", "parts[].to", "note", "token"]
    found = [[*named(ours, ways)] for ways in (row.whom, row.amounts, row.sources, row.assets)]
    assert found == [["parts[].to"], ["parts[].amount"], ["from"], ["token"]]


def test_the_table_is_one_row_a_selector() -> None:
    decided = [sum(map(bool, column)) for column in zip(*map(ways_of, POWERS), strict=True)]
    assert decided == COUNTS
    selectors = [power.function.selector for power in POWERS]
    assert len(set(selectors)) == len(selectors) > 250
    assert power_of(b"\xa9\x05\x9c\xbb").function.name == "transfer"
    assert power_of(b"\x09\x5e\xa7\xb3").kind == "APPROVAL"
    assert power_of(b"") is None


@pytest.mark.parametrize(
    ("function", "args", "path"),
    [
        ("transfer(address x,uint256 y)", {}, "x"),
        ("transfer(address x,uint256 y)", {"y": {"lte": "5"}}, "x"),
        ("transfer(address x,uint256 y)", {"x": {"notIn": [STRANGER.hex0x]}}, "x"),
        (
            SWAP,
            {"p.e": {"lte": "5"}},
            "p.d",
        ),
        ("multicall(bytes[] calls)", {"calls": {"any": {"eq": "0x"}}}, "calls"),
        (
            SAFE,
            {"to": {"eq": "$wallet"}, "data": "anyone", "refund": {"eq": "$wallet"}},
            "op",
        ),
        ("transferBatch(address[] to,uint256[] n)", {"to": {"any": {"eq": "$wallet"}}}, "to"),
        (["f(address to)", "setOwner(address to)"], {}, "to"),
    ],
    ids=str,
)
def test_an_allow_without_whom_is_refused_with_the_line_to_write(
    function: str | list[str], args: dict[str, Any], path: str
) -> None:
    error = refused(one(function, args=args))
    assert error.path == f"rules[0].args.{path}"
    assert f'"args": {{"{path}": "anyone"}}' in str(error)
    changed = {**args, path: "anyone"}
    assert parsed(one(function, args=changed)).rules[0].anyone >= {path}
    # A DENY may leave out what it likes.
    conditions = {name: found for name, found in args.items() if found != "anyone"}
    parsed(one(function, action="DENY", args=conditions))


@pytest.mark.parametrize(
    "args",
    [
        {"to": {"eq": "$wallet"}},
        {"to": {"in": "vaults"}},
        {"to": {"in": [STRANGER.hex0x]}, "amount": {"lte": "1"}},
        {"to": "anyone"},
    ],
    ids=str,
)
def test_whom_is_named_with_eq_or_in_or_anyone(args: dict[str, Any]) -> None:
    assert parsed(one("transfer(address to,uint256 amount)", args=args))


@pytest.mark.parametrize(
    ("args", "path", "action"),
    [
        ({"to": {"eq": "$wallet"}, "amount": "anyone"}, "amount", "ALLOW"),
        ({"to": "everyone"}, "to", "ALLOW"),
        ({"to": "anyone"}, "to", "DENY"),
        ({"whom": "anyone"}, "whom", "ALLOW"),
    ],
    ids=str,
)
def test_anyone_stands_for_somebody(args: dict[str, Any], path: str, action: str) -> None:
    error = refused(one("transfer(address to,uint256 amount)", args=args, action=action))
    assert error.path == f"rules[0].args.{path}"


def test_a_target_is_named_or_anyone() -> None:
    pay = {"id": "r", "action": "ALLOW", "method": SIGN, "value": {"lte": "5"}}
    for to in ({"notIn": [STRANGER.hex0x]}, "everyone", {}):
        assert refused(interfaces() | {"rules": [pay | {"to": to}]}).path == "rules[0].to"
    assert '"to": "anyone"' in str(refused(interfaces() | {"rules": [pay]}))
    policy = parsed(interfaces() | {"rules": [pay | {"to": "anyone"}]})
    assert reason(tx(STRANGER, value=Wei(5)), policy) == ""
    assert reason(tx(STRANGER, value=Wei(6)), policy) == "CONDITION_FAILED"
    # Anyone is somebody: nothing allows the creation of a contract.
    assert reason(tx(None, value=Wei(5)), policy) == "CONTRACT_CREATION"
    assert reason(tx(None, b"\x60", value=Wei(5)), policy) == "CONTRACT_CREATION"
    called = parsed(one("claim()", to="anyone"))
    assert reason(tx(STRANGER, data("claim()")), called) == ""
    assert reason(tx(None, data("claim()")), called) == "CONTRACT_CREATION"


def test_anyone_in_so_many_words_is_anyone() -> None:
    policy = parsed(one("transfer(address to,uint256 amount)", args={"to": "anyone"}))
    assert reason(tx(USDC, data("transfer(address,uint256)", STRANGER, 5)), policy) == ""


@pytest.mark.parametrize(
    "power",
    [one for one in POWERS if one.kind in REFUSED_BY_NAME],
    ids=lambda power: power.function.signature[:60],
)
def test_what_gives_control_is_refused_by_name(power: Power) -> None:
    assert reason(tx(STRANGER, power.function.selector + bytes(32))) == power.kind
