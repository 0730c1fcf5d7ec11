"""What anybody may send, drawn at random: calls, requests, policies with wishes for them."""

import json
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from hypothesis import strategies as st

from keymoot.base.fixed import Address, Bytes32, SolanaAddress, WalletId
from keymoot.base.request import ASK_AGAIN, MAX_PAYLOAD_BYTES
from keymoot.base.strict_json import canonical
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import Gas, Nonce, UnixSeconds, Wei
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.contracts.builtin.registry import BUILT_IN
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.wallet import IN_VAULT, Book, GrantedCredential, Wallet
from keymoot.crypto.keccak import keccak256, keccak256_raw
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from tests.policy.chains.solana.messages import PAYEES, built, sol
from tests.policy.chains.solana.messages import document as solana_document
from tests.runtime.people import AGENT, OWNER, RECOVERY, TARGET, VAULT, Scenario, policy

ON_SOLANA = WalletId(b"\x51" * 32)
SOLANA_ACCOUNT = SolanaAddress(b"\x0a" * 32)
PARTS = 4
"""Longest scenario: calls, requests, or policies with their wishes."""


def started() -> Scenario:
    """A wallet with a policy, one on Solana, and an agent of both."""
    scenario = Scenario().ready(limit=10**6)
    journal = Journal(scenario.chain.state())
    store = PublicStore(journal, Wallets.ADDRESS, FreeMeter())
    document = canonical(solana_document())
    account = Wallet(
        owner=OWNER.address,
        recovery=PAYEES[0],
        account=SOLANA_ACCOUNT,
        paused=False,
        policy_version=1,
        policy_hash=keccak256(document),
        created_at=UnixSeconds(0),
        custody=IN_VAULT,
    )
    Wallets.wallets.set(store, Bytes32(ON_SOLANA), account)
    Wallets.books.set(store, Bytes32(ON_SOLANA), Book(quota=10**19))
    Wallets.policies.set(store, Bytes32(ON_SOLANA), document)
    ends = UnixSeconds(scenario.chain.block.time + 10_000)
    Wallets.credentials.set(
        store, ON_SOLANA + AGENT.address, GrantedCredential(UnixSeconds(0), ends, revoked=False)
    )
    held = journal.account(Wallets.ADDRESS).balance
    journal.set_balance(Wallets.ADDRESS, Wei(held + 10**19))
    scenario.chain.alter(journal.changes())
    return scenario


PLAY = started()
NOW = PLAY.chain.block.time

# -- what strangers write

nasty = st.sampled_from(
    [
        "\x7f",
        "\0",
        "\u202e",
        "\ud800",
        "\udfff",
        '"',
        "\\",
        "é",
        "\U0001f600",
        "٣",
        "²",
        "Ⅷ",
        "ſ",
        "'",
    ]
)
text = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=20),
    st.tuples(nasty, st.sampled_from([1, 8, 64, 1_000, 9_000])).map(lambda pair: pair[0] * pair[1]),
    st.sampled_from(["", "$wallet", "$value", "0x", "-0", "1" * 78, "9" * 5_000, "eip155:8453"]),
)
scalars = st.one_of(text, st.booleans(), st.none(), st.integers(-(2**70), 2**260))
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=8,
)

KINDS = (
    *("address", "bool", "string", "bytes", "bytes4", "uint8", "int64", "uint256", "int256"),
    *("address[]", "string[2]", "uint8[][]", "bytes[]"),
)


def values(kind: str) -> st.SearchStrategy[Any]:
    """Give values of an ABI type."""
    if kind.endswith("]"):
        head, _, size = kind[:-1].rpartition("[")
        inner = values(head)
        bounds = {"min_size": int(size), "max_size": int(size)} if size else {"max_size": 4}
        return st.lists(inner, **bounds)
    if kind == "address":
        return st.sampled_from([VAULT, RECOVERY, OWNER.address, AGENT.address, bytes(20)])
    if kind == "bool":
        return st.booleans()
    if kind == "string":
        return text.map(lambda one: one.encode("utf-8", "replace").decode())
    if kind == "bytes":
        return st.binary(max_size=70) | st.just(bytes(900))
    if kind.startswith("bytes"):
        size = int(kind[5:])
        return st.binary(min_size=size, max_size=size)
    bits = int(kind.removeprefix("u")[3:])
    low = 0 if kind.startswith("u") else -(2 ** (bits - 1))
    return st.integers(low, 2 ** (bits if kind.startswith("u") else bits - 1) - 1)


signatures = st.lists(st.sampled_from((*KINDS, "string", "string", "bytes")), max_size=4).map(tuple)

crowds = st.builds(
    lambda char, count, size: [f"{n}{char * size}" for n in range(count)],
    nasty.filter(str.isprintable) | st.just("\x7f"),
    st.sampled_from([1, 2, 30]),
    st.sampled_from([2, 700, 10_000]),
)
"""Lists of long texts; the longest do not fit a policy."""


def operand(kind: str) -> st.SearchStrategy[Any]:
    """Give operands of a condition on a type, most of them right."""
    base = kind.split("[", maxsplit=1)[0]
    right = values(base).map(_written)
    lists = st.lists(right, min_size=1, max_size=6)
    if base == "string":
        lists = st.one_of(lists, crowds)
    one = st.one_of(
        right.map(lambda value: {"eq": value}),
        lists.map(lambda several: {"in": several}),
        lists.map(lambda several: {"notIn": several}),
        right.map(lambda value: {"lte": value, "gte": value}),
    )
    for _ in range(kind.count("[")):
        one = one.map(lambda inner: {"each": inner})
    return one | anything


def _written(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return value if isinstance(value, (bool, str)) else str(value)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Give policies, most of them right."""
    rules = []
    for at in range(draw(st.integers(0, 3))):
        kinds = draw(signatures)
        rule: dict[str, Any] = {
            "id": f"r{at}",
            "action": draw(st.sampled_from(["ALLOW", "DENY"])),
            "method": "eth_signTransaction",
            "to": {"eq": VAULT.hex0x},
            "function": f"f({','.join(f'{kind} a{n}' for n, kind in enumerate(kinds))})",
            "args": {
                f"a{n}": draw(operand(kind)) for n, kind in enumerate(kinds) if draw(st.booleans())
            },
        }
        for field in draw(st.lists(st.sampled_from([*rule, "value", "spend", "x"]), max_size=1)):
            rule[field] = draw(anything)
        rules.append(rule)
    document = policy(rules=rules + policy()["rules"])
    if draw(st.booleans()):
        document["expires"] = draw(
            st.sampled_from(
                ["0999-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "٢٠٢٧-01-01T00:00:00Z"]
            )
            | anything
        )
    for field in draw(st.lists(st.sampled_from([*document, "y"]), max_size=1)):
        document[field] = draw(anything)
    return document


@st.composite
def policies(draw: st.DrawFn) -> bytes:
    """Give the bytes of policies: canonical, or written otherwise, or cut and changed."""
    document = draw(documents() | anything)
    form = draw(st.integers(0, 4))
    if form == 4:
        key = json.dumps(draw(nasty | text)).encode()
        return b"{" + key + b":1," + key + b":1," + _plainly(document).lstrip(b"{")
    if form == 0:
        return draw(st.binary(max_size=200))
    raw = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    if form == 1:
        return _changed(draw, raw)
    return _plainly(document) if form == 2 else raw


def _plainly(document: Any) -> bytes:
    raw = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return raw.encode("utf-8", "surrogatepass")


def _changed(draw: st.DrawFn, raw: bytes) -> bytes:
    at = draw(st.integers(0, max(0, len(raw) - 1)))
    put = draw(
        st.binary(max_size=3) | st.sampled_from([b"}", b",", b'"', b"\\ud800", b"1e5", b"["])
    )
    return raw[:at] + put + raw[at + draw(st.integers(0, 3)) :]


@st.composite
def calldata(draw: st.DrawFn) -> bytes:
    """Give calldata of functions that policies name; sometimes not canonical."""
    kinds = draw(signatures)
    arguments = [draw(values(kind)) for kind in kinds]
    raw = keccak256_raw(f"f({','.join(kinds)})".encode())[:4] + encode(kinds, arguments)
    return _changed(draw, raw) if draw(st.integers(0, 3)) == 0 else raw


@st.composite
def wishes(draw: st.DrawFn) -> bytes:
    """Give transactions for the target chain."""
    data = draw(st.just(b"") | calldata() | st.binary(max_size=80))
    big = st.sampled_from([0, 1, 100, 2**63, 2**64 - 1])
    wish = EvmTransaction(
        DYNAMIC_FEE,
        TARGET,
        Nonce(draw(big)),
        Wei(0),
        Wei(draw(st.sampled_from([0, 1, 10**9, 2**255]))),
        Gas(draw(big)),
        draw(st.sampled_from([VAULT, RECOVERY, None])),
        Wei(draw(st.sampled_from([0, 1, 10**6, 2**256 - 1]))),
        data,
    )
    raw = wish.unsigned_bytes()
    return _changed(draw, raw) if draw(st.integers(0, 5)) == 0 else raw


solana_wishes = st.lists(
    st.tuples(st.sampled_from(PAYEES), st.integers(0, 2**64 - 1)), max_size=3
).map(lambda several: built(*(sol(to, amount) for to, amount in several)))


@dataclass(frozen=True)
class Ask:
    """A request of the agent."""

    wallet: WalletId
    method: str
    payload: bytes


@dataclass(frozen=True)
class Call:
    """A transaction to the ledger; `owner` tells whether the owner or a stranger sends it."""

    to: Address
    data: bytes
    value: int
    gas: int
    owner: bool


@dataclass(frozen=True)
class Ruling:
    """The owner sets a policy, of the version that stands."""

    document: bytes


METHODS = ["eth_signTransaction", "personal_sign", "eth_signTypedData_v4", ASK_AGAIN]
SOLANA_METHODS = ["solana_signTransaction", "solana_signMessage"]


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    """Give requests for both wallets, by every method."""
    odd = text.map(lambda one: one.encode("utf-8", "ignore")[:32].decode("utf-8", "ignore"))
    on_solana = draw(st.booleans())
    known = SOLANA_METHODS if on_solana else METHODS
    method = draw(st.sampled_from([*known, *known, *METHODS, *SOLANA_METHODS]) | odd)
    right = (solana_wishes if on_solana else wishes()) if "Transaction" in method else policies()
    payload = draw(right | text.map(lambda one: one.encode("utf-8", "replace")))
    wallet = ON_SOLANA if on_solana else PLAY.wallet
    return Ask(wallet, method, payload[:MAX_PAYLOAD_BYTES])


def argument(kind: str) -> st.SearchStrategy[Any]:
    """Give an argument of a contract's method, most of them such that the method goes on."""
    if kind == "bytes32":
        return st.sampled_from([PLAY.wallet, ON_SOLANA, b"n" * 32, bytes(32)]).map(bytes)
    if kind == "bytes":
        return st.one_of(policies(), wishes(), solana_wishes, st.binary(max_size=100))
    if kind == "uint64":
        soon = st.sampled_from([0, 1, 2, 3, 256, NOW, NOW + 100, NOW + 1_000, 2**64 - 1])
        return soon | st.integers(0, 2**64 - 1)
    return values(kind)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Give calls of every method of every contract, and of none."""
    kind = draw(st.sampled_from(BUILT_IN)).kind
    method = draw(st.sampled_from(sorted(kind.METHODS.values(), key=lambda one: one.name)))
    data = b""
    for found in (method, Wallets.method("setPolicy")):
        kinds = [one for _, one in found.inputs]
        data = found.selector + encode(kinds, [draw(argument(one)) for one in kinds])
        if draw(st.booleans()):
            kind = kind if found is method else Wallets
            break
    else:
        kind = Wallets
    spoiled = draw(st.integers(0, 5)) == 0
    data = _changed(draw, data) if spoiled else data
    to = draw(st.sampled_from([kind.ADDRESS] * 6 + [OWNER.address, VAULT]))
    value = draw(st.sampled_from([0, 0, 0, 1, 10**18, 10**30, 2**256 - 1]))
    amount = draw(st.sampled_from([3_000_000, 30_000_000, 100_000, 21_000, 2**64 - 1]))
    return Call(to, data, value, amount, draw(st.booleans()) or not spoiled)


@st.composite
def scenes(draw: st.DrawFn) -> list[Any]:
    """Give a policy, and wishes for what it speaks of."""
    document = draw(documents())
    scene: list[Any] = [Ruling(draw(policies())), Ruling(_plainly(document))]
    for rule in document["rules"] if isinstance(document["rules"], list) else []:
        if not isinstance(rule, dict) or not isinstance(rule.get("function"), str):
            continue
        inside = rule["function"].removeprefix("f(").removesuffix(")")
        kinds = tuple(one.split(" ")[0] for one in inside.split(",") if one)
        if not set(kinds) <= set(KINDS):
            continue
        data = keccak256_raw(f"f({','.join(kinds)})".encode())[:4]
        data += encode(kinds, [draw(values(kind)) for kind in kinds])
        wish = EvmTransaction(
            DYNAMIC_FEE, TARGET, Nonce(0), Wei(0), Wei(1), Gas(1), VAULT, Wei(0), data
        )
        scene.append(Ask(PLAY.wallet, "eth_signTransaction", wish.unsigned_bytes()))
    return scene


nodes = st.builds(
    NodeMessage,
    st.just(PLAY.chain.block.network),
    st.just(keccak256(b"")),
    st.integers(0, 65_535),
    st.sampled_from(Kind),
    st.binary(max_size=60),
    st.binary(min_size=64, max_size=64),
)
alone = st.one_of(calls(), asks(), nodes).map(lambda one: [one])
plays = st.lists(st.one_of(alone, scenes()), min_size=1, max_size=PARTS).map(
    lambda parts: [step for part in parts for step in part]
)
