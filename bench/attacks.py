"""Policies and wishes that are meant to cost: families of them, each with a few numbers to turn."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keymoot.base.abi.encode import encode
from keymoot.base.fixed import Address, SolanaAddress
from keymoot.base.request import (
    SIGN_MESSAGE,
    SIGN_SOLANA_TRANSACTION,
    SIGN_TRANSACTION,
    SIGN_TYPED_DATA,
)
from keymoot.base.strict_json import canonical
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import ChainId, Gas, Nonce, Wei
from keymoot.policy.chains.evm.signature import parse_function
from keymoot.policy.names import checksummed
from tests.policy.chains.solana import messages

CHAIN = ChainId(8453)
TARGET = Address(b"\x02" * 20)
WALLET = Address(b"\x0a" * 20)


@dataclass(frozen=True, slots=True)
class Attack:
    """A policy as its owner sets it, and a wish under it."""

    document: bytes
    method: str
    payload: bytes
    account: Address | SolanaAddress


Numbers = dict[str, int]
Family = tuple[Callable[[Numbers], Attack], dict[str, tuple[int, int]]]


def document(rules: list[dict[str, Any]], **more: Any) -> bytes:
    named = [{"id": f"r{at}", "action": "ALLOW", **one} for at, one in enumerate(rules)]
    return canonical({"version": "1", "chain": f"eip155:{CHAIN}", "rules": named, **more})


def calling(data: bytes) -> bytes:
    tx = EvmTransaction(
        DYNAMIC_FEE, CHAIN, Nonce(0), Wei(1), Wei(10), Gas(21_000), TARGET, Wei(1), data
    )
    return tx.unsigned_bytes()


def evm(rules: list[dict[str, Any]], data: bytes, **more: Any) -> Attack:
    whole = [{"method": SIGN_TRANSACTION, "value": {"eq": "1"}, **one} for one in rules]
    return Attack(document(whole, **more), SIGN_TRANSACTION, calling(data), WALLET)


def address(rng: random.Random) -> str:
    return checksummed(Address(rng.randbytes(20)))


def arrays(n: Numbers) -> Attack:
    """Every rule holds every value of an array against several comparisons."""
    text = "pay(uint256[] a)"
    tests = {"lte": "9", "gte": "0", "lt": "10", "notIn": ["5"], "in": ["1"]}
    some = dict(list(tests.items())[: n["tests"]])
    rule = {"to": {"eq": TARGET.hex0x}, "function": text, "args": {"a": {"all": some}}}
    data = encode(parse_function(text, "").kinds, [[1] * n["values"]])
    return evm(
        [rule | {"value": {"eq": "2"}}] * n["rules"], parse_function(text, "").selector + data
    )


def arguments(n: Numbers) -> Attack:
    """Long signatures, with a condition on each argument; each tuple hides another one."""
    inner = ",".join(f"uint256 a{at}" for at in range(n["parts"]))
    for _ in range(n["depth"]):
        inner = f"({inner}) t"
    path = "t." * n["depth"]
    text = f"f({inner})"
    known = parse_function(text, "")
    value: Any = tuple(range(n["parts"]))
    for _ in range(n["depth"]):
        value = (value,)
    conditions = {f"{path}a{at}": {"gte": "0"} for at in range(n["parts"])}
    rule = {"to": {"eq": TARGET.hex0x}, "function": text, "args": conditions, "value": {"eq": "2"}}
    return evm([rule] * n["rules"], known.selector + encode(known.kinds, value))


def addresses(n: Numbers) -> Attack:
    """Sets, and lists in rules, of addresses in mixed case."""
    rng = random.Random(n["members"])
    sets = {"s": [address(rng) for _ in range(n["members"])]}
    rule = {"to": {"in": [address(rng) for _ in range(n["listed"])], "notIn": "s"}}
    return evm([rule] * n["rules"], b"", sets=sets)


def texts(n: Numbers) -> Attack:
    """Long texts and bytes, equal but for their last character."""
    text = "say(string a,bytes b)"
    known = parse_function(text, "")
    long = "x" * n["length"]
    tests = {"a": {"notIn": [f"{long}{at}" for at in range(n["operands"])]}}
    rule = {"to": {"eq": TARGET.hex0x}, "function": text, "args": tests, "value": {"eq": "2"}}
    return evm(
        [rule] * n["rules"], known.selector + encode(known.kinds, [long + "y", bytes(40_000)])
    )


def nested(n: Numbers) -> Attack:
    """Arrays of arrays of tuples, with as many values as are read; and then a wrong byte."""
    text = "f((bool a,bytes b)[][] a)"
    known = parse_function(text, "")
    value = [[(True, b"x" * n["length"])] * n["inner"]] * n["outer"]
    rule = {"to": {"eq": TARGET.hex0x}, "function": text, "value": {"eq": "2"}}
    data = known.selector + encode(known.kinds, [value])
    return evm([rule] * n["rules"], data + bytes(n["wrong"]))


def prefixes(n: Numbers) -> Attack:
    """Every rule names another beginning of a text."""
    rules = [
        {"method": SIGN_MESSAGE, "prefix": "p" * n["length"] + f" {at:03d}"}
        for at in range(n["rules"])
    ]
    return Attack(document(rules), SIGN_MESSAGE, b"p" * 2_000, WALLET)


def typed_data(n: Numbers) -> Attack:
    """Typed data is refused, but read to name the hazard."""
    payload = canonical({"primaryType": "x", "types": [[[]] * n["width"]] * n["height"]})
    return Attack(document([]), SIGN_TYPED_DATA, payload[:65_536], WALLET)


def transfers(n: Numbers) -> Attack:
    """Every rule on every transfer of Solana, with owners whose token accounts are derived."""
    owners = [SolanaAddress(bytes((1, at)) + bytes(30)) for at in range(n["owners"])]
    mints = [SolanaAddress(bytes((2, at)) + bytes(30)) for at in range(n["mints"])]
    rule = {
        "method": SIGN_SOLANA_TRANSACTION,
        "instruction": "token.transferChecked",
        "mint": {"in": [one.base58 for one in mints]},
        "to": {"in": "owners"},
        "amount": {"gte": "1"},
    }
    named = [{"id": f"r{at}", "action": "ALLOW", **rule} for at in range(n["rules"])]
    source = {"version": "1", "chain": messages.MAINNET, "rules": named}
    source["sets"] = {"owners": [one.base58 for one in owners]}
    each = [
        messages.token_to(messages.STRANGER, at + 1, mints[at % len(mints)])
        for at in range(n["transfers"])
    ]
    payload = messages.built(*each)
    return Attack(canonical(source), SIGN_SOLANA_TRANSACTION, payload, messages.WALLET)


FAMILIES: dict[str, Family] = {
    "arrays": (arrays, {"rules": (1, 64), "tests": (1, 5), "values": (0, 511)}),
    "arguments": (arguments, {"rules": (1, 24), "parts": (1, 60), "depth": (0, 3)}),
    "addresses": (addresses, {"members": (1, 1_024), "listed": (1, 200), "rules": (1, 64)}),
    "texts": (texts, {"rules": (1, 32), "length": (0, 8_000), "operands": (1, 64)}),
    "nested": (
        nested,
        {"rules": (1, 64), "inner": (0, 40), "outer": (0, 40), "length": (0, 200), "wrong": (0, 1)},
    ),
    "prefixes": (prefixes, {"rules": (1, 64), "length": (8, 250)}),
    "typed data": (typed_data, {"width": (1, 400), "height": (1, 60)}),
    "transfers": (
        transfers,
        {"rules": (1, 24), "owners": (1, 128), "mints": (1, 8), "transfers": (1, 8)},
    ),
}
"""What the search turns, from the least to the greatest."""
