"""Proofs, records, transactions, policies, calldata, messages and frames, altered by coverage.

`make fuzz CASES=100000` gives each of them so many inputs; `make test` a few hundred.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import rlp as pyrlp
from eth_abi.abi import decode as eth_decode
from eth_abi.abi import encode as eth_encode
from solders.message import Message, from_bytes_versioned
from trie import HexaryTrie

from keymoot.base import rlp
from keymoot.base.abi.decode import decode as abi_decode
from keymoot.base.abi.encode import encode as abi_encode
from keymoot.base.abi.kinds import parse_kinds
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Bytes32, Hash32, NetworkId, RequestId, Signature65
from keymoot.base.request import SIGN_SOLANA_TRANSACTION, SIGN_TRANSACTION, Request, decode_request
from keymoot.base.solana_message import decode_message
from keymoot.base.strict_json import canonical, parse
from keymoot.base.transaction import decode_signed, decode_unsigned
from keymoot.base.units import Height, UnixSeconds
from keymoot.contracts.nodes import Nodes
from keymoot.contracts.record import Record
from keymoot.contracts.wallet import Book, Wallet
from keymoot.crypto.keccak import keccak256
from keymoot.enclave import frames, messages
from keymoot.enclave.frames import Want
from keymoot.moot.founding_record import FoundingRecord
from keymoot.moot.genesis import Genesis
from keymoot.policy.document import parse_policy
from keymoot.policy.intent import NotSignable, read_intent
from keymoot.proof.dossier import MAX_DOSSIER_BYTES, Dossier
from keymoot.store.header import Header
from keymoot.store.proof import verify_proof
from tests.fuzz.breed import breed
from tests.policy import documents
from tests.policy.solana import messages as solana
from tests.proof.dossiers import LONG, check_claims, whole_dossier
from tests.proof.world import World

CASES = int(os.environ.get("KEYMOOT_FUZZ_CASES", "300"))
"""Inputs for each."""

SIGNATURE = Signature65(bytes(31) + b"\1" + bytes(31) + b"\2\1")
WORLD = World()
DOSSIER, WALLET = whole_dossier(WORLD)


def cases(cost: int = 1) -> int:
    """Give fewer inputs to what is slow."""
    return max(CASES // cost, 50)


# -- what others read too


def test_rlp_as_pyrlp_reads_it() -> None:
    def check(raw: bytes) -> None:
        try:
            theirs = listed(pyrlp.decode(raw, strict=True))
        except (pyrlp.exceptions.DecodingError, RecursionError):
            theirs = None
        try:
            ours = rlp.decode(raw)
        except KeymootError:
            # Ours is bounded where theirs is not; the form itself is one.
            assert theirs is None or len(raw) > 64
            raise
        assert ours == theirs
        assert rlp.encode(ours) == raw

    seeds = [rlp.encode([b"", [b"a", b"bc" * 40], [[]], b"\x7f", b"\x80"]), b"\x80", b"\xc0"]
    breed(check, [*seeds, *(node for node in DOSSIER.members.nodes)], cases())


def listed(item: Any) -> Any:
    return bytes(item) if isinstance(item, bytes) else [listed(one) for one in item]


KINDS = ("uint256", "bytes", "string", "bool", "uint8[]", "bytes4[2]", "(int64,bytes)[]")


def test_calldata_as_eth_abi_reads_it() -> None:
    kinds = parse_kinds(KINDS)

    def check(raw: bytes) -> None:
        ours = abi_decode(kinds, raw)
        assert eth_decode(KINDS, raw, strict=True) == ours
        assert eth_encode(KINDS, ours) == abi_encode(kinds, ours)

    values = (7, b"bytes" * 9, "text", True, [1, 2], [b"abcd", b"efgh"], [(-3, b"x"), (4, b"")])
    breed(check, [eth_encode(KINDS, values)], cases())


def test_messages_as_solders_reads_them() -> None:
    def check(raw: bytes) -> None:
        ours = decode_message(raw)
        theirs = Message.from_bytes(raw) if ours.version is None else from_bytes_versioned(raw)
        assert [bytes(one) for one in theirs.account_keys] == [bytes(one) for one in ours.accounts]
        assert bytes(theirs.recent_blockhash) == ours.recent_blockhash
        assert [bytes(one.data) for one in theirs.instructions] == [
            one.data for one in ours.instructions
        ]
        assert ours.encode() == raw

    breed(check, solana_seeds(), cases())


def solana_seeds() -> list[bytes]:
    payments = (solana.sol(solana.PAYEES[0], 5), solana.token(solana.PAYEES[1], 7))
    return [solana.built(one, legacy=legacy) for one in payments for legacy in (True, False)]


def test_proofs_as_py_trie_reads_them() -> None:
    assert DOSSIER.account is not None
    slot = DOSSIER.account.slots[0]
    root = WORLD.state.account(Nodes.ADDRESS).storage_root
    key = keccak256(LONG)

    def check(raw: bytes) -> None:
        told = pyrlp.decode(raw, strict=False)
        nodes = [bytes(one) for one in told if isinstance(one, bytes)]
        ours = verify_proof(root, key, nodes)
        theirs = HexaryTrie.get_from_proof(root, key, [pyrlp.decode(one) for one in nodes])
        assert ours == (theirs or None)
        assert nodes == list(slot.nodes)

    def quiet(raw: bytes) -> None:
        try:
            check(raw)
        except pyrlp.exceptions.DecodingError:
            return

    breed(quiet, [pyrlp.encode(list(slot.nodes))], cases())


# -- what has one encoding


ONE_FORM: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes], Callable[[], Any]]] = {
    "unsigned transaction": (
        decode_unsigned,
        lambda found: found.unsigned_bytes(),
        lambda: documents.deposit(5).unsigned_bytes(),
    ),
    "signed transaction": (
        decode_signed,
        lambda found: found[0].signed_bytes(found[1]),
        lambda: documents.deposit(5).signed_bytes(SIGNATURE),
    ),
    "request": (
        decode_request,
        lambda found: found[0].signed_bytes(found[1]),
        lambda: request().signed_bytes(SIGNATURE),
    ),
    "header": (Header.decode, lambda found: found.encode(), DOSSIER.shown.header.encode),
    "founding record": (
        FoundingRecord.decode,
        lambda found: found.encode(),
        lambda: DOSSIER.founding.record,
    ),
    "wallet": (
        Wallet.decode,
        lambda found: found.encode(),
        lambda: WORLD.state.entry(*place(0)),
    ),
    "book": (Book.decode, lambda found: found.encode(), lambda: WORLD.state.entry(*place(2))),
}


def place(which: int) -> tuple[Any, Any]:
    assert DOSSIER.wallet is not None
    proof = DOSSIER.wallet[1]
    return proof.address, proof.slots[which].slot


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


@pytest.mark.parametrize("name", ONE_FORM)
def test_what_is_read_has_one_encoding(name: str) -> None:
    decode, encode, seed = ONE_FORM[name]

    def check(raw: bytes) -> None:
        found = decode(raw)
        # A record of state may have had a longer form before; then it is read, and written anew.
        assert encode(decode(encode(found))) == encode(found)
        if name not in {"wallet", "book"}:
            assert encode(found) == raw

    start = seed()
    assert start
    breed(check, [start], cases())


# -- what raises nothing but our own errors


def test_policies() -> None:
    seeds = [canonical_bytes(documents.interfaces()), canonical_bytes(solana.document())]
    breed(parse_policy, seeds, cases(3))


def test_wishes() -> None:
    def ethereum(raw: bytes) -> None:
        with suppress(NotSignable):
            read_intent(SIGN_TRANSACTION, raw, documents.WALLET)

    def of_solana(raw: bytes) -> None:
        with suppress(NotSignable):
            read_intent(SIGN_SOLANA_TRANSACTION, raw, solana.WALLET)

    breed(ethereum, [documents.deposit(5).unsigned_bytes()], cases())
    breed(of_solana, solana_seeds(), cases())


def test_frames_between_host_and_enclave() -> None:
    readers = (
        frames.read_begin,
        frames.read_watch,
        frames.read_certify,
        frames.read_outcome,
        frames.read_requests,
        frames.Ballot.decode,
        frames.Released.decode,
        frames.Place.decode,
        messages.read_answers,
        messages.read_join,
        messages.read_stored,
    )

    def check(raw: bytes) -> None:
        messages.parse(raw)

    def items(raw: bytes) -> None:
        item = rlp.decode(raw)
        for reader in readers:
            try:
                reader(item)
            except KeymootError as error:
                assert str(error)

    want = next(iter(Want))
    seeds = [
        rlp.encode(frames.certify_item(Height(5), b"proof" * 9, want, rests=True)),
        rlp.encode(frames.outcome_item(Height(5), want)),
        rlp.encode(frames.requests_item([Hash32(b"h" * 32)] * 2)),
        rlp.encode(frames.begin_item(None)),
    ]
    breed(items, seeds, cases(2))
    breed(check, seeds, cases(2))


def test_records_and_beginnings() -> None:
    breed(Record.decode, [DOSSIER.founding.record], cases(4))
    breed(Genesis.decode, [DOSSIER.founding.genesis], cases(4))


def test_whole_files() -> None:
    """What is accepted is what was shown, or less of it: never another thing."""
    told = DOSSIER.to_json()
    small = Dossier.from_json({**told, "account": None, "receipt": None})  # type: ignore[dict-item]

    def check(raw: bytes) -> None:
        found = Dossier.from_json(parse(raw, MAX_DOSSIER_BYTES))
        list(found.examine(NetworkId(WORLD.network)))
        check_claims(found, DOSSIER, WORLD)

    breed(check, [canonical_bytes(told), canonical_bytes(small.to_json())], cases(6))


def canonical_bytes(told: Any) -> bytes:
    text = canonical(told)
    return text.encode() if isinstance(text, str) else text
