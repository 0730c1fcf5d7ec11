"""Blocks that show where one Python might differ from another; told as lines of JSON.

    python -m tests.runtime.transcript

Whatever reaches a receipt, a record or the state is in it: policies that are wrong in every
way, wishes that are refused, odd texts, calldata that is none, messages of nodes. It is the
same to the byte wherever it runs.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from keymoot.base import rlp
from keymoot.base.abi.encode import encode
from keymoot.base.abi.kinds import parse_kinds
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.base.strict_json import canonical
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.genesis import Founder
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.seat import SessionKeys
from keymoot.contracts.builtin.keys import Keys
from keymoot.contracts.builtin.nodes import Nodes, committee_on
from keymoot.contracts.builtin.vault import Vault
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256_raw
from keymoot.runtime.receipt import Receipt
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.threshold.secp256k1 import SECP256K1
from tests.runtime.people import AGENT, OWNER, RECOVERY, VAULT, Scenario, calldata, payment, policy

ODD = [
    "\x7f",
    "\u202e",
    "é",
    "\U0001f600",
    "٣",
    "²",
    "Ⅷ",
    "\u2028",
    "ǅ",
    "ẞ",
    "\U0001ccf0",
    "'",
    '"',
]
"""Characters about which Unicode, `repr` or JSON may change their minds."""


def rule(function: str, args: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Give a rule on a function of the vault's."""
    shown = {
        "id": "f",
        "action": "ALLOW",
        "method": "eth_signTransaction",
        "to": {"eq": VAULT.hex0x},
    }
    return policy(rules=[{**shown, "function": function, "args": args, **more}], limits=[])


def wrong_policies() -> Iterator[bytes]:
    """Give what is no policy, each for a reason of its own."""
    yield from (b"", b"{", b"[1,]", b'{"version":"1",}', b'{"a":1 "b":2}', b"{'a':1}", b'{"a":tru}')
    yield from (
        b'"\\x"',
        b'"\\u12"',
        b'"a\x01b"',
        b"NaN",
        b"1e5",
        b"01",
        b"-",
        b"[1 2]",
        b'"',
        b"\xff",
    )
    yield from (b'{"\\ud800":1,"\\ud800":1}', b'{"a":"\\udfff"}', b"[" * 40, b"9" * 5_000, b"1_0")
    yield from (
        "\ufeff{}".encode(),
        "[١]".encode(),
        b'{"version": "1"}',
        b"{}",
        b"[]",
        b"null",
    )
    for odd in ODD:
        yield canonical({odd * 90: 1})
        yield canonical(policy(expires=f"202{odd}-01-01T00:00:00Z"))
        yield canonical(policy(chain=f"eip155:{odd}"))
        yield canonical(policy(sets={odd: []}))
        yield canonical(rule(f"f(uint256 {odd})", {}))
        yield canonical(rule(f"{odd}f(uint256{odd} a)", {}))
        yield canonical(rule("f(uint256 a)", {"a": {"eq": odd}}))
        yield canonical(rule("f(uint256 a)", {odd: {"eq": "1"}}))
        yield canonical(rule("f(address a)", {"a": {"in": odd}}))
        yield canonical(
            policy(limits=[{"id": "day", "max": odd, "window": "24h", "kind": "rolling"}])
        )
        yield canonical(policy(limits=[{"id": "day", "max": "1", "window": f"{odd}h"}]))
    for expires in (
        "0000-01-01T00:00:00Z",
        "2027-02-29T00:00:00Z",
        "2027-01-01T00:00:60Z",
        7,
        None,
    ):
        yield canonical(policy(expires=expires))
    yield canonical(policy(rules=[["ALLOW"], {"id": True}], limits={"a": [1, 2]}))


def right_policies() -> Iterator[tuple[bytes, list[bytes]]]:
    """Give policies, and calldata that is held against each."""
    yield canonical(policy(expires="0999-01-01T00:00:00Z")), [b""]
    yield canonical(policy(expires="2999-12-31T23:59:59Z")), [b"", b"\x01"]
    texts = [odd * 300 for odd in ODD] + ODD
    yield (
        canonical(rule("f(string s)", {"s": {"in": texts}})),
        [_call("f(string)", [text]) for text in ["x", "", *ODD, "x" * 300, "\\" * 64]],
    )
    yield (
        canonical(
            rule("f(bool b,bytes c,int8 d)", {"b": {"eq": True}, "c": {"in": ["0x01", "0x"]}})
        ),
        [
            _call("f(bool,bytes,int8)", given)
            for given in ([True, b"\1", -5], [False, b"", 0], [True, bytes(200), 127])
        ],
    )
    whole = _call("f(bool,bytes,int8)", [True, b"\1", 1])
    document = canonical(rule("f(bool b,bytes c,int8 d)", {}))
    yield document, [whole[:-1], whole + b"\0", whole[:4], whole[:36] + b"\xff" * 32 + whole[68:]]
    bad_text = _call("f(string)", ["abc"]).replace(b"abc", b"\xff\xfe\xfd")
    yield canonical(rule("f(string s)", {})), [bad_text, _call("f(string)", ["a\u0301\U0001ccf0"])]


def _call(signature: str, arguments: list[Any]) -> bytes:
    kinds = signature[2:-1].split(",")
    return keccak256_raw(signature.encode())[:4] + encode(parse_kinds(kinds), arguments)


def odd_calls(scenario: Scenario) -> Iterator[tuple[Address, bytes, int]]:
    """Give calls that no contract takes, or takes for what they are."""
    wallet = bytes(scenario.wallet)
    for contract in (Vault, Wallets, Nodes, Keys):
        yield contract.ADDRESS, b"", 0
        yield contract.ADDRESS, b"\x12\x34\x56\x78", 1
        for method in sorted(contract.METHODS.values(), key=lambda one: one.name):
            yield contract.ADDRESS, method.selector, 0
            yield contract.ADDRESS, method.selector + b"\xff" * 96, 0
            yield contract.ADDRESS, method.selector + wallet + bytes(128), 1
    until = scenario.chain.block.time + 100
    yield Keys.ADDRESS, calldata(Keys, "derive", b"n", bytes(48), bytes(96), until), 0
    yield (
        Keys.ADDRESS,
        calldata(Keys, "derive", b"n", b"\xc0" + bytes(47), b"\xc0" + bytes(95), until),
        0,
    )
    yield Vault.ADDRESS, calldata(Vault, "birth", b"k" * 32), 0
    for raw in (b"", b"\x02", b"\x05\xc0", payment(5, to=RECOVERY).unsigned_bytes()):
        given = (wallet, raw, b"w" * 32, until, b"r" * 32, 0)
        kinds = [kind for _, kind in Wallets.method("withdraw").inputs]
        yield Wallets.ADDRESS, calldata(Wallets, "withdraw", *given, *[0] * (len(kinds) - 6)), 0


def odd_wishes() -> Iterator[tuple[str, bytes]]:
    """Give wishes by every method, few of which can be signed."""
    wish = payment(5).unsigned_bytes()
    for method in ("eth_signTransaction", "personal_sign", "eth_signTypedData_v4", "keymoot_again"):
        yield from (
            (method, raw) for raw in (b"", b"x", wish, wish[:-3], b"\x03" + wish[1:], bytes(40))
        )
        yield from ((method, odd.encode()) for odd in ODD)
    yield from ((odd * 3, wish) for odd in ODD)
    yield "eth_signTypedData_v4", b'{"primaryType":"Permit",}'
    yield "eth_signTypedData_v4", b'{"primaryType":"Permit"}'
    yield "eth_signTransaction", payment(10**6).unsigned_bytes()
    yield "eth_signTransaction", replace(payment(1, to=RECOVERY)).unsigned_bytes()


BOOTS = [Secret(bytes((40 + seat,)) * 32) for seat in range(1, 5)]


def found_committee(scenario: Scenario, identities: Sequence[Bytes32] = ()) -> None:
    """Seat four members whose keys are known; their key generation has just begun.

    Args:
        scenario: On whose chain.
        identities: Their identity keys; without them, keys that nobody has.
    """
    identities = identities or [Bytes32(bytes((seat,)) * 32) for seat in range(1, 5)]
    point = SECP256K1.encode(SECP256K1.base(SECP256K1.scalar(b"\x05" * 32)))
    founders = tuple(
        Founder(identity, point, SessionKeys(key, point))
        for seat, (identity, key) in enumerate(
            zip(identities, map(ed25519.public_key, BOOTS), strict=True), 1
        )
    )
    journal = Journal(scenario.chain.state())
    store = PublicStore(journal, Nodes.ADDRESS, FreeMeter())
    committee_on(store, scenario.chain.block.network).found(founders, Height(0), UnixSeconds(0))
    scenario.chain.alter(journal.changes())


def words(scenario: Scenario) -> Iterator[bytes]:
    """Give messages of nodes: in and out of turn, whole and broken."""
    bodies = [
        b"",
        b"\xc0",
        b"\xff",
        rlp.encode([b"", b"x"]),
        rlp.encode([b"", rlp.encode([bytes(32)] * 3)]),
    ]
    bodies += [
        rlp.encode([b"\1", b"\2", b"\xff" * 33]),
        rlp.encode([b"", bytes(48), bytes(96), bytes(64)]),
    ]
    for kind in Kind:
        for seat, body in ((at % 5, body) for at, body in enumerate(bodies)):
            said = NodeMessage(scenario.chain.block.network, Hash32(bytes(32)), seat, kind, body)
            yield said.signed(BOOTS[(seat or 1) - 1]).encode()


def told(scenario: Scenario, what: str, receipts: list[Receipt]) -> str:
    """Give a block as a line."""
    shown = [
        [one.status, one.error_code, one.error, one.gas_used, keccak256_raw(one.encode()).hex()]
        for one in receipts
    ]
    return json.dumps([what, scenario.chain.tip.hash.hex(), shown])


def transcript() -> Iterator[str]:
    """Give a line for each block."""
    scenario, names = Scenario().ready(), iter(range(10**6))

    def ask(payload: bytes, method: str) -> list[Receipt]:
        name = next(names).to_bytes(32, "big")
        raw, _ = scenario.request(payload, name=name, method=method)
        return [scenario.chain.send(raw)]

    for document in wrong_policies():
        receipt = scenario.send(OWNER, "setPolicy", scenario.wallet, document, scenario.show()[5])
        yield told(scenario, "wrong policy", [receipt])
    for to, data, value in odd_calls(scenario):
        yield told(scenario, "call", [scenario.chain.send(scenario.raw(AGENT, to, data, value))])
        yield told(
            scenario, "owner's call", [scenario.chain.send(scenario.raw(OWNER, to, data, value))]
        )
    # Some of the owner's calls did what they say: begin anew.
    scenario = Scenario().ready(limit=1_000)
    for method, payload in odd_wishes():
        yield told(scenario, f"wish {method}", ask(payload, method))
    for document, several in right_policies():
        receipt = scenario.send(OWNER, "setPolicy", scenario.wallet, document, scenario.show()[5])
        yield told(scenario, "policy", [receipt])
        for data in several:
            wish = replace(payment(0), data=data)
            yield told(scenario, "wish", ask(wish.unsigned_bytes(), "eth_signTransaction"))
    for page in range(0, 10**4, 64):
        entries = scenario.view("log", scenario.wallet, page, 64)[0]
        if not entries:
            break
        yield json.dumps(["log", keccak256_raw(b"".join(entries)).hex()])
    found_committee(scenario)
    for raw in words(scenario):
        yield told(scenario, "word", [scenario.chain.send(raw)])


if __name__ == "__main__":
    for line in transcript():
        print(line)
