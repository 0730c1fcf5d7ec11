"""What agents and owners send: transactions, policies, calldata under a policy, signed queries."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

from eth_abi.abi import decode as eth_decode
from eth_abi.abi import encode as eth_encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from keymoot.agent.errors import BadTransaction
from keymoot.agent.typed_data import digest_of, payload_of
from keymoot.base.errors import KeymootError, Malformed
from keymoot.base.fixed import Address, Bytes32, NetworkId, RequestId, Signature65
from keymoot.base.request import (
    SIGN_MESSAGE,
    SIGN_SOLANA_MESSAGE,
    SIGN_SOLANA_TRANSACTION,
    SIGN_TRANSACTION,
    SIGN_TYPED_DATA,
    Request,
    decode_request,
)
from keymoot.base.strict_json import parse
from keymoot.base.transaction import (
    ACCESS_LIST,
    LEGACY,
    AccessEntry,
    EvmTransaction,
    decode_signed,
    decode_unsigned,
)
from keymoot.base.units import LEDGER_CHAIN_ID, ChainId, UnixSeconds
from keymoot.crypto.secp256k1 import recover, sign
from keymoot.crypto.signed_query import SELECTOR, SignedQuery
from keymoot.crypto.transactions import request_digest, signing_hash
from keymoot.policy.chains.evm.calldata import BadCalldata, Calldata
from keymoot.policy.chains.evm.rule import EvmRule
from keymoot.policy.chains.evm.signature import Function, parse_function
from keymoot.policy.decide import decide
from keymoot.policy.document import Policy, parse_policy
from keymoot.policy.intent import Intent, NeverSigned, read_intent
from keymoot.runtime.transactions import open_transaction
from tests.crypto.test_signed_query import CHAIN, DOMAIN, FIELDS, NETWORK, TO, by_others
from tests.fuzz.encodings import WALLET, WORLD, solana_seeds
from tests.fuzz.target import Target
from tests.policy import documents
from tests.policy.chains.evm.typed import payments
from tests.policy.chains.solana import messages as solana
from tests.runtime.people import OWNER

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
NOW = UnixSeconds(1_795_000_000)


# -- transactions


def transactions() -> list[EvmTransaction]:
    listed = (AccessEntry(Address(b"c" * 20), (Bytes32(b"s" * 32), Bytes32(b"t" * 32))),)
    return [
        documents.deposit(5),
        documents.deposit(5, access_list=listed),
        documents.deposit(5, kind=ACCESS_LIST, access_list=listed, max_priority_fee=10**9),
        documents.deposit(5, kind=LEGACY, max_priority_fee=10**9),
        documents.tx(None, b"\x60" * 60),
    ]


def check_unsigned(raw: bytes) -> None:
    """There is one form, and the hash to be signed is the hash of that form."""
    found = decode_unsigned(raw)
    assert found.unsigned_bytes() == raw
    assert bytes(signing_hash(found)) == keccak(raw)


def check_signed(raw: bytes) -> None:
    """There is one form; eth-account recovers the same sender; no second signature is read."""
    found, signature = decode_signed(raw)
    assert found.signed_bytes(signature) == raw
    ours = recover(signing_hash(found), signature)
    assert Account.recover_transaction(raw) == documents.checksummed(ours)
    s = int.from_bytes(signature[32:64], "big")
    other = signature[:32] + (_ORDER - s).to_bytes(32, "big") + bytes((1 - signature[64],))
    with suppress(Malformed):
        again, malleated = decode_signed(found.signed_bytes(Signature65(other)))
        recover(signing_hash(again), malleated)
        raise AssertionError("a malleated signature is read")


def signed() -> list[bytes]:
    return [one.signed_bytes(sign(OWNER.key, signing_hash(one))) for one in transactions()]


def request() -> Request:
    return Request(
        WORLD.network,
        WALLET,
        RequestId(b"i" * RequestId.LENGTH),
        UnixSeconds(9),
        SIGN_TRANSACTION,
        documents.deposit(5).unsigned_bytes(),
        Bytes32(b"r" * 32),
    )


def check_request(raw: bytes) -> None:
    """There is one form."""
    found, signature = decode_request(raw)
    assert found.signed_bytes(signature) == raw


def request_seeds() -> list[bytes]:
    one = request()
    return [one.signed_bytes(sign(OWNER.key, request_digest(one)))]


def check_any_transaction(raw: bytes) -> None:
    """What the ledger's door opens has the bytes and the name that came."""
    found = open_transaction(raw, LEDGER_CHAIN_ID, NetworkId(WORLD.network))
    assert found.raw == raw
    assert bytes(found.hash) == keccak(raw) or found.request is not None


def any_seeds() -> list[bytes]:
    own = [replace(one, chain_id=ChainId(LEDGER_CHAIN_ID)) for one in transactions()]
    return [
        *(one.signed_bytes(sign(OWNER.key, signing_hash(one))) for one in own),
        *request_seeds(),
    ]


# -- policies


def _intents() -> list[Intent]:
    told = [
        (SIGN_TRANSACTION, documents.deposit(5).unsigned_bytes(), documents.WALLET),
        (SIGN_MESSAGE, b"app.example wants you", documents.WALLET),
        *((SIGN_SOLANA_TRANSACTION, one, solana.WALLET) for one in solana_seeds()),
        (SIGN_SOLANA_MESSAGE, b"app.example wants you", solana.WALLET),
    ]
    return [read_intent(*one) for one in told]  # type: ignore[arg-type]


INTENTS = _intents()


def check_policy(raw: bytes) -> None:
    """A policy that is read is read again from its canonical form, judged, and decides."""
    from keymoot.policy.lint.warnings import warnings_of

    policy = parse_policy(raw)
    again = parse_policy(policy.source)
    assert (again.rules, again.limits, again.hash) == (policy.rules, policy.limits, policy.hash)
    known = parse_policy(policy.source, known=True)
    assert (known.rules, known.limits, known.hash) == (policy.rules, policy.limits, policy.hash)
    for one in warnings_of(policy):
        assert str(one)
    for intent in INTENTS:
        _decide(policy, intent)


def _decide(policy: Policy, intent: Intent) -> None:
    made = decide(policy, intent, {}, (), NOW)
    assert made.allowed == (made.rule is not None)
    assert made.allowed or str(made.refusal)
    json.dumps(made.decoded)


def policy_seeds() -> list[bytes]:
    text = {
        "version": "1",
        "chain": "eip155:1",
        "rules": [
            {
                "id": "login",
                "action": "DENY",
                "method": "personal_sign",
                "prefix": "app.example wants you",
            }
        ],
    }
    return [json.dumps(one).encode() for one in (documents.interfaces(), solana.document(), text)]


# -- calldata under a policy, held against eth-abi

FUNCTIONS = (
    "note(address to,uint256 amount)",
    "exec((address to,uint256 value,bytes data)[] calls,bytes32 salt)",
    "names(string a,bool b,int8[2] c,bytes4 d)",
    "nested((uint8 a,(bytes b,string c) d) e,uint256[][] f)",
)
RULES = [
    {
        "id": f"rule-{at}",
        "action": "ALLOW",
        "method": documents.SIGN,
        "to": {"in": "vaults"},
        "function": one,
    }
    for at, one in enumerate(FUNCTIONS)
]
POLICY = documents.parsed({**documents.interfaces(), "rules": RULES, "limits": []})
CALLED: dict[bytes, Function] = {
    selector: function
    for rule in POLICY.rules
    if isinstance(rule, EvmRule)
    for selector, function in rule.functions.items()
}
VALUES: tuple[list[Any], ...] = (
    ["0x" + "a1" * 20, 5],
    [[("0x" + "a1" * 20, 1, b"xyz" * 20), ("0x" + "b2" * 20, 0, b"")], b"s" * 32],
    ["text", True, [-1, 2], b"abcd"],
    [(1, (b"b" * 40, "c")), [[1, 2], [], [3]]],
)


def check_calldata(raw: bytes) -> None:
    """A rule sees what eth-abi reads, of calldata that eth-abi would write so."""
    function = CALLED.get(raw[:4])
    if function is not None:
        kinds = [one.kind for one in function.arguments]
        try:
            theirs = eth_decode(kinds, raw[4:], strict=True)
            written = eth_encode(kinds, theirs)
        except (DecodingError, EncodingError, UnicodeDecodeError, OverflowError):
            theirs = written = None
        try:
            ours = Calldata(raw).arguments(function)
        except BadCalldata:
            assert written != raw[4:]
        else:
            assert written == raw[4:]
            assert _plain(ours) == theirs
    intent = read_intent(
        SIGN_TRANSACTION, documents.tx(calldata=raw).unsigned_bytes(), documents.WALLET
    )
    _decide(POLICY, intent)
    _decide(INTERFACES, intent)


INTERFACES = documents.parsed()


def _plain(value: Any) -> Any:
    if isinstance(value, Address):
        return value.hex0x
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    return value


def calldata_seeds() -> list[bytes]:
    ours = [
        function.selector + eth_encode([one.kind for one in function.arguments], values)
        for function, values in zip(map(_named, FUNCTIONS), VALUES, strict=True)
    ]
    return [*ours, documents.deposit(5).data]


def _named(text: str) -> Function:
    return parse_function(text, "function")


# -- wishes of each method


def check_wish(raw: bytes) -> None:
    """Whatever is signed by whichever method is refused, or decided upon."""
    methods = (SIGN_TRANSACTION, SIGN_MESSAGE, SIGN_TYPED_DATA, SIGN_SOLANA_TRANSACTION)
    method = (*methods, SIGN_SOLANA_MESSAGE)[raw[0] % 5 if raw else 0]
    of_solana = method in (SIGN_SOLANA_TRANSACTION, SIGN_SOLANA_MESSAGE)
    try:
        intent = read_intent(method, raw[1:], solana.WALLET if of_solana else documents.WALLET)
    except NeverSigned as error:
        assert str(error)
        return
    for policy in (INTERFACES, SOLANA, PAYMENTS):
        _decide(policy, intent)


SOLANA = solana.parsed()
PAYMENTS = payments.policy()
TYPED = (
    payments.authorization(),
    payments.authorization(10_000),
    payments.document("Mail(Person[] to,string text)Person(address who)", {"to": [], "text": ""}),
)


def wish_seeds() -> list[bytes]:
    return [
        *(b"\0" + one.unsigned_bytes() for one in transactions()),
        b"\1app.example wants you to sign in",
        *(b"\2" + json.dumps(one).encode() for one in TYPED),
        *(b"\3" + one for one in solana_seeds()),
        b"\4app.example wants you to sign in with your Solana account:\n1111",
    ]


# -- EIP-712


def check_typed(raw: bytes) -> None:
    """A document is refused, or has the digest that eth-account gives what is sent of it."""
    try:
        document = parse(raw, 1 << 16)
    except Malformed:
        return
    if not isinstance(document, dict):
        return
    signable, digest = digest_of(document)
    sent = json.loads(payload_of(document))
    theirs = encode_typed_data(full_message=sent)
    assert keccak(b"\x19" + theirs.version + theirs.header + theirs.body) == digest
    assert signable == theirs
    with suppress(BadTransaction):
        digest_of(sent)


DOCUMENT = {
    "types": {
        "EIP712Domain": [{"name": name, "type": kind} for kind, name in DOMAIN],
        "Query": [{"name": name, "type": kind} for kind, name in FIELDS],
    },
    "primaryType": "Query",
}


def typed_seeds() -> list[bytes]:
    return [json.dumps(_document(SignedQuery.decode(by_others()))).encode()]


def _document(query: SignedQuery) -> dict[str, Any]:
    return {
        **DOCUMENT,
        "domain": {
            "name": "Keymoot query",
            "version": "1",
            "chainId": int(CHAIN),
            "salt": NETWORK.hex0x,
        },
        "message": {
            "from": query.sender.hex0x,
            "to": TO.hex0x,
            "data": "0x" + query.data.hex(),
            "nonce": query.nonce,
            "blockNumber": query.block,
            "blockHash": query.block_hash.hex0x,
            "blockRange": query.reach,
            "replyKey": query.reply_key.hex0x,
        },
    }


def check_query(raw: bytes) -> None:
    """A signed query has one form, and the digest that eth-account gives it."""
    query = SignedQuery.decode(SELECTOR + raw)
    theirs = encode_typed_data(full_message=_document(query))
    whole = keccak(b"\x19" + theirs.version + theirs.header + theirs.body)
    assert whole == query.digest(NETWORK, CHAIN, TO)
    assert SignedQuery.decode(query.encode()) == query
    with suppress(KeymootError):
        query.check_signature(NETWORK, CHAIN, TO)


TARGETS = [
    Target(
        "unsigned transactions",
        "its own encoder",
        check_unsigned,
        lambda: [one.unsigned_bytes() for one in transactions()],
        40,
    ),
    Target("signed transactions", "eth-account", check_signed, signed, 20),
    Target("requests", "its own encoder", check_request, request_seeds, 40),
    Target("the ledger's door", "Keccak-256 of what came", check_any_transaction, any_seeds, 15),
    Target("policies", "its canonical form", check_policy, policy_seeds, 15),
    Target("calldata", "eth-abi, strict", check_calldata, calldata_seeds, 10),
    Target("wishes", "no other errors", check_wish, wish_seeds, 20),
    Target("typed data", "eth-account", check_typed, typed_seeds, 6),
    Target("signed queries", "eth-account", check_query, lambda: [by_others()[4:]], 6),
]
