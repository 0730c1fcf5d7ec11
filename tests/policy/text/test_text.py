"""Texts by their prefix; and no text that is signed is ever a transaction."""

from typing import Any

import pytest
from eth_account.messages import _hash_eip191_message, encode_defunct
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.message import Message, MessageV0, from_bytes_versioned

from keymoot.base.request import SIGN_SOLANA_MESSAGE
from keymoot.crypto.keccak import keccak256
from keymoot.policy.chains.solana.message import MAX_PACKET_BYTES, compact, resembles_message
from keymoot.policy.decide import Decision, decide
from keymoot.policy.errors import BadPolicy
from keymoot.policy.intent import NeverSigned, read_intent
from keymoot.policy.limit import Usage
from keymoot.policy.text.intent import MAX_TEXT_BYTES
from tests.examples import examples
from tests.policy import documents
from tests.policy.chains.solana.messages import NOW, WALLET, built, document, parsed, sol, token

LOGIN = "app.example wants you to sign in with your Solana account:"
WHOLE = f"{LOGIN}\n{WALLET.base58}\n\nÄpfel, 日本\t🔑\n\nURI: https://app.example\nNonce: 1"


def judge(text: str | bytes, usage: Any = None, policy: Any = None) -> Decision:
    raw = text.encode() if isinstance(text, str) else text
    return decide(
        policy or parsed(), read_intent(SIGN_SOLANA_MESSAGE, raw, WALLET), usage or {}, (), NOW
    )


def reason(text: str | bytes, **more: Any) -> str:
    try:
        decision = judge(text, **more)
    except NeverSigned as error:
        return error.refusal.reason
    return "" if decision.refusal is None else decision.refusal.reason


def test_a_text_with_the_prefix_is_signed_as_it_is() -> None:
    intent = read_intent(SIGN_SOLANA_MESSAGE, WHOLE.encode(), WALLET)
    assert (intent.message, intent.slot) == (WHOLE.encode(), None)
    assert intent.digest == keccak256(WHOLE.encode())
    decision = judge(WHOLE)
    assert (decision.rule, decision.decoded) == ("login", {"message": WHOLE})
    assert reason(LOGIN) == ""
    assert reason(LOGIN + "x" * (MAX_TEXT_BYTES - len(LOGIN))) == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("evil.example wants you to sign in with your Solana account:", "NO_RULE"),
        (" " + LOGIN, "NO_RULE"),
        (LOGIN[:-1], "NO_RULE"),
        (LOGIN.upper(), "NO_RULE"),
        ("hello", "NO_RULE"),
        ("", "MALFORMED_MESSAGE"),
        (LOGIN + "x" * (MAX_TEXT_BYTES + 1 - len(LOGIN)), "MALFORMED_MESSAGE"),
        (LOGIN.encode() + b"\xff", "MALFORMED_MESSAGE"),
        (LOGIN.encode() + b"\xed\xa0\x80", "MALFORMED_MESSAGE"),
        (LOGIN + "\r\n", "MALFORMED_MESSAGE"),
        (LOGIN + "\u202egnp.exe", "MALFORMED_MESSAGE"),
        (LOGIN + "\u2066", "MALFORMED_MESSAGE"),
        (LOGIN + "\0", "MALFORMED_MESSAGE"),
        (LOGIN + "\x1b[2J", "MALFORMED_MESSAGE"),
        (LOGIN + "\x7f", "MALFORMED_MESSAGE"),
        (LOGIN + "\x85", "MALFORMED_MESSAGE"),
        (b"\xffsolana offchain", "TRANSACTION_AS_TEXT"),
        ("日本", "TRANSACTION_AS_TEXT"),
        (built(sol(WALLET, 1)), "TRANSACTION_AS_TEXT"),
        (built(token(WALLET, 1), legacy=False), "TRANSACTION_AS_TEXT"),
        (built(sol(WALLET, 1)) + b" and more", "TRANSACTION_AS_TEXT"),
    ],
)
def test_everything_else_is_refused(text: str | bytes, word: str) -> None:
    assert reason(text) == word


def test_a_deny_wins_and_texts_are_counted() -> None:
    changed = document()
    changed["rules"].append(
        {"id": "not", "action": "DENY", "method": "solana_signMessage", "prefix": LOGIN + "B"}
    )
    policy = parsed(changed)
    assert reason(LOGIN + "B", policy=policy) == "DENIED_BY_RULE"
    assert reason(LOGIN + "A", policy=policy) == ""
    usage: dict[str, Usage] = {}
    for _ in range(20):
        decision = judge(WHOLE, usage)
        usage |= decision.usage
    assert set(usage) == {"rate"}
    refused = judge(WHOLE, usage).refusal
    assert (refused.limit, refused.rule) == ("rate", "login")


def test_without_a_rule_on_texts_the_method_is_not_allowed() -> None:
    changed = document()
    del changed["rules"][2]
    assert reason(WHOLE, policy=parsed(changed)) == "METHOD_NOT_ALLOWED"


READERS = (Message.from_bytes, MessageV0.from_bytes, from_bytes_versioned)


def readable(raw: bytes) -> list[Any]:
    """Give what Solana's own readers of messages make of these bytes."""
    found = []
    for read in READERS:
        try:
            found.append(read(raw))
        except ValueError:
            continue
    return found


def crafted(keys: int, count: int, accounts: int, data: int, tail: str) -> str:
    """Write a text that has the shape of a legacy message."""
    call = "a" + chr(accounts) + "b" * accounts + chr(data) + "c" * data
    return "app" + chr(keys) + "k" * (32 * keys + 32) + chr(count) + call * count + tail


small = st.sampled_from([9, 10])


@settings(max_examples=examples(60), deadline=None)
@given(st.sampled_from([9, 10, 32, 33, 46]), small, small, small, st.text(max_size=4))
def test_texts_in_the_shape_of_a_message_are_refused(
    keys: int, count: int, accounts: int, data: int, tail: str
) -> None:
    text = crafted(keys, count, accounts, data, tail)
    assert readable(text.encode())  # so the danger is real, if far-fetched
    assert reason(text) == "TRANSACTION_AS_TEXT"


letters = st.characters(min_codepoint=9, max_codepoint=0x2FFF, exclude_categories=("Cs",))
texts = st.text(alphabet=st.sampled_from("\n\t ab.:é߿") | letters, max_size=700)


@settings(max_examples=examples(400), deadline=None)
@given(st.sampled_from(["", "app", "app.example"]), texts, st.integers(1, 4))
def test_nothing_that_is_signed_deserializes(start: str, text: str, times: int) -> None:
    raw = (start + text * times).encode()
    try:
        intent = read_intent(SIGN_SOLANA_MESSAGE, raw, WALLET)
    except NeverSigned:
        return
    assert readable(intent.message) == []


def test_what_a_rule_allows_would_need_more_signatures_than_a_packet_holds() -> None:
    # The prefix is printable ASCII, so the first byte of a legacy message would ask for 32
    # signatures at least: 2,048 bytes, where a whole packet has 1,232.
    assert MAX_PACKET_BYTES < 32 * 64
    assert compact(32) == b" "
    assert not resembles_message(WHOLE.encode())
    assert resembles_message(b"\x80")
    assert not resembles_message(b"")


class TestPersonalSign:
    """The same rule for wallets with an ECDSA key, behind EIP-191's prefix."""

    def policy(self, *prefixes: str) -> Any:
        changed = documents.interfaces()
        changed["rules"] += [
            {"id": f"p{at}", "action": "ALLOW", "method": "personal_sign", "prefix": one}
            for at, one in enumerate(prefixes)
        ]
        return documents.parsed(changed)

    def reason(self, text: str, policy: Any) -> str:
        intent = read_intent("personal_sign", text.encode(), documents.WALLET)
        decision = decide(policy, intent, {}, (), documents.NOW)
        return "" if decision.refusal is None else decision.refusal.reason

    @given(st.text(alphabet="abc é\n", min_size=1, max_size=200))
    def test_the_digest_is_eip_191s(self, text: str) -> None:
        intent = read_intent("personal_sign", text.encode(), documents.WALLET)
        theirs = _hash_eip191_message(encode_defunct(text=text))
        assert (intent.digest, intent.message, intent.slot) == (theirs, b"", None)

    def test_a_prefix_allows_and_nothing_else_does(self) -> None:
        policy = self.policy("app.example wants you to sign in:")
        assert self.reason("app.example wants you to sign in:\n0x", policy) == ""
        assert self.reason("app.example wants you to pay", policy) == "NO_RULE"

    def test_without_a_rule_on_texts_all_are_refused_as_ever(self) -> None:
        assert self.reason("hello", documents.parsed()) == "METHOD_NOT_ALLOWED"
        assert self.reason("app.example wants you", parsed()) == "WRONG_CHAIN"


OPEN = [
    "app.example",
    "app.example:",
    "app.example:443",
    "app.example/",
    "app.example/path",
    "app.example@",
    "app.example-",
    "app.example.",
    "localhost",
    "localhost:3000",
    "https://app.example",
    "https://app.example:",
    "https://app.example?",
    "https://app.example#",
    "https://app.example\\",
    "https:///app.example",
    "https:///",
    "Sign in to app.example",
    "Sign in to app.example:",
    "Sign in to (https://app.example",
    "URI: //app.example",
    "user@app.example",
]
CLOSED = [
    "app.example wants you to sign in with your Ethereum account:",
    "app.example ",
    "localhost wants you",
    "https://app.example/",
    "https://app.example:8443/login?to=",
    "Sign in to https://app.example/",
    "Sign in to app.example: ",
    "Welcome to Example! Your nonce: ",
]


@pytest.mark.parametrize("method", ["personal_sign", "solana_signMessage"])
def test_a_prefix_ends_where_the_domain_ends(method: str) -> None:
    start = document() if method == "solana_signMessage" else documents.interfaces()

    def rules(prefix: str, action: str = "ALLOW") -> dict[str, Any]:
        rule = {"id": "p", "action": action, "method": method, "prefix": prefix}
        return start | {"rules": [rule]}

    for prefix in OPEN:
        with pytest.raises(BadPolicy, match="evil") as refused:
            documents.parsed(rules(prefix))
        assert refused.value.path == "rules[0].prefix"
        # A DENY of more than is meant loosens nothing.
        documents.parsed(rules(prefix, "DENY"))
    for prefix in CLOSED:
        documents.parsed(rules(prefix))
