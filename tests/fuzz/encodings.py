"""Encodings that others read too: RLP, the ABI, JSON, Solana's messages, trie proofs, base58."""

import json
from typing import Any

import rlp as pyrlp
from eth_abi.abi import decode as eth_decode
from eth_abi.abi import encode as eth_encode
from eth_abi.exceptions import DecodingError, EncodingError
from solders.message import Message, from_bytes_versioned, to_bytes_versioned
from solders.pubkey import Pubkey
from trie import HexaryTrie
from trie.exceptions import BadTrieProof, ValidationError

from keymoot.base import base58, rlp
from keymoot.base.abi.decode import BadEncoding
from keymoot.base.abi.decode import decode as abi_decode
from keymoot.base.abi.encode import encode as abi_encode
from keymoot.base.abi.kinds import parse_kinds
from keymoot.base.errors import Malformed
from keymoot.base.fixed import AppId
from keymoot.base.strict_json import MAX_DEPTH, MAX_INTEGER_DIGITS, canonical, parse
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.crypto.keccak import keccak256
from keymoot.policy.chains.solana.message import decode_message
from keymoot.store.proof import BrokenProof, verify_proof
from tests.fuzz.target import Target
from tests.policy.chains.solana import messages as solana
from tests.proof.dossiers import LONG, whole_dossier
from tests.proof.world import World

WORLD = World()
DOSSIER, WALLET = whole_dossier(WORLD)


# -- RLP


def check_rlp(raw: bytes) -> None:
    """The same is read and refused; ours is bounded where theirs is not."""
    try:
        theirs = _listed(pyrlp.decode(raw, strict=True))
    except (pyrlp.exceptions.DecodingError, RecursionError):
        theirs = None
    try:
        ours = rlp.decode(raw)
    except Malformed as error:
        bounded = "nested too deeply" in str(error) or "items" in str(error)
        assert theirs is None or bounded
        raise
    assert ours == theirs
    assert rlp.encode(ours) == raw


def _listed(item: Any) -> Any:
    return bytes(item) if isinstance(item, bytes) else [_listed(one) for one in item]


def rlp_seeds() -> list[bytes]:
    shapes: list[Any] = [
        [b"", [b"a", b"bc" * 40], [[]], b"\x7f", b"\x80"],
        [[b"a"] * 60, [[[[b"x" * 56]]]]],
        b"x" * 300,
    ]
    return [b"\x80", b"\xc0", *map(rlp.encode, shapes), *DOSSIER.members.nodes]


# -- Solidity's ABI

KINDS = ("uint256", "bytes", "string", "bool", "uint8[]", "bytes4[2]", "(int64,bytes)[]")
_PARSED = parse_kinds(KINDS)
_VALUES = (7, b"bytes" * 9, "text", True, [1, 2], [b"abcd", b"efgh"], [(-3, b"x"), (4, b"")])


def check_abi(raw: bytes) -> None:
    """What eth-abi reads and would write so, is read; and nothing else."""
    try:
        theirs = eth_decode(KINDS, raw, strict=True)
        written = eth_encode(KINDS, theirs)
    except (DecodingError, EncodingError, UnicodeDecodeError, OverflowError, MemoryError):
        theirs = written = None
    try:
        ours = abi_decode(_PARSED, raw)
    except BadEncoding:
        assert written != raw
        raise
    assert ours == theirs
    assert abi_encode(_PARSED, ours) == written == raw


def abi_seeds() -> list[bytes]:
    less = (0, b"", "", False, [], [b"abcd", b"efgh"], [])
    return [eth_encode(KINDS, one) for one in (_VALUES, less)]


# -- JSON


def check_json(raw: bytes) -> None:
    """What Python's reader takes is taken, but for what is said to be refused."""
    try:
        theirs = json.loads(
            raw.decode(),
            object_pairs_hook=_pairs,
            parse_float=_refuse,
            parse_constant=_refuse,
            parse_int=_short,
        )
        json.dumps(theirs, ensure_ascii=False).encode()
        told = _depth(theirs) <= MAX_DEPTH
    except (ValueError, RecursionError):
        told = False
    try:
        ours = parse(raw, 1 << 16)
    except Malformed:
        assert not told
        raise
    assert told
    assert ours == theirs
    assert parse(canonical(ours), 1 << 20) == ours


def _refuse(text: str) -> Any:
    raise ValueError(text)


def _short(text: str) -> int:
    return int(text) if len(text) <= MAX_INTEGER_DIGITS else _refuse(text)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(pairs) if len(dict(pairs)) == len(pairs) else _refuse("twice")


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def json_seeds() -> list[bytes]:
    return [
        b'{"a":[1,-2,0,{"b":null}],"c":true,"d":"\\u00e9\\ud83d\\ude00\\\\\\"x"}',
        b"[[[[[[]]]]]]",
        "\u00e9".encode().join((b'"', b'"')),
        b"[1.5,1e9,NaN,-Infinity]",
        b'{"a":1,"a":2}',
    ]


# -- Solana's messages


def check_solana(raw: bytes) -> None:
    """What is read is what Solana's types read. They read more: what a validator refuses."""
    try:
        ours = decode_message(raw)
    except Malformed as error:
        _why_not(raw, str(error))
        raise
    theirs: Any = Message.from_bytes(raw) if ours.version is None else from_bytes_versioned(raw)
    header = theirs.header
    assert [bytes(one) for one in theirs.account_keys] == [bytes(one) for one in ours.accounts]
    assert bytes(theirs.recent_blockhash) == ours.recent_blockhash
    assert (
        header.num_required_signatures,
        header.num_readonly_signed_accounts,
        header.num_readonly_unsigned_accounts,
    ) == (ours.signers, ours.readonly_signers, ours.readonly_others)
    assert [
        (one.program_id_index, bytes(one.accounts), bytes(one.data)) for one in theirs.instructions
    ] == [(one.program, bytes(one.accounts), one.data) for one in ours.instructions]
    assert ours.encode() == raw


OF_FORM = ("the bytes end too early", "follow the end", "shortest form", "16 bits", "three bytes")
"""Words of refusals over the encoding itself: there Solana's types have to agree."""


def _why_not(raw: bytes, told: str) -> None:
    if not any(one in told for one in OF_FORM):
        return
    try:
        theirs = from_bytes_versioned(raw)
        same = to_bytes_versioned(theirs) == raw
    except Exception:
        return
    assert not same


def solana_seeds() -> list[bytes]:
    payments = (solana.sol(solana.PAYEES[0], 5), solana.token(solana.PAYEES[1], 7))
    return [solana.built(one, legacy=legacy) for one in payments for legacy in (True, False)]


# -- proofs of a trie

assert DOSSIER.account is not None
_NODES = DOSSIER.account.slots[0].nodes
_ROOT = WORLD.state.account(Nodes.ADDRESS).storage_root
_KEY = keccak256(LONG)


def check_trie(raw: bytes) -> None:
    """One of py-trie's roots and keys: the same value or refusal, but for what is superfluous."""
    nodes = list(rlp.decode(raw))
    assert nodes is not None
    if not nodes or not all(isinstance(one, bytes) for one in nodes):
        return
    shown = [one for one in nodes if isinstance(one, bytes)]
    # The first node's own hash is the root: so altered nodes are looked into.
    for root in (_ROOT, keccak256(shown[0])):
        try:
            ours = verify_proof(root, _KEY, shown)
        except BrokenProof as error:
            refused = str(error)
        else:
            refused = ""
        try:
            read = [pyrlp.decode(one) for one in shown]
            theirs = HexaryTrie.get_from_proof(root, _KEY, read)
        except (BadTrieProof, ValidationError, pyrlp.exceptions.DecodingError):
            assert refused
            continue
        except Exception:
            # py-trie does not check the form of what it walks over.
            assert refused
            continue
        if not refused:
            assert ours == (theirs or None)


def trie_seeds() -> list[bytes]:
    return [rlp.encode(list(_NODES)), *(rlp.encode([one]) for one in _NODES)]


# -- base58


def check_base58(raw: bytes) -> None:
    """Solana's own reader of addresses takes the same texts."""
    text = raw.decode("utf-8", "replace")
    try:
        theirs = bytes(Pubkey.from_string(text))
    except ValueError:
        theirs = None
    try:
        ours = base58.decode(text, 32)
    except Malformed:
        assert theirs is None
        raise
    assert ours == theirs


def base58_seeds() -> list[bytes]:
    return [solana.USDC.base58.encode(), b"1" * 32, solana.PAYEES[0].base58.encode()]


# -- names of apps


def check_app(raw: bytes) -> None:
    """What is read is written alike."""
    text = raw.decode(errors="replace")
    assert AppId.from_text(text).text == text


def app_seeds() -> list[bytes]:
    return [AppId(bytes([byte]) * 21).text.encode() for byte in (0, 1, 255)]


TARGETS = [
    Target("rlp", "rlp, strict", check_rlp, rlp_seeds, 150),
    Target("abi", "eth-abi, strict", check_abi, abi_seeds, 40),
    Target("json", "json", check_json, json_seeds, 80),
    Target("solana messages", "solders", check_solana, solana_seeds, 130, 1_300),
    Target("trie proofs", "py-trie", check_trie, trie_seeds, 25),
    Target("names of apps", "one text for each", check_app, app_seeds, 10, 128),
    Target("base58", "solders", check_base58, base58_seeds, 50, 64),
]
